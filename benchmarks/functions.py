"""How often are the functions of an issue's fix among the first that are named?

    python -m benchmarks.functions issues.jsonl CLONES [--leave-out]

Issues, clones and files are those of benchmarks.issues. The fix is the `patch` of an issue's line (a unified diff);
without one it is taken from the pull request in the clone whose number ends the instance_id (refs/pull/N/head). Right
are the functions around the old lines that it changes, or behind which it inserts; issues without any are left out.
Accuracy is strict: all of them are among the first k. The baseline keeps the files' order, and in each file goes by
the words that the issue shares with a function (BM25).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.issues import DEPTHS, OURS, Issue, clone_of, examples, is_candidate, issues_of, without_own
from core import statistics
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import GitloreError, UserError
from core.git.commands import run
from core.prediction.files import FileAsker
from core.ranking import symbols
from core.ranking.fact_examples import DIFF_OPTIONS, Named, old_lines, touched
from core.ranking.query import Query
from core.ranking.ranker import Ranker
from index.repository import RepositoryIndex

BASELINE = "files' order, then BM25"


@dataclass(frozen=True)
class Answer:
    """An issue's right functions, and those that are named, by who names them."""

    repository: str
    right: set[Named]
    named: Mapping[str, Sequence[Named]]
    seconds: float
    """Of CPU."""

    def has_all(self, who: str, depth: int) -> bool:
        """Whether every right one is among the first."""
        return self.right <= set(self.named[who][:depth])


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("data", type=click.Path(path_type=Path, exists=True), metavar="ISSUES")
@click.argument("clones", type=click.Path(path_type=Path, exists=True), metavar="CLONES")
@click.option("--leave-out", is_flag=True, help="Learn the files' weights from the other repositories' issues.")
@click.option("--cache-dir", default="", metavar="DIR", help="Where indexes are kept [default: pipeline.cache_dir].")
@with_exit_codes
def main(data: Path, clones: Path, leave_out: bool, cache_dir: str) -> None:
    """Print how often the functions of an issue's fix are found."""
    by_repository = issues_of(data, clones)
    places = {name: str(clone_of(clones, name)) for name in by_repository}
    askers = {name: FileAsker(place, cache_folder(cache_dir), RepositoryIndex) for name, place in places.items()}
    rankers = dict.fromkeys(by_repository, Ranker.shipped())
    if leave_out:
        groups = {name: examples(askers[name], some) for name, some in by_repository.items()}
        rankers = without_own(Ranker.shipped(), groups)
    answers: list[Answer] = []
    for name, issues in by_repository.items():
        answers += answered(askers[name], issues, rankers[name])
        askers[name].close()
        click.echo(f"{name}: {len(issues)} issues", err=True)
    if not answers:
        raise UserError("no issue has a fix that changes a function", "give patches, or clones with refs/pull")
    click.echo("\n".join(in_markdown(answers)))


def answered(asker: FileAsker, issues: Sequence[Issue], ranker: Ranker) -> Iterator[Answer]:
    """Issues whose fix changes functions, asked of their base commits."""
    for issue in issues:
        snapshot = asker.snapshot(issue.base_commit)
        started = time.process_time()
        ranked = ranker.rank(snapshot, issue.issue, top=symbols.MAX_FILES, wanted=is_candidate).files
        files = {file.name: file.share for file in ranked}
        parsed = asker.parsed(snapshot, list(files))
        found = symbols.rank(Query(issue.issue), files, parsed, top=1000)
        seconds = time.process_time() - started
        known = asker.parsed(snapshot, [path for path in issue.files if path not in parsed])
        functions = {path: [one for one in some if is_function(one)] for path, some in (known | parsed).items()}
        if right := touched(old_lines(fix_of(asker.git_dir, issue)), functions):
            ours = [(one.path, one.name) for one in found if one.kind in symbols.FUNCTIONS]
            named = {OURS: ours, BASELINE: by_words(issue, files, functions)}
            yield Answer(issue.repo, right, named, seconds)


def is_function(symbol: symbols.Symbol) -> bool:
    """Whether a symbol is a function or method."""
    return symbol.kind in symbols.FUNCTIONS


def fix_of(git_dir: Path, issue: Issue) -> str:
    """The fix as a diff without context; "" where there is none."""
    if issue.patch:
        return issue.patch
    head = f"refs/pull/{issue.instance_id.rpartition('-')[2]}/head"
    try:
        base = run(git_dir, "merge-base", issue.base_commit, head).decode().strip()
        return run(git_dir, "diff", *DIFF_OPTIONS, base, head, "--", *issue.files).decode("utf-8", "replace")
    except GitloreError:
        return ""


def by_words(
    issue: Issue, files: Mapping[str, float], functions: Mapping[str, Sequence[symbols.Symbol]]
) -> list[Named]:
    """The baseline's order."""
    found = symbols.candidates(files, functions)
    if not found:
        return []
    features = symbols.features(Query(issue.issue), files, found)
    order = np.lexsort((-features["c_all"], -features["f_rank"])).tolist()
    return [(found[place].path, found[place].name) for place in order]


def in_markdown(answers: Sequence[Answer]) -> Iterator[str]:
    """A table of all issues and by repository."""
    yield f"| strict | issues | {' | '.join(f'@{depth}' for depth in DEPTHS)} |"
    yield f"|---|---:{'|---:' * len(DEPTHS)}|"
    repositories = sorted({one.repository for one in answers})
    for title in ("all", *repositories):
        group = [one for one in answers if title in ("all", one.repository)]
        for who in (OURS, BASELINE):
            cells = [f"{hits(group, who, depth).mean():.3f}".lstrip("0") for depth in DEPTHS]
            yield f"| {title}: {who} | {len(group)} | {' | '.join(cells)} |"
    gains = hits(answers, OURS, 10) - hits(answers, BASELINE, 10)
    ours, more = (interval(values) for values in (hits(answers, OURS, 10), gains))
    seconds = np.median([one.seconds for one in answers])
    yield f"\n{OURS} at 10: {ours}; over the baseline {more}; median CPU {seconds:.2f} s an issue, its files read"


def interval(values: statistics.Numbers) -> str:
    """A mean with its 95 % interval."""
    found = statistics.of_mean(values, samples=1000, seed=17)
    return f"{found['mean'] or 0:.3f} [{found['low'] or 0:.3f}, {found['high'] or 0:.3f}]"


def hits(group: Sequence[Answer], who: str, depth: int) -> statistics.Numbers:
    """1 for each issue all of whose functions are among the first `depth`."""
    return np.array([one.has_all(who, depth) for one in group], np.float64)


if __name__ == "__main__":
    main()
