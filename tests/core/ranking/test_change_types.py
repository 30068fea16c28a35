"""Kinds of the next change, from those of past commits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.ranking import change_types
from core.ranking.features import Similar
from core.ranking.snapshot import Snapshot

Asked = Callable[[str, str], tuple[Snapshot, Similar]]
_TYPES = {"parser.py": "bug_fix", "Cargo.toml": "dependency", "docs/settings.md": "documentation"}


def counts_of(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    past = snapshot.past
    paths = [past.commits.paths[path] for path in past.commits.change_paths[past.changes].tolist()]
    hashes = [past.commits.hashes[past.order[commit]] for commit in past.change_commits.tolist()]
    return {hash_: {_TYPES[path]: 1} for hash_, path in zip(hashes, paths, strict=True) if path in _TYPES}


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("Fix the parser of times", "parser.py"),
        ("Bump serde from 1.12 to 1.13", "Cargo.toml"),
        ("Describe the page of themes", "docs/settings.md"),
    ],
)
def test_a_task_brings_the_change_that_similar_ones_brought(asked: Asked, title: str, path: str) -> None:
    snapshot, similar = asked("main", title)
    best = change_types.rank(snapshot, title, similar, {path: 0.8}, counts_of(snapshot), top=3)
    assert best[0].name == _TYPES[path]
    assert best[0].reason == "in 12 of the last 36 commits and 5 of the 5 with the most similar titles"
    assert len(best) == 3


def test_types_are_absent_where_they_are_unknown_or_no_task_is_given(asked: Asked) -> None:
    snapshot, similar = asked("main", "Fix it")
    assert change_types.rank(snapshot, "Fix it", similar, {}, {}) == []
    assert change_types.rank(snapshot, "Fix it", similar, {}, {"0" * 40: {"bug_fix": 1}}) == []
    assert change_types.rank(snapshot, "", Similar.none(snapshot), {}, counts_of(snapshot)) == []


def test_types_of_commits_that_are_no_ancestors_do_not_count(asked: Asked) -> None:
    side, _ = asked("side", "")
    main, similar = asked("main", "Fix the parser")
    mine = counts_of(main)
    others = {hash_: {"formatting": 9} for hash_ in side.past.commits.hashes if hash_ not in counts_of(main)}
    alone, planted = (change_types.rank(main, "Fix the parser", similar, {}, one) for one in (mine, mine | others))
    assert alone == planted
