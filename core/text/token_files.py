"""tokens.pt and training_data_*.pt: tensors that are views over one flat store of token ids."""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from core.errors import UserError

if TYPE_CHECKING:
    import torch

SPLITS = ("train", "val", "test")
_BLOCK = 1 << 22
WINDOW_KEYS = ("contexts", "targets", "context_masks", "target_masks")


class TokenWriter:
    """Streams sequences of ids to disk, then writes tokens.pt from that file without holding it in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._flat_path = path.with_name(path.name + ".flat")
        self._lengths: list[int] = []
        self._known: dict[str, str] = {}
        self.metadata: list[dict[str, Any]] = []
        self.tokens = 0
        self.empty = 0
        """Sequences without tokens."""
        self.copied = 0
        """Sequences taken from an earlier file."""

    def __enter__(self) -> TokenWriter:
        self._flat = self._flat_path.open("wb", buffering=1 << 20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._flat.close()
        self._flat_path.unlink(missing_ok=True)

    @property
    def sequences(self) -> int:
        """Number of sequences written."""
        return len(self._lengths)

    def write(self, ids: Iterable[int], metadata: dict[str, Any]) -> None:
        """Add one sequence with what describes it."""
        self._add(array("i", ids), metadata)

    def copy(self, earlier: EarlierTokens, digest: str) -> None:
        """Add the sequences that an earlier file holds of a commit."""
        first, last = earlier.places[digest]
        for number in range(first, last):
            self._add(array("i", earlier.tokens[number].numpy().tobytes()), earlier.metadata[number])
        self.copied += last - first

    def counts(self, ids: dict[str, int]) -> dict[str, int]:
        """How often each of some ids was written, by name; names without any are left out."""
        import numpy as np

        self._flat.flush()
        found = dict.fromkeys(ids, 0)
        for start in range(0, self.tokens, _BLOCK):
            block = np.fromfile(self._flat_path, np.int32, min(_BLOCK, self.tokens - start), offset=4 * start)
            for name, id_ in ids.items():
                found[name] += int(np.count_nonzero(block == id_))
        return {name: number for name, number in found.items() if number}

    def finish(self) -> int:
        """Write tokens.pt: {"tokens": int32 views, "metadata": dicts}. Returns the number of tokens."""
        import torch

        self._flat.flush()
        flat = torch.from_file(str(self._flat_path), size=self.tokens, dtype=torch.int32)
        save(self._path, {"tokens": list(torch.split(flat, self._lengths)), "metadata": self.metadata})
        return self.tokens

    def _add(self, ids: array[int], metadata: dict[str, Any]) -> None:
        self._flat.write(ids.tobytes())
        self._lengths.append(len(ids))
        self.tokens += len(ids)
        self.empty += not ids
        # Equal texts are one object: paths, hashes and times recur, and a pickle writes each object once.
        one = self._known.setdefault
        self.metadata.append(
            {one(key, key): one(value, value) if type(value) is str else value for key, value in metadata.items()}
        )


class EarlierTokens:
    """The sequences of an earlier tokens.pt, found by the digest of their commit's chunks."""

    def __init__(self, path: Path) -> None:
        """Raises UserError if the file is damaged, or not a tokens.pt."""
        self.tokens, self.metadata = load_sequences(path)
        self.places: dict[str, tuple[int, int]] = {}
        first = 0
        for digest, group in itertools.groupby(self.metadata, key=lambda metadata: metadata.get("digest", "")):
            last = first + sum(1 for _ in group)
            self.places[digest] = first, last
            first = last
        self.places.pop("", None)


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
    except (FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a pickle can be wrong in every way, and so can the error
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise UserError(f"{path} cannot be read: {reason}", "make it again") from None
    if not isinstance(data, dict) or set(keys) - data.keys():
        raise UserError(f"{path} does not hold {', '.join(keys)}", "make it again")
    return data


def load_sequences(path: Path) -> tuple[list[torch.Tensor], list[dict[str, Any]]]:
    """The sequences of a tokens.pt (int32, 1-D, one behind the other in one store) and what is known of each.

    Raises UserError where the file is damaged or holds something else.
    """
    import torch

    data = load(path, ("tokens", "metadata"))
    tokens, metadata = data["tokens"], data["metadata"]
    damaged = UserError(f"{path} is damaged", "run tokenizer again")
    if not (isinstance(tokens, list) and isinstance(metadata, list) and len(tokens) == len(metadata)):
        raise damaged
    if not all(isinstance(one, torch.Tensor) and one.dtype == torch.int32 and one.dim() == 1 for one in tokens):
        raise damaged
    if tokens and (
        tokens[-1].storage_offset() + len(tokens[-1]) != sum(map(len, tokens)) or tokens[0].storage_offset()
    ):
        raise damaged
    names = ("commit_hash", "timestamp", "digest")
    if not all(isinstance(one, dict) and all(type(one.get(name, "")) is str for name in names) for one in metadata):
        raise damaged
    return tokens, metadata


def windows(tokens: torch.Tensor, context: int, target: int, stride: int, pad_id: int) -> dict[str, torch.Tensor]:
    """All (context, target) pairs of a token sequence, as strided views over one copy of it.

    `tokens` is 1-D; the result holds "contexts" (N, context) and "targets" (N, target), int64, and
    their masks, bool, True for real tokens; "stream" is the sequence itself, on the same store.
    Window i starts at token i * stride; the last targets may be short and are padded. A sequence
    too short for one full context gives one window, padded on its left; a single token gives none.
    """
    import torch

    length = len(tokens)
    left, count = _padding(length, context, target), window_count(length, context, target, stride)
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


def window_count(length: int, context: int, target: int, stride: int) -> int:
    """How many windows `windows` cuts from that many tokens."""
    if not length:
        return 0
    return max(math.ceil((_padding(length, context, target) + length - context) / stride), 0)


def _padding(length: int, context: int, target: int) -> int:
    """How much is put in front of a sequence that has no full context with a target."""
    return 0 if length > context else context - max(length - target, (length + 1) // 2, 0)
