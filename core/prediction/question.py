"""A question about a repository's next commit: declared once, for the command line and the service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from core.config import Section

MOST_TEXT = 65_536
"""Characters of a task or prompt."""
MOST_TOKENS = 1024


class Question(Section):
    """What changes next in the repository?"""

    task: str = Field(default="", max_length=MOST_TEXT)
    """What is to be done, like the first line of a commit message."""
    author: str = Field(default="", max_length=MOST_TEXT)
    """Who is to do it; by default the last commit's author."""
    files: tuple[Annotated[str, Field(max_length=MOST_TEXT)], ...] = Field(default=(), max_length=1000)
    """Choose from these files alone: names and patterns such as src/*."""
    changed: tuple[Annotated[str, Field(max_length=MOST_TEXT)], ...] = Field(default=(), max_length=1000)
    """What is changed already: which files go with it?"""
    new_files: bool = True
    """Let a file that does not exist yet be an answer, marked as new."""
    top: int = Field(default=5, ge=1, le=50)
    """Answers of each kind."""
    sketch_tokens: int = Field(default=96, ge=0, le=MOST_TOKENS)
    """Maximum number of tokens of text in the sketch; 0 for none."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """Above 0, draw the sketch instead of taking the likeliest."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Draw from the likeliest tokens whose probabilities add up to this."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Seed of what is drawn."""

    @field_validator("task", "author", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        """Replace bytes of a command line, and halves of characters in JSON, that are no text."""
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value
