"""A store as JSON lines: the head, then repositories, evidence, entries and outcomes, each with its `kind`.

What an agent has found out merges into any store. Evidence and what was learnt from it go into a store that has none:
figures of two sets of evidence cannot be added up, they have to be mined together.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import UserError
from core.files import atomic_write
from stores.agent import beliefs
from stores.agent.context_types import CONTEXT_TYPES, Size
from stores.agent.evidence_rows import new_id
from stores.agent.records import Change, Evidence, RepositoryEvidence, RepositoryState
from stores.agent.schema import REVISION
from stores.agent.store import UNSEEDED, EntryT, Store

FORMAT = 1
_DAMAGED = "nothing was imported; export the store again"
_ORDER = ("repository", "evidence", "entry", "outcome", "end")
_LINE = msgspec.json.Decoder(dict[str, Any])


class Imported(msgspec.Struct, kw_only=True):
    """What came in. Nothing is left out without being counted."""

    repositories: int = 0
    evidence: int = 0
    entries: int = 0
    outcomes: int = 0
    known_outcomes: int = 0
    """Outcomes that the store had already."""
    left_out: int = 0
    """Repositories, evidence and seeded entries (with their outcomes): the store has evidence of its own."""


def export(store: Store[EntryT], path: Path) -> int:
    """Write the whole store, whole or not at all; gives the number of lines. Who writes meanwhile is not in it."""
    lines = 0
    with atomic_write(path) as file:
        for record in _records(store):
            file.write(msgspec.json.encode(record) + b"\n")
            lines += 1
        file.write(msgspec.json.encode({"kind": "end", "lines": lines}) + b"\n")
    return lines + 1


def import_(store: Store[EntryT], path: Path) -> Imported:
    """Read such a file into a store, all or nothing.

    Raises UserError, naming the line, where the file is of another store, of a newer format, or damaged.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "name a file that export has written") from None
    with file:
        try:
            return _import(store, file, path)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise UserError(f"{path} is damaged: {error!r}", _DAMAGED) from None


def _import(store: Store[EntryT], file: IO[bytes], path: Path) -> Imported:
    done = Imported()
    with store.database.write() as connection:
        lines = _lines(file, path)
        _check_head(store, next(lines, {}), path)
        taken = not list(store.evidence.repositories(connection))
        ids: dict[int, int | None] = {}
        seen = []
        for kind, group in groupby(lines, key=lambda line: str(line.get("kind"))):
            seen.append(kind)
            if kind == "repository":
                for line in group:
                    _put_repository(store, connection, line, taken, done)
            elif kind == "evidence":
                _put_evidence(store, connection, group, taken, done)
            elif kind == "entry":
                for line in group:
                    _put_entry(store, connection, line, taken, ids, done)
            elif kind == "outcome":
                _put_outcomes(store, connection, group, ids, done)
            else:
                list(group)
        if seen != [kind for kind in _ORDER if kind in seen] or seen[-1:] != ["end"]:
            raise UserError(f"{path} is damaged: it is cut off, or its lines are not in order", _DAMAGED)
        if problems := store.wrong_figures(connection):
            raise UserError(f"{path} is damaged: {problems[0]}", _DAMAGED)
    return done


def _records(store: Store[EntryT]) -> Iterator[dict[str, Any]]:
    database = store.database
    table, outcomes = store.table, database.table("outcomes")
    yield {"kind": "store", "store": store.name, "format": FORMAT, "schema": REVISION}
    with database.read() as connection:
        for state in store.evidence.repositories(connection):
            yield {"kind": "repository", **msgspec.structs.asdict(state)}
        for piece in store.evidence.everything(connection):
            yield {"kind": "evidence", **msgspec.structs.asdict(piece)}
        for name, rows in (
            ("entry", sa.select(table).order_by(table.c.id)),
            ("outcome", sa.select(outcomes).order_by(outcomes.c.at)),
        ):
            for row in connection.execution_options(yield_per=500).execute(rows).mappings():
                yield {"kind": name, **row}


def _lines(file: IO[bytes], path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, start=1):
        try:
            found = _LINE.decode(line)
        except msgspec.DecodeError as error:
            raise UserError(f"{path}:{number} is damaged: {error}", _DAMAGED) from None
        yield found


def _check_head(store: Store[EntryT], head: dict[str, Any], path: Path) -> None:
    if head.get("kind") != "store" or head.get("store") != store.name:
        named = head.get("store", "no store")
        raise UserError(f"{path} holds {named}, not {store.name}", "name the store that it was exported from")
    if head.get("format", 0) > FORMAT or head.get("schema", 0) > REVISION:
        raise UserError(f"{path} was written by a newer version of Gitlore", "update first")


