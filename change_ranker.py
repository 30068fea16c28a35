"""Stage 3: how well are the files of past commits ranked here, and do weights of the repository's own do it better?

    python change_ranker.py --commits outputs/commits.json --output outputs/ranker.json

Past commits are questions to their parents, split by time: weights learn from the oldest, drawn to the shipped ones,
replace them where newer commits show that they are better, and are tested on the newest. Writes ranker.json,
ranking_evaluation.json, and change_types.json, by which kinds of change are ranked. Needs no model.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from core.config import Section, without_credentials
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import UserError
from core.git import refs
from core.logs import log
from core.records.commit_files import read_history
from core.records.commits import HistoryMetadata, main_branch
from core.records.json_files import write_record
from core.records.rankings import FACTS, RANKER, Fact, RankedExample, RankingEvaluation, RankingEvaluations

if TYPE_CHECKING:
    from core.evaluation.file_rankings import Result
    from core.prediction.files import FileAsker
    from core.progress import Progress
    from core.ranking.examples import Case
    from core.ranking.gate import Examples
    from core.ranking.ranker import Ranker
    from core.records.ranker import RankerRecord

SHIPPED_FILE = "core/ranking/weights.json"


class ChangeRankerConfig(Section):
    """Which past commits weights learn from, and are validated and tested on."""

    train_commits: int = Field(default=300, ge=0)
    """Commits to learn from, at most; 0 keeps the shipped weights."""
    val_commits: int = Field(default=100, ge=0)
    """Newer commits that decide between own and shipped weights, at most."""
    test_commits: int = Field(default=200, ge=1)
    """Newest commits to test on, at most."""
    train_ratio: float = Field(default=0.70, gt=0, lt=1, json_schema_extra={"same_as": "dataset_builder.train_ratio"})
    """Share of the commits of a short history for training; taken from dataset_builder.train_ratio unless set."""
    val_ratio: float = Field(default=0.15, gt=0, lt=1, json_schema_extra={"same_as": "dataset_builder.val_ratio"})
    """Share for validation; taken from dataset_builder.val_ratio unless set. The newest rest is for the test."""
    least_commits: int = Field(default=50, ge=2)
    """Validation commits without which the shipped weights stay."""
    examples: int = Field(default=3, ge=0)
    """Test commits to show in the report with their ranked files."""
    bootstrap_samples: int = Field(default=1000, ge=0)
    """Bootstrap samples of commits for each interval; 0 for no intervals, and so no own weights."""
    seed: int = Field(default=17, ge=0, lt=2**32)
    """Seed of all random numbers."""


def run(ctx: Context[ChangeRankerConfig]) -> None:
    """Write ranker.json, ranking_evaluation.json and change_types.json."""
    from core.prediction.files import FileAsker
    from core.ranking.examples import cases
    from core.ranking.ranker import Ranker
    from core.records.change_types import change_types_of, write_change_types
    from core.records.ranker import write_ranker
    from index.repository import RepositoryIndex

    history = read_history(ctx.input("commits.json"))
    git_dir = Path(history.git_dir)
    if not history.git_dir or not git_dir.exists():
        raise UserError(f"the repository of commits.json is gone: {git_dir}", "run git_scraper again")
    with contextlib.closing(FileAsker(str(git_dir), ctx.cache_dir, RepositoryIndex)) as asker:
        commits = asker.sources.commits(tip := asker.commit(tip_of(history)))
        train, val, test = split(list(cases(commits, tip, len(commits))), ctx.config)
        if not train or len(val) < ctx.config.least_commits:
            train, val = [], []
        with ctx.progress("ranking past commits", len(train) + len(val) + len(test), "commits") as progress:
            record = weights(asker, train, val, ctx.config, progress)
            record.made_from, record.first_commits = [without_credentials(history.repository)], [commits.first(tip)]
            counts = change_types_of(ctx.input("chunks.jsonl"))
            found = evaluation(asker, test, Ranker(record), counts.commits, ctx.config, progress)
    found.repository, found.gate = record.made_from[0], record.gate
    write_ranker(ctx.output("ranker.json"), record)
    write_record(ctx.output("ranking_evaluation.json"), RankingEvaluations(repositories=[found]))
    write_change_types(ctx.output("change_types.json"), counts)
    report(ctx, found)


def tip_of(history: HistoryMetadata) -> str:
    """Where the main line ends: HEAD, and where it names no commit, the tip of the main branch or of any other ref."""
    if head := refs.head(Path(history.git_dir)):
        return head
    tips = history.ref_tips
    return tips.get(f"refs/heads/{main_branch(history)}") or next(iter(tips.values()), "")


def split(cases: Sequence[Case], config: ChangeRankerConfig) -> tuple[list[Case], list[Case], list[Case]]:
    """Training, validation and test, each oldest first, of commits that come with the newest first."""
    count = len(cases)
    rest = 1 - config.train_ratio - config.val_ratio
    test = min(config.test_commits, max(round(count * rest), 1))
    val = min(config.val_commits, round(count * config.val_ratio))
    ends = test, test + val, test + val + config.train_commits
    parts = cases[ends[1] : ends[2]], cases[ends[0] : ends[1]], cases[: ends[0]]
    train, validation, tested = (list(reversed(part)) for part in parts)
    return train, validation, tested


def weights(
    asker: FileAsker, train: Sequence[Case], val: Sequence[Case], config: ChangeRankerConfig, progress: Progress
) -> RankerRecord:
    """The repository's own weights where they are better, otherwise the shipped ones."""
    from core.ranking.gate import gated
    from core.ranking.ranker import Ranker

    return gated(
        questions(asker, train, progress),
        questions(asker, val, progress),
        Ranker.shipped().record,
        least=config.least_commits,
        samples=config.bootstrap_samples,
        seed=config.seed,
    )


