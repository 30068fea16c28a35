"""Versions of a team's adapters: one file each, one of a base active, and the way back."""
