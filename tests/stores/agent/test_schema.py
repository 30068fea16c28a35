"""The tables of the stores: databases made by earlier versions stay readable, and no two descriptions disagree."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from stores import FailureStore, PatternStore, VVectorStore
from stores.agent.store import Store

VERSION_1 = Path(__file__).with_name("version_1")
"""What the first version wrote, as `sqlite3 FILE .dump` prints it."""
STORES: tuple[type[Store[Any]], ...] = (VVectorStore, PatternStore, FailureStore)


def tables(path: Path) -> dict[str, str]:
    """The statements that made the tables and indexes of a SQLite file."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


@pytest.mark.parametrize("kind", STORES, ids=lambda kind: kind.name)
def test_a_database_of_the_first_version_opens_and_has_the_same_tables_as_a_new_one(
    tmp_path: Path, kind: type[Store[Any]]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    with contextlib.closing(sqlite3.connect(old / f"{kind.name}.db")) as connection:
        connection.executescript((VERSION_1 / f"{kind.name}.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA user_version=1")
    kind(new).close()
    assert tables(old / f"{kind.name}.db") == tables(new / f"{kind.name}.db")
    with kind(old, create=False) as store:
        assert store.check() == []
        (before,) = store.entries()
        after = store.record_outcome(before, success=True)
        assert after.own.successes == before.own.successes + 1
        assert store.check() == []


def test_the_rows_of_the_first_version_mean_what_they_meant(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "v_vector_history.db")) as connection:
        connection.executescript((VERSION_1 / "v_vector_history.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA user_version=1")
    with VVectorStore(tmp_path) as store:
        why = store.why(1)
        assert why.entry.evolved_value == {"max_edits": 3}
        assert (why.entry.prior, why.entry.own.value) == ((18.0, 4.0), {"lines": 3})
        assert [piece.outcome["lines"] for piece in why.evidence] == [3, 2, 1]
        assert [report["detail"]["note"] for report in why.outcomes] == ["ñ"]
