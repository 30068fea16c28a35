"""Answers that are kept: found again, rated, and forgotten when there are many."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import StageError
from services import kept_answers
from services.kept_answers import KeptAnswers


def test_an_answer_is_found_with_what_was_said_of_it(tmp_path: Path) -> None:
    with closing(KeptAnswers(tmp_path, tmp_path)) as kept:
        one = kept.keep({"question": "où?\ud800"})
        assert kept.find(one) == {"question": "où??", "answer_id": one, "useful": None, "comment": ""}
        assert kept.rate(one, useful=False, comment="no")
        assert kept.rate(one, useful=True, comment="yes")
    with closing(KeptAnswers(tmp_path, tmp_path)) as again:
        assert again.find(one) == {"question": "où??", "answer_id": one, "useful": True, "comment": "yes"}
        assert again.find("ans_other") is None
        assert not again.rate("ans_other", useful=True, comment="")


def test_the_newest_are_kept_and_rated_ones_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "MOST_ANSWERS", 3)
    monkeypatch.setattr(kept_answers, "MOST_RATED", 2)
    with closing(KeptAnswers(tmp_path, tmp_path)) as kept:
        rated = [kept.keep({"number": number}) for number in range(3)]
        for one in rated:
            kept.rate(one, useful=True, comment="")
        others = [kept.keep({"number": number}) for number in range(5)]
        assert [kept.find(one) is not None for one in rated] == [False, True, True]
        assert [kept.find(one) is not None for one in others] == [False, False, True, True, True]


def test_keeping_an_answer_reads_no_other(tmp_path: Path) -> None:
    with closing(KeptAnswers(tmp_path, tmp_path)) as kept:
        for null in ("NULL", "NOT NULL"):
            line = kept_answers._FORGET.format(null=null, most=10)
            plan = [row[3] for row in kept._database.execute(f"EXPLAIN QUERY PLAN {line}")]
            name = "unrated" if null == "NULL" else "rated"
            assert [one for one in plan if "answers" in one and f"INDEX {name}" not in one] == [], plan


def test_a_damaged_row_is_an_error_with_what_to_do(tmp_path: Path) -> None:
    with closing(KeptAnswers(tmp_path, tmp_path)) as kept:
        one = kept.keep({"question": "x"})
        (path,) = (tmp_path / "index").glob("*.answers.db")
        with closing(sqlite3.connect(path)) as database:
            database.execute("UPDATE answers SET data = x'0000000001'")
            database.commit()
        with pytest.raises(StageError, match="delete the file"):
            kept.find(one)
