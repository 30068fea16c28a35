"""Weights in .safetensors files, mapped into memory: checked by their library, then read by us, for bfloat16's sake."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.fusion.updates import Matrix
from core.records.lines import DAMAGED

MOST_HEADER_BYTES = 100_000_000
_TYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "F64": np.dtype("<f8"),
}
_HINT = "ask whoever made it for the file again"


@dataclass(frozen=True)
class Tensor:
    """Where a tensor stands in a file."""

    path: Path
    kind: str
    shape: tuple[int, ...]
    start: int

    def read(self) -> Matrix:
        """As float32, or float64 where it is stored so."""
        raw: NDArray[Any] = np.memmap(self.path, _TYPES[self.kind], "r", self.start, self.shape)
        if self.kind == "BF16":  # the upper half of a float32
            return (np.asarray(raw).astype(np.uint32) << 16).view(np.float32)
        return np.array(raw, dtype=np.float64 if self.kind == "F64" else np.float32)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """What is in a .safetensors file, checked by its library, then read by us: numpy has no bfloat16."""
    from safetensors import SafetensorError, safe_open

    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= min(MOST_HEADER_BYTES, path.stat().st_size - 8):
            raise UserError(f"{path} is damaged: its header is {length:,} bytes long", _HINT)
        try:
            header = json.loads(file.read(length))
            with safe_open(path, framework="numpy"):  # its offsets: within the file, without gaps, none twice
                pass
        except (SafetensorError, *DAMAGED) as error:
            raise UserError(f"{path} is damaged: {error}", _HINT) from None
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] not in _TYPES:
            raise UserError(f"{path}: {name} is {entry['dtype']}", "weights must be 16, 32 or 64 bit floats")
        if len(entry["shape"]) != 2:
            raise UserError(f"{path} is damaged: {name} has {len(entry['shape'])} dimensions", _HINT)
        found[name] = Tensor(path, entry["dtype"], tuple(entry["shape"]), 8 + length + entry["data_offsets"][0])
    if not found:
        raise UserError(f"{path} holds no weights", _HINT)
    return found
