"""The map of a repository at a commit: what calls what, what imports what, which tests reach a symbol."""
