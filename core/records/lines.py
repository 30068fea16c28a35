"""Files with one record a line: decoded with the place of a mistake, refused where the version is another."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from core.errors import UserError
from core.records import SCHEMA_VERSION

RecordT = TypeVar("RecordT")
DAMAGED = (ValueError, RecursionError)
"""What decoding raises of text that is no record: msgspec's errors, of bytes that are not UTF-8, of endless nesting."""


class _Versioned(msgspec.Struct):
    schema_version: str = "0"


def check_version(path: Path, line: bytes, stage: str) -> None:
    try:
        version = msgspec.json.decode(line, type=_Versioned).schema_version
    except DAMAGED as error:
        raise UserError(f"{path}, line 1: {error}", f"make it again: python pipeline.py --stage {stage}") from None
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise UserError(
            f"{path} has schema version {version}, this program reads {SCHEMA_VERSION}",
            f"make it again: python pipeline.py --stage {stage} --force",
        )


def decode(decoder: msgspec.json.Decoder[RecordT], line: bytes, path: Path, number: int) -> RecordT:
    try:
        return decoder.decode(line)
    except DAMAGED as error:
        raise UserError(f"{path}, line {number}: {error}", "the file is damaged; make it again") from None
