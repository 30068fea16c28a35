"""GitHub: requests, cache and limits, and which repositories are worth reading."""
