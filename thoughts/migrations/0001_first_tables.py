"""The first tables. Migrations are never edited: later changes need later migrations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB

revision = "0001"
down_revision = None

STRICT = {"sqlite_strict": True}
JOBS = "('waiting', 'running', 'done', 'dead', 'cancelled')"
RUNS = "('running', 'done', 'failed', 'lost', 'stopped', 'cancelled')"
INSIGHTS = "('new', 'read', 'kept', 'dismissed')"


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "repositories", _key("key"), *_texts("location", "zone", "quiet"), *_flag("studying"), _number("added_at"),
        **STRICT,
    )  # fmt: skip
    op.create_table("triggers", _repository(key=True), _key("kind"), *_texts("commit"), _number("next_at"), **STRICT)
    op.create_table(
        "buckets", _repository(key=True), _key("resource"),
        *map(_number, ("level", "reserved", "rate", "cap", "at")), **STRICT,
    )  # fmt: skip
    _work()
    op.create_table("artifacts", _key("sha256"), _whole("bytes"), _number("at"), **STRICT)
    op.create_table("run_artifacts", _run(key=True), _key("name"), *_texts("sha256"), **STRICT)
    op.create_index("run_artifacts_by_content", "run_artifacts", ["sha256"])
    op.create_table(
        "insights", _serial(), _repository(), _run(), *_texts("kind", "digest", "title", "command", "log"),
        *_json("statements", "array"), *_state(INSIGHTS), _number("at"),
        sa.UniqueConstraint("repository", "digest", name="one_insight_for_a_text"), **STRICT,
    )  # fmt: skip
    op.create_table(
        "facts", _repository(key=True), _key("name"), _key("scope"), *_json("value"), *_texts("commit", "blob"),
        _run(), **STRICT,
    )  # fmt: skip


def _work() -> None:
    op.create_table(
        "jobs",
        _serial(),
        _repository(),
        *_texts("kind", "digest"),
        *_json("input"),
        *_json("most"),
        _number("priority"),
        _number("run_at"),
        *_state(JOBS),
        _whole("attempts"),
        _whole("losses"),
        sa.Column("parent", _integer(), sa.ForeignKey("jobs.id")),
        sa.Column("run_id", _integer()),
        _number("lease_until", needed=False),
        *_flag("cancel"),
        *_texts("reason"),
        _number("created_at"),
        _number("ended_at", needed=False),
        sa.UniqueConstraint("repository", "kind", "digest", name="one_job_for_an_input"),
        **STRICT,
    )
    op.create_index("jobs_by_turn", "jobs", ["repository", "state", "priority", "run_at"])
    op.create_table(
        "runs", _serial(), sa.Column("job_id", _integer(), sa.ForeignKey("jobs.id"), nullable=False),
        *_texts("worker"), *_state(RUNS), _number("started_at"), _number("ended_at", needed=False),
        *_json("reserved"), *_json("cost"), *_texts("log", "reason"), **STRICT,
    )  # fmt: skip
    op.create_index("runs_by_job", "runs", ["job_id"])


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _integer() -> Any:
    return sa.BigInteger() if _postgresql() else sa.INTEGER()


def _serial() -> Any:
    return sa.Column("id", _integer(), primary_key=True)


def _key(name: str) -> Any:
    return sa.Column(name, sa.Text(), primary_key=True, nullable=False)


def _repository(*, key: bool = False) -> Any:
    return sa.Column("repository", sa.Text(), sa.ForeignKey("repositories.key"), nullable=False, primary_key=key)


def _run(*, key: bool = False) -> Any:
    return sa.Column("run_id", _integer(), sa.ForeignKey("runs.id"), nullable=False, primary_key=key)


def _texts(*names: str) -> list[Any]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(name: str) -> Any:
    return sa.Column(name, _integer(), nullable=False)


def _number(name: str, *, needed: bool = True) -> Any:
    return sa.Column(name, DOUBLE_PRECISION() if _postgresql() else sa.REAL(), nullable=not needed)


def _state(states: str) -> list[Any]:
    check = sa.CheckConstraint(f"state IN {states}", name="state_is_known")
    return [sa.Column("state", sa.Text(), nullable=False), check]


def _flag(name: str) -> list[Any]:
    check = sa.CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_is_0_or_1")
    return [sa.Column(name, _integer(), check, nullable=False)]


def _json(name: str, kind: str = "object") -> list[Any]:
    if _postgresql():
        return [sa.Column(name, JSONB(), nullable=False)]
    check = f"json_valid({name}) AND json_type({name}) = '{kind}'"
    return [sa.Column(name, sa.Text(), nullable=False), sa.CheckConstraint(check, name=f"{name}_is_{kind}")]
