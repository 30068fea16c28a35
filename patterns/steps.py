"""The steps of a main line: what each of its commits changed, together with the commits that it merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.records.chunks import Chunk
from patterns.line_edits import Replaced, replaced


@dataclass(frozen=True)
class Step:
    """One step of the main line."""

    commit: str
    at: datetime
    """When it was committed."""
    author: str
    changes: Sequence[Replaced]


@dataclass(frozen=True)
class CommitChanges:
    """What a commit changed, whether it is on the main line or was merged."""

    commit: str
    at: datetime
    author: str
    changes: Sequence[Replaced]


def changes_of(commit: str, chunks: Sequence[Chunk]) -> CommitChanges | None:
    """What the chunks of a commit change of code; None where that is nothing."""
    changes = [one for one in map(replaced, chunks) if one.pairs or one.names]
    if not changes:
        return None
    about = chunks[0].commit_metadata
    return CommitChanges(commit, datetime.fromisoformat(about.commit_timestamp), about.author, changes)


def steps_of(commits: Iterable[CommitChanges], parents: Mapping[str, Sequence[str]], head: str) -> Iterator[Step]:
    """The steps that lead to `head` and change code, oldest first, from what a repository's commits changed.

    `parents` has those of `head` and of all that it knows. A merge stands for the commits that came in with it, and is
    as old as the latest of them.
    """
    line = main_line(parents, head)
    number_of = {commit: number for number, commits in enumerate(line) for commit in commits}
    found: dict[int, Step] = {}
    for one in commits:
        if (number := number_of.get(one.commit)) is None:
            continue
        before = found.get(number)
        found[number] = Step(
            line[number][0],
            max(one.at, before.at) if before else one.at,
            before.author if before else one.author,
            [*(before.changes if before else ()), *one.changes],
        )
    for number in sorted(found):
        yield found.pop(number)


def main_line(parents: Mapping[str, Sequence[str]], head: str) -> list[list[str]]:
    """From the first commit of the main line to `head`: each commit, and behind it those that it merged.

    The main line goes from `head` along first parents. Commits that `parents` does not have are left out.
    """
    line, commit = [], head
    while commit in parents:
        line.append(commit)
        commit = next(iter(parents[commit]), "")
    seen: set[str] = set(line)
    return [[commit, *_merged(commit, parents, seen)] for commit in reversed(line)]


def _merged(commit: str, parents: Mapping[str, Sequence[str]], seen: set[str]) -> list[str]:
    """Commits that are reached from the other parents of a merge alone; they are seen then."""
    found, waiting = [], list(parents[commit][1:])
    while waiting:
        one = waiting.pop()
        if one in parents and one not in seen:
            seen.add(one)
            found.append(one)
            waiting += parents[one]
    return found
