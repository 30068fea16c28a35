"""The validation sample of a training, token by token: with a model, with copying beside it, with a longer context."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.scoring.copying import Cache, Guesses, guesses
from core.scoring.scores import Ints, Scores, Targets, bits_per_byte, score
from core.text.edits import added
from core.training.examples import Blocks

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from core.training.data import TrainingData


@dataclass(frozen=True)
class Bits:
    """What one way of predicting needs for a byte of the sample's text."""

    alone: float
    copying: float | None
    """With copying from everything earlier beside it; None where that cannot be measured fairly."""


@dataclass(frozen=True)
class Sample:
    """The tokens that the validation of a training scores, and what copying guesses in their places."""

    stream: torch.Tensor
    """The validation split (ids, 1-D)."""
    targets: Targets
    guessed: Guesses

    @classmethod
    def of(cls, data: TrainingData, width: int, most_tokens: int) -> Sample:
        """The sample of a training in this width. Raises UserError where there is no text to score."""
        chosen = data.validation(width, most_tokens)
        if chosen is None:
            raise UserError(
                "the validation split is empty, so nothing shows what a training brings",
                "choose a repository with more history, or a larger dataset_builder.val_ratio",
            )
        firsts = chosen.examples.first_tokens()
        blocks, contexts = list[tuple[int, int]](), list[NDArray[np.int64]]()
        for number in chosen.order:
            example, tokens = chosen.examples[number], chosen.examples.tokens(number)
            ids = example["input_ids"][example["attention_mask"].bool()] if "attention_mask" in example else None
            ids = example["input_ids"] if ids is None else ids
            first = max(int(firsts[number]), 0) + isinstance(chosen.examples, Blocks)
            first, tokens = (first, tokens) if first else (1, tokens - 1)  # nothing stands before the very first token
            blocks.append((first - 1, first + tokens))
            contexts.append(ids[: max(len(ids) - tokens - 1, 0)].numpy())
        targets = Targets.of(
            data.val,
            blocks,
            data.vocabulary,
            masked=data.documents == "commit" and data.objective == "blocks",
            contexts=contexts if any(map(len, contexts)) else (),
            counted=added(data.val.numpy(), data.vocabulary.markers) if data.objective == "edits" else None,
        )
        if not targets.text_bytes.sum():
            raise UserError("the validation sample holds no text", "raise model_training.validation_tokens")
        guessed = guesses(data.train.numpy(), data.val.numpy(), targets.positions)
        return cls(data.val, targets, guessed)

    @property
    def ids(self) -> NDArray[Any]:
        """The tokens that are to be predicted."""
        found: NDArray[Any] = self.stream.numpy()[self.targets.positions]
        return found

    @property
    def nats_per_bit(self) -> float:
        """What turns bits a byte into nats a token, the loss of a training, on this sample."""
        return math.log(2) * int(self.targets.text_bytes.sum()) / len(self.targets)

    def bits(self, model: PreTrainedModel) -> Bits:
        """What a model needs."""
        scores = score(model, self.stream, self.targets, candidates=self.guessed.ids)
        mixed = mixed_apart(self.guessed, scores, self.ids, self._halves())
        return Bits(
            bits_per_byte(scores.nats, self.targets),
            bits_per_byte(mixed.nats, self.targets) if mixed else None,
        )

    def bits_in_context(self, model: PreTrainedModel, width: int) -> float | None:
        """What a model needs that sees `width` more tokens before each block; None where it cannot.

        Edits and windows have their context already.
        """
        reach = getattr(model.config.get_text_config(), "max_position_embeddings", math.inf)
        if self.targets.contexts or 2 * width > reach:
            return None
        before = [self.stream[max(start - width, 0) : start].numpy() for start, _ in self.targets.blocks]
        return bits_per_byte(score(model, self.stream, replace(self.targets, contexts=before)).nats, self.targets)

    def _halves(self) -> NDArray[np.bool_]:
        """For each target whether it is in one half of the blocks: every other one."""
        return np.repeat(np.arange(len(self.targets.blocks)) % 2 == 1, _lengths(self.targets.blocks))


def mixed_apart(guessed: Guesses, model: Scores, ids: NDArray[Any], half: NDArray[np.bool_]) -> Scores | None:
    """A model mixed with copying, each half of the tokens by weights learned on the other half; None without two."""
    if half.all() or not half.any():
        return None
    nats = np.empty(len(ids))
    for here in (half, ~half):
        cache = Cache.learn(_part(guessed, ~here), _some(model, ~here), ids[~here])
        nats[here] = cache.mix(_part(guessed, here), _some(model, here), ids[here]).nats
    return Scores(nats)


def _part(guessed: Guesses, chosen: NDArray[np.bool_]) -> Guesses:
    return Guesses(guessed.ids[chosen], guessed.orders[chosen])


def _some(scores: Scores, chosen: NDArray[np.bool_]) -> Scores:
    assert scores.candidate_nats is not None
    return Scores(scores.nats[chosen], candidate_nats=scores.candidate_nats[chosen])


def _lengths(blocks: Sequence[tuple[int, int]]) -> Ints:
    return np.array([end - start - 1 for start, end in blocks], np.int64)
