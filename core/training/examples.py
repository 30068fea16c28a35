"""What a model is trained on, one example at a time: packed blocks, context and target windows, or edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from core.errors import UserError
from core.text.edits import NO_PAST, Past, edits, shown
from core.training.loss import IGNORED

if TYPE_CHECKING:
    from datasets import Dataset as Rows

_ROWS_AT_ONCE = 1000

Example = dict[str, Tensor]
Documents = Literal["history", "commit"]
"""What a token may attend to: everything before it in its block, or only its own commit."""


class Examples(Protocol):
    """Examples by number, oldest first."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, number: int) -> Example:
        """`input_ids` and `labels`, int64 of one length; perhaps `position_ids` or `attention_mask`."""
        ...

    def tokens(self, number: int) -> int:
        """How many tokens of the example have a loss."""
        ...

    def length(self, number: int) -> int:
        """How many tokens of the example are read; of a packed block, the one that the next block repeats is not."""
        ...

    def first_tokens(self) -> NDArray[np.int64]:
        """Where each example begins in its split's stream."""
        ...


class Blocks:
    """Packed blocks of one split of dataset/, cut into pieces of at most `width` tokens; a loss on every token.

    The pieces of a block are nearly equal. Two neighbours overlap in one token, which is a target in the first and
    context in the second. With `documents` "commit", positions restart at each commit; transformers makes a mask of
    them, so that a token sees only its own commit (but not if a model caches, so nothing may).
    """

    def __init__(self, rows: Rows, width: int, documents: Documents = "history") -> None:
        import pyarrow.compute

        self.rows, self.documents = rows, documents
        lengths = np.asarray(pyarrow.compute.list_value_length(rows.data.column("input_ids")), np.int64)
        self.block = int(lengths.max())
        self.width = min(width, self.block)
        counts = np.maximum(-(-(lengths - 1) // max(self.width - 1, 1)), 1)
        self._row = np.repeat(np.arange(len(lengths)), counts)
        piece = np.arange(len(self._row)) - np.repeat(np.cumsum(counts) - counts, counts)
        targets, parts = (lengths - 1)[self._row], counts[self._row]
        self._start, self._end = piece * targets // parts, (piece + 1) * targets // parts + 1

    @classmethod
    def load(cls, folder: Path, split: str, width: int, documents: Documents = "history") -> Blocks | None:
        """The blocks of a split; None where it has none. Raises UserError where the folder cannot be read."""
        from datasets import load_from_disk

        try:
            splits = load_from_disk(str(folder))
            if split not in splits:
                return None
            splits[split].data.validate(full=True)  # Arrow ends the process where it meets damage later on
            return cls(splits[split].with_format("numpy"), width, documents)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - a folder can be wrong in every way, and so can the error
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            raise UserError(f"{folder} cannot be read: {reason}", "run the dataset_builder stage again") from None

    def belongs_to(self, stream: Tensor) -> bool:
        """Whether the tokens of every row are at its `first_token` in a stream (ids, 1-D)."""
        ids = stream.numpy()
        for start in range(0, len(self.rows), _ROWS_AT_ONCE):
            some = self.rows[start : start + _ROWS_AT_ONCE]
            for row, first in zip(some["input_ids"], some["first_token"], strict=True):
                if not np.array_equal(row, ids[int(first) : int(first) + len(row)]):
                    return False
        return True

    def __len__(self) -> int:
        return len(self._row)

    def __getitem__(self, number: int) -> Example:
        row = self.rows[int(self._row[number])]
        piece = slice(int(self._start[number]), int(self._end[number]))
        ids = torch.from_numpy(row["input_ids"][piece]).long()
        made = {"input_ids": ids, "labels": ids}
        if self.documents == "commit":
            made["position_ids"] = torch.cat([torch.arange(n) for n in row["seq_lengths"].tolist()])[piece]
        return made

    def tokens(self, number: int) -> int:
        """All but the first token, which nothing predicts."""
        return int(self._end[number] - self._start[number]) - 1

    def length(self, number: int) -> int:
        """The same: all are read."""
        return self.tokens(number)

    def first_tokens(self) -> NDArray[np.int64]:
        """Where each piece begins in its split's stream."""
        firsts: NDArray[np.int64] = np.asarray(self.rows["first_token"], np.int64)[self._row] + self._start
        return firsts


@dataclass(frozen=True)
class Windows:
    """Context and target windows with a loss on the targets only; of a long context the newest part is kept."""

    data: Mapping[str, Tensor]
    """A training_data file."""
    width: int
    """Maximum number of tokens of context and target together."""

    def __len__(self) -> int:
        return len(self.data["contexts"])

    def __getitem__(self, number: int) -> Example:
        ids = torch.cat([self.data["contexts"][number], self.data["targets"][number]])
        real = torch.cat([self.data["context_masks"][number], self.data["target_masks"][number]])
        targets = real.clone()
        targets[: self.data["contexts"].shape[1]] = False
        ids, real, targets = ids[-self.width :], real[-self.width :], targets[-self.width :]
        made = {"input_ids": ids, "labels": torch.where(targets, ids, IGNORED)}
        return made if bool(real.all()) else {**made, "attention_mask": real.long()}

    def tokens(self, number: int) -> int:
        """The real tokens of the target."""
        return int(self.data["target_masks"][number].sum())

    def length(self, number: int) -> int:
        """Tokens of context and target together."""
        return min(sum(len(self.data[name][number]) for name in ("contexts", "targets")), self.width)

    def first_tokens(self) -> NDArray[np.int64]:
        """Where each window's target begins in the split's stream, which may be padded on the left."""
        targets, left = self.data["targets"], int(self.data["stream"].storage_offset())
        return np.arange(len(targets), dtype=np.int64) * targets.stride(0) + int(targets.storage_offset()) - left


class Edits:
    """The edits of a stream (ids, 1-D), each behind what is known before it, with a loss on the edit alone."""

    def __init__(self, stream: Tensor, markers: Mapping[str, int], width: int, past: Past | None = None) -> None:
        self._ids, self._width, self._past = stream.numpy(), width, past
        self._edits = edits(self._ids, markers)

    def __len__(self) -> int:
        return len(self._edits)

    def __getitem__(self, number: int) -> Example:
        before, (first, last) = self._shown(number)
        ids = torch.from_numpy(np.concatenate([before, self._ids[first:last].astype(np.int64)]))
        labels = ids.clone()
        labels[: len(before)] = IGNORED
        return {"input_ids": ids, "labels": labels}

    def tokens(self, number: int) -> int:
        """Tokens of the edit."""
        _, (first, last) = shown(self._ids, self._edits[number], self._width)
        return last - first

    def length(self, number: int) -> int:
        """Tokens of the edit and of what is shown before it."""
        known, (first, last) = self._shown(number)
        return len(known) + last - first

    def first_tokens(self) -> NDArray[np.int64]:
        """Where each edit begins in its split's stream."""
        return np.array([edit.hunks[0] for edit in self._edits], np.int64)

    def _shown(self, number: int) -> tuple[NDArray[np.int64], tuple[int, int]]:
        edit = self._edits[number]
        past = self._past(edit.hunks[0]) if self._past else NO_PAST
        return shown(self._ids, edit, self._width, past)


class Chosen(Dataset[Example]):
    """Examples in the order of a plan."""

    def __init__(self, examples: Examples, order: Sequence[int]) -> None:
        self.examples, self.order = examples, order

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> Example:
        return self.examples[self.order[place]]


@dataclass(frozen=True)
class Collator:
    """Makes batches; shorter examples are padded on the right with tokens that have no loss."""

    pad_id: int

    def __call__(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Each field as (batch, longest) int64."""
        length = max(len(example["input_ids"]) for example in examples)
        fill = {"input_ids": self.pad_id, "labels": IGNORED, "position_ids": 0, "attention_mask": 0}
        names = {name for example in examples for name in example}
        return {
            name: torch.stack([_filled(example, name, length, fill[name]) for example in examples]) for name in names
        }


def _filled(example: Example, name: str, length: int, fill: int) -> Tensor:
    ids = example["input_ids"]
    whole = torch.ones_like(ids) if name == "attention_mask" else torch.arange(len(ids))
    value = example.get(name, whole)
    return torch.nn.functional.pad(value, (0, length - len(ids)), value=fill)
