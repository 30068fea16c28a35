"""Asking a repository in words: answers whose every statement names lines or a commit, checked against git."""
