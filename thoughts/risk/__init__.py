"""Which files are repaired next, and how far to trust that: always beside lines of code alone."""
