"""Is `train_model.py --estimate` right? Its interval at four times the tokens, beside what trainings reach there.

    python -m benchmarks.estimates POINTS [OUTPUTS …] [--method lora] [--tokens 1024] [--width 129] [--seed 17]
        [--newest-weight 30]

Each OUTPUTS is an outputs folder of the pipeline, at least up to dataset_builder. Short trainings as in an estimate,
and one on four times the tokens of the longest, all with the loop and the plan of a training on so many tokens, are
added to POINTS (JSON lines). Then a row is printed for each line of POINTS: what the short trainings lead to expect,
and what the long one reached. Budgets are in tokens, so another speed changes no result.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from core.config import PipelineConfig, expand
from core.estimating.curve import Curve, Point

TIMES = 4
"""How much longer the long training is."""


@dataclass(frozen=True)
class Trained:
    """Trainings from the same start, by their tokens; the last one is the long one. Losses are in nats a token."""

    name: str
    method: str
    seed: int
    newest_weight: float
    step_tokens: float
    untuned: float
    tokens: list[int]
    losses: list[float]

    @property
    def points(self) -> list[Point]:
        """Those of the short ones."""
        return [Point(*pair) for pair in zip(self.tokens[:-1], self.losses[:-1], strict=True)]


@click.command()
@click.argument("points", type=click.Path(path_type=Path))
@click.argument("outputs", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--method", default="lora", help="lora, full or scratch (64 wide, 2 layers).")
@click.option("--tokens", default=1024, help="Those of the longest short training.")
@click.option("--width", default=129, help="Tokens of a step, with the one that only predicts.")
@click.option("--seed", default=17)
@click.option("--newest-weight", default=30.0)
def main(
    points: Path, outputs: tuple[Path, ...], method: str, tokens: int, width: int, seed: int, newest_weight: float
) -> None:
    """Train, if outputs folders are given; then print the table of all that is in POINTS."""
    settings = {"method": method, "sequence_length": width, "seed": seed, "newest_weight": newest_weight}
    for folder in outputs:
        found = trained(folder, tokens, settings)
        with points.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(found)) + "\n")
    print("\n".join(table([Trained(**json.loads(line)) for line in points.read_text().splitlines()])))


def trained(outputs: Path, tokens: int, settings: dict[str, object]) -> Trained:
    """The trainings of one row, each on its own number of tokens."""
    import functools

    import train_model
    from core.estimating.rehearsal import SHARES, Rehearsal
    from core.estimating.sample import Sample
    from core.records.training import MemoryReport
    from core.training.data import TrainingData
    from core.training.plan import Budget, Mixture, make_plan

    data = TrainingData.read({name: outputs / name for name in train_model.STAGE.inputs}, "blocks", "history")
    base = train_model.ModelTrainingConfig().base_model
    own = {"base_model": data.vocabulary.base_model or base, "scratch_hidden": 64, "scratch_layers": 2}
    config = train_model.for_estimate(train_model.ModelTrainingConfig.model_validate({**own, **settings}))
    cache = expand(PipelineConfig().cache_dir)
    model = train_model.prepare(train_model.make_model(config, data.vocabulary, cache), data.vocabulary, config)
    memory = MemoryReport(width=data.widest(config.sequence_length))
    examples, sample = data.training_examples(memory.width), Sample.of(data, memory.width, 768)
    rehearsal, nats = Rehearsal(model, config.seed), sample.nats_per_bit
    untuned = sample.bits(model).alone * nats
    lengths, losses, steps = list[int](), list[float](), 1
    for share in (*SHARES, TIMES):
        budget = Budget(config.epochs, max_train_tokens=round(tokens * share))
        plan = make_plan(examples, budget, 1, Mixture(config.newest_weight))
        lengths.append(sum(map(examples.length, plan.order)))
        steps = plan.steps
        with tempfile.TemporaryDirectory() as logs:
            given = (model, examples, plan, memory, data, Path(logs), None, config)
            rehearsal.run(functools.partial(train_model.train, *given), lengths[-1])
        losses.append(sample.bits(model).alone * nats)
    return Trained(
        outputs.name, config.method, config.seed, config.newest_weight, lengths[-1] / steps, untuned, lengths, losses
    )


def table(rows: list[Trained]) -> list[str]:
    """A row for each, then in how many the interval holds the result."""
    lines = [
        "| repository | method | seed | untuned | after (tokens) | expected | after (tokens) | held |",
        "|---" * 8 + "|",
    ]
    held = known = 0
    for row in rows:
        curve = Curve.through(row.untuned, row.points, row.step_tokens)
        said, inside = "the loss did not fall", "-"
        if curve:
            found = curve.at(row.tokens[-1])
            said = f"{found.middle:.3f} [{found.low:.3f}, {found.high:.3f}]"
            fits = found.low <= row.losses[-1] <= found.high
            known, held, inside = known + 1, held + fits, "yes" if fits else "no"
        last, long = row.points[-1], f"{row.losses[-1]:.3f} ({row.tokens[-1]:,})"
        lines.append(
            f"| {row.name} | {row.method} | {row.seed} | {row.untuned:.3f} | {last.loss:.3f} ({last.tokens:,}) "
            f"| {said} | {long} | {inside} |"
        )
    return [*lines, "", f"{held} of {known} results are inside the interval; {len(rows) - known} had no curve"]


if __name__ == "__main__":
    main()
