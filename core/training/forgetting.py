"""Does a model forget what it is trained on? Its old test blocks, scored before and after."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.files import write_json
from core.logs import log
from core.records.training import Forgetting
from core.scoring.ngrams import share_seen
from core.scoring.scores import Targets, bits_per_byte, score
from core.training.earlier import TrainedOn

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary

_BEFORE = "held_out_before.json"


@dataclass
class OldTestBlocks:
    """The test blocks that an earlier model was scored on, and the bits per byte that it needed for them."""

    blocks: list[list[int]]
    before: float
    vocabulary: Vocabulary
    masked: bool
    """Tokens see their own commit only."""

    @classmethod
    def scored(
        cls,
        model: PreTrainedModel,
        earlier: TrainedOn | None,
        logs: Path,
        vocabulary: Vocabulary,
        *,
        masked: bool,
    ) -> OldTestBlocks | None:
        """Score the earlier model; a resumed run reads the score from `logs`. None where nothing is continued."""
        if earlier is None or not earlier.held_out:
            return None
        made, path = cls(earlier.held_out, 0.0, vocabulary, masked), logs / _BEFORE
        if not path.exists():
            log.info("scoring the earlier model on its own test blocks")
            write_json(path, {"bits_per_byte": made.bits_per_byte(model)})
        made.before = json.loads(path.read_bytes())["bits_per_byte"]
        return made

    def compared(self, model: PreTrainedModel, train: torch.Tensor) -> Forgetting:
        """The same blocks after training. `train` (ids, 1-D) may hold some of them by now: boundaries move."""
        after = self.bits_per_byte(model)
        log.info("old test blocks: %.3f bits per byte before, %.3f after", self.before, after)
        old = np.array([id_ for block in self.blocks for id_ in block])
        return Forgetting(
            before=self.before,
            after=after,
            forgotten=after - self.before,
            tokens=len(old),
            share_for_training_now=share_seen(train.numpy(), old),
        )

    def bits_per_byte(self, model: PreTrainedModel) -> float:
        """Bits for the text in the blocks."""
        stream = torch.tensor([id_ for block in self.blocks for id_ in block])
        ends = torch.tensor([0, *map(len, self.blocks)]).cumsum(0).tolist()
        blocks = list(itertools.pairwise(ends))
        targets = Targets.of(stream, blocks, self.vocabulary, masked=self.masked)
        return bits_per_byte(score(model, stream, targets).nats[targets.text], targets)
