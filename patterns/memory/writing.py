"""Doing operations: who may, what changes, and that each is done once however often it is delivered."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection, RowMapping

from core.history.messages import Pseudonyms
from patterns.memory.content import clean, clean_convention, clean_note, id_of, solution_hash
from patterns.memory.identity import now
from patterns.memory.operations import (
    Add,
    Convene,
    Delete,
    Lasting,
    NewPattern,
    Operation,
    Outcome,
    Restore,
    Unvote,
    Vote,
)
from patterns.memory.people import note
from patterns.memory.refusals import RefusedOperationError
from patterns.memory.scope import Scope
from stores.agent.beliefs import lower_bound

DAY_S = 86_400
KEPT_DAYS = 180
"""How long tombstones are kept, and what became of operations that were delivered from an outbox."""
MOST_OCCURRENCES = 200
"""Of one pattern; further ones tell nothing new."""
_AT_ONCE = 100
"""Operations of one transaction: others wait that long."""
_COPIED = (
    *("pattern_id", "problem_type", "shape_hash", "language", "code_before", "code_after", "commit_msg", "author"),
    *("date", "repository", "commit", "file_path", "symbol", "change_kind", "template_id", "confidence", "masked"),
)
_VOTES = {0: "down", 1: "up"}


def prepared(operation: Operation, pseudonyms: Pseudonyms | None = None) -> Operation:
    """The operation with its texts masked. Raises RefusedOperationError where a credential is left."""
    match operation:
        case Add():
            return operation.model_copy(update={"pattern": clean(operation.pattern, pseudonyms)})
        case Vote():
            return operation.model_copy(update={"note": clean_note(operation.note)})
        case Convene():
            return operation.model_copy(update={"template": clean_convention(operation.template)})
        case _:
            return operation


def apply(
    scope: Scope, operations: Sequence[Operation], *, kept_days: float = KEPT_DAYS, ip: str = ""
) -> list[Outcome]:
    """Do operations in order, each whole or not at all; those that are refused leave the others be.

    An operation whose uid was there within `kept_days` is not done again, and has the outcome that it had.
    """
    found: list[Outcome] = []
    for start in range(0, len(operations), _AT_ONCE):
        masked = [ready(one) for one in operations[start : start + _AT_ONCE]]
        with scope.database.write() as connection:
            part = apply_within(scope, connection, masked, kept_days)
            done = Counter(f"{one.op}:{outcome.status}" for (one, _), outcome in zip(masked, part, strict=True))
            note(scope, connection, "patterns.write", "", ip, **done)
        found += part
    return found


Ready = tuple[Operation, RefusedOperationError | None]


def ready(operation: Operation, pseudonyms: Pseudonyms | None = None) -> Ready:
    """The operation with its texts masked, or why it is refused."""
    try:
        return prepared(operation, pseudonyms), None
    except RefusedOperationError as refused:
        return operation, refused


def apply_within(
    scope: Scope, connection: Connection, masked: Sequence[Ready], kept_days: float = KEPT_DAYS
) -> list[Outcome]:
    """The same within a transaction that has not written yet."""
    first = scope.numbers(connection, len(masked))
    expires = scope.column("idempotency", "expires_at")
    scope.delete(connection, "idempotency", expires <= now(), member=scope.identity.member)
    writer = _Writer(scope, connection)
    return [writer.once(one, refused, first + at, kept_days) for at, (one, refused) in enumerate(masked)]


def redo(scope: Scope, connection: Connection, one: Operation, seq: int) -> None:
    """Do an operation on top of what the server says, until the server has done it, too."""
    with contextlib.suppress(RefusedOperationError):  # the server will say so when it is delivered
        _Writer(scope, connection).do(one, seq)


class _Writer:
    """Does operations within a transaction. Each is refused before it has written anything."""

    def __init__(self, scope: Scope, connection: Connection) -> None:
        self._scope, self._connection, self._me = scope, connection, scope.identity.member

    def once(self, one: Operation, refused: RefusedOperationError | None, seq: int, kept_days: float) -> Outcome:
        """Do one, unless it was done."""
        said = hashlib.sha256(json.dumps(one.said, sort_keys=True).encode()).hexdigest()
        try:
            if known := self._known(one.uid, said):
                return known
            if refused:
                raise refused
            outcome = self.do(one, seq)
        except RefusedOperationError as error:
            about = id_of(solution_hash(one.pattern)) if isinstance(one, Add) else one.id
            return Outcome(uid=one.uid, status="refused", id=about, code=error.code, message=str(error))
        answer = {"status": outcome.status, "id": outcome.id}
        kept = {"member": self._me, "key": one.uid, "request_sha256": said, "answer": answer}
        self._scope.insert(self._connection, "idempotency", {**kept, "expires_at": now(-DAY_S * kept_days)})
        return outcome

    def _known(self, uid: str, said: str) -> Outcome | None:
        """What became of it when it was done."""
        row = self._scope.row(self._connection, "idempotency", member=self._me, key=uid)
        if row and row["request_sha256"] != said:
            raise RefusedOperationError("key_reused", f"{uid} has named another operation", "give each a new name")
        return Outcome(**{**row["answer"], "uid": uid, "replayed": True}) if row else None

    def do(self, one: Operation, seq: int) -> Outcome:
        """Do one, whether it was done or not."""
        self._scope.identity.require("member", "write")
        match one:
            case Add():
                return self._add(one, seq)
            case Vote():
                return self._vote(one.uid, self._living(one.id), one, seq)
            case Unvote():
                return self._vote(one.uid, self._living(one.id), None, seq)
            case Delete():
                return self._delete(one, seq)
            case Restore():
                return self._restore(one, seq)
            case Convene():
                return self._convene(one, seq)

    def _add(self, one: Add, seq: int) -> Outcome:
        new = one.pattern
        solution = solution_hash(new)
        row = self._scope.row(self._connection, "patterns", id=id_of(solution))
        if row is None:
            self._insert(new, solution, seq)
            self._insert_occurrence(id_of(solution), new)
            return Outcome(uid=one.uid, status="added", id=id_of(solution))
        if row["deleted_at"]:
            message = f"the team has deleted this pattern ({row['id']})"
            raise RefusedOperationError("deleted", message, "a maintainer can restore it")
        lasting = _later(row["survival"], new.survival)
        if not self._occurred(row["id"], new) and not lasting:
            return Outcome(uid=one.uid, status="unchanged", id=row["id"])
        later = {"survival": lasting, "confidence": new.confidence, "template_id": new.template_id}
        changed = later if lasting else {}
        self._change(row, seq, **changed)
        return Outcome(uid=one.uid, status="known", id=row["id"])

    def _insert(self, new: NewPattern, solution: str, seq: int) -> None:
        at = now()
        self._scope.insert(
            self._connection,
            "patterns",
            {
                **{name: getattr(new, name) for name in _COPIED},
                "id": id_of(solution),
                "solution_hash": solution,
                "with_test": int(new.with_test),
                "survival": new.survival.model_dump() if new.survival else {},
                "up": 0,
                "down": 0,
                "score": lower_bound(1, 1),
                "created_by": self._me,
                "created_at": at,
                "updated_at": at,
                "version": 1,
                "seq": seq,
            },
        )

    def _occurred(self, pattern: str, new: NewPattern) -> bool:
        """Note where the pattern occurred; whether that is news."""
        place = {"id": pattern, "repository": new.repository, "commit": new.commit, "path": new.file_path}
        if self._scope.row(self._connection, "occurrences", **place):
            return False
        if self._scope.count(self._connection, "occurrences", self._of("occurrences", pattern)) >= MOST_OCCURRENCES:
            return False
        self._insert_occurrence(pattern, new)
        return True

    def _insert_occurrence(self, pattern: str, new: NewPattern) -> None:
        place = {"id": pattern, "repository": new.repository, "commit": new.commit, "path": new.file_path}
        more = {"pattern_id": new.pattern_id, "author": new.author, "date": new.date, "member": self._me}
        self._scope.insert(self._connection, "occurrences", {**place, **more})

    def _vote(self, uid: str, row: RowMapping, vote: Vote | None, seq: int) -> Outcome:
        if row["created_by"] == self._me:
            raise RefusedOperationError("own_pattern", "votes are for patterns of others; you added this one")
        mine = {"id": row["id"], "member": self._me}
        before = self._scope.row(self._connection, "pattern_feedback", **mine)
        at, helpful = now(), None if vote is None else int(vote.helpful)
        used = at if vote and vote.used else before["used_at"] if before else None
        if vote is None and before is None:
            return Outcome(uid=uid, status="unchanged", id=row["id"])
        if vote and before and (helpful, vote.note) == (before["helpful"], before["note"]) and not vote.used:
            return Outcome(uid=uid, status="unchanged", id=row["id"])
        self._scope.delete(self._connection, "pattern_feedback", **mine)
        if vote:
            said = {"helpful": helpful, "note": vote.note, "used_at": used, "at": at}
            self._scope.insert(self._connection, "pattern_feedback", {**mine, **said})
        event = {"seq": seq, "helpful": helpful, "at": at}
        self._scope.insert(self._connection, "feedback_events", {**mine, **event})
        counts = Counter({"up": row["up"], "down": row["down"]})
        counts.subtract([_VOTES[before["helpful"]]] if before else [])
        counts.update([] if helpful is None else [_VOTES[helpful]])
        last_used = {"last_used": at} if vote and vote.used else {}
        score = lower_bound(1 + counts["up"], 1 + counts["down"])
        self._change(row, seq, up=counts["up"], down=counts["down"], score=score, **last_used)
        return Outcome(uid=uid, status="done", id=row["id"])

    def _delete(self, one: Delete, seq: int) -> Outcome:
        row = self.find(one.id)
        if row["created_by"] != self._me:
            self._scope.identity.require("maintainer", "delete patterns of others")
        if row["deleted_at"]:
            return Outcome(uid=one.uid, status="unchanged", id=row["id"])
        self._change(row, seq, deleted_at=now(), deleted_by=self._me)
        note(self._scope, self._connection, "pattern.delete", row["id"])
        return Outcome(uid=one.uid, status="done", id=row["id"])

    def _restore(self, one: Restore, seq: int) -> Outcome:
        row = self.find(one.id)
        self._scope.identity.require("maintainer", "restore patterns")
        if not row["deleted_at"]:
            return Outcome(uid=one.uid, status="unchanged", id=row["id"])
        self._change(row, seq, deleted_at=None, deleted_by=None)
        note(self._scope, self._connection, "pattern.restore", row["id"])
        return Outcome(uid=one.uid, status="done", id=row["id"])

    def _convene(self, one: Convene, seq: int) -> Outcome:
        record, key = one.template.model_dump(mode="json"), {"template_id": one.id}
        row = self._scope.row(self._connection, "templates", **key)
        if row and (row["record"] == record or record["last_seen_at"] < row["record"]["last_seen_at"]):
            return Outcome(uid=one.uid, status="unchanged", id=one.id)
        self._scope.delete(self._connection, "templates", **key)
        values = {"record": record, "member": self._me, "updated_at": now(), "seq": seq}
        self._scope.insert(self._connection, "templates", {**key, **values})
        return Outcome(uid=one.uid, status="known" if row else "added", id=one.id)

    def _living(self, pattern: str) -> RowMapping:
        row = self.find(pattern)
        if row["deleted_at"]:
            raise RefusedOperationError("deleted", f"the pattern {pattern} is deleted", "a maintainer can restore it")
        return row

    def find(self, pattern: str) -> RowMapping:
        """A pattern by either id. Raises RefusedOperationError where the team has none."""
        return find(self._scope, self._connection, pattern)

    def _of(self, table: str, pattern: str) -> Any:
        return self._scope.column(table, "id") == pattern

    def _change(self, row: RowMapping, seq: int, **values: Any) -> None:
        more = {"seq": seq, "version": row["version"] + 1, "updated_at": now()}
        self._scope.update(self._connection, "patterns", {"id": row["id"]}, **values, **more)


def find(scope: Scope, connection: Connection, pattern: str) -> RowMapping:
    """A pattern by its UUID, or by the pattern_id of one of its occurrences; deleted ones included.

    Raises RefusedOperationError where the team has none.
    """
    row = scope.row(connection, "patterns", id=pattern)
    if row is None and (occurrence := scope.row(connection, "occurrences", pattern_id=pattern)):
        row = scope.row(connection, "patterns", id=occurrence["id"])
    if row is None:
        raise RefusedOperationError("not_found", f"the team has no pattern {pattern}", "GET /patterns lists them")
    return row


def _later(known: dict[str, Any], new: Lasting | None) -> dict[str, Any] | None:
    """What is newer about the same lines' survival; None where nothing is."""
    if new is None or (known and known["born"] != new.born):
        return None
    newer = not known or new.days > known["days"] or (bool(new.ended_by) and not known["ended_by"])
    return new.model_dump() if newer else None
