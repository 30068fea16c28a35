"""Which symbols were added, changed or removed since the last look, and which facts are stale since."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from chat.citations import SHORT, Citation, Citations
from chat.statements import Statement
from core.git import main_line
from core.visible import visible
from thoughts.changes.symbols import ADDED, CHANGED, REMOVED, Change, between
from thoughts.kind import ON_COMMIT, Artifact, Context, Cost, Input, Insight, Kind, Outcome, State

FIRST_COMMITS = 10
"""Of the main line, that are looked at the first time."""
MOST_SHOWN = 8
"""Files that are named, those with the most symbols first."""
MOST_NAMED = 4
"""Symbols of a file that are named."""
CITED_LINES = 12
LOG = "symbols.txt"
RECORD = "symbols.json"


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
        """Reading both sides of the files that are looked at takes some minutes at worst."""
        return Cost(cpu_s=300, io_bytes=2_000_000_000, seconds=900)

    def run(self, given: Input, context: Context) -> Outcome:
        """Compare the symbols of both sides of each file that differs."""
        git_dir, old, new = context.state.git_dir, str(given["old"]), str(given["new"])
        compared = between(git_dir, old, new)
        found = compared.changes
        stale = [fact for fact in context.facts("") if fact.blob and fact.blob not in compared.blobs]
        lines = [visible(line) for line in compared.lines()]
        context.say(f"{lines[0]}; {len(stale):,} facts are stale")
        if not found:
            return Outcome()
        record = {
            "old": old, "new": new, "symbols": [one._asdict() for one in found],
            "stale": [{"name": fact.name, "scope": fact.scope} for fact in stale],
        }  # fmt: skip
        log = "".join(f"{line}\n" for line in lines)
        artifacts = [Artifact(LOG, log.encode()), Artifact(RECORD, msgspec.json.encode(record))]
        with Citations(git_dir) as citations:
            statements = _statements(found, citations, old, new)
        command = f"python -m thoughts.changes {shlex.quote(context.state.location)} {old} {new}"
        return Outcome([Insight(_title(found, old, new), statements, command, LOG)] if statements else [], artifacts)


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
