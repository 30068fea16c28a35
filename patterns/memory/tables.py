"""The tables of a team's memory, once for SQLite and PostgreSQL.

Every row belongs to a team, and refers to rows of the same team alone: the keys say so, whatever a query forgets.
Members are known by their names, which never change. `migrations/` creates the tables; a test checks that it creates
exactly these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
)

from stores.engine.columns import STRICT, Number, Serial, Whole, Words, between, flag, json_column
from stores.engine.schema import Schema

ROLES = ("reader", "member", "maintainer", "admin")
"""Each may do what those before it may."""
MERGE_STATUSES = ("queued", "running", "done", "refused", "failed")
metadata = MetaData()


def _team() -> Column[Any]:
    return Column("team_id", Words, ForeignKey("teams.id"), primary_key=True)


def _text(name: str, *, key: bool = False) -> Column[Any]:
    return Column(name, Words, nullable=False, primary_key=key)


def _member(name: str = "member") -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["team_id", name], ["members.team_id", "members.name"], onupdate="CASCADE")


def _pattern() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["team_id", "id"], ["patterns.team_id", "patterns.id"], ondelete="CASCADE")


def _version(ondelete: str | None = None) -> ForeignKeyConstraint:
    referred = ["adapter_versions.team_id", "adapter_versions.id"]
    return ForeignKeyConstraint(["team_id", "id"], referred, ondelete=ondelete)


Table("teams", metadata, _text("id", key=True), Column("name", Words, nullable=False, unique=True), _text("created_at"),
      **STRICT)  # fmt: skip
Table(
    "members",
    metadata,
    _team(),
    _text("name", key=True),
    _text("email"),
    _text("role"),
    _text("created_at"),
    Column("disabled_at", Words),
    CheckConstraint(f"role IN {ROLES}", name="role_is_known"),
    **STRICT,
)
Table(
    "api_keys",
    metadata,
    _team(),
    Column("prefix", Words, primary_key=True, unique=True),
    Column("sha256", Words, nullable=False, unique=True),
    _text("member"),
    _text("label"),
    _text("created_at"),
    Column("expires_at", Words),
    Column("revoked_at", Words),
    Column("last_used_at", Words),
    _member(),
    **STRICT,
)
Table(
    "sequence",
    metadata,
    _team(),
    Column("value", Whole, nullable=False),
    Column("purged_to", Whole, nullable=False),
    **STRICT,
)
Table("settings", metadata, _text("name", key=True), _text("value"), **STRICT)
Table(
    "patterns",
    metadata,
    _team(),
    _text("id", key=True),
    *map(_text, ("pattern_id", "problem_type", "solution_hash", "shape_hash", "language", "code_before", "code_after")),
    *map(_text, ("commit_msg", "author", "date", "repository", "commit", "file_path", "symbol", "change_kind")),
    _text("template_id"),
    Column("confidence", Number, nullable=False),
    flag("with_test"),
    *json_column("survival"),
    *json_column("masked"),
    Column("up", Whole, nullable=False),
    Column("down", Whole, nullable=False),
    Column("score", Number, nullable=False),
    Column("last_used", Words),
    *map(_text, ("created_by", "created_at", "updated_at")),
    Column("version", Whole, nullable=False),
    Column("seq", Whole, nullable=False),
    Column("deleted_at", Words),
    Column("deleted_by", Words),
    between("confidence", 0, 1),
    CheckConstraint("up >= 0 AND down >= 0", name="votes_are_counted"),
    UniqueConstraint("team_id", "solution_hash", name="one_row_for_a_solution"),
    _member("created_by"),
    Index("patterns_by_seq", "team_id", "seq"),
    Index("patterns_by_score", "team_id", "score", "id"),
    Index("patterns_by_problem", "team_id", "problem_type", "score", "id"),
    Index("patterns_by_pattern_id", "team_id", "pattern_id"),
    Index("patterns_by_shape", "team_id", "shape_hash"),
    **STRICT,
)
Table(
    "occurrences",
    metadata,
    _team(),
    *(_text(name, key=True) for name in ("id", "repository", "commit", "path")),
    *map(_text, ("pattern_id", "author", "date", "member")),
    _pattern(),
    _member(),
    Index("occurrences_by_pattern_id", "team_id", "pattern_id"),
    **STRICT,
)
Table(
    "pattern_feedback",
    metadata,
    _team(),
    _text("id", key=True),
    _text("member", key=True),
    flag("helpful"),
    _text("note"),
    Column("used_at", Words),
    _text("at"),
    _pattern(),
    _member(),
    **STRICT,
)
Table(
    "feedback_events",
    metadata,
    _team(),
    Column("seq", Whole, primary_key=True, autoincrement=False),
    _text("id"),
    _text("member"),
    Column("helpful", Whole),
    _text("at"),
    _pattern(),
    _member(),
    Index("events_by_pattern", "team_id", "id", "member", "seq"),
    **STRICT,
)
Table(
    "templates",
    metadata,
    _team(),
    _text("template_id", key=True),
    *json_column("record"),
    *map(_text, ("member", "updated_at")),
    Column("seq", Whole, nullable=False),
    _member(),
    Index("templates_by_seq", "team_id", "seq"),
    **STRICT,
)
Table(
    "idempotency",
    metadata,
    _team(),
    _text("member", key=True),
    _text("key", key=True),
    _text("request_sha256"),
    *json_column("answer"),
    _text("expires_at"),
    _member(),
    **STRICT,
)
Table(
    "audit",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("team_id", Words, ForeignKey("teams.id"), nullable=False),
    *map(_text, ("at", "member", "key_prefix", "action", "object")),
    *json_column("detail"),
    _text("ip"),
    Index("audit_by_team", "team_id", "number"),
    **STRICT,
)
Table(
    "adapter_versions",
    metadata,
    _team(),
    _text("id", key=True),
    *map(_text, ("name", "base_model", "base_sha256", "weights_sha256", "method")),
    *(Column(name, Whole, nullable=False) for name in ("rank", "bytes", "seq")),
    *json_column("proof"),
    *map(_text, ("created_by", "created_at")),
    _member("created_by"),
    Index("adapters_by_seq", "team_id", "seq"),
    **STRICT,
)
Table(
    "adapter_parents",
    metadata,
    _team(),
    _text("id", key=True),
    _text("sha256", key=True),
    _text("name"),
    Column("weight", Number, nullable=False),
    Column("success_rate", Number),
    Column("trials", Whole),
    _version("CASCADE"),
    **STRICT,
)
Table(
    "activations",
    metadata,
    _team(),
    Column("seq", Whole, primary_key=True, autoincrement=False),
    *map(_text, ("base_sha256", "id")),
    *(Column(name, Whole, nullable=False) for name in ("replaces", "goes_back_to")),
    flag("forced"),
    *map(_text, ("reason", "member", "at")),
    UniqueConstraint("team_id", "base_sha256", "replaces", name="one_successor"),
    _version(),
    _member(),
    **STRICT,
)
Table(
    "merge_jobs",
    metadata,
    _team(),
    _text("id", key=True),
    _text("status"),
    *json_column("request"),
    _text("result"),
    *json_column("problems"),
    Column("tries", Whole, nullable=False),
    *map(_text, ("member", "created_at", "updated_at")),
    CheckConstraint(f"status IN {MERGE_STATUSES}", name="status_is_known"),
    _member(),
    Index("merges_by_status", "team_id", "status", "created_at"),
    **STRICT,
)
Table(
    "outbox",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("uid", Words, nullable=False, unique=True),
    _text("target"),
    *json_column("operation"),
    _text("at"),
    Column("tries", Whole, nullable=False),
    **STRICT,
)
Table(
    "sync_state",
    metadata,
    _text("remote", key=True),
    *map(_text, ("team", "member", "cursor", "at")),
    **STRICT,
)

SCHEMA = Schema(
    name="team_memory",
    metadata=metadata,
    migrations=Path(__file__).with_name("migrations"),
    revision=2,
    created_by="start one: python -m patterns serve",
)
