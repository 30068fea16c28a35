"""What to study first: by what was found useful for the CPU time that it took."""
