"""Finished outputs take their places together: a journal makes several renames one step.

A kill before the journal is written leaves the last good outputs; a kill after it is made good
by `recover` on the next start, which finishes the renames.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.files import files_in, remove, write_json

HIDDEN = ".gitlore"


def staging_path(destination: Path, token: str) -> Path:
    """Where an output is written before it is published: on the same file system as its place."""
    return destination.parent / HIDDEN / "staging" / token / destination.name


def publish(home: Path, moves: Sequence[tuple[Path, Path]], record_path: Path, record: Mapping[str, Any]) -> None:
    """Move each (staged, place) pair and write `record`, all or nothing even across a kill.

    What is staged must have been through `flush`.
    """
    pairs = [[str(staged.resolve()), str(place.resolve())] for staged, place in moves]
    write_json(_journal(home), {"moves": pairs, "record_path": str(record_path.resolve()), "record": record})
    recover(home)


def flush(paths: Iterable[Path]) -> None:
    """Wait until these files and folders are on the disk."""
    for path in paths:
        for file in files_in(path):
            with file.open("rb") as handle:
                os.fsync(handle.fileno())


def recover(home: Path) -> bool:
    """Finish a publication that was cut off; True if there was one."""
    try:
        journal = json.loads(_journal(home).read_bytes())
        moves = [(Path(a), Path(b)) for a, b in journal["moves"]]
        record_path, record = Path(journal["record_path"]), journal["record"]
    except FileNotFoundError:
        return False
    except (ValueError, RecursionError, TypeError, LookupError):
        raise UserError(f"{_journal(home)} is damaged", "delete it; what it was about is made again") from None
    for staged, place in moves:
        if staged.exists():
            if place.exists() and (place.is_dir() or staged.is_dir()):
                # A folder cannot be replaced in one step; the journal covers the gap.
                place.replace(staged.with_name(staged.name + ".old"))
            staged.replace(place)
    write_json(record_path, record)
    _journal(home).unlink()
    return True


def pending(home: Path) -> bool:
    """True between the decision to publish and its end: staged files must then stay where they are."""
    return _journal(home).exists()


def clean(*folders: Path) -> None:
    """Remove what killed runs left in staging; call it with the lock held."""
    for folder in folders:
        remove(folder / HIDDEN / "staging")


def _journal(home: Path) -> Path:
    return home / HIDDEN / "publishing.json"
