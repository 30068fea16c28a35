"""tokens.pt and training_data_*.pt: tensors that are views over one flat store of token ids."""

from __future__ import annotations

import math
import pickle
from array import array
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from core.errors import UserError

if TYPE_CHECKING:
    import torch

SPLITS = ("train", "val", "test")
WINDOW_KEYS = ("contexts", "targets", "context_masks", "target_masks")


class TokenWriter:
    """Streams sequences of ids to disk, then writes tokens.pt from that file without holding it in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._flat_path = path.with_name(path.name + ".flat")
        self._lengths: list[int] = []
        self._metadata: list[dict[str, Any]] = []

    def __enter__(self) -> TokenWriter:
        self._flat = self._flat_path.open("wb", buffering=1 << 20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._flat.close()
        self._flat_path.unlink(missing_ok=True)

    def write(self, ids: Iterable[int], about: dict[str, Any]) -> None:
        """Add one sequence with what describes it."""
        values = array("i", ids)
        self._flat.write(values.tobytes())
        self._lengths.append(len(values))
        self._metadata.append(about)

    def finish(self) -> int:
        """Write tokens.pt: {"tokens": int32 views, "metadata": dicts}. Returns the number of tokens."""
        import torch

        self._flat.flush()
        total = sum(self._lengths)
        flat = torch.from_file(str(self._flat_path), size=total, dtype=torch.int32)
        save(self._path, {"tokens": list(torch.split(flat, self._lengths)), "metadata": self._metadata})
        return total


def save(path: Path, value: dict[str, Any]) -> None:
    """torch.save through a Python file, so that a full disk is an OSError with its errno."""
    import torch

    with path.open("wb") as file:
        torch.save(value, file)


def load(path: Path, keys: Iterable[str]) -> dict[str, Any]:
    """Map a .pt file of ours into memory. Raises UserError where it is damaged or holds something else."""
    import torch

    try:
        data = torch.load(path, mmap=True, weights_only=True)
    except (RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise UserError(f"{path} cannot be read: {' '.join(str(error).split())[:200]}", "make it again") from None
    if not isinstance(data, dict) or set(keys) - data.keys():
        raise UserError(f"{path} does not hold {', '.join(keys)}", "make it again")
    return data


def windows(tokens: torch.Tensor, context: int, target: int, stride: int, pad_id: int) -> dict[str, torch.Tensor]:
    """All (context, target) pairs of a token sequence, as strided views over one copy of it.

    `tokens` is 1-D; the result holds "contexts" (N, context) and "targets" (N, target), int64, and
    their masks, bool, True for real tokens; "stream" is the sequence itself, on the same store.
    Window i starts at token i * stride; the last targets may be short and are padded. A sequence
    too short for one full context gives one window, padded on its left; a single token gives none.
    """
    import torch

    length = len(tokens)
    left = 0
    if length <= context:
        left = context - max(length - target, (length + 1) // 2, 0)
    count = max(math.ceil((left + length - context) / stride), 0) if length else 0
    size = max((count - 1) * stride + context + target, left + length)
    store = torch.full((size,), pad_id, dtype=torch.int64)
    store[left : left + length] = tokens
    mask = torch.zeros(size, dtype=torch.bool)
    mask[left : left + length] = True
    shape, strides = (count, context), (stride, 1)
    return {
        "contexts": store.as_strided(shape, strides),
        "targets": store.as_strided((count, target), strides, context),
        "context_masks": mask.as_strided(shape, strides),
        "target_masks": mask.as_strided((count, target), strides, context),
        "stream": store[left : left + length],
    }
