"""Pages of patterns, what is new, and the figures."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from team_made_up import MadeTeam, convention, new

from patterns.memory.identity import now
from patterns.memory.operations import Convene, Delete
from patterns.memory.reading import Wanted
from patterns.memory.refusals import RefusedOperationError


def paths(made: MadeTeam, limit: int = 100, **wanted: Any) -> list[str]:
    return [row["file_path"] for row in made.of("rob").reading.page(Wanted(**wanted), limit).patterns]


@pytest.fixture
def filled(made: MadeTeam) -> MadeTeam:
    """A team with patterns of several kinds."""
    made.add(
        "mia",
        new(0, file_path="a/one.py"),
        new(1, file_path="a/two.py", problem_type="feature_addition", change_kind="guard", before_code=""),
        new(2, file_path="b/one.rs", language="rust", shape_hash="e" * 64, repository="f" * 40),
        new(3, file_path="a_/100%.py", commit_msg="Count to 100% of it"),
    )
    return made


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, {"a/one.py", "a/two.py", "b/one.rs", "a_/100%.py"}),
        ({"problem_type": "feature_addition"}, {"a/two.py"}),
        ({"language": "rust"}, {"b/one.rs"}),
        ({"shape": "e" * 64}, {"b/one.rs"}),
        ({"file": "a/"}, {"a/one.py", "a/two.py"}),
        ({"file": "a/one.py"}, {"a/one.py"}),
        ({"q": "100%"}, {"a_/100%.py"}),
        ({"q": "COUNT TO"}, {"a_/100%.py"}),
        ({"q": "total_1 "}, {"a/two.py"}),
        ({"q": "_100"}, set()),
        ({"repository": "f" * 40}, {"b/one.rs"}),
        ({"change_kind": "guard"}, {"a/two.py"}),
        ({"member": "moe"}, set()),
        ({"member": "mia", "language": "rust"}, {"b/one.rs"}),
    ],
)
def test_patterns_are_filtered(filled: MadeTeam, wanted: dict[str, str], found: set[str]) -> None:
    assert set(paths(filled, **wanted)) == found


def test_what_a_list_can_be_filtered_by_is_known_the_most_frequent_first(filled: MadeTeam) -> None:
    assert filled.of("rob").reading.choices() == {
        "problem_type": ["bug_fix", "feature_addition"],
        "change_kind": ["guard"],
        "language": ["python", "rust"],
        "repository": ["a" * 40, "f" * 40],
        "created_by": ["mia"],
    }
    other = MadeTeam(filled.memory, filled.memory.found(f"other {uuid.uuid4()}", "eve"))
    assert not any(other.memory.team(other.admin).reading.choices().values())


def test_a_deleted_pattern_is_listed_only_if_asked_for(filled: MadeTeam) -> None:
    row = filled.of("rob").reading.page(Wanted(file="a/one.py"), 1).patterns[0]
    filled.of("mia").apply([Delete(id=row["id"])])
    assert paths(filled, file="a/one.py") == []
    assert paths(filled, file="a/one.py", include_deleted=True) == ["a/one.py"]
    with pytest.raises(RefusedOperationError, match="is deleted"):
        filled.of("rob").reading.one(row["id"])


@pytest.mark.parametrize("sort", ["score", "recent"])
def test_a_cursor_goes_on_where_the_page_ended_whatever_is_added_meanwhile(made: MadeTeam, sort: Any) -> None:
    outcomes = made.add("mia", *map(new, range(10)))
    for at in (2, 3, 7):
        made.vote("moe", outcomes[at].id, True)
    made.vote("moe", outcomes[5].id, False)
    whole = paths(made, sort=sort)
    seen: list[str] = []
    cursor, reading = "", made.of("rob").reading
    while True:
        page = reading.page(Wanted(sort=sort), 3, cursor=cursor)
        seen += [row["file_path"] for row in page.patterns]
        cursor = page.next_cursor
        if not cursor:
            break
        made.add("mia", new(100 + len(seen), before_code="", file_path="later.py", pattern_id=""))
    assert [path for path in seen if path != "later.py"] == whole
    by_number = [reading.page(Wanted(), 3, page=number).patterns for number in (1, 2)]
    assert len({row["id"] for rows in by_number for row in rows}) == 6


def test_pages_by_number_end_somewhere(made: MadeTeam) -> None:
    with pytest.raises(RefusedOperationError, match="next_cursor"):
        made.of("rob").reading.page(Wanted(), 100, page=101)


def test_a_cursor_is_of_one_list_of_one_team(made: MadeTeam) -> None:
    made.add("mia", *map(new, range(3)))
    page = made.of("rob").reading.page(Wanted(), 1).next_cursor
    sync = made.of("rob").reading.news("", 1).cursor
    other = MadeTeam(made.memory, made.memory.found(f"{made.admin.team}, too", "eve")).memory
    stranger = other.team(other.found(f"{made.admin.team}, also", "eve")).reading
    forged = page[:-2] + ("AA" if page[-2:] != "AA" else "BB")
    for call in (
        lambda: made.of("rob").reading.page(Wanted(), 1, cursor=sync),
        lambda: made.of("rob").reading.page(Wanted(sort="recent"), 1, cursor=page),
        lambda: made.of("rob").reading.page(Wanted(), 1, cursor=forged),
        lambda: made.of("rob").reading.page(Wanted(), 1, cursor="ü"),
        lambda: made.of("rob").reading.news("A", 1),
        lambda: made.of("rob").reading.news(page, 1),
        lambda: stranger.page(Wanted(), 1, cursor=page),
        lambda: stranger.news(sync, 1),
    ):
        with pytest.raises(RefusedOperationError) as caught:
            call()
        assert caught.value.code == "invalid_cursor"


def test_news_has_each_change_once_with_deletions(made: MadeTeam) -> None:
    first, second = made.add("mia", new(1), new(2))
    reading = made.of("rob").reading
    news = reading.news("", 1)
    assert ([row["id"] for row in news.patterns], news.more) == ([first.id], True)
    news = reading.news(news.cursor, 1)
    assert ([row["id"] for row in news.patterns], news.more) == ([second.id], False)
    assert reading.news(news.cursor, 10).patterns == []
    made.vote("moe", first.id, True)
    made.of("mia").apply([Delete(id=second.id)])
    later = reading.news(news.cursor, 10).patterns
    assert [(row["id"], row["up"], bool(row["deleted_at"])) for row in later] == [
        (first.id, 1, False),
        (second.id, 0, True),
    ]


def test_the_figures_are_those_of_the_team(filled: MadeTeam) -> None:
    row = filled.of("rob").reading.page(Wanted(), 1).patterns[0]
    filled.vote("moe", row["id"], False)
    stats = filled.of("max").reading.stats()
    assert stats["patterns"] == 4
    assert stats["by_problem_type"] == {"bug_fix": 3, "feature_addition": 1}
    assert (stats["votes"], stats["occurrences"], stats["deleted"]) == ({"up": 0, "down": 1}, 4, 0)
    for name in ("mia", "rob"):
        for call in (filled.of(name).reading.stats, lambda name=name: filled.of(name).reading.audit(5)):
            with pytest.raises(RefusedOperationError) as caught:
                call()
            assert caught.value.code == "not_allowed"


def test_the_audit_is_read_page_by_page(made: MadeTeam) -> None:
    for name in ("mia", "moe", "rob"):
        made.of(name)
    reading = made.of("ada").reading
    first, cursor = reading.audit(3)
    second, end = reading.audit(3, cursor)
    assert [line["object"] for line in first + second] == ["rob", "moe", "mia", made.admin.team]
    assert end == ""


def test_the_audit_is_read_by_member_and_by_action(made: MadeTeam) -> None:
    for name in ("mia", "moe"):
        made.key(name)
    made.add("mia", new(0))
    reading = made.of("max").reading
    assert [line["action"] for line in reading.audit(9, member="mia")[0]] == ["patterns.write"]
    assert {line["action"] for line in reading.audit(9, action="key")[0]} == {"key.create"}
    first, cursor = reading.audit(1, action="key.")
    second, end = reading.audit(1, cursor, action="key.")
    assert ([line["detail"]["member"] for line in first + second], end) == (["moe", "mia"], "")
    assert reading.audit(9, action="ke_")[0] == reading.audit(9, member="nobody")[0] == []


def test_a_convention_is_known_by_its_name(made: MadeTeam) -> None:
    made.of("mia").apply([Convene(template=convention(4))])
    found = made.of("rob").reading.convention(convention(4).template_id)
    assert found is not None
    assert found["steps"] == convention(4).steps
    for other in ("", "nowhere", "\0"):
        assert made.of("rob").reading.convention(other) is None


def test_conventions_are_those_that_hold_in_files_like_this_one(made: MadeTeam) -> None:
    year = 366 * 86_400
    told = [
        convention(0, confidence=0.5),
        convention(1, confidence=0.9, paths=["shop/basket.py"]),
        convention(2, confidence=0.7, paths=["shop/basket.py"]),
        convention(3, language="rust"),
        convention(4, steps=2),
        convention(5, share=0.6),
        convention(6, retired="reversed"),
        convention(7, last_seen_at=now(year)),
        convention(8, last_seen_at=""),
    ]
    outcomes = made.of("mia").apply([Convene(template=one) for one in told])
    assert {one.status for one in outcomes} == {"added"}
    found = made.of("rob").reading.conventions("tests/test_other.py", 5)
    assert [one["template_id"][-1] for one in found] == ["0", "1", "2"]
    assert [one["template_id"][-1] for one in made.of("rob").reading.conventions("shop/new.py", 2)] == ["1", "2"]
    assert made.of("rob").reading.conventions("notes.txt", 5) == []


def test_of_two_looks_at_a_convention_the_later_counts(made: MadeTeam) -> None:
    day = 86_400

    def tell(name: str, **values: Any) -> str:
        return made.of(name).apply([Convene(template=convention(0, **values))])[0].status

    at = now(2 * day)
    assert tell("mia", steps=5, last_seen_at=at) == "added"
    assert tell("moe", steps=4, last_seen_at=now(3 * day)) == "unchanged"
    assert tell("moe", steps=5, last_seen_at=at) == "unchanged"
    assert tell("moe", steps=6, last_seen_at=now(day)) == "known"
    assert made.of("rob").apply([Convene(template=convention(1))])[0].code == "not_allowed"
    (record,) = made.of("rob").reading.conventions("a.py", 5)
    assert record["steps"] == 6
    news = made.of("rob").reading.news("", 10)
    assert [row["member"] for row in news.templates] == ["moe"]
    assert made.of("rob").reading.news(news.cursor, 10).templates == []
