"""What somebody is about to do, as the words that past changes are compared with, and the lines to edit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from core.ranking.terms import IDENTIFIER, LONGEST, number, part_numbers

MOST_CHARACTERS = 200_000
"""Of each part of a question; the rest is not read."""
_DIFF_PATH = re.compile(r"^\+\+\+ (?!/dev/null)(?:b/)?([^\t\n]+)", re.MULTILINE)
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)")


class Line(NamedTuple):
    """A line that is there now."""

    path: str
    number: int
    """From 1, in the file of a diff, or else in the code that was given."""
    text: str


@dataclass(frozen=True)
class Question:
    """Code, a diff, an error, a task, and where that is; any part may be empty."""

    code: str = ""
    diff: str = ""
    error: str = ""
    task: str = ""
    path: str = ""

    def terms(self) -> Counter[int]:
        """The terms of all parts. Of a diff the lines as they were: a past change is found by what it began with."""
        old = "\n".join(line[1:] for line in _read(self.diff).split("\n") if _is_old(line))
        paths = " ".join((self.path, *_DIFF_PATH.findall(_read(self.diff))))
        return terms_of((self.code, old, self.error, self.task, paths))

    def lines(self) -> Iterator[Line]:
        """The lines that are there now: those of the code, in the file of `path`, and those that the diff adds."""
        if self.path:
            for at, text in enumerate(_read(self.code).split("\n"), start=1):
                yield Line(self.path, at, text)
        yield from _added(_read(self.diff), self.path)


def terms_of(texts: Iterable[str]) -> Counter[int]:
    """How often identifiers, and the parts that they are made of, occur in some texts, as terms."""
    found: Counter[int] = Counter()
    for text in texts:
        for name, count in Counter(IDENTIFIER.findall(_read(text))).items():
            if len(name) <= LONGEST:
                parts = part_numbers(name)
                for term in {number(name), *parts}:
                    found[term] += count
    return found


def _read(text: str) -> str:
    return text[:MOST_CHARACTERS]


def _is_old(line: str) -> bool:
    return line[:1] in ("-", " ") and not line.startswith("--- ")


def _added(diff: str, path: str) -> Iterator[Line]:
    at = 1
    for line in diff.split("\n"):
        if line.startswith("+++ "):
            path = found[1] if (found := _DIFF_PATH.match(line)) else ""
        elif hunk := _HUNK.match(line):
            at = int(hunk[1])
        elif line[:1] == "+":
            if path:
                yield Line(path, at, line[1:])
            at += 1
        elif line[:1] == " ":
            at += 1
