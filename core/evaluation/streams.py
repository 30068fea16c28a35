"""The token streams of the splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.ranking.past_edits import PastEdits
from core.text.token_files import SPLITS, load
from core.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch


@dataclass
class Streams:
    """The splits as ids, 1-D, and their vocabulary."""

    train: torch.Tensor
    val: torch.Tensor
    test: torch.Tensor
    vocabulary: Vocabulary

    @classmethod
    def read(cls, inputs: Mapping[str, Path]) -> Streams:
        """From the training data and the vocabulary. Raises UserError where a file is damaged."""
        vocabulary = Vocabulary.load(inputs["vocab.json"], inputs["tokenizer"])
        train, val, test = (load(inputs[f"training_data_{name}.pt"], ["stream"])["stream"] for name in SPLITS)
        return cls(train, val, test, vocabulary)

    @cached_property
    def past_edits(self) -> PastEdits:
        """The edits of all splits as one stream."""
        return PastEdits.of([one.numpy() for one in (self.train, self.val, self.test)], self.vocabulary)

    def earlier(self, split: str) -> list[torch.Tensor]:
        """The splits before one of the held-out ones."""
        return [self.train] if split == "val" else [self.train, self.val]

    def of(self, split: str) -> torch.Tensor:
        """One of the held-out splits: "val" or "test"."""
        return self.val if split == "val" else self.test
