"""Authors of the next commit, from those of its ancestors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.ranking import authors
from core.ranking.features import Similar
from core.ranking.snapshot import Snapshot

Asked = Callable[[str, str], tuple[Snapshot, Similar]]


@pytest.mark.parametrize(
    ("title", "path", "author"),
    [
        ("Fix the parser of times", "parser.py", "Ann"),
        ("Bump serde from 1.12 to 1.13", "Cargo.toml", "dependabot[bot]"),
        ("Describe the page of themes", "docs/settings.md", "Ben"),
    ],
)
def test_who_made_similar_commits_makes_the_next_one(asked: Asked, title: str, path: str, author: str) -> None:
    snapshot, similar = asked("main", title)
    best = authors.rank(snapshot, title, similar, {path: 0.8})
    assert best[0].name == author
    assert best[0].reason == "made 12 of the last 36 commits and 5 of the 5 with the most similar titles"


def test_shares_add_up_to_one_with_somebody_new_among_them(asked: Asked) -> None:
    snapshot, similar = asked("main", "Fix it")
    found = authors.rank(snapshot, "Fix it", similar, {}, top=50)
    assert sum(one.share for one in found) == pytest.approx(1)
    assert {one.name for one in found} == {"Ann", "Ben", "dependabot[bot]", authors.NEW}
    new = next(one for one in found if one.name == authors.NEW)
    assert new.reason == "0 of the last 36 commits were the first of their author"


def test_an_author_of_another_branch_is_nobody_yet(asked: Asked) -> None:
    title = "Fix the parser of dates again"
    for revision, known in (("main", False), ("side", True)):
        snapshot, similar = asked(revision, title)
        found = authors.rank(snapshot, title, similar, {}, top=50)
        assert ("Stranger" in {one.name for one in found}) is known


def test_nobody_is_named_without_a_task(asked: Asked) -> None:
    snapshot, similar = asked("main", "")
    assert authors.rank(snapshot, "", similar, {"parser.py": 1.0}) == []
