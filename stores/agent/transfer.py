"""A store as JSON lines: a head, then repositories, evidence, entries and outcomes, each line with its `kind`.

An agent's own entries and outcomes merge into any store. Evidence and seeded entries go only into a store without
evidence: figures of two sets of evidence cannot be added up, the repositories have to be mined together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import IO, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import UserError
from core.files import atomic_write
from core.records.lines import DAMAGED
from stores.agent.check import wrong_figures
from stores.agent.context_types import CONTEXT_TYPES, Choice, Size
from stores.agent.evidence_rows import new_id
from stores.agent.records import Evidence, RepositoryEvidence, RepositoryState, StoreChange
from stores.agent.rows import NO_OUTCOMES, UNSEEDED, StoreRows, with_outcomes
from stores.agent.schema import REVISION

FORMAT = 1
_HINT = "nothing was imported; export the store again"
_ORDER = ("repository", "evidence", "entry", "outcome", "end")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_DECODER = msgspec.json.Decoder(dict[str, Any])
Line = dict[str, Any]


class Imported(msgspec.Struct, kw_only=True):
    """How many of each were imported, and how many were not."""

    repositories: int = 0
    evidence: int = 0
    entries: int = 0
    outcomes: int = 0
    known_outcomes: int = 0
    """Outcomes that the store already had."""
    left_out: int = 0
    """Repositories, evidence and seeded entries with their outcomes, because the store has evidence already."""

    def __str__(self) -> str:
        """All figures in words."""
        figures = msgspec.structs.asdict(self).items()
        return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in figures)


def export(store: StoreRows[Any], path: Path) -> int:
    """Write one state of the store, whole or not at all; returns the number of lines."""
    lines = 0
    with atomic_write(path) as file:
        for line in _lines_of(store):
            file.write(msgspec.json.encode(line) + b"\n")
            lines += 1
        file.write(msgspec.json.encode({"kind": "end", "lines": lines}) + b"\n")
    return lines + 1


def import_(store: StoreRows[Any], path: Path) -> Imported:
    """Read an export into a store, all or nothing.

    Raises UserError if the file is of another store, of a newer format, or damaged.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "name a file that export has written") from None
    with file:
        try:
            with store.database.write() as connection:
                return _import(store, connection, file, path)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise UserError(f"{path} is damaged: {error!r}", _HINT) from None


def _import(store: StoreRows[Any], connection: Connection, file: IO[bytes], path: Path) -> Imported:
    lines = _read(file, path)
    _check_head(store, next(lines, {}), path)
    importer = _Importer(store, connection)
    kinds = [importer.take(kind, group) for kind, group in groupby(lines, key=lambda line: str(line["kind"]))]
    if kinds != [kind for kind in _ORDER if kind in kinds] or kinds[-1:] != ["end"]:
        raise UserError(f"{path} is damaged: it is cut off, or its lines are not in order", _HINT)
    if problems := wrong_figures(store, connection):
        raise UserError(f"{path} is damaged: {problems[0]}", _HINT)
    return importer.done


def _lines_of(store: StoreRows[Any]) -> Iterator[Line]:
    yield {"kind": "store", "store": store.name, "format": FORMAT, "schema": REVISION}
    with store.database.read() as connection:
        for state in store.evidence.repositories(connection):
            yield {"kind": "repository", **msgspec.structs.asdict(state)}
        for piece in store.evidence.everything(connection):
            yield {"kind": "evidence", **msgspec.structs.asdict(piece)}
        for kind, table, order in (("entry", store.table, "id"), ("outcome", store.outcomes, "at")):
            query = sa.select(table).order_by(table.c[order])
            for row in connection.execution_options(yield_per=500).execute(query).mappings():
                yield {"kind": kind, **row}


def _read(file: IO[bytes], path: Path) -> Iterator[Line]:
    for number, line in enumerate(file, start=1):
        try:
            found = _DECODER.decode(line)
        except DAMAGED as error:
            raise UserError(f"{path}:{number} is damaged: {error}", _HINT) from None
        if _NUL.search(line):
            raise UserError(f"{path}:{number} is damaged: it holds a NUL character", _HINT)
        if found.get("kind") == "end" and found.get("lines") != number - 1:
            raise UserError(f"{path} is damaged: its end counts {found.get('lines')} lines, not {number - 1}", _HINT)
        yield found


def _check_head(store: StoreRows[Any], head: Line, path: Path) -> None:
    if head.get("kind") != "store" or head.get("store") != store.name:
        named = head.get("store", "no store")
        raise UserError(f"{path} holds {named}, not {store.name}", "name the store that it was exported from")
    if head.get("format", 0) > FORMAT or head.get("schema", 0) > REVISION:
        raise UserError(f"{path} was written by a newer version of Gitlore", "update Gitlore first")


