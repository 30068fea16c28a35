"""outputs/copying/: a history as an index of contexts, and the weights with which a model copies from it."""

from __future__ import annotations

import itertools
import mmap
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files import atomic_write, make_folder
from core.logs import log
from core.records.copying import INFO, SCHEMA, CopyingInfo, IdBytes, SegmentInfo
from core.records.json_files import read_record, write_record
from core.scoring.context_index import ContextIndex
from core.scoring.copying import MOST_TOKENS, Cache
from core.scoring.segments import CONTEXT_TOKENS, Segment

SIZES = (1 << 22, 1 << 20)
"""Tokens of a segment; what is left over makes a shorter one. Sorting takes some 50 bytes a token."""
_HINT = "make it again (python pipeline.py --stage evaluate --force), or ask without it (--no-copying)"
_READ_BYTES = 1 << 20


@dataclass
class CopyingWriter:
    """Writes the folder: the history as it is added, then how far to trust it."""

    folder: Path
    size: IdBytes
    """Bytes of an id."""
    earlier: Path | None = None
    """A folder from which segments of the same tokens are taken over."""
    index: ContextIndex = field(init=False)
    """What was added so far."""
    _segments: list[SegmentInfo] = field(default_factory=list, init=False)
    _known: tuple[Segment, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        make_folder(self.folder)
        self.index = ContextIndex(self.size)
        if self.earlier and self.earlier.exists():
            try:
                self._known = read_index(self.earlier, read_info(self.earlier)).segments
            except UserError as error:
                log.debug("no segment is taken over: %s", error.message)

    def add(self, ids: NDArray[Any]) -> None:
        """Add what comes next in the history (1-D). Of more than MOST_TOKENS ids the oldest are left out."""
        ids = ids[max(len(ids) - MOST_TOKENS, 0) // SIZES[0] * SIZES[0] :]  # whole segments, so that the others last
        for start, end in itertools.pairwise([0, *ends(len(ids))]):
            self._add(ids[start:end])

    def finish(self, model: str, cache: Cache | None) -> None:
        """Write the rest: how far to trust it (None: copy nothing), and the identity of the model that this is for."""
        weights = cache.weights.tolist() if cache else []
        info = CopyingInfo(model=model, id_bytes=self.size, weights=weights, segments=self._segments)
        write_record(self.folder / INFO, info)

    def _add(self, ids: NDArray[Any]) -> None:
        lead = self.index.last(CONTEXT_TOKENS)
        ids = np.concatenate([lead, ids])
        same = (one for one in self._known if one.lead == len(lead) and np.array_equal(one.backward, ids[::-1]))
        segment = next(same, None) or Segment.of(ids, len(lead), self.size)
        path = self.folder / _name(len(self._segments))
        with atomic_write(path) as file:
            file.write(segment.data)
        info = SegmentInfo(tokens=segment.tokens, lead=segment.lead, checksum=zlib.crc32(segment.data))
        self._segments.append(info)
        self.index = ContextIndex(self.size, (*self.index.segments, _mapped(path, info, self.size)))


def ends(length: int) -> list[int]:
    """Where the segments of a history end. Those of a longer one end in the same places, all but the last few."""
    found, at = list[int](), 0
    for size in SIZES:
        found += range(at + size, length + 1, size)
        at = found[-1] if found else 0
    return found if at == length else [*found, length]


def read_info(folder: Path) -> CopyingInfo:
    """copying.json of a folder. Raises UserError where it is missing or damaged."""
    info = read_record(folder / INFO, CopyingInfo, SCHEMA, _HINT)
    if info.weights and (len(info.weights), *{len(row) for row in info.weights}) != Cache.SHAPE:
        raise UserError(f"{folder / INFO} is damaged: its weights have another shape", _HINT)
    return info


def read_index(folder: Path, info: CopyingInfo) -> ContextIndex:
    """The history, mapped into memory. Raises UserError where a file is missing or damaged."""
    names = [_name(number) for number in range(len(info.segments))]
    made = (_mapped(folder / name, one, info.id_bytes) for name, one in zip(names, info.segments, strict=True))
    return ContextIndex(info.id_bytes, tuple(made))


def _name(number: int) -> str:
    return f"{number}.bin"


def _mapped(path: Path, info: SegmentInfo, size: int) -> Segment:
    """A segment in a file. It is read once for its checksum, which leaves no page of it in this process."""
    try:
        with path.open("rb") as file:
            checksum = 0
            while part := file.read(_READ_BYTES):
                checksum = zlib.crc32(part, checksum)
            if file.tell() != Segment.bytes_of(info.tokens, info.lead, size) or checksum != info.checksum:
                raise UserError(f"{path} is damaged", _HINT)
            return Segment(info.tokens, info.lead, size, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", _HINT) from None
