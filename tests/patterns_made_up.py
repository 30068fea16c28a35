"""Chunks and patterns that no repository has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from core.records.chunks import NO_COMMIT, Chunk
from core.records.patterns import Evidence, Pattern, Survival, Template


def chunk(patch: str, **fields: Any) -> Chunk:
    """A chunk of Python code with this patch."""
    defaults: dict[str, Any] = {
        "chunk_id": "c_0", "commit_hash": "c", "file_path": "src/a.py", "file_type": "py", "language": "python",
        "change_type": "refactor", "change_category": "M", "symbol_kind": "function", "module_path": "a",
        "old_code": "", "new_code": "", "additions": 0, "deletions": 0, "commit_metadata": NO_COMMIT,
    }  # fmt: skip
    return Chunk(patch=patch, **{**defaults, **fields})


def pattern(**fields: Any) -> Pattern:
    """A repair of `Session.close` with a test, which stands to this day."""
    defaults: dict[str, Any] = {
        "pattern_id": "0123456789abcdef",
        "problem_type": "bug_fix",
        "before_code": "def close(self):\n    self.socket.close()\n",
        "after_code": "def close(self):\n    if self.socket:\n        self.socket.close()\n",
        "commit_msg": "Close a session that was never opened\n\nFixes #12",
        "author": "Ann",
        "date": "2024-01-02T03:04:05Z",
        "confidence": 0.8,
        "repository": "root:abc",
        "commit": "c" * 40,
        "chunk_id": "c_0",
        "file_path": "src/session.py",
        "language": "python",
        "symbol": "Session.close",
        "signature": "def close(self)",
        "change_kind": "guard_fix",
        "solution_hash": "a" * 64,
        "shape_hash": "b" * 64,
        "with_test": True,
        "test_files": ["tests/test_session.py"],
        "closes": ["#12"],
        "survival": Survival(born="c" * 40, until="d" * 40, days=400.0, lines=2, alive=2),
        "evidence": [Evidence(commit="c" * 40, path="src/session.py", old_path="src/session.py")],
    }
    return Pattern(**{**defaults, **fields})


def template(**fields: Any) -> Template:
    """What became of `self.assertEqual(x, 1)`."""
    defaults: dict[str, Any] = {
        "template_id": "fedcba9876543210",
        "repository": "root:abc",
        "language": "python",
        "before": "self . assertEqual ( v0 , s0 )",
        "after": "assert v0 == s0",
        "steps": 4,
        "authors": 2,
        "share": 0.9,
        "fired": 3,
        "right": 3,
        "confidence": 0.47,
        "first_seen": "c" * 40,
        "last_seen": "d" * 40,
        "last_seen_at": "2024-01-01T00:00:00Z",
        "paths": ["tests/test_a.py"],
    }
    return Template(**{**defaults, **fields})


def write(path: Path, records: Iterable[Pattern | Template]) -> Path:
    """A file of such records."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in records))
    return path
