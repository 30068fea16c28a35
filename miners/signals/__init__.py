"""What one commit, or one tree, tells: each signal a file."""
