"""Make the weights that ship for authors, change types and symbols, core/ranking/facts.json, from clones.

    python scripts/fit_facts.py --repo PATH --repo PATH … --change-types FILE --change-types FILE … [--commits 120]

Each of the newest commits is a question to its parent, with its title and with a title that names none of its files.
Change types come from change_types.json of these repositories. Figures are of repositories left out in turn.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import click
from fit_ranker import repository_name

from core import logs
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.evaluation.fact_rankings import changed_symbols
from core.logs import log
from core.prediction.files import FileAsker
from core.ranking import authors, change_types, fact_examples, model, symbols
from core.ranking.examples import Case, cases
from core.ranking.facts import SHIPPED
from core.ranking.features import Similar
from core.ranking.ranker import Ranker
from core.ranking.terms import words
from core.records.change_types import read_change_types
from core.records.ranker import ModeWeights, RankerRecord, write_ranker
from core.records.rankings import Fact
from index.repository import RepositoryIndex

if TYPE_CHECKING:
    from core.ranking.model import Example

RIDGE = 10.0
NAMES: dict[Fact, Sequence[str]] = {
    "author": authors.FEATURES,
    "change_type": change_types.FEATURES,
    "symbol": symbols.FEATURES,
}
FREE = authors.FREE | change_types.FREE | symbols.FREE
Asked = Iterator[tuple[Fact, "Example | None"]]


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--repo", "repos", multiple=True, required=True, metavar="PATH", help="A clone (repeatable).")
@click.option(
    "--change-types",
    "type_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="change_types.json of one of them (repeatable).",
)
@click.option(
    "--commits", default=120, type=click.IntRange(10), show_default=True, help="Newest commits of each clone."
)
@click.option(
    "--output", default=SHIPPED, type=click.Path(path_type=Path), metavar="FILE", help="Where the weights go."
)
@click.option("--cache-dir", default="", metavar="DIR", help="Where indexes are kept [default: pipeline.cache_dir].")
@with_exit_codes
def main(repos: tuple[str, ...], type_files: tuple[Path, ...], commits: int, output: Path, cache_dir: str) -> None:
    """Learn the weights of what an answer says beside files from public repositories."""
    logs.setup(verbose=False)
    counts = {hash_: one for file in type_files for hash_, one in read_change_types(file).commits.items()}
    groups: defaultdict[Fact, defaultdict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
    for path in repos:
        asker = FileAsker(path, cache_folder(cache_dir), RepositoryIndex)
        name, tip = repository_name(path), asker.commit()
        for case in cases(asker.sources.commits(tip), tip, commits):
            for fact, example in questions(asker, case, counts):
                if example:
                    groups[fact][name].append(example)
        log.info("%s: %s", name, {fact: len(group[name]) for fact, group in groups.items()})
    modes: dict[str, ModeWeights] = {fact: fitted(fact, groups[fact]) for fact in NAMES if groups[fact]}
    write_ranker(output, RankerRecord(made_from=sorted(map(repository_name, repos)), modes=modes))
    for form, weights in modes.items():
        log.info("%s: %s questions, %s", form, f"{weights.examples:,}", weights.figures)


def questions(asker: FileAsker, case: Case, counts: change_types.Counts) -> Asked:
    """What a commit asks of its parent."""
    snapshot = asker.snapshot(case.parent)
    right, parsed = changed_symbols(asker, case)
    for title in {case.title, case.masked()} - {""}:
        ranked = Ranker.shipped().rank(snapshot, title, top=symbols.MAX_FILES).files
        files = {file.name: file.share for file in ranked}
        parsed |= asker.parsed(snapshot, [path for path in files if path not in parsed])
        similar = Similar.to(snapshot, words(title))
        yield "author", fact_examples.of_author(snapshot, title, similar, files, case.author)
        yield "change_type", fact_examples.of_change_types(snapshot, title, similar, files, counts, case.hash)
        yield "symbol", fact_examples.of_symbols(title, files, parsed, right)


def fitted(fact: Fact, groups: dict[str, list[Example]]) -> ModeWeights:
    """Weights from all repositories, with figures from each repository by the weights of the others."""
    names = NAMES[fact]
    free = [name for name in names if name in FREE]

    def learned(without: str = "") -> dict[str, float]:
        examples = [example for name, group in groups.items() if name != without for example in group]
        return model.fit(examples, names, ridge=RIDGE, free=free).weights

    ranks = [
        fact_examples.rank_of(example, names, weights)
        for name, group in groups.items()
        for weights in [learned(name if len(groups) > 1 else "")]
        for example in group
    ]
    figures = {f"hit@{most}": round(sum(rank < most for rank in ranks) / len(ranks), 4) for most in (1, 3, 5)}
    weights = {name: round(weight, 6) for name, weight in learned().items() if abs(weight) > 1e-6}
    return ModeWeights(weights=weights, examples=len(ranks), figures=figures)


if __name__ == "__main__":
    main()
