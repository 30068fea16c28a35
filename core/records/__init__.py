"""What stages exchange through files: records, and how they are written and read."""
