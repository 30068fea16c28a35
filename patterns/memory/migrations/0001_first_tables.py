"""The first tables. Migrations are never edited: later changes need later migrations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB

revision = "0001"
down_revision = None

STRICT = {"sqlite_strict": True}


def upgrade() -> None:
    """Create them."""
    _people()
    _patterns()
    _votes()
    op.create_table(
        "templates", _team(), _key("template_id"), *_json("record"), *_texts("member", "updated_at"), _whole("seq"),
        _member(), **STRICT,
    )  # fmt: skip
    op.create_index("templates_by_seq", "templates", ["team_id", "seq"])
    op.create_table(
        "idempotency", _team(), _key("member"), _key("key"), *_texts("request_sha256"), *_json("answer"),
        *_texts("expires_at"), _member(), **STRICT,
    )  # fmt: skip
    op.create_table(
        "audit", _serial(), sa.Column("team_id", sa.Text(), sa.ForeignKey("teams.id"), nullable=False),
        *_texts("at", "member", "key_prefix", "action", "object"), *_json("detail"), *_texts("ip"), **STRICT,
    )  # fmt: skip
    op.create_index("audit_by_team", "audit", ["team_id", "number"])
    op.create_table(
        "outbox", _serial(), sa.Column("uid", sa.Text(), nullable=False, unique=True), *_texts("target"),
        *_json("operation"), *_texts("at"), _whole("tries"), **STRICT,
    )  # fmt: skip
    op.create_table("sync_state", _key("remote"), *_texts("team", "member", "cursor", "at"), **STRICT)


def _people() -> None:
    op.create_table(
        "teams", _key("id"), sa.Column("name", sa.Text(), nullable=False, unique=True), *_texts("created_at"), **STRICT
    )
    roles = sa.CheckConstraint("role IN ('reader', 'member', 'maintainer', 'admin')", name="role_is_known")
    op.create_table(
        "members", _team(), _key("name"), *_texts("email", "role", "created_at"), *_open("disabled_at"), roles, **STRICT
    )
    op.create_table(
        "api_keys", _team(), sa.Column("prefix", sa.Text(), primary_key=True, nullable=False, unique=True),
        sa.Column("sha256", sa.Text(), nullable=False, unique=True),
        *_texts("member", "label", "created_at"), *_open("expires_at", "revoked_at", "last_used_at"), _member(),
        **STRICT,
    )  # fmt: skip
    op.create_table("sequence", _team(), _whole("value"), _whole("purged_to"), **STRICT)
    op.create_table("settings", _key("name"), *_texts("value"), **STRICT)


def _patterns() -> None:
    op.create_table(
        "patterns",
        _team(),
        _key("id"),
        *_texts("pattern_id", "problem_type", "solution_hash", "shape_hash", "language", "code_before", "code_after"),
        *_texts("commit_msg", "author", "date", "repository", "commit", "file_path", "symbol", "change_kind"),
        *_texts("template_id"),
        _number("confidence"),
        *_flag("with_test"),
        *_json("survival"),
        *_json("masked"),
        _whole("up"),
        _whole("down"),
        _number("score"),
        *_open("last_used"),
        *_texts("created_by", "created_at", "updated_at"),
        _whole("version"),
        _whole("seq"),
        *_open("deleted_at", "deleted_by"),
        sa.CheckConstraint("confidence >= 0 AND confidence <= 1", name="confidence_in_range"),
        sa.CheckConstraint("up >= 0 AND down >= 0", name="votes_are_counted"),
        sa.UniqueConstraint("team_id", "solution_hash", name="one_row_for_a_solution"),
        _member("created_by"),
        **STRICT,
    )
    op.create_index("patterns_by_seq", "patterns", ["team_id", "seq"])
    op.create_index("patterns_by_score", "patterns", ["team_id", "score", "id"])
    op.create_index("patterns_by_problem", "patterns", ["team_id", "problem_type", "score", "id"])
    op.create_index("patterns_by_pattern_id", "patterns", ["team_id", "pattern_id"])
    op.create_index("patterns_by_shape", "patterns", ["team_id", "shape_hash"])
    op.create_table(
        "occurrences", _team(), _key("id"), _key("repository"), _key("commit"), _key("path"),
        *_texts("pattern_id", "author", "date", "member"), _pattern(), _member(), **STRICT,
    )  # fmt: skip
    op.create_index("occurrences_by_pattern_id", "occurrences", ["team_id", "pattern_id"])


def _votes() -> None:
    op.create_table(
        "pattern_feedback", _team(), _key("id"), _key("member"), *_flag("helpful"), *_texts("note"), *_open("used_at"),
        *_texts("at"), _pattern(), _member(), **STRICT,
    )  # fmt: skip
    op.create_table(
        "feedback_events", _team(), sa.Column("seq", _integer(), primary_key=True, autoincrement=False, nullable=False),
        *_texts("id", "member"), sa.Column("helpful", _integer()), *_texts("at"), _pattern(), _member(), **STRICT,
    )  # fmt: skip
    op.create_index("events_by_pattern", "feedback_events", ["team_id", "id", "member", "seq"])


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _integer() -> Any:
    return sa.BigInteger() if _postgresql() else sa.INTEGER()


def _serial() -> Any:
    return sa.Column("number", _integer(), primary_key=True)


def _team() -> Any:
    return sa.Column("team_id", sa.Text(), sa.ForeignKey("teams.id"), primary_key=True)


def _key(name: str) -> Any:
    return sa.Column(name, sa.Text(), primary_key=True, nullable=False)


def _member(name: str = "member") -> Any:
    return sa.ForeignKeyConstraint(["team_id", name], ["members.team_id", "members.name"], onupdate="CASCADE")


def _pattern() -> Any:
    return sa.ForeignKeyConstraint(["team_id", "id"], ["patterns.team_id", "patterns.id"], ondelete="CASCADE")


def _texts(*names: str) -> list[Any]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _open(*names: str) -> list[Any]:
    return [sa.Column(name, sa.Text()) for name in names]


def _whole(name: str) -> Any:
    return sa.Column(name, _integer(), nullable=False)


def _number(name: str) -> Any:
    return sa.Column(name, DOUBLE_PRECISION() if _postgresql() else sa.REAL(), nullable=False)


def _flag(name: str) -> list[Any]:
    check = sa.CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_is_0_or_1")
    return [sa.Column(name, _integer(), check, nullable=False)]


def _json(name: str) -> list[Any]:
    if _postgresql():
        return [sa.Column(name, JSONB(), nullable=False)]
    check = f"json_valid({name}) AND json_type({name}) = 'object'"
    return [sa.Column(name, sa.Text(), nullable=False), sa.CheckConstraint(check, name=f"{name}_is_object")]
