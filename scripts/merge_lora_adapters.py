"""Fuse LoRA adapters of one base model into one.

    python scripts/merge_lora_adapters.py --adapters A B … --output DIR [--weights 0.6 0.4 | --success-rates 17/20 9/12]

A and B are model folders, or .safetensors files with their adapter_config.json beside them. `delta` averages what the
adapters do to the weights, which averaging their factors does not; docs/fusion.md says when fusing helps. Where it is
known which repository a question is about, serving each repository's own adapter (serve.py --model a=… --model b=…)
beats a fused one.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import click
import msgspec

from core import logs
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes
from core.errors import UserError
from core.fusion import agreement, card, folder, fusing, histories, learning, parents, proof, weighting
from core.fusion.fusing import FusedLayers, Recipe
from core.fusion.learning import Data
from core.fusion.parents import Parent
from core.fusion.proof import Asked
from core.fusion.weighting import SuccessRate, Weighting
from core.logs import log
from core.models import elsewhere
from core.progress import Progress
from core.records.fusion import FusedParent, FusionReport, Method, Origin, Trial
from core.visible import visible

WORST_LAYERS = 5
NOT_LEARNT = "fused, weights not learnt"
"""The row of what the fused adapter would be without --learn-weights."""
EXACT = 1e-9
"""Errors below it are rounding."""


class SpreadCommand(click.Command):
    """Lets `--adapters A B` stand for `--adapters A --adapters B`, for every option that may be repeated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What click parses."""
        repeatable = {
            name for one in self.params if isinstance(one, click.Option) and one.multiple for name in one.opts
        }
        spread: list[str] = []
        flag, fresh = "", False
        for arg in args:
            if arg.startswith("--"):
                name, equals, _ = arg.partition("=")
                flag, fresh = (name if name in repeatable else ""), not equals
                spread.append(arg)
            else:
                spread += [arg] if fresh or not flag else [flag, arg]
                fresh = False
        return super().parse_args(ctx, spread)


@click.command(cls=SpreadCommand, context_settings=CONTEXT_SETTINGS)
@click.option("--adapters", multiple=True, required=True, metavar="A B …", help="Two or more; their order is nothing.")
@click.option(
    "--weights", multiple=True, type=float, metavar="W …", help="How much each counts [default: all the same]."
)
@click.option("--success-rates", multiple=True, metavar="K/N …", help="Useful of reported answers, or bare rates.")
@click.option(
    "--learn-weights",
    "trials",
    default=0,
    type=click.IntRange(0),
    metavar="N",
    help="Try N weights on the validation splits of --eval and keep the best; begins with those above.",
)
@click.option("--output", required=True, metavar="DIR", help="A new folder.")
@click.option("--method", default="delta", type=click.Choice(get_args(Method)), show_default=True)
@click.option("--rank", default=0, type=click.IntRange(0), help="Of the fused one [default: the largest of theirs].")
@click.option("--energy", default=0.0, type=click.FloatRange(0, 1), help="delta: the least rank that keeps this share.")
@click.option(
    "--density", default=0.5, type=click.FloatRange(0, 1, min_open=True), help="ties, dare: entries that stay."
)
@click.option("--eval", "outputs", multiple=True, metavar="OUTPUTS …", help="Measure on these pipelines' test splits.")
@click.option("--beside", multiple=True, metavar="DIR …", help="Other adapters of the base to measure beside them.")
@click.option("--eval-tokens", default=12_288, type=click.IntRange(0), show_default=True, help="Of each; 0 for all.")
@click.option("--trust-base", is_flag=True, help="Take it on trust that their bases are the same.")
@click.option("--dry-run", is_flag=True, help="Check, compute and print; write nothing.")
@click.option("--cache-dir", default="", metavar="DIR", help="Base models [default: pipeline.cache_dir].")
@click.option("--verbose", is_flag=True, help="Show debug messages.")
@version_option()
@with_exit_codes
def main(
    adapters: Sequence[str],
    weights: Sequence[float],
    success_rates: Sequence[str],
    trials: int,
    output: str,
    method: Method,
    rank: int,
    energy: float,
    density: float,
    outputs: Sequence[str],
    beside: Sequence[str],
    eval_tokens: int,
    trust_base: bool,
    dry_run: bool,
    cache_dir: str,
    verbose: bool,
) -> None:
    """Fuse LoRA adapters of one base model into one."""
    logs.setup(verbose=verbose)
    if len(adapters) < 2:
        raise UserError("one adapter is nothing to fuse", "name two or more after --adapters")
    if not dry_run:
        folder.check_new(Path(output))
    places = [Path(place) for place in outputs]
    check_measured(places, beside, trials, len(adapters))
    rates = [SuccessRate.read(text) for text in success_rates]
    weighted = weights_of(weights, rates, len(adapters))
    found = [parents.read(Path(place)) for place in adapters]
    others = {one.name: one for one in (parents.read(Path(place)) for place in beside)}
    notes = agreement.check([*found, *others.values()], trust_base=trust_base)
    for note in notes:
        log.warning("%s", note)
    recipe, cache = Recipe(method, weighted.weights, rank, energy, density), cache_folder(cache_dir)
    if dry_run and outputs:
        log.warning("nothing is measured or learnt in a dry run")
    with tempfile.TemporaryDirectory() as scratch:
        tried: list[Trial] = []
        if trials and not dry_run:
            weighted, tried = learning.learn(found, recipe, trials, Data(places, eval_tokens, cache), Path(scratch))
            recipe = replace(recipe, weights=weighted.weights)
            others[NOT_LEARNT] = parents.read(learning.folder_of(Path(scratch), 0))
        log.info("%s", weighted.why)
        made = fused(found, recipe)
        print_figures(found, recipe, made)
        if dry_run:
            return
        origin = Origin(method=method, parents=named(found, weighted, rates))
        report = folder.write(Path(output), found, made, origin, [*notes, weighted.why], cache)
        report.trials = tried
        folder.keep(Path(output), report)
        if report.values_left_out:
            log.warning("%d values have no row left in the fused adapter", report.values_left_out)
        click.echo(f"written: {output}")
        print_elsewhere(Path(output), found[0].base_model)
        if outputs:
            print_proof(Path(output), found, report, places, cache, Asked(eval_tokens, others))


def check_measured(outputs: Sequence[Path], beside: Sequence[str], trials: int, adapters: int) -> None:
    """Raise UserError where something is to be measured that cannot be."""
    if outputs:
        histories.check(outputs, adapters)
    elif beside or trials:
        flag = "--learn-weights" if trials else "--beside"
        raise UserError(f"{flag} needs histories to measure on", "name the outputs of each adapter's pipeline: --eval")
    if trials:
        learning.check_trials(trials, adapters)


def weights_of(weights: Sequence[float], rates: Sequence[SuccessRate], count: int) -> Weighting:
    """What the command line asks for."""
    if weights and rates:
        raise UserError("--weights and --success-rates exclude each other", "give one of them")
    if rates:
        return weighting.by_success(rates, count)
    return weighting.given(weights, count) if weights else weighting.equal(count)


def fused(found: Sequence[Parent], recipe: Recipe) -> FusedLayers:
    """All layers, with progress."""
    with Progress("fusing", len(parents.layers_of(found)), "layers") as progress:
        return fusing.fuse(found, recipe, progress.advance)


def named(found: Sequence[Parent], weighted: Weighting, rates: Sequence[SuccessRate]) -> list[FusedParent]:
    """The adapters with their weights, as the report keeps them."""
    known: Sequence[SuccessRate | None] = rates or [None] * len(found)
    return [
        FusedParent(
            name=parent.name,
            sha256=parent.sha256,
            weight=weight,
            success_rate=rate.rate if rate else None,
            trials=rate.trials if rate else None,
        )
        for parent, weight, rate in zip(found, weighted.weights, known, strict=True)
    ]


def print_proof(
    fused_folder: Path,
    found: Sequence[Parent],
    report: FusionReport,
    outputs: Sequence[Path],
    cache_dir: Path,
    asked: Asked,
) -> None:
    """Measure the fused adapter, keep what was found beside it, and print it."""
    measured = proof.measure(fused_folder, found, outputs, cache_dir, asked)
    folder.keep(fused_folder, msgspec.structs.replace(report, proof=measured))
    click.echo(visible("\n".join(card.table(measured))))
    if not measured.passes:
        click.echo(
            "It is not worth activating: it has to beat the untuned base everywhere, and the best parent on the mean."
        )


def print_elsewhere(output: Path, base_model: str) -> None:
    """How other programs serve the fused adapter."""
    one = parents.read(output)
    for line in elsewhere.of_adapter(output, base_model, int(one.rank), one.trained_tokens):
        click.echo(visible(line))


def print_figures(found: Sequence[Parent], recipe: Recipe, made: FusedLayers) -> None:
    """What was fused, what it kept, and where it kept least."""
    for parent, weight in zip(found, recipe.weights, strict=True):
        click.echo(visible(f"{weight:7.3f}  {parent.name}  rank {parent.rank}, scale {parent.scale:g}"))
    kept = "" if recipe.method in ("cat", "literal") else f"{made.energy:.1%} of the squared norm kept, "
    click.echo(f"{recipe.method}: rank {made.rank}, {kept}{made.error:.3f} away from the exact weighted sum")
    worst = sorted(made.figures.items(), key=lambda item: (-item[1].error, item[0]))[:WORST_LAYERS]
    if worst and worst[0][1].error > EXACT:
        click.echo("furthest away:")
        for layer, figures in worst:
            click.echo(f"  {figures.error:.3f}  {figures.energy:6.1%} kept  {layer}")
    if absent := sum(bool(figures.absent) for figures in made.figures.values()):
        click.echo(f"{absent} layers have no update in some adapter; theirs counts as zero")


if __name__ == "__main__":
    main()
