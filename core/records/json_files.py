"""Files that hold one record as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from core.errors import UserError
from core.files import write_json
from core.records.lines import DAMAGED

RecordT = TypeVar("RecordT", bound=msgspec.Struct)


def read_record(path: Path, kind: type[RecordT], version: str, hint: str) -> RecordT:
    """The record in a file; a field that the file lacks gets its default.

    Raises UserError with `hint` where the file is missing, damaged, or of another major schema than `version`.
    """
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())  # not msgspec, which refuses json's Infinity
        json.dumps(values, ensure_ascii=False).encode()  # json lets halves of characters through
        found = str(values.get("schema_version", version))
        if found.split(".", maxsplit=1)[0] == version.split(".", maxsplit=1)[0]:
            return msgspec.convert(values, kind)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", hint) from None
    except (*DAMAGED, AttributeError) as error:
        raise UserError(f"{path} is damaged: {error}", hint) from None
    raise UserError(f"{path} has schema version {found}, this program reads {version}", hint)


def write_record(path: Path, record: msgspec.Struct) -> None:
    """Write a record as indented JSON, whole or not at all."""
    write_json(path, msgspec.to_builtins(record))
