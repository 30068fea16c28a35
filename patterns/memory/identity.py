"""Who asks: a member of a team, as the key says; no argument of a request ever does."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from patterns.memory.refusals import RefusedOperationError
from patterns.memory.tables import ROLES

Role = Literal["reader", "member", "maintainer", "admin"]
_KEY = re.compile(r"glk_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Identity:
    """A member of a team."""

    team_id: str
    team: str
    """Its name."""
    member: str
    role: Role
    key_prefix: str = ""
    """The key that was shown; empty for whoever works on the database itself."""

    def may(self, role: Role) -> bool:
        """Whether this role, or one above it, is theirs."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def require(self, role: Role, what: str) -> None:
        """Raises RefusedOperationError where theirs is below `role`. `what` they want: "add patterns"."""
        if not self.may(role):
            raise RefusedOperationError(
                "not_allowed", f"a {self.role} may not {what}: that needs the role {role}", "ask an admin of the team"
            )


@dataclass(frozen=True)
class NewKey:
    """A key on its way to whom it belongs; the memory keeps its hash alone."""

    prefix: str
    text: str

    @classmethod
    def made(cls) -> NewKey:
        """A random one: 256 bits, so that a plain hash of it cannot be undone."""
        prefix = "".join(secrets.choice(_LETTERS) for _ in range(8))
        return cls(prefix, f"glk_{prefix}_{secrets.token_urlsafe(32)}")

    @property
    def sha256(self) -> str:
        """What the memory knows it by."""
        return hash_of_key(self.text)


def prefix_of(key: str) -> str:
    """The part of a key that may be shown; empty where this is none of ours."""
    found = _KEY.fullmatch(key)
    return found[1] if found else ""


def hash_of_key(key: str) -> str:
    """sha256 of a key, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def role_of(text: str) -> Role:
    """A role by its name. Raises RefusedOperationError for another word."""
    if text not in ROLES:
        raise RefusedOperationError("invalid", f"no role is named {text!r}", f"choose from {', '.join(ROLES)}")
    return cast("Role", text)


def now(seconds_ago: float = 0) -> str:
    """This moment in UTC, or one before it; such texts sort by time."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
