"""The token streams of the splits."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.ranking.past_edits import PastEdits
from core.text.stream import commit_starts
from core.text.token_files import SPLITS, load
from core.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch

_COMMITS_AT_ONCE = 256


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

    def written_with(self, vocabulary: Vocabulary) -> Streams:
        """The same texts in the tokens of another vocabulary: values that it does not know are spelled out."""
        known = (self.vocabulary.markers, self.vocabulary.spelled_values())
        if known == (vocabulary.markers, vocabulary.spelled_values()):
            return self
        splits = (self.train, self.val, self.test)
        train, val, test = (_written_with(one, self.vocabulary, vocabulary) for one in splits)
        return Streams(train, val, test, vocabulary)

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


def _written_with(stream: torch.Tensor, before: Vocabulary, after: Vocabulary) -> torch.Tensor:
    import torch

    ids = stream.numpy()
    starts = [0, *(place for place in commit_starts(ids, before.markers).tolist() if place), len(ids)]
    made: list[torch.Tensor] = []
    for first in range(0, len(starts) - 1, _COMMITS_AT_ONCE):
        bounds = itertools.pairwise(starts[first : first + _COMMITS_AT_ONCE + 1])
        commits = before.all_pieces([ids[start:end].tolist() for start, end in bounds])
        made += [torch.tensor(one, dtype=torch.int64) for one in after.encode(commits)]
    return torch.cat(made)
