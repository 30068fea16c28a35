"""What models that were trained on edits are worth, over several repositories.

    python -m benchmarks.edits OUTPUTS [OUTPUTS ...] [--samples N]

OUTPUTS are folders of pipelines with tokenizer.code_view: edit and model_training.objective: edits, after evaluate.
First bits of the whole edit for each byte that it adds, given all that is known before it: for each repository, and
pooled, with what the mix of model and cache saves beside each other predictor. Its interval draws commits within each
repository. Then what is written: new identifiers and lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import numpy as np

from core.records.evaluation import CACHE, TUNED, ByCommit, Estimate, Evaluation, read_evaluation
from core.statistics import LEVEL

MIXED = TUNED + CACHE
WRITTEN = ("identifier_recall", "identifier_precision", "exact_lines", "line_similarity")


@click.command()
@click.argument("outputs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--samples", default=2000, show_default=True, help="Bootstrap samples.")
def main(outputs: Sequence[Path], samples: int) -> None:
    """Print both tables as Markdown."""
    found = {name_of(folder): read_evaluation(folder / "evaluation.json") for folder in outputs}
    by_commit = {name: one.edits_by_commit for name, one in found.items() if one.edits_by_commit}
    if not by_commit:
        raise click.ClickException("no evaluation measured edits: train with objective edits, and evaluate again")
    print_bits(by_commit, samples)
    print_written(found)


def print_bits(by_commit: Mapping[str, ByCommit], samples: int) -> None:
    """A row for each predictor that all repositories have."""
    rows = [name for name in next(iter(by_commit.values())).bits if all(name in one.bits for one in by_commit.values())]
    counts = {name: len(one.added_bytes) for name, one in by_commit.items()}
    print(f"| bits per added byte | {' | '.join(f'{name} ({n})' for name, n in counts.items())} | pooled | saved |")
    print(f"|---|{'---:|' * len(counts)}---:|---|")
    for row in rows:
        each = [sum(one.bits[row]) / max(sum(one.added_bytes), 1) for one in by_commit.values()]
        between = "" if row == MIXED else in_words(*saved(list(by_commit.values()), MIXED, row, samples))
        pooled = sum(sum(one.bits[row]) for one in by_commit.values())
        pooled /= max(sum(sum(one.added_bytes) for one in by_commit.values()), 1)
        print(f"| {row} | {' | '.join(f'{value:.3f}' for value in each)} | {pooled:.3f} | {between} |")


def saved(repositories: Sequence[ByCommit], after: str, before: str, samples: int) -> tuple[float, float, float]:
    """The share of bits that one predictor saves beside another, with its interval."""
    pairs = [(np.array(one.bits[after]), np.array(one.bits[before])) for one in repositories]
    draw = np.random.default_rng(17)
    sums = np.zeros((2, samples))
    for one, other in pairs:
        weights = draw.multinomial(len(one), np.full(len(one), 1 / len(one)), size=samples)
        sums += np.stack([weights @ one, weights @ other])
    low, high = np.quantile(1 - sums[0] / sums[1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    first, second = (sum(float(pair[side].sum()) for pair in pairs) for side in (0, 1))
    return 1 - first / second, float(low), float(high)


def in_words(share: float, low: float, high: float) -> str:
    """A share with its interval."""
    return f"{share:.1%} [{low:.1%}, {high:.1%}]"


def print_written(found: Mapping[str, Evaluation]) -> None:
    """A row for each repository and each who writes."""
    print(f"\n| what is written | by | {' | '.join(name.replace('_', ' ') for name in WRITTEN)} | edits |")
    print(f"|---|---|{'---|' * len(WRITTEN)}---:|")
    for name, evaluation in found.items():
        if evaluation.written_edits:
            for by, metrics in evaluation.written_edits.rows.items():
                cells = (_in_cell(metrics[metric]) for metric in WRITTEN)
                print(f"| {name} | {by} | {' | '.join(cells)} | {evaluation.written_edits.changes} |")


def name_of(folder: Path) -> str:
    """The name of a repository by its outputs folder."""
    return folder.resolve().parent.name if folder.name == "outputs" else folder.name


def _in_cell(one: Estimate) -> str:
    between = f" [{one.low:.2f}, {one.high:.2f}]" if one.low is not None and one.high is not None else ""
    return "" if one.mean is None else f"{one.mean:.3f}{between}"


if __name__ == "__main__":
    main()
