"""What happened in a week, by area: how many commits of how many people, and which of them reached furthest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from chat.citations import SHORT, Citations
from chat.statements import Statement
from core.git import commands, raw_log, refs, trees
from core.git.raw_log import LoggedCommit
from core.history.messages import is_bot
from thoughts.kind import Artifact, Context, Cost, Input, Insight, Kind, Outcome, State

WEEK_S = 7 * 86_400
MOST_AREAS = 8
MOST_NAMED = 3
"""Commits that are named of an area."""
SHARE = 0.5
"""Of all changes of files; an area with more is parted into its folders."""
DEPTH = 3
"""Folders of an area's name at most."""
LOG = "commits.txt"
MOST_LOG = 200_000
"""Bytes of it."""


class Digest:
    """Every Monday morning, what the week brought; the first time, the week up to the newest commit."""

    name = "digest"
    trigger = "0 6 * * 1"
    priority = 1.0

    def inputs(self, state: State) -> list[Input]:
        """The week, if it has a commit."""
        end = trees.time_of(state.git_dir, state.commit) if not state.before else int(state.now.timestamp())
        old = trees.commit_at(state.git_dir, state.commit, end - WEEK_S)
        return [{"old": old, "new": state.commit}] if old != state.commit else []

    def estimate(self, given: Input) -> Cost:
        """Reading a week of a busy repository takes seconds."""
        return Cost(cpu_s=60, io_bytes=500_000_000, seconds=180)

    def run(self, given: Input, context: Context) -> Outcome:
        """Count the commits that came in, and name the widest of each area."""
        git_dir, old, new = context.state.git_dir, str(given["old"]), str(given["new"])
        edge = {
            line.decode() for line in refs.boundary(git_dir, "shallow")
        }  # git takes all that they hold for a change
        logged = raw_log.logged(git_dir, new, [old] if old else [])
        commits = [one for one in logged if len(one.parents) < 2 and one.hash not in edge]
        people = [one for one in commits if not is_bot(one.author, "")]
        context.say(f"{len(people):,} commits by people, {len(commits) - len(people):,} by programs")
        areas = areas_of(people)
        with Citations(git_dir) as citations:
            statements = [one for area in areas[:MOST_AREAS] if (one := _statement(area, citations))]
        if not statements:
            return Outcome()
        shown = ("log", "--no-merges", "--name-only", "--format=%h %as %an: %s", f"{old}..{new}" if old else new)
        log = commands.run(git_dir, *shown)[:MOST_LOG]
        command = f"git log --no-merges --name-only --format='%h %as %an: %s' {shown[-1]}"
        return Outcome([Insight(_title(people, new), tuple(statements), command, LOG)], [Artifact(LOG, log)])


@dataclass
class Area:
    """A folder, and the commits that changed files in it."""

    name: str
    commits: list[LoggedCommit] = field(default_factory=list)
    files: Counter[str] = field(default_factory=Counter)
    """How many files of it each commit changed, by its hash."""
    paths: set[str] = field(default_factory=set)


def areas_of(commits: Sequence[LoggedCommit]) -> list[Area]:
    """The folders that commits changed, those with the most commits first; a file at the top is in the area "/"."""
    paths = [path for one in commits for _, path, _ in one.changes]
    parted: set[str] = set()
    for _ in range(DEPTH - 1):
        counts = Counter(_area(path, parted) for path in paths)
        parted |= {name for name, count in counts.items() if name != "/" and count > SHARE * len(paths)}
    found: dict[str, Area] = {}
    for one in commits:
        for _, path, _ in one.changes:
            name = _area(path, parted)
            area = found.setdefault(name, Area(name))
            if one.hash not in area.files:
                area.commits.append(one)
            area.files[one.hash] += 1
            area.paths.add(path)
    return sorted(found.values(), key=lambda area: (-len(area.commits), area.name))


def _area(path: str, parted: set[str]) -> str:
    """The outermost folder of a path that is not parted."""
    *folders, _ = path.split("/")
    name = ""
    for folder in folders:
        name += f"{folder}/"
        if name not in parted:
            break
    return name or "/"


def _statement(area: Area, citations: Citations) -> Statement | None:
    """What happened in an area, with the commits that changed most of it; None where none of these can be cited."""
    order = {one.hash: number for number, one in enumerate(area.commits)}
    named = sorted(area.commits, key=lambda one: (-area.files[one.hash], -order[one.hash]))
    cited = [(one, found) for one in named[: 2 * MOST_NAMED] if (found := citations.cite_commit(one.hash, one.title))]
    if not cited:
        return None
    shown = "; ".join(f"“{one.title}” ({one.hash[:SHORT]})" for one, _ in cited[:MOST_NAMED])
    where = "the top folder" if area.name == "/" else area.name
    authors = len({one.author for one in area.commits})
    text = f"{where}: {_counted(len(area.commits), 'commit')} by {_people(authors)}"
    text += f" changed {_counted(len(area.paths), 'file')}: {shown}."
    return Statement(text, tuple(found for _, found in cited[:MOST_NAMED]))


def _title(commits: Sequence[LoggedCommit], new: str) -> str:
    authors = len({one.author for one in commits})
    return f"{_counted(len(commits), 'commit')} by {_people(authors)} in the week up to {new[:SHORT]}"


def _people(count: int) -> str:
    return f"{count:,} {'people' if count > 1 else 'person'}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


KIND: Kind = Digest()
