"""What was shown and what people made of it is kept, within bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from uses_made_up import noted

from chat.learning import use_log
from chat.learning.tables import SCHEMA
from chat.learning.use_log import Found, FoundPlace, UseLog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[UseLog]:
    with closing(UseLog(tmp_path / "repo", tmp_path / "cache")) as found:
        yield found


def test_the_migration_makes_what_is_described(log: UseLog) -> None:
    with log.database.read() as connection:
        options = {"compare_type": True, "include_name": lambda name, kind, _: name != "alembic_version"}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), SCHEMA.metadata) == []
    assert log.database.problems() == []


def test_what_is_noted_and_judged_is_there_for_the_next_process(log: UseLog, tmp_path: Path) -> None:
    one, other, unjudged = (noted(number) for number in range(3))
    for answer in (unjudged, other, one):
        log.note(answer)
    log.rate(one.id, useful=False)
    log.rate(one.id, useful=True)
    log.open(other.id, "part1.py", 12)
    log.open(other.id, "part1.py", 19)
    log.close()
    with closing(UseLog(tmp_path / "repo", tmp_path / "cache")) as again:
        expected = [dataclasses.replace(one, useful=True), dataclasses.replace(other, opened=frozenset({1}))]
        assert again.judged() == expected
        assert again.count() == (3, 2)
    with closing(UseLog(tmp_path / "other", tmp_path / "cache")) as elsewhere:
        assert elsewhere.count() == (0, 0)


@pytest.mark.parametrize(("path", "line"), [("part1.py", 9), ("part1.py", 20), ("part9.py", 12)])
def test_a_line_outside_of_all_places_is_no_judgement(log: UseLog, path: str, line: int) -> None:
    log.note(one := noted(1))
    log.open(one.id, path, line)
    assert log.judged() == []


def test_a_line_of_several_places_is_one_of_the_narrowest_that_was_shown(log: UseLog) -> None:
    wide, narrow = (FoundPlace("a.py", first, last, 0.1, 0.1, [1.0]) for first, last in ((1, 90), (10, 19)))
    one = noted(1)
    for number, (shown, expected) in enumerate(((1, 0), (2, 1)), start=1):
        found = Found("plain", ["w_all"], [1.0], [wide, narrow], shown)
        log.note(dataclasses.replace(one, id=f"ans_{number}", at=float(number), found=found))
        log.open(f"ans_{number}", "a.py", 12)
        assert log.judged()[-1].opened == {expected}


def test_an_answer_that_is_not_kept_is_passed_over(log: UseLog) -> None:
    log.rate("ans_none", useful=True)
    log.open("ans_none", "part1.py", 12)
    assert log.count() == (0, 0)


def test_the_oldest_are_forgotten_and_judged_ones_later(log: UseLog, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MOST_UNJUDGED", 3), ("MOST_JUDGED", 2), ("SWEEP_EVERY", 1)):
        monkeypatch.setattr(use_log, name, most)
    for number in range(3):
        log.note(noted(number))
        log.rate(f"ans_{number}", useful=True)
        log.open(f"ans_{number}", "part0.py", 10)
    for number in range(3, 9):
        log.note(noted(number))
    assert [one.id for one in log.judged()] == ["ans_1", "ans_2"]
    assert log.count() == (5, 2)
