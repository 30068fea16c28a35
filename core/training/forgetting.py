"""Does a model that is trained on forget? Old test blocks, scored before and after."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from core.evaluation.contamination import seen_runs
from core.files import write_json
from core.logs import log
from core.scoring.scores import Asked, figures, score
from core.training.earlier import TrainedOn

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary


@dataclass
class Forgetting:
    """The blocks that an earlier model was scored on, and what it needed for them."""

    blocks: list[list[int]]
    before: float
    vocabulary: Vocabulary
    masked: bool
    """Tokens see their own commit alone."""

    @classmethod
    def begin(
        cls,
        model: PreTrainedModel,
        earlier: TrainedOn | None,
        path: Path,
        vocabulary: Vocabulary,
        *,
        masked: bool,
    ) -> Forgetting | None:
        """Score the earlier model; a resumed run reads that instead. None where nothing is continued."""
        if earlier is None or not earlier.held_out:
            return None
        made = cls(earlier.held_out, 0.0, vocabulary, masked)
        if not path.exists():
            log.info("scoring the earlier model on its own test blocks")
            write_json(path, {"bits_per_byte": made.bits_per_byte(model)})
        made.before = json.loads(path.read_bytes())["bits_per_byte"]
        return made

    def end(self, model: PreTrainedModel, train: torch.Tensor) -> dict[str, Any]:
        """Old test blocks before and after, in bits per byte of text; above 0 has been forgotten.

        Boundaries may have moved, so that some of these tokens are for training now; their share is told.
        """
        after = self.bits_per_byte(model)
        log.info("old test blocks: %.3f bits per byte before, %.3f after", self.before, after)
        old = np.array([id_ for block in self.blocks for id_ in block])
        share = seen_runs(train.numpy(), old)
        figures = {"before": self.before, "after": after, "forgotten": after - self.before}
        return {**figures, "tokens": len(old), "share_for_training_now": share}

    def bits_per_byte(self, model: PreTrainedModel) -> float:
        """Of the text in the blocks."""
        stream = torch.tensor([id_ for block in self.blocks for id_ in block])
        ends = torch.tensor([0, *map(len, self.blocks)]).cumsum(0).tolist()
        blocks = list(itertools.pairwise(ends))
        asked = Asked.of(stream, blocks, self.vocabulary, max(map(len, self.blocks)), masked=self.masked)
        return float(figures(asked, score(model, stream, asked))["text_bits_per_byte"])
