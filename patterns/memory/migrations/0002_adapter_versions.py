"""Versions of adapters, which of them were active when, and merges that were asked for."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB

revision = "0002"
down_revision = "0001"

STRICT = {"sqlite_strict": True}


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "adapter_versions", _team(), _key("id"),
        *_texts("name", "base_model", "base_sha256", "weights_sha256", "method"),
        *map(_whole, ("rank", "bytes", "seq")), *_json("proof"), *_texts("created_by", "created_at"),
        _member("created_by"), **STRICT,
    )  # fmt: skip
    op.create_index("adapters_by_seq", "adapter_versions", ["team_id", "seq"])
    op.create_table(
        "adapter_parents", _team(), _key("id"), _key("sha256"), *_texts("name"), _number("weight"),
        sa.Column("success_rate", _float()), sa.Column("trials", _integer()), _version("CASCADE"), **STRICT,
    )  # fmt: skip
    op.create_table(
        "activations", _team(), sa.Column("seq", _integer(), primary_key=True, autoincrement=False, nullable=False),
        *_texts("base_sha256", "id"), *map(_whole, ("replaces", "goes_back_to")), *_flag("forced"),
        *_texts("reason", "member", "at"),
        sa.UniqueConstraint("team_id", "base_sha256", "replaces", name="one_successor"),
        _version(), _member("member"), **STRICT,
    )  # fmt: skip
    statuses = sa.CheckConstraint(
        "status IN ('queued', 'running', 'done', 'refused', 'failed')", name="status_is_known"
    )
    op.create_table(
        "merge_jobs", _team(), _key("id"), *_texts("status"), *_json("request"), *_texts("result"), *_json("problems"),
        _whole("tries"), *_texts("member", "created_at", "updated_at"), statuses, _member("member"), **STRICT,
    )  # fmt: skip
    op.create_index("merges_by_status", "merge_jobs", ["team_id", "status", "created_at"])


def _integer() -> Any:
    return sa.BigInteger() if _postgresql() else sa.INTEGER()


def _float() -> Any:
    return DOUBLE_PRECISION() if _postgresql() else sa.REAL()


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _team() -> Any:
    return sa.Column("team_id", sa.Text(), sa.ForeignKey("teams.id"), primary_key=True)


def _key(name: str) -> Any:
    return sa.Column(name, sa.Text(), primary_key=True, nullable=False)


def _member(name: str) -> Any:
    return sa.ForeignKeyConstraint(["team_id", name], ["members.team_id", "members.name"], onupdate="CASCADE")


def _version(ondelete: str | None = None) -> Any:
    referred = ["adapter_versions.team_id", "adapter_versions.id"]
    return sa.ForeignKeyConstraint(["team_id", "id"], referred, ondelete=ondelete)


def _texts(*names: str) -> list[Any]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _whole(name: str) -> Any:
    return sa.Column(name, _integer(), nullable=False)


def _number(name: str) -> Any:
    return sa.Column(name, _float(), nullable=False)


def _flag(name: str) -> list[Any]:
    check = sa.CheckConstraint(f"{name} IN (0, 1)", name=f"{name}_is_0_or_1")
    return [sa.Column(name, _integer(), check, nullable=False)]


def _json(name: str) -> list[Any]:
    if _postgresql():
        return [sa.Column(name, JSONB(), nullable=False)]
    check = f"json_valid({name}) AND json_type({name}) = 'object'"
    return [sa.Column(name, sa.Text(), nullable=False), sa.CheckConstraint(check, name=f"{name}_is_object")]
