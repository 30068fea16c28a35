"""How often are the files of an issue's fix among the first, beside the order that ChronoRepo released?

    python -m benchmarks.issues issues.jsonl CLONES [--weights FILE] [--leave-out] [--second-opinion MODEL]

`issues.jsonl` has a line an issue: instance_id, repo, base_commit, issue, files (of the fix), chronorepo_top20. CLONES
is a folder with owner+name/repo, owner+name or owner/name. Candidates are the .py files of the base commit that are no
tests; accuracy is strict: every file of the fix is among the first k. The shipped weights have seen the issues of
SWE-bench Lite: with --leave-out the weights for issues are learned from the other repositories' issues. With
--second-opinion a language model is asked about the issues whose ranking is unsure; rows with and without it.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np

from core import statistics
from core.config import cache_folder, checked
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes, with_section
from core.errors import UserError
from core.prediction.files import FileAsker
from core.prediction.second_opinion import FILES, Opinion, SecondOpinion, SecondOpinionConfig
from core.ranking import fitting
from core.ranking.examples import Case, asked
from core.ranking.model import Example
from core.ranking.ranker import Ranker
from core.records.ranker import ModeWeights
from index.repository import RepositoryIndex

DEPTHS = (1, 3, 5, 10)
OURS, PEER, CONTROL = "gitlore", "ChronoRepo", "another issue's ranking"
REVIEWED = "gitlore with a second opinion"
_TEST = re.compile(r"(?:^|/)(?:tests?|__tests__)/|^testing/|(?:^|/)(?:test_[^/]*|[^/]*_tests?|conftest)\.py$")


class Issue(msgspec.Struct, kw_only=True):
    """A line of the data."""

    instance_id: str
    repo: str
    base_commit: str
    issue: str
    files: list[str]
    chronorepo_top20: list[str] = []
    patch: str = ""
    """The fix as a unified diff, which only benchmarks.functions reads."""


@dataclass(frozen=True)
class Answer:
    """An issue with its ranking."""

    issue: Issue
    ranked: list[str]
    seconds: float
    """Of CPU."""
    control: tuple[str, ...] = ()
    """The ranking for another issue of the same repository."""
    unsure: bool = False
    opinion: Opinion | None = None
    """What a model said, where it was asked."""

    @property
    def reviewed(self) -> list[str]:
        """The ranking with the model's files first."""
        return list(dict.fromkeys([*(self.opinion.files if self.opinion else ()), *self.ranked]))

    def places(self, who: str) -> float:
        """How many files are needed to have all of the fix; infinite where one is missing."""
        orders = {OURS: self.ranked, PEER: self.issue.chronorepo_top20, CONTROL: self.control, REVIEWED: self.reviewed}
        places: dict[str, float] = {path: place for place, path in enumerate(orders[who], start=1)}
        return max(places.get(path, math.inf) for path in self.issue.files)


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("data", type=click.Path(path_type=Path, exists=True), metavar="ISSUES")
@click.argument("clones", type=click.Path(path_type=Path, exists=True), metavar="CLONES")
@click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="Weights [default: the shipped ones].")
@click.option("--leave-out", is_flag=True, help="Learn the weights for issues from the other repositories' issues.")
@with_section(SecondOpinionConfig)
@click.option("--cache-dir", default="", metavar="DIR", help="Where indexes are kept [default: pipeline.cache_dir].")
@with_exit_codes
def main(
    data: Path, clones: Path, weights: Path | None, leave_out: bool, cache_dir: str, **second_opinion: Any
) -> None:
    """Print how often the files of an issue's fix are found."""
    opinion = SecondOpinion.of(checked("second opinion", SecondOpinionConfig, second_opinion))
    by_repository = issues_of(data, clones)
    ranker = Ranker.read(weights) if weights else Ranker.shipped()
    askers = {
        name: FileAsker(str(clone_of(clones, name)), cache_folder(cache_dir), RepositoryIndex) for name in by_repository
    }
    rankers = dict.fromkeys(by_repository, ranker)
    if leave_out:
        rankers = without_own(ranker, {name: examples(askers[name], some) for name, some in by_repository.items()})
    answers: list[Answer] = []
    for name, issues in by_repository.items():
        answers += with_controls([answered(askers[name], issue, rankers[name], opinion) for issue in issues])
        askers[name].close()
        click.echo(f"{name}: {len(issues)} issues", err=True)
    click.echo("\n".join(in_markdown(answers)))


def issues_of(data: Path, clones: Path) -> dict[str, list[Issue]]:
    """The issues whose repository is there, by repository."""
    found: dict[str, list[Issue]] = {}
    for line in data.read_text(encoding="utf-8").splitlines():
        issue = msgspec.convert(json.loads(line), Issue)
        if clone_of(clones, issue.repo):
            found.setdefault(issue.repo, []).append(issue)
    if not found:
        raise UserError(f"{clones} has none of the repositories of {data}", "clone them as owner+name")
    return dict(sorted(found.items()))


def clone_of(clones: Path, name: str) -> Path | None:
    """The folder of a clone."""
    flat = clones / name.replace("/", "+")
    return next((path for path in (flat / "repo", flat, clones / name) if path.exists()), None)


