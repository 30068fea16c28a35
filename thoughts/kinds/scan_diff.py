"""Which symbols were added, changed or removed since the last look, and which facts are stale since."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from chat.citations import SHORT, Citation, Citations, lines_of
from chat.statements import Statement
from core.git import main_line, trees
from core.git.blobs import BlobReader
from index import texts
from index.texts import Symbol
from thoughts.kind import ON_COMMIT, Artifact, Context, Cost, Input, Insight, Kind, Outcome, State

FIRST_COMMITS = 10
"""Of the main line, that are looked at the first time."""
MOST_FILES = 2000
MOST_SHOWN = 8
"""Files that are named, those with the most symbols first."""
MOST_NAMED = 4
"""Symbols of a file that are named."""
CITED_LINES = 12
LOG = "symbols.txt"
RECORD = "symbols.json"
ADDED, CHANGED, REMOVED = "added", "changed", "removed"


class Change(NamedTuple):
    """What happened to a symbol; its lines are those after the change, or of what was removed."""

    path: str
    what: str
    kind: str
    name: str
    first: int
    last: int


class ScanDiff:
    """At each new commit, what changed since the one that was looked at before."""

    name = "scan_diff"
    trigger = ON_COMMIT
    priority = 2.0

    def inputs(self, state: State) -> list[Input]:
        """From the commit of the last look; the first time, or where that is gone, from some commits ago."""
        old = state.known_before() or main_line.first_parents(state.git_dir, state.commit)[-FIRST_COMMITS - 1 :][0]
        return [{"old": old, "new": state.commit}] if old != state.commit else []

    def estimate(self, given: Input) -> Cost:
        """Reading both sides of MOST_FILES files takes some minutes at worst."""
        return Cost(cpu_s=300, io_bytes=2_000_000_000, seconds=900)

    def run(self, given: Input, context: Context) -> Outcome:
        """Compare the symbols of both sides of each file that differs."""
        git_dir, old, new = context.state.git_dir, str(given["old"]), str(given["new"])
        before, after = trees.files_of(git_dir, old), trees.files_of(git_dir, new)
        paths = differing(before, after)
        if len(paths) > MOST_FILES:
            context.say(f"{len(paths):,} files differ; the first {MOST_FILES:,} are looked at")
        with BlobReader(git_dir) as reader:
            sides = [(path, before.get(path), after.get(path)) for path in paths[:MOST_FILES]]
            found = [one for side in sides for one in _changes(reader, *side)]
        blobs = set(after.values())
        stale = [fact for fact in context.facts("") if fact.blob and fact.blob not in blobs]
        context.say(f"{len(found):,} symbols in {len(paths):,} files; {len(stale):,} facts are stale")
        if not found:
            return Outcome()
        record = {
            "old": old, "new": new, "symbols": [one._asdict() for one in found],
            "stale": [{"name": fact.name, "scope": fact.scope} for fact in stale],
        }  # fmt: skip
        log = "".join(f"{one.what:<8} {one.kind:<10} {one.path}:{one.first}-{one.last} {one.name}\n" for one in found)
        artifacts = [Artifact(LOG, log.encode()), Artifact(RECORD, msgspec.json.encode(record))]
        with Citations(git_dir) as citations:
            statements = _statements(found, citations, old, new)
        command = f"git diff {old} {new}"
        return Outcome([Insight(_title(found, old, new), statements, command, LOG)] if statements else [], artifacts)


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Paths whose contents differ, without files that were only moved."""
    gone = Counter(blob for path, blob in before.items() if path not in after)
    found = []
    for path, blob in sorted(after.items()):
        if path not in before and gone[blob]:
            gone[blob] -= 1
        elif before.get(path) != blob:
            found.append(path)
    for path, blob in sorted(before.items()):
        if path not in after and gone[blob]:
            gone[blob] -= 1
            found.append(path)
    return sorted(found)


