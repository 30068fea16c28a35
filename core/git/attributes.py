"""What a commit's .gitattributes say that its files are encoded in."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

from core.git.blobs import BlobReader
from core.git.encodings import codec_of

_MOST_BYTES = 1 << 16
"""Of one .gitattributes; a larger one is not read."""
_NAMES = ("encoding", "working-tree-encoding")
"""The first is what git's own viewers read files by. The second is what git turns into UTF-8 when it stores a file, and
so what one is in that was stored before or without."""
_LINE = re.compile(r'[ \t]*("(?:[^"\\]|\\.)*"|[^ \t]+)[ \t]+(.*)')
_SETS = re.compile(r"(?:^|(?<=[ \t]))[-!]?(encoding|working-tree-encoding)(?:=(\S+))?(?=[ \t]|$)")
_GLOB = re.compile(
    r"(?P<folders>(?:^|(?<=/))\*\*/)|(?P<rest>(?<=/)\*\*$)|\*+|\?|\[(?P<negated>[!^])?(?P<set>\]?[^]/]*)\]|\\?.",
    re.DOTALL,
)


class _Rule(NamedTuple):
    """One line of a .gitattributes."""

    pattern: re.Pattern[str]
    is_of_name: bool
    """The pattern is that of a file's name, not of its path."""
    values: dict[str, str]
    """By attribute; "" takes back what rules before have set."""


class Attributes:
    """Encodings by commit and path."""

    def __init__(self, blobs: BlobReader) -> None:
        self._blobs = blobs
        self._content = functools.lru_cache(maxsize=64)(self._read)

    def encoding(self, commit: str, path: str) -> str:
        """Python's name of what a file should be in at a commit; "" where nothing is said, or nothing known."""
        values: dict[str, str] = {}
        for rules, name in self._above(commit, path):
            for rule in rules:
                if rule.pattern.fullmatch(name.rpartition("/")[2] if rule.is_of_name else name):
                    values = {**rule.values, **values}
        return next((codec for one in _NAMES if (codec := codec_of(values.get(one, ""))) != "utf-8"), "")

    def _above(self, commit: str, path: str) -> Iterator[tuple[tuple[_Rule, ...], str]]:
        """Rules that count for a file, strongest first, and the file's path from where they are."""
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            content = self._content(f"{commit}:{folder}/.gitattributes" if folder else f"{commit}:.gitattributes")
            if content:
                yield _rules(content), path[len(folder) + 1 :] if folder else path

    def _read(self, name: str) -> bytes | None:
        return self._blobs.read(name, _MOST_BYTES) if "\n" not in name else None


@functools.lru_cache(maxsize=256)
def _rules(content: bytes) -> tuple[_Rule, ...]:
    """Those that speak of encodings, the last first."""
    found = []
    for line in content.decode("utf-8-sig", "replace").split("\n"):
        parts = _LINE.fullmatch(line.rstrip("\r"))
        values = dict(_SETS.findall(parts[2])) if parts else {}
        if parts and values and not parts[1].startswith(("#", "!", "[attr]")):
            pattern = _unquoted(parts[1])
            if not pattern.endswith("/"):
                found.append(_Rule(_expression(pattern.removeprefix("/")), "/" not in pattern, values))
    return tuple(reversed(found))


def _unquoted(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern[1:-1]) if pattern.startswith('"') else pattern


def _expression(glob: str) -> re.Pattern[str]:
    """A pattern of paths, in which two stars stand for any folders."""
    return re.compile(_GLOB.sub(_translated, glob), re.DOTALL)


def _translated(token: re.Match[str]) -> str:
    text = token[0]
    if token["folders"]:
        return "(?:.*/)?"
    if token["rest"]:
        return ".*"
    if token["set"]:
        inner = re.sub(r"([\[\]\\&~|])", r"\\\1", token["set"])
        return f"(?!/)[{'^' if token['negated'] else ''}{inner}]"
    return {"*": "[^/]*", "?": "[^/]"}.get(text[:1], re.escape(text[-1]))