class _Importer:
    """Takes the lines of an export, kind by kind, into a store with an open transaction."""

    def __init__(self, store: StoreRows[Any], connection: Connection) -> None:
        self.done = Imported()
        self._store, self._connection = store, connection
        self._takes_evidence = not list(store.evidence.repositories(connection))
        self._ids: dict[int, int | None] = {}
        """The id in this store of each entry of the file; None if it was left out."""
        self._take = {
            "repository": self._repositories,
            "evidence": self._evidence,
            "entry": self._entries,
            "outcome": self._outcomes,
        }

    def take(self, kind: str, lines: Iterable[Line]) -> str:
        """Import consecutive lines of one kind; returns the kind."""
        self._take.get(kind, list)(lines)
        return kind

    def _repositories(self, lines: Iterable[Line]) -> None:
        for line in lines:
            if self._takes_evidence:
                self._replace(_as(RepositoryState, line), ())
                self.done.repositories += 1
            else:
                self.done.left_out += 1

    def _evidence(self, lines: Iterable[Line]) -> None:
        states = {state.key: state for state in self._store.evidence.repositories(self._connection)}
        seen: set[str] = set()
        for key, pieces in groupby(lines, key=lambda line: line["repository"]):
            if not self._takes_evidence:
                self.done.left_out += sum(1 for _ in pieces)
                continue
            if key in seen:
                raise ValueError(f"the evidence of {key} is not in one place")
            seen.add(key)
            self.done.evidence += self._replace(states[key], map(_piece, pieces)).evidence_added

    def _replace(self, state: RepositoryState, evidence: Iterable[Evidence]) -> StoreChange:
        change = StoreChange()
        self._store.evidence.replace(self._connection, RepositoryEvidence(state=state, evidence=evidence), change)
        return change

    def _entries(self, lines: Iterable[Line]) -> None:
        for line in lines:
            found = self._store.id_of(self._connection, [line[name] for name in self._store.key_columns])
            if found is None and line["source"] not in UNSEEDED and not self._takes_evidence:
                self.done.left_out += 1
            elif found is None:
                found = self._add(line)
                self.done.entries += 1
            self._ids[line["id"]] = found

    def _add(self, line: Line) -> int:
        table = self._store.table
        row = {name: value for name, value in line.items() if name in table.columns and name != "id"}
        if wrong := [name for name in ("sample_count", "occurrence_count") if row.get(name, 0) < 0]:
            raise ValueError(f"{wrong[0]} = {row[wrong[0]]}")
        # The outcomes that follow are counted again; `own_value` and `retired` are kept.
        row |= {name: NO_OUTCOMES[name] for name in ("own_successes", "own_failures", "own_ema")}
        return new_id(self._connection.execute(sa.insert(table).values(**row)))

    def _outcomes(self, lines: Iterable[Line]) -> None:
        table, changed = self._store.outcomes, set()
        for line in lines:
            entry = self._ids[line["entry_id"]]
            if entry is None:
                self.done.left_out += 1
            elif self._connection.execute(sa.select(table.c.uid).where(table.c.uid == line["uid"])).scalar():
                self.done.known_outcomes += 1
            else:
                row = {name: line[name] for name in ("uid", "at", "success", "detail")}
                self._connection.execute(sa.insert(table).values(**row, entry_id=entry))
                changed.add(entry)
                self.done.outcomes += 1
        for entry in changed:
            self._count_again(entry)

    def _count_again(self, entry: int) -> None:
        """Recompute an entry's own figures from all of its outcomes, in the order in which they happened."""
        table, outcomes = self._store.table, self._store.outcomes
        query = sa.select(outcomes.c.success, outcomes.c.detail).where(outcomes.c.entry_id == entry)
        reported = [
            (bool(success), detail.get("value"))
            for success, detail in self._connection.execute(query.order_by(outcomes.c.at))
        ]
        row = {**self._store.row(self._connection, entry), "own_successes": 0, "own_failures": 0, "own_ema": None}
        columns = with_outcomes(row, reported)
        self._connection.execute(sa.update(table).where(table.c.id == entry).values(**columns))


def _piece(line: Line) -> Evidence:
    """A piece of evidence. Raises ValueError for an unknown context type or target, or a value that it cannot have."""
    piece: Evidence = _as(Evidence, line)
    context = CONTEXT_TYPES.get(piece.context_type)
    if context is None:
        raise ValueError(f"context_type = {piece.context_type!r} in the evidence of {piece.sha}")
    for target, value in piece.outcome.items():
        if target not in context.targets or not _is_of(context.targets[target], value):
            raise ValueError(f"{target} = {value!r} in the evidence of {piece.sha}")
    return piece


def _is_of(target: Size | Choice, value: float | str) -> bool:
    """Whether the target can have this value."""
    if isinstance(target, Size):
        return not isinstance(value, str) and math.isfinite(value) and value >= 0
    return isinstance(value, str) and (not target.words or value in target.words)


def _as(kind: Any, line: Line) -> Any:
    return msgspec.convert({name: line[name] for name in kind.__struct_fields__ if name in line}, kind)
