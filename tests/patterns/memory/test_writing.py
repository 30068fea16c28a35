"""Operations on a team's patterns: roles, votes, deletions, and that each is done once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from team_made_up import MadeTeam, new

from patterns.memory import checking, writing
from patterns.memory.operations import Add, Delete, Restore, Vote
from patterns.memory.reading import Wanted
from stores.agent.beliefs import lower_bound

GITHUB = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5"


def added(made: MadeTeam, name: str = "mia", number: int = 0, **values: Any) -> str:
    """The UUID of a pattern that a member has added."""
    (outcome,) = made.add(name, new(number, **values))
    assert outcome.status == "added"
    return outcome.id


def one(made: MadeTeam, pattern: str, by: str = "rob") -> dict[str, Any]:
    return made.of(by).reading.one(pattern, include_deleted=True)


def test_one_pattern_of_many_members_is_one_row_with_an_occurrence_each(made: MadeTeam) -> None:
    (first,) = made.add("mia", new(commit="1" * 40))
    (second,) = made.add("moe", new(commit="2" * 40, before_code="return  total_0 /\n\tcount"))
    (third,) = made.add("moe", new(commit="2" * 40))
    assert [first.status, second.status, third.status] == ["added", "known", "unchanged"]
    assert first.id == second.id == third.id
    shown = one(made, first.id)
    assert (shown["created_by"], shown["version"]) == ("mia", 2)
    assert [(each["member"], each["commit"][0]) for each in shown["occurrences"]] == [("mia", "1"), ("moe", "2")]


@pytest.mark.parametrize("other", [{"language": "ruby"}, {"after_code": "return 0"}, {"before_code": ""}])
def test_another_language_or_side_is_another_pattern(made: MadeTeam, other: dict[str, str]) -> None:
    assert len({outcome.id for outcome in made.add("mia", new(), new(**other))}) == 2


def test_a_pattern_is_found_by_either_id(made: MadeTeam) -> None:
    pattern = added(made, pattern_id="00000000000000aa")
    made.add("moe", new(commit="2" * 40, pattern_id="00000000000000bb"))
    assert {one(made, name)["id"] for name in (pattern, "00000000000000aa", "00000000000000bb")} == {pattern}


def test_votes_are_one_a_member_and_can_be_changed_and_taken_back(made: MadeTeam) -> None:
    pattern = added(made)
    seen = []
    for name, helpful in [("moe", True), ("max", True), ("moe", True), ("moe", False), ("moe", None), ("moe", None)]:
        status = made.vote(name, pattern, helpful).status
        shown = one(made, pattern, "moe")
        seen.append((status, shown["up"], shown["down"], shown["my_vote"]))
        assert shown["score"] == lower_bound(1 + shown["up"], 1 + shown["down"])
        assert made.of("ada").check() == []
    assert seen == [
        ("done", 1, 0, True),
        ("done", 2, 0, True),
        ("unchanged", 2, 0, True),
        ("done", 1, 1, False),
        ("done", 1, 0, None),
        ("unchanged", 1, 0, None),
    ]


def test_nobody_votes_for_their_own_pattern(made: MadeTeam) -> None:
    pattern = added(made)
    assert made.vote("mia", pattern, True).code == "own_pattern"
    assert one(made, pattern)["up"] == 0


def test_only_a_report_of_use_sets_the_last_use(made: MadeTeam) -> None:
    pattern = added(made)
    made.vote("moe", pattern, True)
    assert one(made, pattern)["last_used"] is None
    made.vote("moe", pattern, True, used=True)
    used = one(made, pattern)["last_used"]
    made.vote("moe", pattern, False)
    assert one(made, pattern)["last_used"] == used is not None


def test_a_reader_changes_nothing(made: MadeTeam) -> None:
    pattern = added(made)
    before = one(made, pattern)
    for operation in (Add(pattern=new(1)), Vote(id=pattern, helpful=True), Delete(id=pattern), Restore(id=pattern)):
        (outcome,) = made.of("rob").apply([operation])
        assert (outcome.status, outcome.code) == ("refused", "not_allowed")
    assert one(made, pattern) == before


def test_a_deleted_pattern_stays_deleted_until_a_maintainer_restores_it(made: MadeTeam) -> None:
    pattern = added(made)

    def outcome(name: str, operation: Any) -> str:
        (found,) = made.of(name).apply([operation])
        return found.code or found.status

    assert outcome("moe", Delete(id=pattern)) == "not_allowed"
    assert outcome("mia", Delete(id=pattern)) == "done"
    assert outcome("max", Delete(id=pattern)) == "unchanged"
    assert one(made, pattern)["deleted_by"] == "mia"
    assert made.add("moe", new())[0].code == "deleted"
    assert made.vote("moe", pattern, True).code == "deleted"
    assert outcome("mia", Restore(id=pattern)) == "not_allowed"
    assert outcome("max", Restore(id=pattern)) == "done"
    assert made.add("moe", new())[0].status == "unchanged"
    assert outcome("max", Delete(id=pattern)) == "done"
    lines, _ = made.of("max").reading.audit(50)
    changes = [line["action"] for line in lines if line["action"].startswith("pattern.")]
    assert changes == ["pattern.delete", "pattern.restore", "pattern.delete"]


def test_an_operation_that_comes_again_is_not_done_again(made: MadeTeam) -> None:
    pattern = added(made)
    vote = Vote(uid="the first", id=pattern, helpful=True)
    first, again = made.of("moe").apply([vote, vote])
    made.vote("moe", pattern, False)
    (late,) = made.of("moe").apply([vote])
    assert (first.replayed, again.replayed, late.replayed) == (False, True, True)
    assert first.status == again.status == late.status == "done"
    assert (one(made, pattern)["up"], one(made, pattern)["down"]) == (0, 1)
    (other,) = made.of("moe").apply([Vote(uid="the first", id=pattern, helpful=False)])
    assert other.code == "key_reused"
    (of_another,) = made.of("max").apply([Vote(uid="the first", id=pattern, helpful=False)])
    assert of_another.status == "done"


def test_an_operation_is_forgotten_after_its_time(made: MadeTeam) -> None:
    pattern = added(made)
    vote = Vote(uid="the first", id=pattern, helpful=True)
    made.of("moe").apply([vote], kept_days=-1)
    made.vote("moe", pattern, False)
    (late,) = made.of("moe").apply([vote])
    assert not late.replayed
    assert one(made, pattern)["up"] == 1


def test_what_is_refused_leaves_the_others_be(made: MadeTeam) -> None:
    outcomes = made.of("mia").apply([Add(pattern=new(1)), Delete(id="nowhere"), Add(pattern=new(2))])
    assert [outcome.status for outcome in outcomes] == ["added", "refused", "added"]
    assert outcomes[1].code == "not_found"
    assert made.of("max").reading.stats()["patterns"] == 2


def test_more_operations_than_a_transaction_has_are_done_in_order(made: MadeTeam) -> None:
    outcomes = made.add("mia", *map(new, range(250)), new(3))
    assert [outcome.status for outcome in outcomes] == ["added"] * 250 + ["unchanged"]
    sequence = [row["seq"] for row in made.of("rob").reading.news("", 500).patterns]
    assert sequence == sorted(set(sequence))
    assert len(sequence) == 250


def test_credentials_are_masked_before_they_are_kept(made: MadeTeam, tmp_path: Path) -> None:
    secret = f'token = "{GITHUB}"'
    pattern = added(made, after_code=secret, commit_msg=secret, symbol=GITHUB, author=GITHUB)
    note = f"it needs {GITHUB}"
    made.vote("moe", pattern, True, note=note)
    shown = one(made, pattern)
    assert shown["code_after"] == 'token = "<SECRET:github>"'
    assert shown["masked"] == {"github": 4}
    with made.memory.database.read() as connection:
        tables = made.memory.database.schema.metadata.sorted_tables
        kept = "".join(str(connection.execute(table.select()).all()) for table in tables)
    assert "<SECRET:github>" in kept
    assert GITHUB not in kept


@pytest.mark.parametrize("field", ["problem_type", "date", "pattern_id", "language", "change_kind", "template_id"])
def test_a_credential_where_none_is_masked_is_refused(made: MadeTeam, field: str) -> None:
    (outcome,) = made.add("mia", new(**{field: GITHUB}))
    assert outcome.code == "holds_secret"
    assert GITHUB not in outcome.message


def test_survival_is_that_of_the_newest_look_at_the_same_lines(made: MadeTeam) -> None:
    lasting = {"born": "b" * 40, "until": "c" * 40, "lines": 4, "alive": 4, "days": 30.0}
    pattern = added(made, survival=lasting, template_id="30.0")
    for survival, days in (
        ({**lasting, "days": 10.0}, 30.0),
        ({**lasting, "days": 90.0, "alive": 3}, 90.0),
        ({**lasting, "days": 400.0, "born": "d" * 40}, 90.0),
        ({**lasting, "days": 60.0, "alive": 0, "ended_by": "e" * 40}, 60.0),
    ):
        made.add("moe", new(survival=survival, template_id=str(survival["days"])))
        shown = one(made, pattern)
        assert (shown["survival"]["days"], shown["template_id"]) == (days, str(days))


def test_a_pattern_remembers_so_many_occurrences(made: MadeTeam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MOST_OCCURRENCES", 3)
    outcomes = made.add("mia", *(new(commit=f"{number:040x}") for number in range(5)))
    assert one(made, outcomes[0].id)["occurrence_count"] == 3


def test_members_who_add_and_vote_at_once_lose_nothing(made: MadeTeam) -> None:
    names = [f"member {number}" for number in range(6)]
    teams = [made.of(name) for name in names]

    def work(team: Any) -> None:
        for number in range(5):
            (outcome,) = team.apply([Add(pattern=new(number, commit=team.identity.member[-1] * 40))])
            for helpful in (True, False, True):
                team.apply([Vote(id=outcome.id, helpful=helpful)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, teams))
    shown = made.of("rob").reading.page(Wanted(), 100).patterns
    assert len(shown) == 5
    assert all((row["up"], row["down"], row["occurrence_count"]) == (5, 0, 6) for row in shown)
    assert made.of("ada").check() == []


@pytest.mark.slow
def test_no_reader_misses_a_row_of_several_writers(made: MadeTeam) -> None:
    writers, each = 6, 150
    names = [f"member {number}" for number in range(writers)]
    teams, reader, done = [made.of(name) for name in names], made.of("rob"), []

    def write(at: int) -> None:
        for start in range(0, each, 15):
            numbers = range(at * each + start, at * each + start + 15)
            teams[at].apply([Add(pattern=new(number)) for number in numbers])
        done.append(at)

    def read(_: int) -> set[str]:
        seen: set[str] = set()
        cursor = ""
        while True:
            is_last = len(done) == writers
            news = reader.reading.news(cursor, 500)
            seen |= {row["id"] for row in news.patterns}
            cursor = news.cursor
            time.sleep(0.05)
            if is_last and not news.more and not news.patterns:
                return seen

    with ThreadPoolExecutor(writers + 2) as pool:
        reads = [pool.submit(read, number) for number in range(2)]
        list(pool.map(write, range(writers)))
        assert [len(one.result()) for one in reads] == [writers * each] * 2


def test_a_count_that_does_not_follow_from_the_votes_is_found(made: MadeTeam) -> None:
    pattern = added(made)
    made.vote("moe", pattern, True)
    scope = made.of("ada").scope
    for table, where, values, words in (
        ("patterns", {"id": pattern}, {"up": 2}, "has 2 votes up"),
        ("patterns", {"id": pattern}, {"up": 1, "score": 0.9}, "score"),
        ("pattern_feedback", {"id": pattern}, {"helpful": 0}, "differ"),
    ):
        with made.memory.database.write() as connection:
            scope.update(connection, table, where, **values)
        assert words in " ".join(made.of("ada").check())


def test_what_was_deleted_long_ago_is_purged_and_older_cursors_begin_again(made: MadeTeam) -> None:
    gone, stays = added(made, number=1), added(made, number=2)
    made.vote("moe", gone, True)
    news = made.of("rob").reading.news
    before = news("", 500).cursor
    made.of("mia").apply([Delete(id=gone)])
    after = news("", 500).cursor
    assert checking.purge(made.of("ada").scope, 1) == 0
    assert checking.purge(made.of("ada").scope, -1) == 1
    with pytest.raises(Exception, match="read everything again"):
        news(before, 500)
    assert news(after, 500).patterns == []
    assert [row["id"] for row in news("", 500).patterns] == [stays]
    assert made.of("ada").check() == []
    assert made.add("moe", new(1))[0].status == "added"
