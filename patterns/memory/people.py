"""Teams, members and keys: who may do what, and by which key they are known."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from patterns.memory.identity import Identity, NewKey, Role, hash_of_key, now, prefix_of, role_of
from patterns.memory.refusals import RefusedOperationError
from patterns.memory.scope import Scope
from stores.engine.database import Database

MOST_NAME = 100
LAST_USE_S = 60
"""Seconds within which a further use of a key is not noted."""


KeyState = Literal["", "valid", "ended"]
MOST_LISTED = 50
"""Members or keys of a page."""
_OF_MEMBERS = "name", "email", "role", "created_at", "disabled_at"
_OF_KEYS = "prefix", "member", "label", "created_at", "expires_at", "revoked_at", "last_used_at"


class Listed(NamedTuple):
    """Some of the members, or of the keys."""

    rows: list[dict[str, Any]]
    total: int
    page: int
    """From 1."""

    @property
    def pages(self) -> int:
        """How many there are."""
        return max(1, -(-self.total // MOST_LISTED))


def found_team(database: Database, name: str, admin: str) -> Identity:
    """Make a team with its first admin. Raises RefusedOperationError where there is one of that name."""
    teams = database.table("teams")
    identity = Identity(str(uuid.uuid4()), _name(name, "team"), _name(admin, "member"), "admin")
    with database.write() as connection:
        if connection.execute(sa.select(teams.c.id).where(teams.c.name == name)).first():
            raise RefusedOperationError("exists", f"there is a team {name} already", "choose another name")
        connection.execute(sa.insert(teams).values(id=identity.team_id, name=name, created_at=now()))
        scope = Scope(database, identity)
        scope.insert(connection, "sequence", {"value": 0, "purged_to": 0})
        scope.insert(connection, "members", _member(admin, "admin", ""))
        note(scope, connection, "team.found", name)
    return identity


def admin_of(database: Database, team: str = "") -> Identity | None:
    """An admin of a team, for whoever works on the database itself; of the only team where none is named.

    None where there is no such team. Raises RefusedOperationError where there are several and none is named.
    """
    teams, members = database.table("teams"), database.table("members")
    with database.read() as connection:
        query = sa.select(teams.c.id, teams.c.name).order_by(teams.c.name)
        rows = connection.execute(query.where(teams.c.name == team) if team else query).all()
        if len(rows) > 1:
            names = ", ".join(row.name for row in rows)
            raise RefusedOperationError("not_found", f"there are several teams: {names}", "name one of them: --team")
        if not rows:
            return None
        may = members.c.team_id == rows[0].id, members.c.role == "admin", members.c.disabled_at.is_(None)
        admin = connection.execute(sa.select(members.c.name).where(*may).order_by(members.c.created_at)).scalar()
        return Identity(rows[0].id, rows[0].name, admin, "admin") if admin else None


def admins(database: Database) -> list[Identity]:
    """An admin of each team, for what a server does for all of them."""
    teams = database.table("teams")
    with database.read() as connection:
        names = connection.execute(sa.select(teams.c.name).order_by(teams.c.name)).scalars().all()
    return [found for name in names if (found := admin_of(database, name))]


def has_team(database: Database) -> bool:
    """Whether there is any."""
    with database.read() as connection:
        return connection.execute(sa.select(database.table("teams").c.id).limit(1)).first() is not None


def team_names(database: Database) -> list[str]:
    """Those of all teams, in order."""
    teams = database.table("teams")
    with database.read() as connection:
        return list(connection.execute(sa.select(teams.c.name).order_by(teams.c.name)).scalars())


def team_named(database: Database, name: str) -> str | None:
    """The id of a team; None where there is none of that name."""
    teams = database.table("teams")
    with database.read() as connection:
        return connection.execute(sa.select(teams.c.id).where(teams.c.name == name)).scalar()


def identify(database: Database, key: str) -> Identity | None:
    """Whose key this is; None where it is nobody's, has expired or was revoked, or its member was disabled."""
    prefix = prefix_of(key)
    return _identified(database, prefix, hash_of_key(key)) if prefix else None


