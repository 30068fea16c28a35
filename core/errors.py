"""Errors that are shown to the user as a sentence and a hint, each with its exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_ALREADY_RUNNING = 75
EXIT_INTERRUPTED = 130


class GitloreError(Exception):
    """What is wrong (`message`) and what to do about it (`hint`)."""

    exit_code = EXIT_FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class StageError(GitloreError):
    """A stage could not do its work, through no fault in the arguments."""


class UserError(GitloreError):
    """Config, arguments or input are wrong; nothing was run or changed."""

    exit_code = EXIT_USAGE


class AlreadyRunningError(GitloreError):
    """Another run holds the outputs folder."""

    exit_code = EXIT_ALREADY_RUNNING


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`did you mean 'x'?` for the closest choice, or all choices when none is close."""
    known = sorted(choices)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
