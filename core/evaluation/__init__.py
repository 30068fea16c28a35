"""How well a model foretells held-out history, and beside what."""
