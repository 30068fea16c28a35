"""Which file of a commit is meant by a name in a report, which often comes from another machine or another folder.

A name and a path are taken for the same file by what they end in. How much of the name is left out for that, and which
folder is put before it, is the same for most files of a report: that decides where ends alone do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from thoughts.risk.coverage.formats import Names

MOST_CANDIDATES = 20
"""Paths that end alike; of more, none is chosen."""
WEAK = 0.5
"""Of the files that lie like most, those that must lie like one that only its last part speaks for."""


class _Candidate(NamedTuple):
    path: str
    place: tuple[str, str]
    """(what is left out of the name, what is put before it)."""
    is_strong: bool
    """Whether the whole name or the whole path is what both end in, and more than a file's name."""


@dataclass
class _Node:
    """The paths that end in the same parts."""

    paths: list[str] = field(default_factory=list)
    before: dict[str, _Node] = field(default_factory=dict)


def placed(names: Iterable[Names], paths: Iterable[str]) -> tuple[dict[Names, str], int]:
    """(the path that each name means, how many names could mean several). Names that mean none are left out."""
    tree, size = _tree(paths)
    found = {one: _candidates(one, tree, size) for one in names}
    votes = Counter(one.place for some in found.values() if not _are_many(some) for one in some)
    most = max(votes.values(), default=0)
    chosen, unclear = {}, 0
    for name, some in found.items():
        if _are_many(some):
            unclear += 1
            continue
        held = [one for one in some if one.is_strong or votes[one.place] >= WEAK * most]
        best = max((votes[one.place] for one in held), default=0)
        leading = {one.path for one in held if votes[one.place] == best}
        exact = {one.path for one in held if one.place == ("", "") and votes[one.place] == best}
        if len(leading) == 1 or exact:
            chosen[name] = (exact or leading).pop()
        elif leading:
            unclear += 1
    return chosen, unclear


def _are_many(found: list[_Candidate]) -> bool:
    return len({one.path for one in found}) > MOST_CANDIDATES


def _tree(paths: Iterable[str]) -> tuple[_Node, dict[str, int]]:
    root, size = _Node(), {}
    for path in paths:
        parts = _parts(path)
        size[path] = len(parts)
        node = root
        for part in reversed(parts):
            node = node.before.setdefault(part, _Node())
            if len(node.paths) <= MOST_CANDIDATES:
                node.paths.append(path)
    return root, size


def _candidates(names: Names, tree: _Node, size: dict[str, int]) -> list[_Candidate]:
    """The paths that share the longest end with one of the names; of too many, one more than are looked at."""
    longest, found = 1, list[_Candidate]()
    for name in names:
        parts, node, shared = _parts(name), tree, 0
        for part in reversed(parts):
            if part not in node.before:
                break
            node, shared = node.before[part], shared + 1
        if shared < longest:
            continue
        found = found if shared == longest else []
        longest = shared
        for path in node.paths:
            place = "/".join(parts[: len(parts) - shared]), "/".join(_parts(path)[: size[path] - shared])
            found.append(_Candidate(path, place, shared > 1 and shared in (len(parts), size[path])))
    return found


def _parts(name: str) -> list[str]:
    """The folders and the file of a name, on whatever system it was written."""
    parts: list[str] = []
    for part in name.replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return parts
