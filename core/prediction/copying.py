"""Copying from the history while a model writes: its expectations are mixed with what followed the last time.

The rule and the weights are those of the evaluation (core/scoring/copying.py), which leaves them beside the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.logs import log
from core.records.copying import FOLDER, INFO
from core.scoring.context_index import ContextIndex, Copier
from core.scoring.copying import Cache
from core.scoring.copying_folder import read_index, read_info

if TYPE_CHECKING:
    import torch

    from core.models.model_folder import ModelInfo


@dataclass(frozen=True)
class Copying:
    """What a model may copy from: a history, at whose end it writes, and how far to trust it."""

    index: ContextIndex
    cache: Cache

    def behind(self, ids: Sequence[int]) -> Copying:
        """With more of the history."""
        return Copying(self.index.extended(np.array(ids, np.int64)), self.cache)

    def mix(self, ids: Sequence[int]) -> Mix:
        """For a text that goes on where the history ends, and begins with these ids."""
        return Mix(self.index.copier(ids), self.cache)


@dataclass
class Mix:
    """What a model expects next in a text, mixed with what would be copied there."""

    copier: Copier
    cache: Cache

    def read(self, ids: Sequence[int]) -> None:
        """What comes next in the text."""
        for id_ in ids:
            self.copier.read(id_)

    def of(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits (vocabulary,), with -inf for what must not come, of w * [guess] + (1 - w) * p(model)."""
        guess, order = self.copier.guess()
        if not 0 <= guess < len(logits) or math.isinf(own := float(logits[guess])):
            return logits
        norm = float(logits.logsumexp(dim=-1))
        weight = self.cache.weight(order, math.exp(own - norm))
        if weight > 0:  # all others keep their logits, so the guess alone gets another one
            logits = logits.clone()
            logits[guess] = np.logaddexp(own, norm + math.log(weight) - math.log1p(-weight))
        return logits


def copying_of(folder: Path, model: ModelInfo) -> Copying | None:
    """What evaluate left beside the folder of a model; None where it has not measured this very model.

    Raises UserError where it is damaged.
    """
    place = folder.resolve().parent / FOLDER
    if not (place / INFO).exists():
        log.info("sketches copy nothing from the history, since the model was not measured: run evaluate")
        return None
    info = read_info(place)
    if info.model != model.identity:
        log.info("sketches copy nothing from the history, since %s is about another model: run evaluate", place)
        return None
    if not info.weights:
        log.info("sketches copy nothing from the history: evaluate.cache is off")
        return None
    return Copying(read_index(place, info), Cache(np.array(info.weights)))
