"""Any database of ours."""
