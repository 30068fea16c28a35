"""copying/copying.json: what a model may copy from its history while it writes, and how far to trust it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

FOLDER, INFO = "copying", "copying.json"
SCHEMA = "1.0"

IdBytes = Literal[2, 4]
Weight = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class SegmentInfo(msgspec.Struct, kw_only=True):
    """A file of the index, named by its number in the list, oldest first (core/scoring/segments.py has its form)."""

    tokens: Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]
    lead: Annotated[int, msgspec.Meta(ge=0, le=32)]
    """Tokens before them that the file has, too."""
    checksum: int
    """CRC-32 of the file."""


class CopyingInfo(msgspec.Struct, kw_only=True):
    """copying.json."""

    schema_version: str = SCHEMA
    model: str
    """Identity of the model that the weights are for."""
    id_bytes: IdBytes
    weights: list[list[Weight]] = []
    """Of the mix, by length of the context and by what the model itself gives the guess; empty: nothing is copied."""
    segments: list[SegmentInfo] = []
