"""Reading the team's patterns: pages, one with everything about it, and what is new since a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.code.languages import language_of
from patterns.memory.cursors import Cursors
from patterns.memory.identity import now
from patterns.memory.refusals import RefusedOperationError
from patterns.memory.scope import Scope
from patterns.memory.writing import find

MOST_PAGE = 100
MOST_PAGED = 10_000
"""Rows that can be reached by the number of a page; further ones by the cursor."""
MOST_SYNCED = 500
SHOWN_OCCURRENCES = 20
LEAST_STEPS, LEAST_SHARE = 3, 0.7
"""Of a convention: with fewer it says too little."""
YEAR_S = 365 * 86_400
CHOSEN_BY = "problem_type", "change_kind", "language", "repository", "created_by"
MOST_CHOICES = 100
"""Values of a column that a list is offered to be filtered by; others by their address."""
Sort = Literal["score", "recent"]
_OF_OCCURRENCES = "id", "repository", "commit", "path", "pattern_id", "author", "date", "member"


class Wanted(NamedTuple):
    """Which patterns, and in which order."""

    problem_type: str = ""
    language: str = ""
    file: str = ""
    """A path, or the beginning of one that ends in a slash."""
    q: str = ""
    """Words that stand in the code, the message, the path or the symbol, in this order."""
    shape: str = ""
    include_deleted: bool = False
    sort: Sort = "score"
    repository: str = ""
    change_kind: str = ""
    member: str = ""
    """Who added it."""


class Page(NamedTuple):
    """Some of the patterns that were wanted."""

    patterns: list[dict[str, Any]]
    total: int
    next_cursor: str
    """Where the next page begins; empty behind the last."""


class News(NamedTuple):
    """What is new since a cursor."""

    patterns: list[dict[str, Any]]
    templates: list[dict[str, Any]]
    cursor: str
    more: bool


class Reading:
    """The patterns of one team, as one of its members sees them."""

    def __init__(self, scope: Scope, cursors: Cursors) -> None:
        self._scope, self._cursors = scope, cursors

    def page(self, wanted: Wanted, limit: int, *, page: int = 1, cursor: str = "") -> Page:
        """At most `limit` patterns, from a page's number or a cursor. Raises RefusedOperationError for a wrong one."""
        if cursor == "" and (page - 1) * limit >= MOST_PAGED:
            message = f"pages by number end after {MOST_PAGED:,} patterns"
            raise RefusedOperationError("invalid_cursor", message, "go on by next_cursor")
        conditions = self._conditions(wanted)
        orders = self._orders(wanted.sort)
        query = self._scope.select("patterns").where(*conditions).order_by(*orders)
        about = [wanted.sort, self._scope.team_id]
        if cursor:
            value, last = self._cursors.read(cursor, about)
            key = self._scope.column("patterns", "score" if wanted.sort == "score" else "seq")
            same = (key == value) & (self._scope.column("patterns", "id") > last)
            query = query.where((key < value) | same)
        else:
            query = query.offset((page - 1) * limit)
        with self._scope.database.read() as connection:
            rows = [dict(row) for row in connection.execute(query.limit(limit + 1)).mappings()]
            total = self._scope.count(connection, "patterns", *conditions)
            shown = self._shown(connection, rows[:limit])
        last_row = rows[limit - 1] if len(rows) > limit else None
        place = [last_row["score" if wanted.sort == "score" else "seq"], last_row["id"]] if last_row else []
        return Page(shown, total, self._cursors.write(place, about) if place else "")

    def one(self, pattern: str, *, include_deleted: bool = False) -> dict[str, Any]:
        """A pattern with its occurrences and one's own vote, by either id.

        Raises RefusedOperationError where the team has none, or has deleted it.
        """
        with self._scope.database.read() as connection:
            row = find(self._scope, connection, pattern)
            if row["deleted_at"] and not include_deleted:
                raise RefusedOperationError("not_found", f"the pattern {pattern} is deleted", "ask for include_deleted")
            (shown,) = self._shown(connection, [dict(row)])
            return shown

    def choices(self) -> dict[str, list[str]]:
        """What the team's patterns have in the columns that a list is filtered by, the most frequent first."""
        columns = [self._scope.column("patterns", name) for name in CHOSEN_BY]
        query = self._scope.select("patterns", *columns, sa.func.count()).group_by(*columns)
        counts = {name: Counter[str]() for name in CHOSEN_BY}
        with self._scope.database.read() as connection:
            for *values, count in connection.execute(query):
                for name, value in zip(CHOSEN_BY, values, strict=True):
                    counts[name][value] += count
        return {
            name: [value for value, _ in found.most_common(MOST_CHOICES) if value] for name, found in counts.items()
        }

    def convention(self, template_id: str) -> dict[str, Any] | None:
        """What the team knows of a template; None where nobody has sent it."""
        with self._scope.database.read() as connection:
            row = self._scope.row(connection, "templates", template_id=template_id)
        return dict(row["record"]) if row else None

    def some(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Patterns by their UUIDs, deleted ones included, without those that the team has not."""
        with self._scope.database.read() as connection:
            query = self._scope.select("patterns").where(self._scope.column("patterns", "id").in_(list(ids)))
            rows = [dict(row) for row in connection.execute(query).mappings()]
            return {row["id"]: row for row in self._shown(connection, rows)}

    def votes(self) -> dict[str, tuple[int, int]]:
        """(up, down) of the living patterns that have any, by the `pattern_id` that a repository's run gave them."""
        up, down, deleted = (self._scope.column("patterns", name) for name in ("up", "down", "deleted_at"))
        query = self._scope.select("patterns", "pattern_id", "up", "down").where(up + down > 0, deleted.is_(None))
        with self._scope.database.read() as connection:
            return {row.pattern_id: (row.up, row.down) for row in connection.execute(query)}

    def news(self, cursor: str, limit: int) -> News:
        """The patterns and templates that changed since a cursor, deleted ones included, in the order of change.

        Raises RefusedOperationError for a cursor from before tombstones that are purged: all must be read again.
        """
        about = ["sync", self._scope.team_id]
        since, fresh = self._cursors.read(cursor, about) if cursor else (0, None)
        with self._scope.database.read() as connection:
            (purged_to,) = connection.execute(self._scope.select("sequence", "purged_to")).one()
            fresh = purged_to if fresh is None else fresh  # who begins now never saw what was purged before
            if max(since, fresh) < purged_to:
                message = "deletions since this cursor are no longer known"
                raise RefusedOperationError("cursor_expired", message, "read everything again, without a cursor")
            patterns, templates = (self._since(connection, table, since, limit) for table in ("patterns", "templates"))
            rows = sorted([*patterns, *templates], key=lambda row: int(row["seq"]))[:limit]
            more = len(patterns) + len(templates) > len(rows)
            shown = self._shown(connection, [row for row in rows if "id" in row])
        last = rows[-1]["seq"] if rows else since
        records = [row for row in rows if "template_id" in row and "id" not in row]
        return News(
            shown,
            [{key: row[key] for key in row if key != "team_id"} for row in records],
            self._cursors.write([last, fresh], about),
            more,
        )

    def texts(self, since: int, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Some columns of the patterns that changed after a number, in the order of change, deleted ones included."""
        seq = self._scope.column("patterns", "seq")
        query = self._scope.select("patterns", "id", "seq", "deleted_at", *columns).where(seq > since).order_by(seq)
        with self._scope.database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def conventions(self, path: str, most: int) -> list[dict[str, Any]]:
        """What the team writes otherwise by now, in files like this one: the same folder first, then the most certain.

        Those alone that at least three steps agree on, and that one of the last twelve months was a step of.
        """
        language = language_of(path)
        with self._scope.database.read() as connection:
            query = self._scope.select("templates", "record")
            found = [row.record for row in connection.execute(query)]
        since, folder = now(YEAR_S), path.rpartition("/")[0]
        held = [
            one
            for one in found
            if not one["retired"]
            and one["steps"] >= LEAST_STEPS
            and one["share"] >= LEAST_SHARE
            and one["last_seen_at"] >= since
            and one["language"] == language
        ]
        held.sort(
            key=lambda one: (folder not in {path.rpartition("/")[0] for path in one["paths"]}, -one["confidence"])
        )
        return held[:most]

    def stats(self) -> dict[str, Any]:
        """The team in figures."""
        self._scope.identity.require("maintainer", "see the team's figures")
        deleted = self._scope.column("patterns", "deleted_at")
        kinds = self._scope.column("patterns", "problem_type")
        with self._scope.database.read() as connection:
            by_type = self._scope.select("patterns", kinds, sa.func.count()).where(deleted.is_(None)).group_by(kinds)
            found = {str(kind): int(count) for kind, count in connection.execute(by_type)}
            helpful = self._scope.column("pattern_feedback", "helpful")
            (seq,) = connection.execute(self._scope.select("sequence", "value")).one()
            return {
                "team": self._scope.identity.team,
                "patterns": sum(found.values()),
                "by_problem_type": found,
                "deleted": self._scope.count(connection, "patterns", deleted.is_not(None)),
                "occurrences": self._scope.count(connection, "occurrences"),
                "members": self._scope.count(connection, "members"),
                "votes": {
                    "up": self._scope.count(connection, "pattern_feedback", helpful == 1),
                    "down": self._scope.count(connection, "pattern_feedback", helpful == 0),
                },
                "seq": int(seq),
            }

    def audit(
        self, limit: int, cursor: str = "", *, member: str = "", action: str = ""
    ) -> tuple[list[dict[str, Any]], str]:
        """The newest lines of the audit, and the cursor of the lines before them.

        Of a member where one is named, and of the actions that begin so: "key" is "key.create" and "key.revoke".
        """
        self._scope.identity.require("maintainer", "read the audit")
        about = ["audit", self._scope.team_id]
        number = self._scope.column("audit", "number")
        query = self._scope.select("audit").order_by(number.desc()).limit(limit + 1)
        if member:
            query = query.where(self._scope.column("audit", "member") == member)
        if action:
            query = query.where(self._scope.column("audit", "action").startswith(action, autoescape=True))
        if cursor:
            query = query.where(number < self._cursors.read(cursor, about)[0])
        with self._scope.database.read() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        last = self._cursors.write([rows[limit - 1]["number"]], about) if len(rows) > limit else ""
        return [{key: row[key] for key in row if key != "team_id"} for row in rows[:limit]], last

    def _conditions(self, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
        def column(name: str) -> sa.Column[Any]:
            return self._scope.column("patterns", name)

        found: list[sa.ColumnElement[bool]] = [] if wanted.include_deleted else [column("deleted_at").is_(None)]
        equal = {
            "problem_type": wanted.problem_type,
            "language": wanted.language,
            "shape_hash": wanted.shape,
            "repository": wanted.repository,
            "change_kind": wanted.change_kind,
            "created_by": wanted.member,
        }
        found += [column(name) == value for name, value in equal.items() if value]
        if wanted.file:
            path = column("file_path")
            below = wanted.file.endswith("/")
            found.append(path.startswith(wanted.file, autoescape=True) if below else path == wanted.file)
        if wanted.q:
            texts = ("code_before", "code_after", "commit_msg", "file_path", "symbol")
            found.append(sa.or_(*(column(name).icontains(wanted.q, autoescape=True) for name in texts)))
        return found

    def _orders(self, sort: Sort) -> list[sa.ColumnElement[Any]]:
        key = self._scope.column("patterns", "score" if sort == "score" else "seq")
        return [key.desc(), self._scope.column("patterns", "id")]

    def _since(self, connection: Connection, table: str, since: int, limit: int) -> list[dict[str, Any]]:
        seq = self._scope.column(table, "seq")
        query = self._scope.select(table).where(seq > since).order_by(seq).limit(limit + 1)
        return [dict(row) for row in connection.execute(query).mappings()]

    def _shown(self, connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows as they are answered, each with its occurrences and one's own vote."""
        ids = [row["id"] for row in rows]
        of = self._scope.column("occurrences", "id")
        query = self._scope.select("occurrences", *_OF_OCCURRENCES).where(of.in_(ids)).order_by(of)
        occurrences: dict[str, list[dict[str, Any]]] = {}
        for row in connection.execute(query).mappings():
            occurrences.setdefault(row["id"], []).append({key: row[key] for key in _OF_OCCURRENCES[1:]})
        me, voted = (self._scope.column("pattern_feedback", name) for name in ("member", "id"))
        mine = self._scope.select("pattern_feedback", "id", "helpful").where(
            me == self._scope.identity.member, voted.in_(ids)
        )
        votes = {row.id: bool(row.helpful) for row in connection.execute(mine)}
        return [_shown(row, occurrences.get(row["id"], []), votes.get(row["id"])) for row in rows]


def _shown(row: Mapping[str, Any], occurrences: list[dict[str, Any]], vote: bool | None) -> dict[str, Any]:
    found = {key: value for key, value in row.items() if key != "team_id"}
    return {
        **found,
        "with_test": bool(row["with_test"]),
        "survival": row["survival"] or None,
        "success_count": row["up"],
        "occurrences": occurrences[:SHOWN_OCCURRENCES],
        "occurrence_count": len(occurrences),
        "my_vote": vote,
    }