def identify_session(database: Database, prefix: str) -> Identity | None:
    """The same for whoever has shown the key before, and was given a signed cookie for it."""
    return _identified(database, prefix, None)


def _identified(database: Database, prefix: str, sha256: str | None) -> Identity | None:
    keys, members, teams = (database.table(name) for name in ("api_keys", "members", "teams"))
    query = (
        sa.select(keys, members.c.role, members.c.disabled_at, teams.c.name.label("team"))
        .join(members, (members.c.team_id == keys.c.team_id) & (members.c.name == keys.c.member))
        .join(teams, teams.c.id == keys.c.team_id)
        .where(keys.c.prefix == prefix)
    )
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
    at = now()
    if row is None or (sha256 is not None and not hmac.compare_digest(row["sha256"], sha256)):
        return None
    if row["revoked_at"] or row["disabled_at"] or (row["expires_at"] and row["expires_at"] <= at):
        return None
    identity = Identity(row["team_id"], row["team"], row["member"], cast("Role", row["role"]), prefix)
    if (row["last_used_at"] or "") < now(LAST_USE_S):
        with database.write() as connection:
            Scope(database, identity).update(connection, "api_keys", {"prefix": prefix}, last_used_at=at)
    return identity


def note(scope: Scope, connection: Connection, action: str, about: str, ip: str = "", **detail: Any) -> None:
    """Add a line to the audit. It holds names and figures, never what was said or written."""
    who = scope.identity
    line = {"at": now(), "member": who.member, "key_prefix": who.key_prefix, "action": action, "object": about}
    scope.insert(connection, "audit", {**line, "detail": detail, "ip": ip})


