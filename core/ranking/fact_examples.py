"""Past commits as questions for authors, symbols and change types, with their answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.code.change_types import CHANGE_TYPES
from core.ranking import authors, change_types, symbols
from core.ranking.features import Features, Similar
from core.ranking.model import Example
from core.ranking.query import Query
from core.ranking.snapshot import Snapshot

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? ", re.MULTILINE)
_OLD_FILE = re.compile(r"^--- (?:\"?a/(.*?)\"?|/dev/null)\t?$", re.MULTILINE)
DIFF_OPTIONS = ("--unified=0", "-M100%", "--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/")
"""What git diff needs for `old_lines`."""
OldLines = Mapping[str, Sequence[int]]
"""By path, 1-based lines that a commit removed or changed, and those that it inserted behind."""
Named = tuple[str, str]
"""(path, qualified name) of a symbol."""


def example(names: Iterable[str], features: Features, true: Iterable[bool]) -> Example | None:
    """For the fit; None where no candidate is right."""
    right = np.array(list(true), np.bool_)
    matrix = np.stack([features[name] for name in names], axis=1).astype(np.float32)
    return Example(matrix, right) if right.any() else None


def of_author(snapshot: Snapshot, title: str, similar: Similar, files: Mapping[str, float], author: str) -> Example:
    """Who made a commit, asked of its parent."""
    names, _ = authors.candidates(snapshot.past)
    right = author if author in names else authors.NEW
    found = authors.features(snapshot, title, similar, files)
    made = example(authors.FEATURES, found, [name == right for name in names])
    assert made is not None
    return made


def old_lines(diff: str) -> dict[str, list[int]]:
    """The old side of a diff with DIFF_OPTIONS: by path, the lines that a commit touched."""
    found: dict[str, list[int]] = {}
    for part in re.split(r"^(?=diff --git )", diff, flags=re.MULTILINE):
        if not (file := _OLD_FILE.search(part)) or not file[1]:
            continue
        lines = found.setdefault(file[1], [])
        for hunk in _HUNK.finditer(part[file.end() :]):
            start, count = int(hunk[1]), int(hunk[2] or 1)
            lines += range(start, start + count) if count else [start]
    return found


def touched(lines: OldLines, parsed: Mapping[str, Sequence[symbols.Symbol]]) -> set[Named]:
    """The symbols that hold the old lines of a commit: the innermost one around each."""
    found = set()
    for path, numbers in lines.items():
        for number in numbers:
            around = [one for one in parsed.get(path, ()) if one.lines[0] <= number <= one.lines[1]]
            if around:
                found.add((path, min(around, key=lambda one: one.lines[1] - one.lines[0]).name))
    return found


def of_symbols(
    task: str, files: Mapping[str, float], parsed: Mapping[str, Sequence[symbols.Symbol]], right: set[Named]
) -> Example | None:
    """Which symbols a commit touched, asked of its parent; None where the ranked files hold none of them."""
    if not (found := symbols.candidates(files, parsed)):
        return None
    made = symbols.features(Query(task), files, found)
    return example(symbols.FEATURES, made, [(one.path, one.name) in right for one in found])


def of_change_types(
    snapshot: Snapshot,
    title: str,
    similar: Similar,
    files: Mapping[str, float],
    counts: change_types.Counts,
    commit: str,
) -> Example | None:
    """Which types of change a commit made, asked of its parent; None where they are unknown."""
    parts = change_types.known(snapshot.past, counts)
    right = counts.get(commit, {})
    if not parts.any() or not right:
        return None
    found = change_types.features(snapshot, title, similar, files, parts)
    return example(change_types.FEATURES, found, [name in right for name in CHANGE_TYPES])


def rank_of(example: Example, names: Sequence[str], weights: Mapping[str, float]) -> int:
    """The place, from 0, at which weights put the best right candidate."""
    scores = example.features.astype(np.float64) @ np.array([weights.get(name, 0.0) for name in names])
    return int(np.argmax(example.true[np.argsort(-scores, kind="stable")]))
