"""The held-out commits of each adapter's own history, in the tokens of the adapter that was fused of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.errors import UserError
from core.evaluation.held_out import HeldOut
from core.evaluation.streams import Streams
from core.fusion.parents import Parent
from core.models.model_folder import ModelInfo, read_info_and_vocabulary
from core.scoring.scores import Scores, score
from core.text.token_files import SPLITS

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.progress import Progress
    from core.text.vocabulary import Vocabulary

INPUTS = ("vocab.json", "tokenizer", *(f"training_data_{name}.pt" for name in SPLITS))


@dataclass(frozen=True)
class History:
    """What adapters are measured on."""

    owner: str
    """Name of the adapter that was trained on it."""
    held_out: HeldOut
    of_edits: bool
    """Only edits are scored."""

    def score(self, model: PreTrainedModel, progress: Progress | None = None) -> Scores:
        """What a model gives its tokens."""
        return score(model, self.held_out.stream, self.held_out.targets, progress=progress)

    def __len__(self) -> int:
        return len(self.held_out.targets)


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


def read(
    parents: Sequence[Parent],
    outputs: Sequence[Path],
    vocabulary: Vocabulary,
    split: Literal["val", "test"],
    tokens: int,
) -> list[History]:
    """A split of each adapter's pipeline, `outputs` in the order of `parents`; at most `tokens` of each are read.

    Raises UserError where they do not belong together.
    """
    return [_read(parent, place, vocabulary, split, tokens) for parent, place in zip(parents, outputs, strict=True)]


def _read(parent: Parent, place: Path, vocabulary: Vocabulary, split: Literal["val", "test"], tokens: int) -> History:
    streams = Streams.read({name: place / name for name in INPUTS})
    info, own = read_info_and_vocabulary(parent.folder)
    if (streams.vocabulary.markers, streams.vocabulary.spelled_values()) != (own.markers, own.spelled_values()):
        raise UserError(f"{parent.name} was trained with another vocabulary than its data's", "name its own outputs")
    held_out, of_edits = _held_out(streams.written_with(vocabulary), info, split, tokens)
    return History(parent.name, held_out, of_edits)


def _held_out(streams: Streams, info: ModelInfo, split: Literal["val", "test"], tokens: int) -> tuple[HeldOut, bool]:
    given = (streams.earlier(split), streams.of(split), streams.vocabulary, info.sequence_length)
    past = streams.past_edits.before if info.sees_past_edits else None
    masked = not info.sees_history
    edits = HeldOut.of_edits(*given, tokens or None, masked=masked, past=past)
    return edits or HeldOut.of(*given, tokens or None, masked=masked), edits is not None
