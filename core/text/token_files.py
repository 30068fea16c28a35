"""tokens.pt and training_data_*.pt: tensors that are views over one flat store of token ids."""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from core.errors import UserError
from core.text import tensor_files
from core.text.tensor_files import Store, View

if TYPE_CHECKING:
    from core.text.stored_sequences import About, EarlierTokens
    from core.text.stream import Tokens

SPLITS = ("train", "val", "test")
_BLOCK = 1 << 20
WINDOW_KEYS = ("contexts", "targets", "context_masks", "target_masks")


class TokenWriter:
    """Streams sequences to disk, then writes tokens.pt from there without holding it in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._spools = [path.with_name(f"{path.name}.{kind}") for kind in ("flat", "about")]
        self._lengths = array("q")
        self._encode = msgspec.json.Encoder().encode
        self.tokens = 0
        self.text_bytes = 0
        """Bytes of text in all sequences."""
        self.empty = 0
        """Sequences without tokens."""
        self.copied = 0
        """Sequences taken from an earlier file."""

    def __enter__(self) -> TokenWriter:
        self._flat, self._about = (spool.open("wb", buffering=_BLOCK) for spool in self._spools)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file, spool in zip((self._flat, self._about), self._spools, strict=True):
            file.close()
            spool.unlink(missing_ok=True)

    @property
    def sequences(self) -> int:
        """Number of sequences written."""
        return len(self._lengths)

    def write(self, ids: Iterable[int], about: About) -> None:
        """Add one sequence with what is known of it."""
        self._add(array("i", ids).tobytes(), about)

    def copy(self, earlier: EarlierTokens, digest: str) -> None:
        """Add the sequences that an earlier file holds of a commit."""
        for ids, about in earlier.of(digest):
            self._add(ids, about)
            self.copied += 1

    def counts(self, ids: dict[str, int]) -> dict[str, int]:
        """How often each of some ids was written, by name; names without any are left out."""
        import numpy as np

        found = dict.fromkeys(ids, 0)
        for piece in self._pieces():
            often = np.bincount(np.frombuffer(piece, np.int32), minlength=max(ids.values()) + 1)
            for name, id_ in ids.items():
                found[name] += int(often[id_])
        return {name: number for name, number in found.items() if number}

    def finish(self) -> int:
        """Write tokens.pt: {"tokens": int32 views, "metadata": dicts}. Returns the number of tokens."""
        starts = itertools.accumulate(self._lengths, initial=0)
        views = (View(0, start, (length,)) for start, length in zip(starts, self._lengths, strict=False))
        stores = [Store("IntStorage", self.tokens, self._pieces)]
        tensor_files.save(self._path, {"tokens": views, "metadata": self._abouts()}, stores)
        return self.tokens

    def _add(self, ids: bytes, about: About) -> None:
        self._flat.write(ids)
        self._about.write(self._encode(about) + b"\n")
        length = len(ids) // 4
        self._lengths.append(length)
        self.tokens += length
        self.text_bytes += about.get("text_bytes", 0)
        self.empty += not length

    def _pieces(self) -> Iterator[bytes]:
        self._flat.flush()
        with self._spools[0].open("rb") as file:
            while piece := file.read(_BLOCK):
                yield piece

    def _abouts(self) -> Iterator[About]:
        self._about.flush()
        with self._spools[1].open("rb") as file:
            yield from map(msgspec.json.Decoder(dict[str, str | int]).decode, file)


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


def write_windows(path: Path, tokens: Tokens, context: int, target: int, stride: int, pad_id: int) -> None:
    """Write all (context, target) pairs of a token sequence, as strided views over one copy of it.

    The file holds "contexts" (N, context) and "targets" (N, target), int64, and their masks, bool, True for real
    tokens; "stream" is the sequence itself, on the same store. Window i starts at token i * stride; the last targets
    may be short and are padded. A sequence too short for one full context gives one window, padded on its left; a
    single token gives none.
    """
    length = len(tokens)
    left, count = _padding(length, context, target), window_count(length, context, target, stride)
    size = max((count - 1) * stride + context + target, left + length)
    after = size - left - length

    def ids() -> Iterator[bytes]:
        yield pad_id.to_bytes(8, "little") * left
        for start in range(0, length, _BLOCK):
            yield tokens[start : start + _BLOCK].astype("<i8").tobytes()
        yield pad_id.to_bytes(8, "little") * after

    def mask() -> Iterator[bytes]:
        yield bytes(left)
        for start in range(0, length, _BLOCK):
            yield b"\1" * min(_BLOCK, length - start)
        yield bytes(after)

    strides = (stride, 1)
    views = {
        "contexts": View(0, 0, (count, context), strides),
        "targets": View(0, context, (count, target), strides),
        "context_masks": View(1, 0, (count, context), strides),
        "target_masks": View(1, context, (count, target), strides),
        "stream": View(0, left, (length,)),
    }
    tensor_files.save(path, views, [Store("LongStorage", size, ids), Store("BoolStorage", size, mask)])


def window_count(length: int, context: int, target: int, stride: int) -> int:
    """How many windows `write_windows` cuts from that many tokens."""
    if not length:
        return 0
    return max(math.ceil((_padding(length, context, target) + length - context) / stride), 0)


def _padding(length: int, context: int, target: int) -> int:
    """How much is put in front of a sequence that has no full context with a target."""
    return 0 if length > context else context - max(length - target, (length + 1) // 2, 0)
