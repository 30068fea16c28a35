"""What a fused adapter is worth: bits on each parent's held-out commits, beside the base, each parent, and swapping."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.evaluation.figures import gain
from core.fusion import folder, histories
from core.fusion.histories import History
from core.fusion.parents import Parent
from core.models import model_folder
from core.progress import Progress
from core.records.fusion import BASE, FUSED, Beside, OnHistory, Proof, Saved
from core.scoring.scores import Scores, bits_per_byte

if TYPE_CHECKING:
    from core.models.model_folder import Loaded

SEED = 17


@dataclass(frozen=True)
class Asked:
    """What is measured."""

    tokens: int
    """Of each history, as evaluate counts them."""
    beside: Mapping[str, Parent] = field(default_factory=dict)
    """Other adapters of the same base, by the names of their rows."""
    samples: int = 1000
    """Bootstrap samples for an interval."""


def measure(fused: Path, parents: Sequence[Parent], outputs: Sequence[Path], cache_dir: Path, asked: Asked) -> Proof:
    """Score the test split of each parent's pipeline, `outputs` in the order of `parents`.

    Everything is written with the tokens of the fused adapter. Raises UserError where the folders do not belong
    together.
    """
    histories.check(outputs, len(parents))
    vocabulary = model_folder.read_info_and_vocabulary(fused)[1]
    found = histories.read(parents, outputs, vocabulary, "test", asked.tokens)
    rows = {parent.name: parent for parent in parents} | dict(asked.beside)
    with tempfile.TemporaryDirectory() as scratch:
        # PEFT makes attributes of names, so they may hold no dots.
        places = {
            str(number): folder.with_tokens_of(fused, vocabulary, one, Path(scratch) / str(number))
            for number, one in enumerate(rows.values())
        }
        loaded = model_folder.load_several(places | {FUSED: fused}, cache_dir)
    models = dict(zip((*rows, FUSED), loaded.values(), strict=True))
    measured = [_on_history(models, one, list(asked.beside), asked.samples) for one in found]
    return proof_of(measured, [parent.name for parent in parents])


def proof_of(found: Sequence[OnHistory], parents: Sequence[str]) -> Proof:
    """The means, and whether the fused adapter is worth having."""
    mean = {name: sum(one.bits_per_byte[name] for one in found) / len(found) for name in (BASE, *parents, FUSED)}
    better = all(one.bits_per_byte[FUSED] < one.bits_per_byte[BASE] for one in found)
    return Proof(
        histories=list(found),
        mean=mean,
        swapping=sum(one.bits_per_byte[one.owner] for one in found) / len(found),
        passes=better and mean[FUSED] < min(mean[name] for name in parents),
    )


def _on_history(models: Mapping[str, Loaded], history: History, beside: Sequence[str], samples: int) -> OnHistory:
    targets = history.held_out.targets
    rows: dict[str, Scores] = {}
    with Progress(f"measuring ({history.owner})", (len(models) + 1) * len(history), "tokens") as progress:
        with models[FUSED].untuned() as model:
            rows[BASE] = history.score(model, progress)
        for name, loaded in models.items():
            loaded.activate()
            rows[name] = history.score(loaded.model, progress)

    def saved(before: str) -> Saved:
        between = gain(targets, rows[before], rows[FUSED], samples=samples, seed=SEED).all
        return Saved(share=between.share, low=between.low, high=between.high)

    bits = {name: bits_per_byte(one.nats, targets) for name, one in rows.items()}
    return OnHistory(
        owner=history.owner,
        of_edits=history.of_edits,
        commits=len(targets.text_bytes),
        tokens=len(targets),
        bits_per_byte={name: value for name, value in bits.items() if name not in beside},
        saved_over_base=saved(BASE),
        saved_over_owner=saved(history.owner),
        beside={name: Beside(bits_per_byte=bits[name], saved=saved(name)) for name in beside},
    )
