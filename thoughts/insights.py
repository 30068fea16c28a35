"""Insights: kept, and shown, only while git confirms all that they cite and their log is there."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from chat.citations import Citations
from chat.statements import Statement
from core.errors import UserError
from core.text.redaction import Redactor
from stores.engine.database import Database
from thoughts.artifacts import Artifacts
from thoughts.kind import Insight
from thoughts.tables import INSIGHT_STATES

_REDACTOR = Redactor()
WANTED = tuple(state for state in INSIGHT_STATES if state != "dismissed")
"""The states of what is shown where nothing else is asked for."""
MOST_LOOKED_AT = 200
"""Insights that are held against git for one page."""


@dataclass(frozen=True)
class Shown:
    """An insight as it is kept."""

    id: int
    job_id: int
    run_id: int
    kind: str
    title: str
    statements: tuple[Statement, ...]
    command: str
    log: str
    """The name of the artifact's content."""
    state: str
    at: float
    marked_at: float | None = None
    """When it was read, kept or dismissed last."""


@dataclass(frozen=True)
class Wanted:
    """Which insights."""

    state: str = ""
    """Empty for all but the dismissed ones."""
    kind: str = ""
    text: str = ""
    """That the title or a statement has, whatever the case."""

    def matches(self, one: Shown) -> bool:
        """Whether an insight has the text."""
        text = self.text.casefold()
        return not text or any(text in said.casefold() for said in (one.title, *(each.text for each in one.statements)))


def problem(insight: Insight, logs: Mapping[str, Any], citations: Citations) -> str:
    """Why an insight may not be shown; "" where it may."""
    if not insight.title.strip() or not insight.statements:
        return "it says nothing"
    if not insight.command.strip() or insight.log not in logs:
        return "nothing reproduces it"
    for statement in insight.statements:
        if statement.why:
            return f"a statement is not supported: {statement.why}"
        if not statement.citations:
            return "a statement cites nothing"
        for one in statement.citations:
            if found := citations.problem(one):
                return f"{one}: {found}"
            if _REDACTOR.has_secret(one.quote):
                return f"{one} quotes a credential"
    return ""


def confirmed(insights: Sequence[Insight], logs: Mapping[str, Any], git_dir: Path) -> tuple[list[Insight], list[str]]:
    """Those that may be shown, and why each other one may not."""
    kept, refused = [], []
    if insights:
        with Citations(git_dir) as citations:
            for one in insights:
                if why := problem(one, logs, citations):
                    refused.append(f"left out “{one.title}”: {why}")
                else:
                    kept.append(one)
    return kept, refused


