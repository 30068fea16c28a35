"""The tables of the study, once for SQLite and PostgreSQL. Times are seconds since 1970.

`migrations/` creates them; a test checks that it creates exactly these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, MetaData, Table, UniqueConstraint

from stores.engine.columns import STRICT, Number, Serial, Whole, Words, flag, json_column
from stores.engine.schema import Schema

WAITING, RUNNING, DONE, DEAD, CANCELLED = JOB_STATES = ("waiting", "running", "done", "dead", "cancelled")
RUN_STATES = (RUNNING, DONE, "failed", "lost", "stopped", CANCELLED)
"""How a run ended: failed by itself, lost with its worker, stopped by who let it study."""
INSIGHT_STATES = ("new", "read", "kept", "dismissed")
metadata = MetaData()


def _text(name: str, *, key: bool = False) -> Column[Any]:
    return Column(name, Words, nullable=False, primary_key=key)


def _repository(*, key: bool = False) -> Column[Any]:
    return Column("repository", Words, ForeignKey("repositories.key"), nullable=False, primary_key=key)


def _run(*, key: bool = False) -> Column[Any]:
    return Column("run_id", Whole, ForeignKey("runs.id"), nullable=False, primary_key=key)


def _state(states: tuple[str, ...]) -> tuple[Column[Any], CheckConstraint]:
    return _text("state"), CheckConstraint(f"state IN {states}", name="state_is_known")


def _number(name: str, *, needed: bool = True) -> Column[Any]:
    return Column(name, Number, nullable=not needed)


Table(
    "repositories",
    metadata,
    _text("key", key=True),
    *map(_text, ("location", "zone", "quiet")),
    flag("studying"),
    _number("added_at"),
    flag("background"),
    _text("kinds"),
    **STRICT,
)
Table(
    "triggers",
    metadata,
    _repository(key=True),
    _text("kind", key=True),
    _text("commit"),
    _number("asked_at"),
    **STRICT,
)
Table(
    "buckets",
    metadata,
    _repository(key=True),
    _text("resource", key=True),
    *map(_number, ("level", "reserved", "rate", "cap", "at")),
    **STRICT,
)
Table(
    "jobs",
    metadata,
    Column("id", Serial, primary_key=True),
    _repository(),
    *map(_text, ("kind", "digest")),
    *json_column("input"),
    *json_column("most"),
    _number("priority"),
    Column("boost", Number, nullable=False, server_default="0"),
    _number("run_at"),
    *_state(JOB_STATES),
    Column("attempts", Whole, nullable=False),
    Column("losses", Whole, nullable=False),
    Column("parent", Whole, ForeignKey("jobs.id")),
    Column("run_id", Whole),
    _number("lease_until", needed=False),
    flag("cancel"),
    _text("reason"),
    _number("created_at"),
    _number("ended_at", needed=False),
    UniqueConstraint("repository", "kind", "digest", name="one_job_for_an_input"),
    Index("jobs_by_turn", "repository", "state", "priority", "run_at"),
    **STRICT,
)
Table(
    "runs",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("job_id", Whole, ForeignKey("jobs.id"), nullable=False),
    _text("worker"),
    *_state(RUN_STATES),
    _number("started_at"),
    _number("ended_at", needed=False),
    *json_column("reserved"),
    *json_column("cost"),
    *map(_text, ("log", "reason")),
    Index("runs_by_job", "job_id"),
    **STRICT,
)
Table("artifacts", metadata, _text("sha256", key=True), Column("bytes", Whole, nullable=False), _number("at"), **STRICT)
Table(
    "run_artifacts",
    metadata,
    _run(key=True),
    _text("name", key=True),
    _text("sha256"),
    Index("run_artifacts_by_content", "sha256"),
    **STRICT,
)
Table(
    "insights",
    metadata,
    Column("id", Serial, primary_key=True),
    _repository(),
    _run(),
    *map(_text, ("kind", "digest", "title", "command", "log")),
    *json_column("statements", "array"),
    *_state(INSIGHT_STATES),
    _number("at"),
    _number("marked_at", needed=False),
    UniqueConstraint("repository", "digest", name="one_insight_for_a_text"),
    **STRICT,
)
Table(
    "facts",
    metadata,
    _repository(key=True),
    _text("name", key=True),
    _text("scope", key=True),
    *json_column("value"),
    *map(_text, ("commit", "blob")),
    _run(),
    **STRICT,
)
Table("switches", metadata, _text("name", key=True), flag("is_on"), _number("at"), **STRICT)
Table(
    "reports",
    metadata,
    Column("id", Serial, primary_key=True),
    _repository(),
    _number("at"),
    *json_column("held", "array"),
    Index("reports_by_repository", "repository", "at"),
    **STRICT,
)

SCHEMA = Schema(
    name="study",
    metadata=metadata,
    migrations=Path(__file__).with_name("migrations"),
    revision=3,
    created_by="let a repository be studied: python study.py --repo PATH",
)