def _put_repository(
    store: Store[EntryT], connection: Connection, line: dict[str, Any], taken: bool, done: Imported
) -> None:
    if not taken:
        done.left_out += 1
        return
    store.evidence.replace(connection, RepositoryEvidence(state=_as(RepositoryState, line), evidence=()), Change())
    done.repositories += 1


def _put_evidence(
    store: Store[EntryT], connection: Connection, group: Iterator[dict[str, Any]], taken: bool, done: Imported
) -> None:
    states = {state.key: state for state in store.evidence.repositories(connection)}
    seen: set[str] = set()
    for key, pieces in groupby(group, key=lambda line: line["repository"]):
        if not taken:
            done.left_out += sum(1 for _ in pieces)
            continue
        if key in seen:
            raise ValueError(f"evidence of {key} in two places")
        seen.add(key)
        evidence = (_piece(line) for line in pieces)
        change = Change()
        store.evidence.replace(connection, RepositoryEvidence(state=states[key], evidence=evidence), change)
        done.evidence += change.evidence_added


def _piece(line: dict[str, Any]) -> Evidence:
    """A piece of evidence whose outcome is of the kind that its context type asks for."""
    piece: Evidence = _as(Evidence, line)
    context = CONTEXT_TYPES.get(piece.context_type)
    for target, value in piece.outcome.items():
        kind = context.targets.get(target) if context else None
        if kind is not None and isinstance(value, str) == isinstance(kind, Size):
            raise ValueError(f"{target} = {value!r} in the evidence of {piece.sha}")
    return piece


def _put_entry(
    store: Store[EntryT],
    connection: Connection,
    line: dict[str, Any],
    taken: bool,
    ids: dict[int, int | None],
    done: Imported,
) -> None:
    table = store.table
    line = {name: value for name, value in line.items() if name in table.columns}
    there = connection.execute(
        sa.select(table.c.id).where(*(table.c[name] == line[name] for name in store.key_columns))
    ).scalar()
    if there is None:
        if line["source"] not in UNSEEDED and not taken:
            done.left_out += 1
            ids[line["id"]] = None
            return
        # Own figures are made of the outcomes that follow.
        fresh = {**line, "own_successes": 0, "own_failures": 0, "own_ema": None}
        del fresh["id"]
        there = new_id(connection.execute(sa.insert(table).values(**fresh)))
        done.entries += 1
    ids[line["id"]] = int(there)


def _put_outcomes(
    store: Store[EntryT],
    connection: Connection,
    group: Iterator[dict[str, Any]],
    ids: dict[int, int | None],
    done: Imported,
) -> None:
    outcomes = store.database.table("outcomes")
    touched = set()
    for line in group:
        entry = ids[line["entry_id"]]
        if entry is None:
            done.left_out += 1
            continue
        if connection.execute(sa.select(outcomes.c.uid).where(outcomes.c.uid == line["uid"])).scalar():
            done.known_outcomes += 1
            continue
        row = {name: line[name] for name in ("uid", "at", "success", "detail")}
        connection.execute(sa.insert(outcomes).values(**row, entry_id=entry))
        touched.add(entry)
        done.outcomes += 1
    for entry in touched:
        _count_again(store, connection, entry)


def _count_again(store: Store[EntryT], connection: Connection, entry: int) -> None:
    """Make an entry's own figures from its outcomes, in the order in which they came."""
    table, outcomes = store.table, store.database.table("outcomes")
    row = connection.execute(sa.select(table).where(table.c.id == entry)).mappings().one()
    told = connection.execute(
        sa.select(outcomes.c.success, outcomes.c.detail).where(outcomes.c.entry_id == entry).order_by(outcomes.c.at)
    ).all()
    ema, good = row["prior_a"] / (row["prior_a"] + row["prior_b"]), 0
    value: Any = row["own_value"]
    for success, detail in told:
        ema, good = beliefs.moved(ema, bool(success)), good + success
        value = detail.get("value") or value
    bad = len(told) - good
    changed = {"own_successes": good, "own_failures": bad, "own_ema": ema, "own_value": value}
    bound = beliefs.lower_bound(row["prior_a"] + good, row["prior_b"] + bad)
    connection.execute(sa.update(table).where(table.c.id == entry).values(**changed, confidence=bound, retired=0))


def _as(kind: Any, line: dict[str, Any]) -> Any:
    return msgspec.convert({name: line[name] for name in kind.__struct_fields__ if name in line}, kind)
