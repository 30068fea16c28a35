"""What questions were answered with and what people made of it: one small database a repository, in the cache folder.

It holds places and numbers, no question and no line of code. Whoever answers writes it behind the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from chat.learning.tables import SCHEMA
from core.logs import log
from index.database import name_of
from stores.engine.database import Database

MOST_UNJUDGED, MOST_JUDGED = 1_000, 5_000
"""Answers that are kept; the oldest are forgotten."""
SWEEP_EVERY = 50
"""Answers after which that is looked at."""


class Found(msgspec.Struct, frozen=True):
    """The places of an answer, the best first."""

    of_class: str
    names: list[str]
    """Of the features."""
    weights: list[float]
    """Of the features, by which the places were found."""
    places: list[FoundPlace]
    shown: int
    """So many of them were shown."""


class FoundPlace(msgspec.Struct, frozen=True, array_like=True):
    """A place, and what it was put in order by."""

    path: str
    first: int
    last: int
    share: float
    score: float
    features: list[float]


@dataclass(frozen=True)
class Noted:
    """An answer as the log has it."""

    id: str
    at: float
    kind: str
    """Of question."""
    weights: str
    policy: str
    """Versions."""
    arm: str
    """Name of the context policy that was chosen."""
    chance: float
    """Of its being chosen."""
    found: Found
    useful: bool | None = None
    opened: frozenset[int] = frozenset()
    """Places of `found` that somebody opened, from 0."""


def place_of(git_dir: Path, cache_dir: Path) -> Path:
    """The folder that the log of a repository is in."""
    return cache_dir / "use" / name_of(git_dir)


class UseLog:
    """The log of a repository. May be used by one thread at a time; several processes may share it.

    Raises StageError where the file cannot be used.
    """

    def __init__(self, git_dir: Path, cache_dir: Path, clock: Callable[[], float] = time.time) -> None:
        self._database = Database(SCHEMA, place_of(git_dir, cache_dir))
        self._answers, self._opened = self._database.table("answers"), self._database.table("opened")
        self._clock, self._noted = clock, 0

    @property
    def database(self) -> Database:
        """Its database, for checks."""
        return self._database

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def note(self, one: Noted) -> None:
        """Keep an answer that was given."""
        row = {
            **{name: getattr(one, name) for name in ("id", "at", "kind", "weights", "policy", "arm", "chance")},
            "found": msgspec.to_builtins(one.found),
        }
        with self._database.write() as connection:
            connection.execute(sa.insert(self._answers).values(**row))
            if self._noted % SWEEP_EVERY == 0:
                self._sweep(connection)
        self._noted += 1

    def rate(self, answer_id: str, *, useful: bool) -> None:
        """Note whether an answer helped; the last word counts. An answer that is not kept is passed over."""
        self._judge(answer_id, useful=int(useful))

    def open(self, answer_id: str, path: str, line: int) -> None:
        """Note that somebody opened a cited line: the narrowest of the shown places that it is in, if any."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(self._answers.c.found).filter_by(id=answer_id)).first()
        if row is None:
            return
        found = msgspec.convert(row.found, Found)
        shown = enumerate(found.places[: found.shown])
        inside = [(one.last - one.first, at) for at, one in shown if one.path == path and one.first <= line <= one.last]
        if inside:
            with self._database.write() as connection:
                key = {"answer_id": answer_id, "place": min(inside)[1]}
                if not connection.execute(sa.select(self._opened).filter_by(**key)).first():
                    connection.execute(sa.insert(self._opened).values(**key))
            self._judge(answer_id)

    def judged(self, most: int = MOST_JUDGED) -> list[Noted]:
        """The newest answers that somebody judged or opened a place of, the oldest first."""
        rows = self._answers.c.judged_at.is_not(None)
        query = sa.select(self._answers).where(rows).order_by(self._answers.c.at.desc()).limit(most)
        with self._database.read() as connection:
            found = connection.execute(query).mappings().all()
            opened: dict[str, set[int]] = {}
            for answer_id, place in connection.execute(sa.select(self._opened.c.answer_id, self._opened.c.place)):
                opened.setdefault(answer_id, set()).add(place)
        return [_noted(row, frozenset(opened.get(row["id"], ()))) for row in reversed(found)]

    def count(self) -> tuple[int, int]:
        """How many answers are kept, and how many of them were judged."""
        columns = sa.func.count(), sa.func.count(self._answers.c.judged_at)
        with self._database.read() as connection:
            kept, judged = connection.execute(sa.select(*columns)).one()
        return int(kept), int(judged)

    def _judge(self, answer_id: str, **values: int) -> None:
        with self._database.write() as connection:
            change = sa.update(self._answers).filter_by(id=answer_id).values(judged_at=self._clock(), **values)
            if not connection.execute(change).rowcount:
                log.debug("%s is not in the log of use", answer_id)

    def _sweep(self, connection: sa.Connection) -> None:
        table = self._answers
        for is_judged, most in (
            (table.c.judged_at.is_(None), MOST_UNJUDGED),
            (table.c.judged_at.is_not(None), MOST_JUDGED),
        ):
            newest = sa.select(table.c.at).where(is_judged).order_by(table.c.at.desc()).offset(most).limit(1)
            if (last := connection.execute(newest).scalar()) is not None:
                connection.execute(sa.delete(table).where(is_judged, table.c.at <= last))


def _noted(row: Any, opened: frozenset[int]) -> Noted:
    values = {name: row[name] for name in ("id", "at", "kind", "weights", "policy", "arm", "chance")}
    useful = None if row["useful"] is None else bool(row["useful"])
    return Noted(**values, found=msgspec.convert(row["found"], Found), useful=useful, opened=opened)
