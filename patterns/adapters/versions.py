"""Versions of a team's adapters: adding one, making it the active one of its base, and going back."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from core.records.fusion import Proof
from patterns.adapters import gate
from patterns.adapters.files import AdapterFiles, Packed
from patterns.memory import idempotency
from patterns.memory.content import clean_note
from patterns.memory.cursors import Cursors
from patterns.memory.identity import now
from patterns.memory.people import note
from patterns.memory.refusals import RefusedOperationError
from patterns.memory.scope import Scope

if TYPE_CHECKING:
    from patterns.adapters.archive import Contents
    from patterns.adapters.merging import Merges

MOST_TEAM_BYTES = 20 << 30
"""Of all versions of a team together."""
LEAST_PREFIX = 8
"""Characters of an id that may stand for it."""
SHOWN_ACTIVATIONS = 20
_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ID = re.compile(f"[0-9a-f]{{{LEAST_PREFIX},64}}")


class Versions:
    """The adapters of one team, as one of its members sees them."""

    def __init__(self, scope: Scope, files: AdapterFiles, cursors: Cursors, ip: str = "") -> None:
        self.scope, self.files, self._cursors, self.ip = scope, files, cursors, ip

    @property
    def merges(self) -> Merges:
        """The merges of adapters that were asked for."""
        from patterns.adapters.merging import Merges

        return Merges(self)

    def acting_for(self, member: str) -> Versions:
        """The same for another member, who has asked for what is done."""
        identity = replace(self.scope.identity, member=member)
        return Versions(Scope(self.scope.database, identity), self.files, self._cursors, self.ip)

    def page(self, limit: int, cursor: str = "") -> dict[str, Any]:
        """`adapters`, the newest first, `active` by base, and `next_cursor`, empty behind the last."""
        about, seq = ["adapters", self.scope.team_id], self.scope.column("adapter_versions", "seq")
        query = self.scope.select("adapter_versions").order_by(seq.desc()).limit(limit + 1)
        if cursor:
            query = query.where(seq < self._cursors.read(cursor, about)[0])
        with self.scope.database.read() as connection:
            rows = list(connection.execute(query).mappings())
            active = self._all_current(connection)
        last = self._cursors.write([rows[limit - 1]["seq"]], about) if len(rows) > limit else ""
        used = {row["id"] for row in active.values()}
        shown = [_shown(row, is_active=row["id"] in used) for row in rows[:limit]]
        return {"adapters": shown, "active": {base: _plain(row) for base, row in active.items()}, "next_cursor": last}

    def one(self, adapter: str) -> dict[str, Any]:
        """A version by its id, the beginning of it, or its name; with parents, figures, and when it was active.

        Raises RefusedOperationError where the team has none.
        """
        with self.scope.database.read() as connection:
            row = self._find(connection, adapter)
            current = self._current(connection, row["base_sha256"])
            of = self.scope.column("adapter_parents", "id") == row["id"]
            order = self.scope.column("adapter_parents", "sha256")
            parents = list(
                connection.execute(self.scope.select("adapter_parents").where(of).order_by(order)).mappings()
            )
            seq, ids = (self.scope.column("activations", name) for name in ("seq", "id"))
            query = self.scope.select("activations").where(ids == row["id"]).order_by(seq.desc())
            activations = list(connection.execute(query.limit(SHOWN_ACTIVATIONS)).mappings())
        shown = _shown(row, is_active=current is not None and current["id"] == row["id"])
        return {
            **shown,
            "proof": row["proof"] or None,
            "parents": [{key: one[key] for key in one if key not in ("team_id", "id")} for one in parents],
            "activations": [_plain(one) for one in activations],
        }

    def active(self) -> dict[str, dict[str, Any]]:
        """The activation that holds, by the hash of its base."""
        with self.scope.database.read() as connection:
            return {base: _plain(row) for base, row in self._all_current(connection).items()}

    def file(self, adapter: str) -> tuple[str, Path]:
        """(id, file) of a version; the id is the hash of the file, for whoever reads it.

        Raises StageError where the file is missing or has another size.
        """
        with self.scope.database.read() as connection:
            row = self._find(connection, adapter)
        return row["id"], self.files.sized(row["id"], row["bytes"])

    def fetch(self, adapter: str, target: Path) -> str:
        """Copy the archive of a version; its id. Raises StageError where the file is missing or damaged."""
        id_, _ = self.file(adapter)
        shutil.copyfile(self.files.check(id_), target)
        return id_

    def add(self, parts: Iterable[bytes], name: str, key: str = "") -> tuple[dict[str, Any], bool]:
        """Add the version in an archive that comes part by part, and whether it is new; a known one is left as it is.

        Its file is in its place before any row names it. Raises RefusedOperationError for what is no adapter, or too
        large; `key` is an idempotency key.
        """
        self.scope.identity.require("member", "add adapters")
        check_name(name)
        from patterns.adapters import archive

        with self.files.receiving() as place:
            folder = place / "adapter"
            folder.mkdir()
            contents = archive.receive(parts, folder, self.files.most_bytes)
            packed = self.files.pack(folder, place)
            with self.scope.database.write() as connection:
                is_new = self._added(connection, packed, contents, name, key)
                known = connection.execute(self.scope.select("adapter_versions", "id")).scalars()
                self.files.sweep(set(known))
        return self.one(packed.id), is_new

    def activate(
        self, adapter: str, *, force: bool = False, reason: str = "", replaces: str | None = None, key: str = ""
    ) -> dict[str, Any]:
        """Make a version the active one of its base; the activation that then holds.

        Raises RefusedOperationError where its figures do not speak for it, unless `force` is given with a `reason`, and
        where another activation comes between, or the active one is not `replaces` (an id, empty for none).
        """
        self.scope.identity.require("maintainer", "activate adapters")
        if force and not reason.strip():
            raise RefusedOperationError("invalid", "force needs a reason, for the audit", "say why it is activated")
        said = {"activate": adapter, "force": force, "reason": reason, "replaces": replaces}
        with self.scope.database.read() as connection:
            if replayed := self._replayed(connection, key, said):
                return replayed
            row = self._find(connection, adapter)
            before = self._current(connection, row["base_sha256"])
        if (problem := gate.problem(_proof(row))) and not force:
            hint = "activate another one, or force it with a reason"
            raise RefusedOperationError("not_better", f"{row['name']} is not activated: {problem}", hint)
        if replaces is not None and replaces != (before["id"] if before else ""):
            raise _changed(before)
        goes_back_to = before["seq"] if before else 0
        why = clean_note(reason) if problem else ""
        return self._put(row["id"], before, row["base_sha256"], goes_back_to, said, key, why, is_forced=bool(problem))

    def rollback(self, base: str = "", *, reason: str = "", key: str = "") -> dict[str, Any]:
        """Activate what was active before the active one; the activation that then holds.

        Done again, it goes one step further back. `base` is a hash, or the beginning of one; it may be left out where
        one base alone has an active adapter. Raises RefusedOperationError where there is nothing to go back to.
        """
        self.scope.identity.require("maintainer", "roll back adapters")
        said = {"rollback": base, "reason": reason}
        with self.scope.database.read() as connection:
            if replayed := self._replayed(connection, key, said):
                return replayed
            before = self._one_current(self._all_current(connection), base)
            earlier = self.scope.row(connection, "activations", seq=before["goes_back_to"])
        if earlier is None:
            raise RefusedOperationError("not_found", "nothing was active before it", "activate another adapter")
        return self._put(
            earlier["id"], before, before["base_sha256"], earlier["goes_back_to"], said, key, clean_note(reason)
        )

    def _put(
        self,
        adapter: str,
        before: RowMapping | None,
        base: str,
        goes_back_to: int,
        said: dict[str, Any],
        key: str,
        reason: str,
        *,
        is_forced: bool = False,
    ) -> dict[str, Any]:
        """Replace the activation `before`, unless another one has replaced it."""
        self.files.check(adapter)
        with self.scope.database.write() as connection:
            seq = self.scope.numbers(connection, 1)
            if replayed := self._replayed(connection, key, said):
                return replayed
            current = self._current(connection, base)
            if (current and current["seq"]) != (before and before["seq"]):
                raise _changed(current)
            if current and current["id"] == adapter:
                return _plain(current)
            at = {"base_sha256": base, "id": adapter, "replaces": before["seq"] if before else 0, "at": now()}
            more = {"goes_back_to": goes_back_to, "forced": int(is_forced), "reason": reason}
            self.scope.insert(
                connection, "activations", {**at, **more, "seq": seq, "member": self.scope.identity.member}
            )
            action = "adapter.rollback" if "rollback" in said else "adapter.activate"
            detail = {"base": base, **({"forced": True} if is_forced else {}), **({"reason": reason} if reason else {})}
            note(self.scope, connection, action, adapter, self.ip, **detail)
            idempotency.remember(self.scope, connection, key, said, {"seq": seq})
            row = self._current(connection, base)
            assert row is not None, "it was just written"
            return _plain(row)

    def _added(self, connection: Connection, packed: Packed, contents: Contents, name: str, key: str) -> bool:
        seq = self.scope.numbers(connection, 1)
        said = {"add": packed.id, "name": name}
        is_replayed = idempotency.known(self.scope, connection, key, said) is not None
        is_known = self.scope.row(connection, "adapter_versions", id=packed.id) is not None
        if not is_known:
            total = self.scope.select("adapter_versions", sa.func.sum(self.scope.column("adapter_versions", "bytes")))
            if int(connection.execute(total).scalar() or 0) + packed.size > MOST_TEAM_BYTES:
                message = f"the team's adapters may have {MOST_TEAM_BYTES:,} bytes together"
                raise RefusedOperationError("too_large", message, "serve another team with a folder of its own")
        if not is_known or not self.files.is_whole(packed.id):
            self.files.keep(packed)
        if not is_known:
            self._insert(connection, packed, contents, name, seq)
            note(self.scope, connection, "adapter.add", packed.id, self.ip, name=name, bytes=packed.size)
        if not is_replayed:
            idempotency.remember(self.scope, connection, key, said, {"id": packed.id})
        return not is_known

    def _insert(self, connection: Connection, packed: Packed, contents: Contents, name: str, seq: int) -> None:
        info, report = contents.info, contents.report
        row = {
            "id": packed.id,
            "name": name,
            "base_model": Path(info.base_model).name,
            "base_sha256": contents.base_sha256,
            "weights_sha256": contents.weights_sha256,
            "method": info.origin.method if info.origin else info.method,
            "rank": contents.rank,
            "bytes": packed.size,
            "seq": seq,
            "proof": msgspec.to_builtins(report.proof) if report and report.proof else {},
            "created_by": self.scope.identity.member,
            "created_at": now(),
        }
        self.scope.insert(connection, "adapter_versions", row)
        parents = info.origin.parents if info.origin else []
        rows = {one.sha256: {"id": packed.id, **msgspec.to_builtins(one)} for one in parents}
        self.scope.insert(connection, "adapter_parents", list(rows.values()))

    def _find(self, connection: Connection, adapter: str) -> RowMapping:
        """A version by its id, the beginning of it, or its name: the newest that is called so."""
        ids, names, seq = (self.scope.column("adapter_versions", name) for name in ("id", "name", "seq"))
        found = list[RowMapping]()
        if _ID.fullmatch(adapter):
            query = self.scope.select("adapter_versions").where(ids.startswith(adapter)).limit(2)
            found = list(connection.execute(query).mappings())
        if len(found) > 1:
            raise RefusedOperationError("invalid", f"several adapters begin with {adapter}", "give more of the id")
        if not found and _NAME.fullmatch(adapter):
            query = self.scope.select("adapter_versions").where(names == adapter).order_by(seq.desc()).limit(1)
            found = list(connection.execute(query).mappings())
        if not found:
            message = f"the team has no adapter {adapter[:100]!r}"
            raise RefusedOperationError("not_found", message, "give its name, or at least eight characters of its id")
        return found[0]

    def _current(self, connection: Connection, base: str) -> RowMapping | None:
        seq, bases = (self.scope.column("activations", name) for name in ("seq", "base_sha256"))
        query = self.scope.select("activations").where(bases == base).order_by(seq.desc()).limit(1)
        return connection.execute(query).mappings().first()

    def _all_current(self, connection: Connection) -> dict[str, RowMapping]:
        seq, bases = (self.scope.column("activations", name) for name in ("seq", "base_sha256"))
        last = self.scope.select("activations", sa.func.max(seq)).group_by(bases)
        query = self.scope.select("activations").where(seq.in_(last)).order_by(seq.desc())
        return {row["base_sha256"]: row for row in connection.execute(query).mappings()}

    @staticmethod
    def _one_current(current: dict[str, RowMapping], base: str) -> RowMapping:
        found = [row for name, row in current.items() if name.startswith(base)]
        if not found:
            raise RefusedOperationError("not_found", "no adapter is active", "activate one")
        if len(found) > 1:
            names = ", ".join(sorted(row["base_sha256"][:12] for row in found))
            raise RefusedOperationError("invalid", f"adapters of several bases are active: {names}", "name the base")
        return found[0]

    def _replayed(self, connection: Connection, key: str, said: dict[str, Any]) -> dict[str, Any] | None:
        """The activation that was made when the same was asked with this key."""
        answer = idempotency.known(self.scope, connection, key, said)
        row = self.scope.row(connection, "activations", seq=answer["seq"]) if answer else None
        return _plain(row) if row else None


def check_name(name: str) -> None:
    """Raise RefusedOperationError for what cannot be the name of a version."""
    if not _NAME.fullmatch(name):
        hint = "at most 100 letters, digits, dots, dashes and underlines; the first a letter or a digit"
        raise RefusedOperationError("invalid", f"{name[:100]!r} cannot be the name of an adapter", hint)


def _shown(row: RowMapping, *, is_active: bool) -> dict[str, Any]:
    proof = _proof(row)
    found = {name: row[name] for name in row if name not in ("team_id", "seq", "proof")}
    return {**found, "active": is_active, "measured": proof is not None, "not_better": gate.problem(proof) or None}


def _plain(row: RowMapping) -> dict[str, Any]:
    return {**{name: row[name] for name in row if name != "team_id"}, "forced": bool(row["forced"])}


def _proof(row: RowMapping) -> Proof | None:
    return msgspec.convert(row["proof"], Proof) if row["proof"] else None


def _changed(current: RowMapping | None) -> RefusedOperationError:
    what = f"{current['id'][:12]}, activated by {current['member']}" if current else "none"
    message = f"another activation came between: the active adapter is {what}"
    return RefusedOperationError("changed_meanwhile", message, "look whether that is the better one, then try again")
