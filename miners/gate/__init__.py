"""Does what histories teach hold elsewhere? The replay that tries it, and its reports."""
