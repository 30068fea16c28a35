"""The library behind the stages: a room a topic (docs/architecture.md). Imports nothing of the project outside it."""

from core import interrupts

__version__ = "0.2.0"

interrupts.answer()
