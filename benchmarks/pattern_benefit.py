"""What past changes are worth to somebody who makes a new one, beside what costs nothing.

    python -m benchmarks.pattern_benefit ~/runs/flask/outputs ~/runs/ripgrep/outputs

Each folder holds the patterns.jsonl, chunks.jsonl and commits.json of a run. The first 70 % of a repository's fixes are
the memory; each later fix is a question: the code before it, the first line of its message and its path, or the code
alone. What counts are the names that the fix then adds and that the question does not have: how many of them are in
the five things that are shown. Beside it stand five fixes at random, the latest five of the same file, and the five
nearest symbols of the plain code as it was at the end of the memory (the changed symbol itself left out). "team" is the
search of a team's server: by code and task, by the task alone, and of the fixes whose messages report an error by those
lines alone; cut where a match is below a share of the best one. Intervals
(95 %) are over commits. Names in strings and comments do not count, nor those in more than one of fifty symbols; of
each thing 40 lines are shown, of a fix those of its diff. `likeness` compares the code of the first thing shown with
what the code became; "as it is" changes nothing. Below it, what was brought by how good the best match was: from that
comes the floor.

A second table is that of the templates: each line edit is compared with what the steps before it would have offered.
"""

from __future__ import annotations

import difflib
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from rapidfuzz.distance import Indel

from core.ranking.matching import Documents
from core.ranking.terms import IDENTIFIER, pack
from core.records.chunk_files import chunk_groups
from core.records.commit_files import read_commits
from core.records.patterns import Pattern, read_patterns
from core.statistics import interval
from miners.histories import ScrapedHistory
from miners.signals.error_texts import errors_in
from patterns.line_edits import is_name, tokens
from patterns.memory.searching import Asked, Postings, document_of
from patterns.pattern_index import PatternIndex, subject
from patterns.questions import Question, terms_of
from patterns.search import MOST_SIMILAR, Conventions, search
from patterns.shapes import Shape, renumbered
from patterns.steps import changes_of, steps_of
from patterns.templates import Miner

