"""What requests to a team's memory may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.prediction.question import MOST_TEXT, FilePath
from patterns.memory.operations import MOST_OPERATIONS, Note, Operation
from patterns.memory.people import MOST_NAME

MOST_RESULTS = 10
MOST_DAYS = 3_650


class _Body(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class BatchRequest(_Body):
    """Patterns to add, each as POST /patterns takes it."""

    patterns: list[dict[str, Any]] = Field(max_length=MOST_OPERATIONS)


class FeedbackOnPattern(_Body):
    """Whether a pattern helped. The key says who; a user_id is ignored."""

    helpful: bool
    note: Note = ""
    used: bool = False
    """It was put to use: sets the pattern's last use."""


class SearchRequest(_Body):
    """What somebody is about to do: code as it stands, a diff, an error, or a task in words."""

    code: str = Field(default="", max_length=MOST_TEXT)
    diff: str = Field(default="", max_length=MOST_TEXT)
    error: str = Field(default="", max_length=MOST_TEXT)
    task: str = Field(default="", max_length=MOST_TEXT)
    path: FilePath = ""
    k: int = Field(default=5, ge=1, le=MOST_RESULTS)


class SyncRequest(_Body):
    """Operations of an outbox, in order; each is done once, however often it is delivered."""

    ops: list[Operation] = Field(max_length=MOST_OPERATIONS)


Name = Annotated[str, Field(min_length=1, max_length=MOST_NAME)]
RoleName = Literal["reader", "member", "maintainer", "admin"]


class MemberRequest(_Body):
    """A new member."""

    name: Name
    role: RoleName
    email: str = Field(default="", max_length=254, pattern=r"^[^\s\x00]*$")


class MemberChange(_Body):
    """Another role for a member, or their end."""

    role: RoleName | None = None
    disabled: bool | None = None


class KeyRequest(_Body):
    """A key for a member."""

    member: Name
    label: str = Field(default="", max_length=200, pattern=r"^[^\x00]*$")
    days: int | None = Field(default=None, ge=1, le=MOST_DAYS)
    """How long it is valid; without, until it is revoked."""


class ActivateRequest(_Body):
    """How an adapter is to be activated."""

    force: bool = False
    """Also where its figures do not speak for it; needs a reason."""
    reason: Note = ""
    """For the audit."""
    replaces: str | None = Field(default=None, max_length=64)
    """The id of the adapter that you know to be active, empty for none: another one then is a reason to refuse."""


class RollbackRequest(_Body):
    """Which activation is to be taken back."""

    base: str = Field(default="", max_length=64)
    """The hash of a base, or the beginning of it, where adapters of several are active."""
    reason: Note = ""
    """For the audit."""
