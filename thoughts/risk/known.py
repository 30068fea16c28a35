"""The order of a repository's files that was found last, as it is kept in facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from stores.engine.database import Database
from thoughts.risk.coverage.covered import Ran


@dataclass(frozen=True)
class KnownRisk:
    """A file."""

    path: str
    score: float
    """Compares it with the others; no probability."""
    above: float
    """The share of files with a lower score."""
    lines: int
    repairs: tuple[str, ...]
    """The newest commits that repaired it, by their hashes."""
    ran: Ran | None = None
    """What a coverage report said of its lines."""


@dataclass(frozen=True)
class KnownRisks:
    """All files as of a commit, the riskiest first."""

    commit: str = ""
    """Empty before anything was found."""
    at: float = 0.0
    """When it was found, in seconds since 1970."""
    files: tuple[KnownRisk, ...] = ()

    def of(self, path: str) -> KnownRisk | None:
        """What is known of a file."""
        return next((one for one in self.files if one.path == path), None)


def known_risks(database: Database, repository: str) -> KnownRisks:
    """What was found of the commit of the latest run: facts of earlier ones are of files that are gone since."""
    facts, runs = database.table("facts"), database.table("runs")
    mine = (facts.c.repository == repository) & (facts.c.name == "risk")
    latest = sa.select(facts.c.commit).where(mine).order_by(facts.c.run_id.desc()).limit(1).scalar_subquery()
    query = sa.select(facts.c.scope, facts.c.value, facts.c.commit, runs.c.ended_at)
    query = query.join(runs, runs.c.id == facts.c.run_id).where(mine, facts.c.commit == latest)
    with database.read() as connection:
        rows = connection.execute(query).all()
    if not rows:
        return KnownRisks()
    files = sorted((_risk(row.scope, row.value["value"]) for row in rows), key=lambda one: (-one.score, one.path))
    return KnownRisks(rows[0].commit, max(row.ended_at or 0.0 for row in rows), tuple(files))


def _risk(path: str, value: dict[str, Any]) -> KnownRisk:
    ran = ran_in(value)
    return KnownRisk(path, value["score"], value["above"], value["lines"], tuple(value["repairs"]), ran)


def ran_in(value: Mapping[str, Any]) -> Ran | None:
    """What the value of a fact says of a file's coverage."""
    return msgspec.convert(value["coverage"], Ran) if value.get("coverage") else None
