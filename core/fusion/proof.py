"""What a fused adapter is worth: bits on each parent's held-out commits, beside the base, each parent, and swapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.evaluation.figures import gain
from core.evaluation.held_out import HeldOut
from core.evaluation.streams import Streams
from core.fusion.parents import Parent
from core.models import model_folder
from core.progress import Progress
from core.records.fusion import BASE, FUSED, OnHistory, Proof, Saved
from core.scoring.scores import Scores, bits_per_byte, score
from core.text.token_files import SPLITS

if TYPE_CHECKING:
    from core.models.model_folder import Loaded

INPUTS = ("vocab.json", "tokenizer", *(f"training_data_{name}.pt" for name in SPLITS))
SEED = 17


@dataclass(frozen=True)
class Asked:
    """How much is measured."""

    tokens: int
    """Of each history, as evaluate counts them."""
    samples: int = 1000
    """Bootstrap samples for an interval."""


def check(outputs: Sequence[Path], parents: int) -> None:
    """Raise UserError where the folders cannot be what is measured on."""
    if len(outputs) != parents:
        raise UserError(
            f"{len(outputs)} outputs folders for {parents} adapters", "name one for each, in the same order"
        )
    for place in outputs:
        if missing := [name for name in INPUTS if not (place / name).exists()]:
            raise UserError(
                f"{place} holds no data to measure on: {missing[0]} is missing", "name a pipeline's outputs"
            )


def measure(fused: Path, parents: Sequence[Parent], outputs: Sequence[Path], cache_dir: Path, asked: Asked) -> Proof:
    """Score the test split of each parent's pipeline, `outputs` in the order of `parents`.

    Raises UserError where they do not belong together.
    """
    check(outputs, len(parents))
    histories = [Streams.read({name: place / name for name in INPUTS}) for place in outputs]
    # PEFT makes attributes of names, so they may hold no dots.
    folders = {str(number): parent.folder for number, parent in enumerate(parents)} | {FUSED: fused}
    loaded = model_folder.load_several(folders, cache_dir)
    models = {(parents[int(key)].name if key != FUSED else key): one for key, one in loaded.items()}
    if any(one.vocabulary.spelled_values() != models[FUSED].vocabulary.spelled_values() for one in models.values()):
        raise UserError("the adapters know different values, so their tokens cannot be compared", "leave out --eval")
    found = [
        _on_history(models, streams, parent.name, asked) for streams, parent in zip(histories, parents, strict=True)
    ]
    return proof_of(found, [parent.name for parent in parents])


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


def _on_history(models: Mapping[str, Loaded], streams: Streams, owner: str, asked: Asked) -> OnHistory:
    own = models[owner]
    known = (own.vocabulary.markers, own.vocabulary.spelled_values())
    if (streams.vocabulary.markers, streams.vocabulary.spelled_values()) != known:
        raise UserError(f"{owner} was trained with another vocabulary than its data's", "name its own outputs folder")
    given = (streams.earlier("test"), streams.test, streams.vocabulary, own.width)
    past = streams.past_edits.before if own.sees_past_edits else None
    masked = not own.sees_history
    edits = HeldOut.of_edits(*given, asked.tokens or None, masked=masked, past=past)
    held_out = edits or HeldOut.of(*given, asked.tokens or None, masked=masked)
    rows: dict[str, Scores] = {}
    with Progress(f"measuring ({owner})", (len(models) + 1) * len(held_out.targets), "tokens") as progress:
        with own.untuned() as model:
            rows[BASE] = score(model, held_out.stream, held_out.targets, progress=progress)
        for name, loaded in models.items():
            loaded.activate()
            rows[name] = score(loaded.model, held_out.stream, held_out.targets, progress=progress)

    def saved(before: str) -> Saved:
        between = gain(held_out.targets, rows[before], rows[FUSED], samples=asked.samples, seed=SEED).all
        return Saved(share=between.share, low=between.low, high=between.high)

    return OnHistory(
        owner=owner,
        of_edits=edits is not None,
        commits=len(held_out.targets.text_bytes),
        tokens=len(held_out.targets),
        bits_per_byte={name: bits_per_byte(one.nats, held_out.targets) for name, one in rows.items()},
        saved_over_base=saved(BASE),
        saved_over_owner=saved(owner),
    )
