"""What a model was trained on before: where new history begins, what to replay, what it may forget.

A model folder keeps digests of its training stream, run by run, and the blocks of the test split that it was last
scored on. After a refresh the stream is compared with the digests: as far as they agree, it was trained
on. The kept blocks are scored before and after, so forgetting is measured on the very same tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files import write_json
from core.training.examples import Examples

FILE = "trained_on.json"
RUN_TOKENS = 4096
HELD_OUT_TOKENS = 16_384
"""Tokens of the test split that are kept to measure forgetting."""


@dataclass(frozen=True)
class TrainedOn:
    """What a model folder says of its training data."""

    tokens: int
    digests: list[str]
    """Of each run of RUN_TOKENS tokens of the training stream, the last one shorter."""
    held_out: list[list[int]]
    """Blocks of the test split of that time."""

    @classmethod
    def of(cls, train: NDArray[Any], held_out: Sequence[NDArray[Any]]) -> TrainedOn:
        """`train` is the training stream, `held_out` are blocks of the test stream; ids, 1-D."""
        return cls(len(train), _digests(train), [block.tolist() for block in held_out])

    @classmethod
    def read(cls, folder: Path) -> TrainedOn:
        """What stands in a model folder. Raises UserError where that is none, or an older one."""
        try:
            found = json.loads((folder / FILE).read_bytes())
            return cls(found["tokens"], found["digests"], found["held_out"])
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(
                f"{folder} does not say what it was trained on ({FILE})", "train it anew, without continue_from"
            ) from None

    def write(self, folder: Path) -> None:
        """Put it into a model folder."""
        about = {"tokens": self.tokens, "run_tokens": RUN_TOKENS, "digests": self.digests, "held_out": self.held_out}
        write_json(folder / FILE, {"schema_version": "1.0", **about})

    def known_tokens(self, train: NDArray[Any]) -> int:
        """How many tokens at the beginning of a training stream are those of then."""
        whole = _digests(train[: self.tokens])
        same = next((n for n, (a, b) in enumerate(zip(whole, self.digests, strict=False)) if a != b), None)
        if same is None:
            same = min(len(whole), len(self.digests))
        return min(same * RUN_TOKENS, self.tokens, len(train))


def seen_examples(examples: Examples, known_tokens: int) -> list[int]:
    """Numbers of the examples that lie in the first `known_tokens` of their stream. Raises UserError if all do."""
    firsts = examples.first_tokens()
    seen = np.flatnonzero(firsts < known_tokens).tolist()
    if len(seen) == len(firsts):
        raise UserError(
            "the training split holds nothing that the model has not been trained on",
            "new commits are for the test while boundaries are kept: set dataset_builder.keep_boundaries: false and "
            "run that stage with --force",
        )
    return seen


def _digests(ids: NDArray[Any]) -> list[str]:
    runs = (ids[start : start + RUN_TOKENS] for start in range(0, len(ids), RUN_TOKENS))
    return [hashlib.blake2b(np.ascontiguousarray(run, np.int32).tobytes(), digest_size=8).hexdigest() for run in runs]
