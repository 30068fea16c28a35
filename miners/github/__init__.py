"""GitHub: requests, cache and limits, and which repositories are good enough to learn from."""