class People:
    """Members and keys of one team, for its admins."""

    def __init__(self, scope: Scope, ip: str = "") -> None:
        self._scope, self._ip = scope, ip

    def members(self) -> list[dict[str, Any]]:
        """All of them, by name."""
        return self._rows("members", *_OF_MEMBERS)

    def some_members(self, name: str = "", role: str = "", page: int = 1) -> Listed:
        """Those whose name has these letters in it, and who have this role, by name."""
        member, has_role = (self._scope.column("members", one) for one in ("name", "role"))
        conditions = [member.icontains(name, autoescape=True)] if name else []
        conditions += [has_role == role] if role else []
        return self._listed("members", _OF_MEMBERS, conditions, [member], page)

    def add_member(self, name: str, role: str, email: str = "") -> dict[str, Any]:
        """A new one. Names stay what they are, since patterns and votes are known by them."""
        row = _member(_name(name, "member"), role_of(role), email)
        with self._writing("add members") as connection:
            if self._scope.row(connection, "members", name=name):
                raise RefusedOperationError("exists", f"there is a member {name} already", "choose another name")
            self._scope.insert(connection, "members", row)
            self._note(connection, "member.add", name, role=role)
        return row

    def change_member(self, name: str, *, role: str | None = None, disabled: bool | None = None) -> dict[str, Any]:
        """Give a member another role, or disable them; their keys are refused from then on, what they added stays."""
        with self._writing("change members") as connection:
            row = dict(self._member(connection, name))
            values: dict[str, Any] = {} if role is None else {"role": role_of(role)}
            if disabled is not None and disabled != bool(row["disabled_at"]):
                values["disabled_at"] = now() if disabled else None
            row |= values
            if values:
                self._scope.update(connection, "members", {"name": name}, **values)
                self._keep_an_admin(connection)
                self._note(connection, "member.change", name, **values)
        return {column: row[column] for column in _OF_MEMBERS}

    def keys(self) -> list[dict[str, Any]]:
        """All keys, without what is secret about them."""
        return self._rows("api_keys", *_OF_KEYS)

    def some_keys(self, member: str = "", state: KeyState = "", page: int = 1) -> Listed:
        """Those of a member whose name has these letters in it, that admit somebody or do not, the newest first."""
        of, made, prefix, revoked, expires = (
            self._scope.column("api_keys", one)
            for one in ("member", "created_at", "prefix", "revoked_at", "expires_at")
        )
        conditions = [of.icontains(member, autoescape=True)] if member else []
        is_valid = revoked.is_(None) & (expires.is_(None) | (expires > now()))
        if state:
            conditions.append(is_valid if state == "valid" else ~is_valid)
        return self._listed("api_keys", _OF_KEYS, conditions, [made.desc(), prefix], page)

    def make_key(self, member: str, label: str = "", days: int | None = None) -> tuple[NewKey, dict[str, Any]]:
        """A key of a member's, which ends after some days where these are given. Nobody can read it again."""
        made, expires = NewKey.made(), now(-86_400 * days) if days else None
        row = {"prefix": made.prefix, "member": member, "label": label, "created_at": now(), "expires_at": expires}
        with self._writing("make keys") as connection:
            if self._member(connection, member)["disabled_at"]:
                raise RefusedOperationError("not_allowed", f"{member} is disabled", "enable the member first")
            unused = {"revoked_at": None, "last_used_at": None}
            self._scope.insert(connection, "api_keys", {**row, **unused, "sha256": made.sha256})
            self._note(connection, "key.create", made.prefix, member=member)
        return made, row

    def revoke_key(self, prefix: str) -> None:
        """Refuse a key from now on. A revoked one stays so."""
        with self._writing("revoke keys") as connection:
            row = self._scope.row(connection, "api_keys", prefix=prefix)
            if row is None:
                raise RefusedOperationError("not_found", f"there is no key {prefix}", "`key list` shows them")
            if not row["revoked_at"]:
                self._scope.update(connection, "api_keys", {"prefix": prefix}, revoked_at=now())
                self._note(connection, "key.revoke", prefix, member=row["member"])

    @contextmanager
    def _writing(self, what: str) -> Iterator[Connection]:
        self._scope.identity.require("admin", what)
        with self._scope.database.write() as connection:
            yield connection

    def _note(self, connection: Connection, action: str, about: str, **detail: Any) -> None:
        note(self._scope, connection, action, about, self._ip, **detail)

    def _rows(self, table: str, *columns: str) -> list[dict[str, Any]]:
        self._scope.identity.require("admin", "see members and keys")
        with self._scope.database.read() as connection:
            query = self._scope.select(table, *columns).order_by(self._scope.column(table, columns[0]))
            return [dict(row) for row in connection.execute(query).mappings()]

    def _listed(
        self, table: str, columns: Sequence[str], conditions: Sequence[Any], orders: Sequence[Any], page: int
    ) -> Listed:
        self._scope.identity.require("admin", "see members and keys")
        query = self._scope.select(table, *columns).where(*conditions).order_by(*orders)
        with self._scope.database.read() as connection:
            rows = connection.execute(query.limit(MOST_LISTED).offset((page - 1) * MOST_LISTED)).mappings()
            return Listed([dict(row) for row in rows], self._scope.count(connection, table, *conditions), page)

    def _member(self, connection: Connection, name: str) -> sa.RowMapping:
        row = self._scope.row(connection, "members", name=name)
        if row is None:
            raise RefusedOperationError("not_found", f"there is no member {name}", "`member list` shows them")
        return row

    def _keep_an_admin(self, connection: Connection) -> None:
        role, disabled = (self._scope.column("members", name) for name in ("role", "disabled_at"))
        if not self._scope.count(connection, "members", role == "admin", disabled.is_(None)):
            raise RefusedOperationError("last_admin", "the team would have no admin", "make another one first")


def _member(name: str, role: Role, email: str) -> dict[str, Any]:
    return {"name": name, "email": email, "role": role, "created_at": now(), "disabled_at": None}


def _name(name: str, of: str) -> str:
    if not 0 < len(name) <= MOST_NAME or not name.isprintable() or name != name.strip():
        message = f"{name[:MOST_NAME]!r} cannot be the name of a {of}"
        raise RefusedOperationError("invalid", message, f"at most {MOST_NAME} characters that can be printed")
    return name
