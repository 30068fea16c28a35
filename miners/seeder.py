"""From mined repositories into the stores: staged, tried on held-out repositories, checked, backed up, merged.

Nothing is written to a live store before everything is in a copy and passes its checks; then each store takes it in
one transaction. Agents continue to read and write meanwhile; a second seeder at the same time is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from core.errors import StageError
from core.files import make_folder, remove
from core.logs import log
from core.records.mined import MinedRepository
from core.records.seeding import GateFigures, SeedingReport, StoreSeeding
from miners.clones import Clone
from miners.data_transformer import entries_of
from miners.gate.replay import replay
from miners.gate.tables import tables
from miners.gate.verdicts import Verdict
from miners.histories import cloned
from miners.pattern_extractor import extract
from miners.repository_miner import EvidenceRules, Mined, holds, mine
from miners.tally import MiningTally
from stores import FailureStore, PatternStore, VVectorStore
from stores.agent.context_types import CONTEXT_TYPES
from stores.agent.records import Entry, Evidence, RepositoryEvidence, RepositoryState, StoreChange
from stores.agent.rows import UNSEEDED
from stores.agent.store import Store

STORES: tuple[type[Store[Any]], ...] = (VVectorStore, PatternStore, FailureStore)
_ENCODER, _DECODER = msgspec.json.Encoder(), msgspec.json.Decoder(Evidence)


@dataclass
class Seeding:
    """What a seeding did."""

    changes: dict[str, StoreChange] = field(default_factory=dict)
    """By store."""
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)
    """By context type and target."""
    entries: dict[str, int] = field(default_factory=dict)
    """Seeded entries by store."""
    backups: list[Path] = field(default_factory=list)

    def __bool__(self) -> bool:
        """True where a store was changed."""
        return any(self.changes.values())

    def gate(self) -> dict[str, dict[str, GateFigures]]:
        """The figures of every context type and target, those that did not pass too."""
        return {
            name: {target: one.figures() for target, one in targets.items()} for name, targets in self.verdicts.items()
        }


@dataclass(frozen=True)
class Gathered:
    """A repository whose evidence is on disk: one file for each store, by its name."""

    mined: Mined
    spools: Mapping[str, Path]


class Seeder:
    """Use as a context manager: `gather` and `stage` each repository, then `merge`."""

    def __init__(self, location: str | Path, scratch: Path) -> None:
        """`location` is the folder or URL of the stores, `scratch` a folder for the staged copies.

        Raises AlreadyRunningError where another seeder is at work.
        """
        # Anything in it was left by a killed seeding of these stores: the lock makes sure that none is running.
        self._location, self._scratch = location, scratch / sha256(str(location).encode()).hexdigest()[:12]
        self._changed: dict[str, set[str]] = {}
        self._close = contextlib.ExitStack()

    def __enter__(self) -> Seeder:
        with contextlib.ExitStack() as stack:
            self.live: list[Store[Any]] = [stack.enter_context(kind(self._location)) for kind in STORES]
            stack.enter_context(self.live[0].database.exclusive("seeding"))
            self._folder = folder = self._scratch / "staged"
            remove(folder)
            stack.callback(remove, self._scratch)
            make_folder(folder)
            for store in self.live:
                if problems := store.database.problems():
                    raise StageError(
                        f"{store.database.location}: {problems[0]}", "put the newest file of backups/ there"
                    )
                store.copy_to(folder / f"{store.name}.db")
            self.staged: list[Store[Any]] = [stack.enter_context(kind(folder)) for kind in STORES]
            self._changed = {store.name: set() for store in self.live}
            self._close = stack.pop_all()
        return self

    @property
    def scratch(self) -> Path:
        """A folder that only this seeder uses; removed at the end."""
        return self._scratch

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close.close()

    def last(self, key: str) -> RepositoryState | None:
        """How far a repository has been read: as far as the store that is behind the others."""
        states = [store.evidence.states().get(key) for store in self.staged]
        known = [state for state in states if state is not None]
        if len(known) < len(states) or len({(state.head, state.rules) for state in known}) > 1:
            return None
        return min(known, key=lambda state: state.issues_until)

    def issues_since(self, github_id: int, rules: str) -> str:
        """Up to when the issues of a repository of GitHub have been read by these rules; "" where not at all.

        A store that a kill has left behind the others has not read them.
        """
        states = [state for store in self.staged for state in store.evidence.states().values()]
        found = [state for state in states if state.github_id == github_id]
        if len(found) % len(self.staged) or any(not state.rules.startswith(f"{rules} ") for state in found):
            return ""
        return min((state.issues_until for state in found), default="")

    def gather(self, mined: Mined, without: Container[str] = ()) -> Gathered:
        """Read all evidence of a repository to disk, but that of the commits in `without`. The stores are not touched.

        So a failure to read the repository cannot be confused with one of the stores, which comes later.
        """
        spools: dict[str, Path] = {store.name: self._folder / f"{store.name}.spool" for store in self.live}
        with contextlib.ExitStack() as stack:
            files = {name: stack.enter_context(path.open("wb")) for name, path in spools.items()}
            for piece in stack.enter_context(contextlib.closing(mined.evidence)):
                if piece.sha not in without:
                    files[CONTEXT_TYPES[piece.context_type].store].write(_ENCODER.encode(piece) + b"\n")
        return Gathered(mined, spools)

    def stage(self, gathered: Gathered) -> dict[str, StoreChange]:
        """Put a repository into the copies; gives what changed in each."""
        mined = gathered.mined
        if mined.unchanged:
            return {}
        done: dict[str, StoreChange] = {}
        for live, staged in zip(self.live, self.staged, strict=True):
            pieces = _together(live, mined, gathered.spools[live.name])
            change = staged.bulk_import_evidence([RepositoryEvidence(state=mined.state, evidence=pieces)])
            if change:
                self._changed[live.name].add(mined.state.key)
            done[live.name] = change
        return done

    def merge(self, source: str) -> Seeding:
        """Try what is staged, make entries of what passes, check the copies, and write them to the live stores."""
        done = Seeding()
        for live, staged in zip(self.live, self.staged, strict=True):
            done.verdicts.update(try_out(staged))
            entries = make_entries(staged, done.verdicts)
            staged.bulk_import((), entries, source=source)
            if problems := staged.check():
                raise StageError(
                    f"{live.name}: {problems[0]} ({len(problems)} in all)", "nothing was merged; run it again"
                )
            done.entries[live.name] = len(entries)
        for live, staged in zip(self.live, self.staged, strict=True):
            done.changes[live.name] = self._take_over(live, staged, source, done)
        return done

    def _take_over(self, live: Store[Any], staged: Store[Any], source: str, done: Seeding) -> StoreChange:
        entries = [entry for entry in staged.entries() if entry.source not in UNSEEDED]
        if not self._changed[live.name] and _same_entries(entries, live):
            return StoreChange()
        held = live.stats()
        if (held["runs"] or held["outcomes"] or held["entries"]) and (backup := live.backup()):
            done.backups.append(backup)
        states = staged.evidence.states()
        changed = (
            RepositoryEvidence(state=states[key], evidence=staged.evidence.of_repository(key))
            for key in sorted(self._changed[live.name])
        )
        gate = {name: figures for name, figures in done.gate().items() if CONTEXT_TYPES[name].store == live.name}
        change = live.bulk_import(changed, entries, source=source, gate=msgspec.to_builtins(gate))
        log.debug("%s: %s", live.name, change)
        return change


def seed_clone(
    seeder: Seeder,
    clone: Clone,
    rules: EvidenceRules,
    tally: MiningTally,
    *,
    github: MinedRepository | None = None,
    from_scratch: bool = False,
    workers: int = 1,
    without: Container[str] = (),
) -> tuple[Mined, dict[str, StoreChange]] | None:
    """Stage the evidence of a clone; None where it cannot be read, which the tally then reports.

    `without` are commits whose evidence is left out. Raises StageError where a store fails.
    """
    last = None if from_scratch else seeder.last(clone.key)
    gathered = None
    name = (github and github.full_name) or clone.name
    with tally.reading(name), cloned(clone, seeder.scratch, workers) as history:
        gathered = seeder.gather(mine(history, last, rules, tally, github), without)
    return (gathered.mined, seeder.stage(gathered)) if gathered else None


def try_out(store: Store[Any], *, hold_out: bool = False) -> dict[str, dict[str, Verdict]]:
    """Replay the evidence of a store: a verdict for each target of its context types (`replay.replay`)."""
    found: dict[str, dict[str, Verdict]] = {}
    with store.database.read() as connection:
        archetypes = {state.key: state.archetype for state in store.evidence.repositories(connection)}
        names = {state.key: state.name for state in store.evidence.repositories(connection)}
        for context in CONTEXT_TYPES.values():
            if context.store == store.name:
                seen = store.evidence.of_context(connection, context.name)
                found[context.name] = {
                    table.target: replay(table, hold_out=hold_out) for table in tables(context, seen, archetypes)
                }
    for verdicts in found.values():
        for verdict in verdicts.values():
            for one in verdict.tried:
                key, mark, block = one.name.partition("#")
                one.name = f"{names.get(key, key)}{mark}{block}"
    return found


def make_entries(store: Store[Any], verdicts: Mapping[str, Mapping[str, Verdict]]) -> list[Entry]:
    """The entries that follow from the evidence of a store."""
    with store.database.read() as connection:
        states = {state.key: state for state in store.evidence.repositories(connection)}
        found = extract(store.evidence, connection, store.name, verdicts)
        return [entry for one in found for entry in entries_of(one, states)]


def report(done: Seeding, tally: MiningTally) -> SeedingReport:
    """The content of seeding.json."""
    return SeedingReport(
        stores={
            name: StoreSeeding(entries=done.entries[name], change=msgspec.structs.asdict(change))
            for name, change in done.changes.items()
        },
        gate=done.gate(),
        seen=dict(sorted(tally.counts.items())),
        left_out=dict(sorted(tally.drops.items())),
        failed=tally.failed,
    )


def _together(live: Store[Any], mined: Mined, spool: Path) -> Iterator[Evidence]:
    """The earlier evidence that still holds, then what is new."""
    for piece in live.evidence.of_repository(mined.state.key):
        if holds(piece, mined):
            yield mined.reverts.corrected(piece)
    with spool.open("rb") as file:
        yield from map(_DECODER.decode, file)


def _same_entries(entries: Iterable[Entry], live: Store[Any]) -> bool:
    """True where the live store has just these seeded entries."""
    ours = {live.key_of(entry): live.seeded_columns(entry) for entry in entries}
    theirs = {
        live.key_of(entry): live.seeded_columns(entry) for entry in live.entries() if entry.source not in UNSEEDED
    }
    return ours == theirs
