"""What a model was trained on before: where new history begins, what to replay, what it may forget.

A model folder keeps digests of its training stream, section by section, and the blocks of the test split that it was
last scored on. After a refresh the stream is compared with the digests: as far as they agree, it was trained on. The
kept blocks are scored before and after, so forgetting is measured on the very same tokens.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.config import expand
from core.errors import UserError
from core.files import write_json
from core.logs import log
from core.models import model_folder
from core.records.lines import DAMAGED
from core.scoring.blocks import spread_blocks
from core.training.checkpoints import LAST
from core.training.examples import Examples

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary

FILE = "trained_on.json"
SECTION_TOKENS = 4096
HELD_OUT_TOKENS = 16_384
"""Tokens of the test split that are kept to measure forgetting."""


@dataclass(frozen=True)
class TrainedOn:
    """trained_on.json: what a model was trained on."""

    tokens: int
    digests: list[str]
    """One for each section of SECTION_TOKENS tokens of the training stream; the last section may be shorter."""
    held_out: list[list[int]]
    """Blocks of the test split of that time."""

    @classmethod
    def of(cls, train: NDArray[Any], test: NDArray[Any], width: int) -> TrainedOn:
        """From the training and test streams (ids, 1-D); the blocks are `width` tokens wide."""
        blocks = spread_blocks(len(test), width, HELD_OUT_TOKENS)
        return cls(len(train), _digests(train), [test[start:end].tolist() for start, end in blocks])

    @classmethod
    def read(cls, folder: Path) -> TrainedOn:
        """The record in a model folder. Raises UserError where the folder has none, or an older one."""
        try:
            found = json.loads((folder / FILE).read_bytes())
            return cls(found["tokens"], found["digests"], found["held_out"])
        except (OSError, *DAMAGED, KeyError, TypeError):
            raise UserError(
                f"{folder} does not record what it was trained on ({FILE})",
                "train from scratch, without continue_from",
            ) from None

    def write(self, folder: Path) -> None:
        """Put the record into a model folder."""
        values = {"tokens": self.tokens, "run_tokens": SECTION_TOKENS, "digests": self.digests}
        write_json(folder / FILE, {"schema_version": "1.0", **values, "held_out": self.held_out})

    def known_tokens(self, train: NDArray[Any]) -> int:
        """How many tokens at the beginning of a training stream (ids, 1-D) are still the same."""
        whole = _digests(train[: self.tokens])
        same = next((n for n, (a, b) in enumerate(zip(whole, self.digests, strict=False)) if a != b), None)
        if same is None:
            same = min(len(whole), len(self.digests))
        return min(same * SECTION_TOKENS, self.tokens, len(train))


def continued(model: PreTrainedModel, vocabulary: Vocabulary, continue_from: str, last: Path) -> TrainedOn | None:
    """Give a new adapter the weights of an earlier model; returns what that was trained on.

    `continue_from` names its folder. None for "", and for "last" where the folder `last` holds no model yet. Raises
    UserError where the earlier model does not fit.
    """
    from core.training.adapter import load_weights

    if not continue_from:
        return None
    if continue_from == LAST and not (last / model_folder.INFO).exists():
        log.info("no earlier model to continue: training starts from scratch")
        return None
    folder = last if continue_from == LAST else expand(continue_from)
    info = model_folder.read_info(folder)
    if (info.markers, info.values) != (vocabulary.markers, vocabulary.spelled_values()):
        raise UserError(f"{folder} was trained with another vocabulary", "train from scratch, without continue_from")
    load_weights(model, folder)
    return TrainedOn.read(folder)


def seen_examples(examples: Examples, known_tokens: int) -> list[int]:
    """Numbers of the examples that begin in the first `known_tokens` of their stream. Raises UserError if all do."""
    firsts = examples.first_tokens()
    seen = np.flatnonzero(firsts < known_tokens).tolist()
    if len(seen) == len(firsts):
        raise UserError(
            "the model has been trained on the whole training split already",
            "while boundaries are kept, new commits go to the test split: set dataset_builder.keep_boundaries: false "
            "and run that stage with --force",
        )
    return seen


def _digests(ids: NDArray[Any]) -> list[str]:
    sections = (ids[start : start + SECTION_TOKENS] for start in range(0, len(ids), SECTION_TOKENS))
    return [
        hashlib.blake2b(np.ascontiguousarray(section, np.int32).tobytes(), digest_size=8).hexdigest()
        for section in sections
    ]
