"""What most code rests on, which of it no test reaches, and which import closed a cycle."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from chat.citations import SHORT, Citation, Citations
from chat.statements import Statement
from core.git import trees
from core.visible import visible
from thoughts.kind import ON_COMMIT, Artifact, Context, Cost, Fact, Input, Insight, Kind, Outcome, State
from thoughts.mapping.cycles import Cycle
from thoughts.mapping.graph import CodeMap
from thoughts.mapping.overview import Central, Overview, overview_of

LOG = "map.txt"
FACT = "map"
SHOWN = 5
MOST_CITED = 3
MOST_LOGGED = 200
MOST_FACTS = 5_000


class MapRepo:
    """At each new commit. The first time it shows what all rests on; later only what is new."""

    name = "map_repo"
    trigger = ON_COMMIT
    priority = 1.5

    def inputs(self, state: State) -> list[Input]:
        """The commit, and the one of the last look; "" the first time, or where that is gone."""
        old = state.known_before()
        return [{"old": old, "new": state.commit}] if old != state.commit else []

    def estimate(self, given: Input) -> Cost:
        """Reading a tree of 20,000 files takes some minutes the first time; later, what is new of it."""
        return Cost(cpu_s=900, io_bytes=4_000_000_000, seconds=1_800)

    def run(self, given: Input, context: Context) -> Outcome:
        """Show at most five files of each sort, and five cycles."""
        state, old, new = context.state, str(given["old"]), str(given["new"])
        now = CodeMap.at(state.git_dir, state.cache_dir, new)
        then = CodeMap.at(state.git_dir, state.cache_dir, old) if old else None
        found = overview_of(now, then)
        lines = [visible(line) for line in found.lines(MOST_LOGGED)]
        context.say(lines[0])
        since = f" --since {old}" if old else ""
        place = f"{shlex.quote(state.location)} --at {new}{since} --top {MOST_LOGGED}"
        command = f"python -m thoughts.mapping {place}"
        with Citations(state.git_dir) as citations:
            said = list(_insights(found, now, old, citations))
        insights = [Insight(title, statements, command, LOG) for title, statements in said if statements]
        log = "".join(f"{line}\n" for line in lines).encode()
        blobs = trees.files_of(state.git_dir, new)
        facts = [_fact(one, new, blobs[one.path]) for one in found.files[:MOST_FACTS] if one.path in blobs]
        return Outcome(insights, [Artifact(LOG, log)], facts)


def _insights(
    found: Overview, now: CodeMap, old: str, citations: Citations
) -> Iterable[tuple[str, tuple[Statement, ...]]]:
    """(title, statements) of what is to be shown."""
    since = f" since {old[:SHORT]}" if old else ""
    if not old:
        shared = [one for one in found.files if one.users > 1]
        yield "What most code rests on", _files(shared, now.commit, citations)
    yield (
        f"Code that much rests on and that no test is seen to reach{since}",
        _files(found.untested, now.commit, citations),
    )
    cycles = [one for cycle in found.cycles[:SHOWN] if (one := _cycle(cycle, now, citations))]
    yield f"Imports that closed a cycle{since}", tuple(cycles)


def _files(files: Sequence[Central], commit: str, citations: Citations) -> tuple[Statement, ...]:
    """A statement for each of the first files of which something calls a symbol, or imports it, that git confirms."""
    said = (_file(one, commit, citations) for one in files[: 2 * SHOWN])
    return tuple([one for one in said if one][:SHOWN])


def _file(one: Central, commit: str, citations: Citations) -> Statement | None:
    """What rests on a file, with the lines that do; None where none of them can be cited."""
    uses = [(use.path, use.line) for use in one.uses]
    cited = _cited(uses, commit, citations)
    if not cited:
        return None
    others = f"{one.users:,} other files call or import it"
    busiest = ""
    if one.busiest is not None:
        own = _cited([(one.path, one.busiest.line)], commit, citations)
        cited = (*own, *cited)[:MOST_CITED]
        busiest = f", most of all `{one.busiest.name}`" if own else ""
    tests = f"tests are seen to reach {one.reached:,} of its {one.functions:,} functions"
    if not one.functions:
        tests = "it has no functions"
    return Statement(f"{one.path}: {others}{busiest}; {tests}.", cited)


def _cycle(cycle: Cycle, now: CodeMap, citations: Citations) -> Statement | None:
    """A cycle with each of its imports; None where git does not confirm all of them."""
    lines = [_line(one, there, now) for one, there in zip(cycle, (*cycle[1:], cycle[0]), strict=True)]
    cited = _cited([(one, line) for one, line in zip(cycle, lines, strict=True)], now.commit, citations, len(cycle))
    if len(cited) < len(cycle):
        return None
    return Statement(f"{' -> '.join((*cycle, cycle[0]))}: the first import closed the circle.", cited)


def _line(path: str, there: str, now: CodeMap) -> int:
    return min(one.line for one in now.imports(path) if one.path == there)


def _cited(
    places: Iterable[tuple[str, int]], commit: str, citations: Citations, most: int = MOST_CITED
) -> tuple[Citation, ...]:
    found: list[Citation] = []
    for path, line in places:
        one = citations.cite(path, line, line, commit)
        if one is not None and not citations.problem(one) and len(found) < most:
            found.append(one)
    return tuple(found)


def _fact(one: Central, commit: str, blob: str) -> Fact:
    value = {"share": round(one.share, 5), "users": one.users, "functions": one.functions, "reached": one.reached}
    return Fact(FACT, one.path, value, commit, blob)


KIND: Kind = MapRepo()
