"""What is asked, cut into what counts apart: title, body, names, code, errors, frames of tracebacks, paths."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from core.ranking.terms import IDENTIFIER

MAX_TEXT = 65_536
"""Characters of a task that count."""
_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*?(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_CODE_LINE = re.compile(r"^(?: {4,}|\t|>>> |\.\.\. |\$ |In \[\d+\]: ).*$", re.MULTILINE)
_ERROR_LINE = re.compile(r"^.*\b\w*(?:Error|Exception|Warning|panicked|fatal)\b.*$", re.MULTILINE)
_TICKED = re.compile(r"`{1,2}([^`\n]{1,120})`{1,2}")
_PY_FRAME = re.compile(r'File "([^"\n]{1,300})", line (\d{1,9})(?:, in (\S+))?')
# Paths are looked for inside words of bounded length, since a search through the whole text would be quadratic.
_PATH_LIKE = re.compile(r"([\w./+@~-]+)(:\d{1,9}\b)?")
_FRAME = re.compile(r"(?:[\w.+@~-]*/)*[\w+-]+\.[A-Za-z]\w{0,5}")
_PATH = re.compile(r"(?:~?/)?(?:[\w.+@-]+/)+[\w.+@-]+|[\w+-]+\.[a-z]\w{0,5}")
_LONGEST_PATH = 400
_DOTTED = re.compile(r"\b[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_NAME_LIKE = re.compile(r"_|[a-z][A-Z]|[A-Z]{2,}[a-z]")
MAX_FRAMES = 50


@dataclass(frozen=True)
class Query:
    """A task in words: the first line is its title."""

    text: str

    @cached_property
    def title(self) -> str:
        """The first line that is not blank."""
        return next((line.strip() for line in self.text[:MAX_TEXT].splitlines() if line.strip()), "")[:500]

    @cached_property
    def body(self) -> str:
        """What follows the title."""
        return self.text[:MAX_TEXT].lstrip().partition("\n")[2]

    @cached_property
    def code(self) -> str:
        """Fenced blocks and indented lines of the body."""
        fences = _FENCE.findall(self.body)
        return "\n".join([*fences, *_CODE_LINE.findall(_FENCE.sub("\n", self.body))])

    @cached_property
    def errors(self) -> str:
        """Lines that name an error."""
        return "\n".join(_ERROR_LINE.findall(self.text[:MAX_TEXT]))

    @cached_property
    def names(self) -> list[str]:
        """Names in backticks, and others that are spelled as only code is."""
        prose = _FENCE.sub("\n", self.text[:MAX_TEXT])
        ticked = [name for part in _TICKED.findall(prose) for name in IDENTIFIER.findall(part)]
        dotted = [name for part in _DOTTED.findall(prose) for name in part.split(".")]
        spelled = [name for name in IDENTIFIER.findall(prose) if _NAME_LIKE.search(name)]
        return list(dict.fromkeys([*ticked, *dotted, *spelled]))

    @cached_property
    def members(self) -> list[tuple[str, str]]:
        """(owner, name) of each dotted name."""
        parts = [part.split(".") for part in _DOTTED.findall(self.text[:MAX_TEXT])]
        return list(dict.fromkeys(pair for names in parts for pair in itertools.pairwise(names)))

    @cached_property
    def frames(self) -> list[str]:
        """Paths of the frames of tracebacks, as they come."""
        return [path for path, _, _ in self.lines]

    @cached_property
    def lines(self) -> list[tuple[str, int, str]]:
        """(path, line, function or "") of these frames."""
        text = self.text[:MAX_TEXT]
        found = [(match[1], int(match[2]), match[3] or "") for match in _PY_FRAME.finditer(text)]
        if not found:
            numbered = ((path, line) for path, line in _path_like(text) if line and _FRAME.fullmatch(path))
            found = [(path, int(line), "") for path, line in numbered]
        return found[-MAX_FRAMES:]

    @cached_property
    def paths(self) -> list[str]:
        """Paths and file names anywhere."""
        return _paths(self.text[:MAX_TEXT])[:200]

    @cached_property
    def title_paths(self) -> list[str]:
        """Those of the title."""
        return _paths(self.title)


def _paths(text: str) -> list[str]:
    return list(dict.fromkeys(path for path, _ in _path_like(text) if _PATH.fullmatch(path)))


def _path_like(text: str) -> Iterator[tuple[str, str]]:
    """(word that may be a path, number behind its colon or "")."""
    for match in _PATH_LIKE.finditer(text):
        word = match[1].rstrip(".").removeprefix("./")
        if len(word) <= _LONGEST_PATH:
            yield word, (match[2] or "")[1:]