def compared(path: str, old: Iterable[tuple[Symbol, str]], new: Iterable[tuple[Symbol, str]]) -> list[Change]:
    """What happened to the symbols of a file; each comes with its own text, without that of symbols in it.

    Of several symbols with one name, those whose text is the same are the same.
    """
    sides: tuple[defaultdict[tuple[str, str], list[tuple[Symbol, str]]], ...] = (defaultdict(list), defaultdict(list))
    for side, symbols in zip(sides, (old, new), strict=True):
        for symbol, text in symbols:
            side[symbol.kind, symbol.name].append((symbol, text))
    found = []
    for key in dict.fromkeys([*sides[1], *sides[0]]):
        was, now = sides[0][key], sides[1][key]
        left = Counter(text for _, text in was)
        changed = [one for one, text in now if not _taken(left, text)]
        left = Counter(text for _, text in now)
        missing = [one for one, text in was if not _taken(left, text)]
        both = min(len(changed), len(missing))
        what = [(CHANGED, one) for one in changed[:both]] + [(ADDED, one) for one in changed[both:]]
        what += [(REMOVED, one) for one in missing[both:]]
        found += [Change(path, word, one.kind, one.name, one.first, one.last) for word, one in what]
    return sorted(found, key=lambda one: (one.what == REMOVED, one.first))


def _taken(left: Counter[str], text: str) -> bool:
    if not left[text]:
        return False
    left[text] -= 1
    return True


def _changes(reader: BlobReader, path: str, old: str | None, new: str | None) -> list[Change]:
    if texts.left_out(path):
        return []
    return compared(path, _symbols(reader, path, old), _symbols(reader, path, new))


def _symbols(reader: BlobReader, path: str, blob: str | None) -> list[tuple[Symbol, str]]:
    """The symbols of a content, each with the lines that are in no symbol within it."""
    source = reader.read(blob, texts.MAX_BYTES) if blob else None
    if source is None:
        return []
    symbols = texts.parsed(source, path).symbols
    lines = lines_of(source)
    found = []
    for symbol in symbols:
        inner = {
            line
            for other in symbols
            if other is not symbol and symbol.first <= other.first and other.last <= symbol.last
            for line in range(other.first, other.last + 1)
        }
        own = (lines[line - 1] for line in range(symbol.first, min(symbol.last, len(lines)) + 1) if line not in inner)
        found.append((symbol, "\n".join(own)))
    return found


def _statements(found: Sequence[Change], citations: Citations, old: str, new: str) -> tuple[Statement, ...]:
    """A statement for each of the files with the most symbols."""
    files: defaultdict[str, list[Change]] = defaultdict(list)
    for one in found:
        files[one.path].append(one)
    order = sorted(files, key=lambda path: (-len(files[path]), path))
    statements = []
    for path in order[:MOST_SHOWN]:
        cited = [citation for one in files[path][:MOST_NAMED] if (citation := _citation(one, citations, old, new))]
        if cited:
            words = (f"{what} {_names(files[path], what)}" for what in (ADDED, CHANGED, REMOVED))
            text = "; ".join(word for word in words if not word.endswith(" "))
            statements.append(Statement(f"{path}: {text}.", tuple(dict.fromkeys(cited))))
    return tuple(statements)


def _citation(one: Change, citations: Citations, old: str, new: str) -> Citation | None:
    commit = old if one.what == REMOVED else new
    return citations.cite(one.path, one.first, min(one.last, one.first + CITED_LINES - 1), commit)


def _names(changes: Sequence[Change], what: str) -> str:
    names = list(dict.fromkeys(one.name for one in changes if one.what == what))
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _title(found: Sequence[Change], old: str, new: str) -> str:
    counts = Counter(one.what for one in found)
    words = ", ".join(f"{counts[what]:,} {what}" for what in (ADDED, CHANGED, REMOVED) if counts[what])
    return f"Symbols from {old[:SHORT]} to {new[:SHORT]}: {words}"


KIND: Kind = ScanDiff()