def questions(asker: FileAsker, cases: Sequence[Case], progress: Progress) -> Iterator[Examples]:
    """Commits as questions to their parents."""
    from core.ranking.fitting import examples_of

    for case in cases:
        yield examples_of(asker.snapshot(case.parent), case)
        progress.advance()


def evaluation(
    asker: FileAsker,
    test: Sequence[Case],
    ranker: Ranker,
    counts: Mapping[str, Mapping[str, int]],
    config: ChangeRankerConfig,
    progress: Progress,
) -> RankingEvaluation:
    """How well the newest commits are answered. `counts` are change types by commit."""
    from core.evaluation import fact_rankings, file_rankings

    found: list[Result] = []
    facts: list[tuple[Fact, dict[str, int]]] = []
    examples: list[RankedExample] = []
    step = max(len(test) // max(config.examples, 1), 1)
    for number, case in enumerate(reversed(test)):
        snapshot = asker.snapshot(case.parent)
        found += list(file_rankings.results(snapshot, case, ranker))
        facts += list(fact_rankings.results(asker, case, ranker, counts))
        if number % step == 0 and len(examples) < config.examples:
            examples.append(file_rankings.example(snapshot, case, ranker))
        progress.advance()
    tables = fact_rankings.tables(facts, samples=config.bootstrap_samples, seed=config.seed)
    return file_rankings.evaluation(found, examples, tables, samples=config.bootstrap_samples, seed=config.seed)


def report(ctx: Context[ChangeRankerConfig], found: RankingEvaluation) -> None:
    """Log what a newcomer wants to know, and count for the summary."""
    for sentence in found.gate:
        log.info("%s", sentence)
    for form, table in found.forms.items():
        rows = ", ".join(
            f"{who} {row['hit@1'].mean or 0:.2f}/{row['hit@5'].mean or 0:.2f}" for who, row in table.accuracy.items()
        )
        log.info("%s, right at 1/5 of %s: %s", form, f"{table.questions:,}", rows)
    for fact, compared in found.facts.items():
        rows = ", ".join(
            f"{who} {'/'.join(f'{one.mean or 0:.2f}' for one in row.values())}"
            for who, row in compared.accuracy.items()
        )
        depths = "/".join(hit.removeprefix("hit@") for hit in compared.accuracy[RANKER])
        log.info("%s, right at %s of %s: %s", FACTS[fact], depths, f"{compared.questions:,}", rows)
    ctx.count("commits asked about", found.commits)
    if "text" in found.forms:
        best = found.forms["text"].accuracy[RANKER]["hit@5"].mean or 0.0
        ctx.count("% right among five files", round(best * 100))


STAGE = Stage(
    name="change_ranker",
    help="rank the files of past commits: weights of the repository's own, and how often the answers are right",
    config=ChangeRankerConfig,
    run=run,
    inputs=("commits.json", "chunks.jsonl"),
    outputs=("ranker.json", "ranking_evaluation.json", "change_types.json"),
    flags={"commits": "commits.json", "chunks": "chunks.jsonl", "output": "ranker.json"},
    reads=("files of the repository",),
    libraries=("numpy", "scipy"),
    data_files=(SHIPPED_FILE,),
)

if __name__ == "__main__":
    stage_main(STAGE)
