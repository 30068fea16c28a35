"""Asking a model: which files, what kinds of change, which code."""
