"""Facts about a path, a language or a change that need no repository."""