class Insights:
    """The insights of a database."""

    def __init__(
        self, database: Database, artifacts: Artifacts, *, clock: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        self._database, self._artifacts, self._now = database, artifacts, clock
        self._table, self._runs = database.table("insights"), database.table("runs")

    def keep(
        self, connection: Connection, repository: str, kind: str, run_id: int, insights: Sequence[Insight],
        logs: Mapping[str, str], now: float,
    ) -> None:  # fmt: skip
        """Keep what was confirmed; one that says the same as an earlier one takes its place and its state."""
        for one in insights:
            statements = [msgspec.to_builtins(Statement(_masked(said.text), said.citations)) for said in one.statements]
            title = _masked(one.title)
            digest = hashlib.sha256(msgspec.json.encode([kind, title, statements], order="sorted")).hexdigest()
            key = {"repository": repository, "digest": digest}
            values = {"run_id": run_id, "command": one.command, "log": logs[one.log], "at": now}
            if not connection.execute(sa.update(self._table).filter_by(**key).values(**values)).rowcount:
                row = {**key, **values, "kind": kind, "title": title, "statements": statements, "state": "new"}
                connection.execute(sa.insert(self._table).values(**row))

    def shown(
        self, repository: str, git_dir: Path, *, run_id: int | None = None, most: int = 50,
        kinds: Collection[str] = (), states: Collection[str] = WANTED,
    ) -> list[Shown]:  # fmt: skip
        """Insights that still hold, the newest first: of one run, or some kinds, if they are named, and some states."""
        found: list[Shown] = []
        for one, why in self.looked_at(repository, git_dir, run_id=run_id, kinds=kinds, states=states):
            found += [] if why else [one]
            if len(found) >= most:
                break
        return found

    def page(
        self, repository: str, git_dir: Path, wanted: Wanted, most: int, before: int = 0
    ) -> tuple[list[Shown], int]:
        """Some insights that still hold, the newest first, and the number that the next page is `before`, 0 for none.

        No more than MOST_LOOKED_AT are held against git for one page, which may have fewer than it could.
        """
        states = (wanted.state,) if wanted.state else WANTED
        kinds, limit = (wanted.kind,) if wanted.kind else (), MOST_LOOKED_AT + 1
        looked = self.looked_at(repository, git_dir, kinds=kinds, states=states, before=before, limit=limit)
        found, last = list[Shown](), 0
        with contextlib.closing(looked):
            for at, (one, why) in enumerate(looked):
                if at == MOST_LOOKED_AT or len(found) == most:
                    return found, last
                last = one.id
                found += [one] if not why and wanted.matches(one) else []
        return found, 0

    def one(self, repository: str, git_dir: Path, insight_id: int) -> Shown | None:
        """An insight, whatever its state, if it still holds."""
        with contextlib.closing(self.looked_at(repository, git_dir, insight_id=insight_id)) as looked:
            return next((one for one, why in looked if not why), None)

    def looked_at(
        self, repository: str, git_dir: Path, *, run_id: int | None = None, insight_id: int | None = None,
        kinds: Collection[str] = (), states: Collection[str] = INSIGHT_STATES, before: int = 0,
        limit: int | None = None,
    ) -> Generator[tuple[Shown, str]]:  # fmt: skip
        """Insights as `shown` has them, each with why it does not hold any more; "" where it does.

        With `before`, those that come after the one of this number.
        """
        table = self._table
        query = sa.select(table, self._runs.c.job_id).join(self._runs, self._runs.c.id == table.c.run_id)
        query = query.where(table.c.repository == repository, table.c.state.in_(states))
        query = query.where(table.c.run_id == run_id) if run_id is not None else query
        query = query.where(table.c.id == insight_id) if insight_id is not None else query
        query = query.where(table.c.kind.in_(kinds)) if kinds else query
        if before:
            last = sa.select(table.c.at).filter_by(repository=repository, id=before).scalar_subquery()
            query = query.where((table.c.at < last) | ((table.c.at == last) & (table.c.id < before)))
        query = query.order_by(table.c.at.desc(), table.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        names = ("id", "job_id", "run_id", "kind", "title", "command", "log", "state", "at", "marked_at")
        with Citations(git_dir) as citations:
            for row in rows:
                statements = msgspec.convert(row["statements"], tuple[Statement, ...])
                insight = Insight(row["title"], statements, row["command"], row["log"])
                logs = {row["log"]} if self._artifacts.path(row["log"]).is_file() else set()
                one = Shown(statements=statements, **{name: row[name] for name in names})
                yield one, problem(insight, dict.fromkeys(logs), citations)

    def mark(self, repository: str, insight_id: int, state: str) -> None:
        """Note that an insight was read, is to be kept, or dismissed. Raises UserError where there is none."""
        assert state in INSIGHT_STATES
        with self._database.write() as connection:
            chosen = sa.update(self._table).filter_by(repository=repository, id=insight_id)
            if not connection.execute(chosen.values(state=state, marked_at=self._now())).rowcount:
                raise UserError(f"there is no insight {insight_id} of this repository", "study.py insights shows them")

    def open_job(self, repository: str, job_id: int) -> None:
        """Note that what a job found was read, where it was not marked yet: somebody looks at its proof."""
        table, runs = self._table, self._runs
        mine = sa.select(runs.c.id).where(runs.c.job_id == job_id)
        new = sa.update(table).where(table.c.repository == repository, table.c.state == "new", table.c.run_id.in_(mine))
        with self._database.write() as connection:
            connection.execute(new.values(state="read", marked_at=self._now()))


def _masked(text: str) -> str:
    return _REDACTOR.masked(text)
