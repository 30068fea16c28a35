"""What changed between two commits, by symbols."""
