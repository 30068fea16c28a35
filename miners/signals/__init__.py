"""What one commit or one tree shows: one file for each signal."""
