"""Chunks and patterns that no repository has."""

from __future__ import annotations

from typing import Any

from core.records.chunks import NO_COMMIT, Chunk


def chunk(patch: str, **fields: Any) -> Chunk:
    """A chunk of Python code with this patch."""
    defaults: dict[str, Any] = {
        "chunk_id": "c_0", "commit_hash": "c", "file_path": "src/a.py", "file_type": "py", "language": "python",
        "change_type": "refactor", "change_category": "M", "symbol_kind": "function", "module_path": "a",
        "old_code": "", "new_code": "", "additions": 0, "deletions": 0, "commit_metadata": NO_COMMIT,
    }  # fmt: skip
    return Chunk(patch=patch, **{**defaults, **fields})
