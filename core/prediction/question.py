"""A question about a repository's next commit: declared once, for the command line and the service."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from core.config import Section

MOST_TEXT = 65_536
"""Characters of a task or prompt."""
MOST_TOKENS = 1024
MOST_PATH = 4096
"""Bytes of a path, as Linux has them."""
MOST_PATTERN = 256
"""Characters of a pattern."""
MOST_PATTERNS = 100
MOST_AUTHOR = 1000
"""Characters of an author's name."""


def is_pattern(name: str) -> bool:
    """Whether a name of files has wildcards."""
    return any(sign in name for sign in "*?[")


def _bounded_path(path: str) -> str:
    if len(path.encode("utf-8", "surrogatepass")) > MOST_PATH:
        raise ValueError(f"a path has at most {MOST_PATH:,} bytes")
    return path


def _bounded_pattern(name: str) -> str:
    if is_pattern(name) and len(name) > MOST_PATTERN:
        raise ValueError(f"a pattern has at most {MOST_PATTERN} characters")
    return name


def _plain_commit(name: str) -> str:
    if ":/" in name or "^{/" in name:
        raise ValueError("a commit is named by its hash, a branch or a tag, not searched for")
    return name


FilePath = Annotated[str, Field(max_length=MOST_PATH), AfterValidator(_bounded_path)]
"""A path in a repository."""
FilePattern = Annotated[FilePath, AfterValidator(_bounded_pattern)]
"""A path, or a pattern such as src/*."""
CommitName = Annotated[str, Field(max_length=1000), AfterValidator(_plain_commit)]
"""A commit for people who are not trusted: git would search all messages by any regular expression."""


class Question(Section):
    """What changes next in the repository?"""

    task: str = Field(default="", max_length=MOST_TEXT)
    """What is to be done, like the first line of a commit message."""
    author: str = Field(default="", max_length=MOST_AUTHOR)
    """Who is to do it; by default the last commit's author."""
    files: tuple[FilePattern, ...] = Field(default=(), max_length=1000)
    """Choose from these files alone: names and patterns such as src/*."""
    changed: tuple[FilePath, ...] = Field(default=(), max_length=1000)
    """What is changed already: which files go with it?"""
    new_files: bool = True
    """Let a file that does not exist yet be an answer, marked as new."""
    top: int = Field(default=5, ge=1, le=50)
    """Answers of each kind."""
    sketch_tokens: int = Field(default=96, ge=0, le=MOST_TOKENS)
    """Maximum number of tokens of text in the sketch; 0 for none."""
    always_sketch: bool = False
    """Sketch also where the model's code was measured to be no better than copying."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """Above 0, draw the sketch instead of taking the likeliest."""
    top_p: float = Field(default=1.0, ge=0, le=1)
    """Draw from the likeliest tokens whose probabilities add up to this; 0 takes the likeliest."""
    seed: int = Field(default=0, ge=-(2**63), lt=2**64)
    """Seed of what is drawn."""
    copying: bool = True
    """Let the sketch copy from the history where that was right on validation; needs a model that was evaluated."""

    @field_validator("task", "author", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        """Replace bytes of a command line, and halves of characters in JSON, that are no text."""
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value

    @field_validator("files")
    @classmethod
    def _few_patterns(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if sum(map(is_pattern, names)) > MOST_PATTERNS:
            raise ValueError(f"at most {MOST_PATTERNS} of the names may be patterns")
        return names