MEMORY = 0.7
"""Share of a repository's fixes, the oldest, that are known."""
MOST_LINES = 40
"""Of each thing that is shown."""
MOST_QUESTIONS = 200
"""Of a repository, spread evenly over its later fixes."""
COMMON = 0.02
NEARS = (0.3, 0.5, 0.7, 0.8, 0.9)
SAMPLES, SEED = 2000, 17
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True)
class Shown:
    """One thing that is shown: its names, and the code that it ends with."""

    names: frozenset[str]
    code: str
    match: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What one way of answering brought to one question."""

    commit: str
    needed: int
    found: int
    shown: int
    """Names that were shown and were not in the question."""
    likeness: float | None
    """Of the first code shown to what the code became; None where nothing was shown."""
    match: float = 0.0


Way = Callable[[Pattern], Sequence[Shown] | None]
"""What is shown for a question; None where it cannot be asked so."""


def main() -> None:
    """Print both tables, pooled and by repository."""
    folders = [Path(name) for name in sys.argv[1:]]
    if not folders:
        sys.exit(__doc__)
    by_way: defaultdict[str, list[Outcome]] = defaultdict(list)
    for folder in folders:
        print(f"{folder} …", file=sys.stderr, flush=True)
        for name, outcomes in benefit(folder).items():
            by_way[name] += outcomes
    print(f"{'':28}{'names recalled':24}{'any':>6}{'precision':>11}{'likeness':>10}{'answered':>10}")
    for name, outcomes in by_way.items():
        print(row(name, outcomes), flush=True)
    for name in ("fixes, code and task", "fixes, task alone", "team, code and task", "team, task", "team, error"):
        print(f"\n{name}\n{floors(by_way[name])}", flush=True)
    print(f"\n{'templates':28}{'edits':>8}{'offered':>9}{'right':>7}{'precision':>11}{'now':>5}{'both ways':>11}")
    found = {str(folder): templates(folder) for folder in folders}
    for name, one in {**found, "all": sum(found.values(), Tried())}.items():
        print(one.row(name), flush=True)


@dataclass(frozen=True)
class Tried:
    """What the templates of one repository, or of several, would have offered."""

    edits: int = 0
    offered: int = 0
    right: int = 0
    now: int = 0
    """Templates that are offered after the last step."""
    both_ways: int = 0
    """Of these, such whose reverse is offered, too."""

    def __add__(self, other: Tried) -> Tried:
        return Tried(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def row(self, name: str) -> str:
        """One line of the table."""
        precision = f"{self.right / self.offered:.2f}" if self.offered else ""
        return (
            f"{name[-27:]:28}{self.edits:8}{self.offered:9}{self.right:7}{precision:>11}{self.now:5}{self.both_ways:11}"
        )


def templates(folder: Path) -> Tried:
    """Every line edit of a repository, compared with what the steps before it would have offered."""
    parents = {one.metadata.hash: one.metadata.parents for one in read_commits(folder / "commits.json")}
    head = ScrapedHistory(folder / "commits.json").head
    miner = Miner("")
    groups = chunk_groups(folder / "chunks.jsonl")
    changes = (found for group in groups if (found := changes_of(group.commit_hash, group.chunks())))
    for step in steps_of(changes, parents, head):
        miner.add(step)
    outcomes = miner.outcomes()
    live = [one for one in miner.mined().templates if not one.retired]
    sides = {(shape_of(one.before), shape_of(one.after, one.language)) for one in live}
    both = sum(tuple(renumbered((after, before))) in sides for before, after in sides)
    return Tried(miner.edits, len(outcomes), sum(right for _, right in outcomes), len(live), both)


def shape_of(text: str, language: str = "") -> Shape:
    """A side of a template as tokens."""
    return tuple(tokens(text, language) if language else text.split(" "))


def benefit(folder: Path) -> dict[str, list[Outcome]]:
    """Outcomes of every way of answering, for one repository."""
    fixes = [one for one in read_patterns(folder / "patterns.jsonl") if one.problem_type == "bug_fix"]
    known = fixes[: int(MEMORY * len(fixes))]
    commits = {one.commit for one in known}
    later = [one for one in fixes[len(known) :] if one.commit not in commits]
    questions = [later[place] for place in np.unique(np.linspace(0, len(later) - 1, MOST_QUESTIONS).astype(int))]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "patterns.jsonl"
        path.write_bytes(b"".join(_ENCODER.encode(one) + b"\n" for one in known))
        with PatternIndex(path, Path(scratch)) as index:
            plain = PlainCode(folder / "chunks.jsonl", known[-1].commit)
            draw = random.Random(SEED)
            ways: dict[str, Way] = {
                "fixes, code alone": lambda one: similar(index, Question(code=one.before_code)),
                "fixes, task alone": lambda one: similar(index, Question(task=subject(one))),
                "fixes, code and task": lambda one: similar(index, question_of(one)),
                "same file, latest": lambda one: [fix(old) for old in known if old.file_path == one.file_path][:-6:-1],
                "random": lambda _: [fix(old) for old in draw.sample(known, MOST_SIMILAR)],
                "nearest plain code": plain.nearest,
                "as it is": lambda one: [Shown(frozenset(), one.before_code)],
            }
            ways |= ways_of_team(known)
            return {name: outcomes_of(way, questions, plain.common) for name, way in ways.items()}


def outcomes_of(way: Way, questions: Iterable[Pattern], common: Collection[str]) -> list[Outcome]:
    """Those of the questions that can be asked so."""
    shown = ((one, what) for one in questions if (what := way(one)) is not None)
    return [found for one, what in shown if (found := outcome(one, what, common))]


def ways_of_team(known: Sequence[Pattern]) -> dict[str, Way]:
    """The search of a team that knows these fixes."""
    rows = [{**msgspec.structs.asdict(one), "code_before": one.before_code} for one in known]
    postings = Postings(Documents.of([document_of(row) for row in rows]))

    def shown(asked: Asked, near: float = 0.0) -> list[Shown] | None:
        if not asked.words:
            return None
        matches = postings.matches(asked.words)
        best = np.argsort(-matches, kind="stable")[:MOST_SIMILAR].tolist()
        least = max(near * matches[best[0]], 1e-9)
        return [fix(known[place], float(matches[place])) for place in best if matches[place] >= least]

    def asked(one: Pattern) -> Asked:
        return Asked(code=one.before_code, task=subject(one), path=one.file_path)

    cut: dict[str, Way] = {f"team, near {near}": lambda one, near=near: shown(asked(one), near) for near in NEARS}  # type: ignore[misc]
    return cut | {
        "team, code and task": lambda one: shown(asked(one)),
        "team, task": lambda one: shown(Asked(task=subject(one))),
        "team, error": lambda one: shown(Asked(error=error_of(one))),
    }


def error_of(pattern: Pattern) -> str:
    """The lines of its message that report an error."""
    return "\n".join(line for line in pattern.commit_msg.split("\n") if errors_in(line))


def question_of(pattern: Pattern) -> Question:
    """What is known before a fix is made."""
    return Question(code=pattern.before_code, task=subject(pattern), path=pattern.file_path)


def fix(pattern: Pattern, match: float = 0.0) -> Shown:
    """A fix as it is shown: its diff."""
    lines = [line[1:] for line in diff_of(pattern)[:MOST_LINES]]
    return Shown(names_of(lines, pattern.language), pattern.after_code, match)


def diff_of(pattern: Pattern) -> list[str]:
    """Its changed lines with three around them, without a head."""
    sides = pattern.before_code.split("\n"), pattern.after_code.split("\n")
    return [
        line for line in difflib.unified_diff(*sides, lineterm="", n=3) if not line.startswith(("---", "+++", "@@"))
    ]


def similar(index: PatternIndex, question: Question) -> list[Shown]:
    """What a search shows, the floor aside."""
    return [fix(one.pattern, one.match) for one in search(question, index, Conventions([]), floor=0.0).similar]


def names_of(lines: Iterable[str], language: str) -> frozenset[str]:
    """Names in some lines of code, without those in strings and comments."""
    return frozenset(token for line in lines for token in tokens(line, language) if is_name(token))


def outcome(pattern: Pattern, shown: Sequence[Shown], common: Collection[str]) -> Outcome | None:
    """What was shown, measured by what the fix then added; None where it added no name."""
    known = {
        *names_of(pattern.before_code.split("\n"), pattern.language),
        *IDENTIFIER.findall(subject(pattern)),
        *common,
    }
    added = (line[1:] for line in diff_of(pattern) if line[0] == "+")
    needed = names_of(added, pattern.language) - known
    if not needed:
        return None
    names = frozenset().union(*(one.names for one in shown)) - known
    likeness = Indel.normalized_similarity(shown[0].code, pattern.after_code) if shown else None
    match = shown[0].match if shown else 0.0
    return Outcome(pattern.commit, len(needed), len(needed & names), len(names), likeness, match)


class PlainCode:
    """The symbols of a repository as they were after some commits."""

    def __init__(self, chunks: Path, last: str) -> None:
        """Read chunks.jsonl up to the commit `last`."""
        code: dict[tuple[str, str], str] = {}
        for group in chunk_groups(chunks):
            for chunk in group.chunks():
                old = chunk.old_path or chunk.file_path, chunk.old_qualified_name or chunk.qualified_name or ""
                code.pop(old, None)
                if chunk.qualified_name and chunk.new_code and not chunk.is_test:
                    code[chunk.file_path, chunk.qualified_name] = chunk.new_code
            if group.commit_hash == last:
                break
        self._places, self._code = list(code), list(code.values())
        texts = ((text, *place) for place, text in code.items())
        self._documents = Documents.of([pack(terms_of(text)) for text in texts])

    @cached_property
    def common(self) -> frozenset[str]:
        """Names that everybody meets: those in more than one of fifty symbols."""
        counts = Counter(name for code in self._code for name in set(IDENTIFIER.findall(code)))
        return frozenset(name for name, count in counts.items() if count > COMMON * len(self._code))

    def nearest(self, pattern: Pattern) -> list[Shown]:
        """The symbols most like the code before a fix and its task; not the symbol itself."""
        asked = question_of(pattern).terms()
        matching = self._documents.find_terms(np.fromiter(asked, np.uint32, len(asked)))
        scores = matching.weighted(matching.asked_terms(asked))
        for place, key in enumerate(self._places):
            if key == (pattern.file_path, pattern.symbol):
                scores[place] = 0
        best = np.argsort(-scores, kind="stable")[:MOST_SIMILAR].tolist()
        found = [self._code[place] for place in best if scores[place] > 0]
        return [Shown(names_of(code.split("\n")[:MOST_LINES], pattern.language), code) for code in found]


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    """One line of the table."""
    recalled = _ratio(outcomes, lambda one: one.found / one.needed, lambda _: 1.0)
    hits = sum(one.found > 0 for one in outcomes) / len(outcomes)
    shown = sum(one.shown for one in outcomes)
    precision = sum(one.found for one in outcomes) / shown if shown else 0.0
    likeness = [one.likeness for one in outcomes if one.likeness is not None]
    return (
        f"{name:28}{recalled:24}{hits:6.0%}{precision:11.3f}{np.mean(likeness) if likeness else 0:10.3f}"
        f"{len(likeness) / len(outcomes):10.0%}"
    )


def floors(outcomes: Sequence[Outcome]) -> str:
    """How often the best match is as good as that, and what is recalled then."""
    lines = ["best match     questions   recalled   any"]
    for low in (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5):
        high = next((edge for edge in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.01) if edge > low), 1.01)
        inside = [one for one in outcomes if low <= one.match < high]
        if inside:
            recalled = np.mean([one.found / one.needed for one in inside])
            hits = np.mean([one.found > 0 for one in inside])
            lines.append(f"{low:.2f} to {high:.2f}   {len(inside):9}   {recalled:8.3f}   {hits:.0%}")
    return "\n".join(lines)


def _ratio(outcomes: Sequence[Outcome], over: Callable[[Outcome], float], under: Callable[[Outcome], float]) -> str:
    """A ratio of sums with its interval over commits."""
    sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one in outcomes:
        sums[one.commit][0] += over(one)
        sums[one.commit][1] += under(one)
    pairs = np.array(list(sums.values()))
    low, high = interval(lambda w: (w @ pairs[:, 0]) / (w @ pairs[:, 1]), len(pairs), samples=SAMPLES, seed=SEED)
    value = pairs[:, 0].sum() / pairs[:, 1].sum()
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
