"""Plumbing that every stage shares. Imports nothing of the project outside this package."""

__version__ = "0.1.0"