def is_candidate(path: str) -> bool:
    """Whether a path is that of a Python file that is no test."""
    return path.endswith(".py") and not _TEST.search(path)


def answered(asker: FileAsker, issue: Issue, ranker: Ranker, second: SecondOpinion | None = None) -> Answer:
    """An issue, asked of its base commit; where the ranking is unsure, with a second opinion."""
    started = time.process_time()
    found = ranker.rank(asker.snapshot(issue.base_commit), issue.issue, top=FILES, wanted=is_candidate)
    seconds = time.process_time() - started
    opinion = second.on(issue.issue, found)[1] if second and found.unsure else None
    if opinion and opinion.problem:
        click.echo(f"{issue.instance_id}: {opinion.problem}", err=True)
    return Answer(issue, [file.name for file in found.files], seconds, unsure=found.unsure, opinion=opinion)


def with_controls(answers: Sequence[Answer]) -> Iterator[Answer]:
    """Each answer with that to the next issue of the repository, where that has other files."""
    for number, answer in enumerate(answers):
        others = [*answers[number + 1 :], *answers[:number]]
        other = next((one for one in others if set(one.issue.files) != set(answer.issue.files)), None)
        yield replace(answer, control=tuple(other.ranked) if other else ())


def examples(asker: FileAsker, issues: Sequence[Issue]) -> list[Example]:
    """Issues as questions to learn from."""
    cases = [(one, Case(one.base_commit, one.base_commit, "", "", frozenset(one.files), frozenset())) for one in issues]
    found = (asked(asker.snapshot(case.parent), case, "issue", one.issue) for one, case in cases)
    return [one.example for one in found if one]


def without_own(ranker: Ranker, groups: Mapping[str, Sequence[Example]]) -> dict[str, Ranker]:
    """For each repository, weights for issues that were learned from the others."""
    found = {}
    for name in groups:
        others = {other: group for other, group in groups.items() if other != name}
        weights = ModeWeights(
            weights=fitting.fitted("issue", others), calibration=ranker.record.modes["issue"].calibration
        )
        record = msgspec.structs.replace(ranker.record, modes={**ranker.record.modes, "issue": weights})
        found[name] = Ranker(record)
    return found


def in_markdown(answers: Sequence[Answer]) -> Iterator[str]:
    """A table of all issues, by repository, and without pytest, whose files ChronoRepo takes for tests."""
    yield f"| | issues | {' | '.join(f'@{depth}' for depth in DEPTHS)} |"
    yield f"|---|---:{'|---:' * len(DEPTHS)}|"
    groups = {"all": list(answers), "without pytest": [one for one in answers if "pytest" not in one.issue.repo]}
    unsure = [one for one in answers if one.unsure]
    if any(one.opinion for one in answers):
        yield from (line(f"unsure: {who}", unsure, who) for who in (OURS, REVIEWED))
        yield line(f"all: {REVIEWED}", answers, REVIEWED)
    for title, group in groups.items():
        for who in (OURS, PEER, CONTROL):
            yield line(f"{title}: {who}", group, who)
        yield f"| {title}: p (wins/losses) | {len(group)} | {' | '.join(against_peer(group, d) for d in DEPTHS)} |"
    for name in dict.fromkeys(one.issue.repo for one in answers):
        own = [one for one in answers if one.issue.repo == name]
        for who in (OURS, PEER):
            yield line(f"{name}: {who}", own, who)
    low, high = (statistics.of_mean(hits(answers, OURS, 5), samples=1000, seed=17)[end] for end in ("low", "high"))
    seconds = np.median([one.seconds for one in answers])
    yield f"\n{OURS} at 5: 95 % interval {low or 0:.3f} to {high or 0:.3f}; median CPU {seconds:.2f} s a question"


def line(title: str, group: Sequence[Answer], who: str) -> str:
    """Strict accuracy at each depth."""
    cells = [f"{hits(group, who, depth).mean():.3f}".lstrip("0") if group else "" for depth in DEPTHS]
    return f"| {title} | {len(group)} | {' | '.join(cells)} |"


def hits(group: Sequence[Answer], who: str, depth: int) -> statistics.Numbers:
    """1 for each issue all of whose files are among the first `depth`."""
    return np.array([one.places(who) <= depth for one in group], np.float64)


def against_peer(group: Sequence[Answer], depth: int) -> str:
    """Exact McNemar test: two-sided p, and the issues that only one of both has."""
    ours, theirs = hits(group, OURS, depth), hits(group, PEER, depth)
    wins, losses = int((ours > theirs).sum()), int((theirs > ours).sum())
    return f"{mcnemar(wins, losses):.2g} ({wins}/{losses})"


def mcnemar(wins: int, losses: int) -> float:
    """The chance of a split as uneven as this one, or more, if both were as good."""
    count = wins + losses
    tail = sum(math.comb(count, number) for number in range(min(wins, losses) + 1)) / 2**count
    return float(min(1.0, 2 * tail))


if __name__ == "__main__":
    main()
