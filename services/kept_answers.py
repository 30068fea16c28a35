"""Answers that were given, and what people said of them: one small SQLite file a repository, in the cache folder."""

from __future__ import annotations

import json
import secrets
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from index.database import Database, checked, name_of, with_checksum

VERSION = 1
"""Of what the file holds; a file of another version is made again."""
MOST_ANSWERS = 2_000
"""Older ones are forgotten."""
MOST_RATED = 10_000
"""Answers that somebody said something of are kept longer."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time REAL NOT NULL, data BLOB NOT NULL,
    useful INTEGER, comment TEXT NOT NULL DEFAULT ''
);
"""
_INDEXES = (  # without them, each answer that is kept reads all others
    "CREATE INDEX IF NOT EXISTS unrated ON answers (number) WHERE useful IS NULL",
    "CREATE INDEX IF NOT EXISTS rated ON answers (number) WHERE useful IS NOT NULL",
)
_FORGET = """
DELETE FROM answers WHERE useful IS {null} AND number <= (
    SELECT number FROM answers WHERE useful IS {null} ORDER BY number DESC LIMIT 1 OFFSET {most}
)
"""


class KeptAnswers:
    """The answers about the repository at `git_dir`. For one thread at a time; several processes may share the file.

    Raises StageError where it cannot be used.
    """

    def __init__(self, git_dir: Path, cache_dir: Path) -> None:
        path = cache_dir / "index" / f"{name_of(git_dir)}.answers.db"
        self._database = Database(path, VERSION, _SCHEMA)
        with self._database.writing():  # a file of an earlier version of the program has none
            for line in _INDEXES:
                self._database.execute(line)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def keep(self, answer: Mapping[str, Any]) -> str:
        """Keep an answer; the id that it is asked for by, which nobody can guess."""
        answer_id = f"ans_{secrets.token_hex(12)}"
        data = with_checksum(zlib.compress(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")))
        with self._database.writing():
            self._database.execute(
                "INSERT INTO answers (id, time, data) VALUES (?, ?, ?)", [answer_id, time.time(), data]
            )
            for null, most in (("NULL", MOST_ANSWERS), ("NOT NULL", MOST_RATED)):
                self._database.execute(_FORGET.format(null=null, most=most))
        return answer_id

    def find(self, answer_id: str) -> dict[str, Any] | None:
        """An answer with its `answer_id`, and what was said of it: `useful`, `comment`; None where there is none."""
        with self._database.problems():
            row = self._database.execute(
                "SELECT data, useful, comment FROM answers WHERE id = ?", [answer_id]
            ).fetchone()
            if row is None:
                return None
            found: dict[str, Any] = json.loads(zlib.decompress(checked(row[0])))
        return {**found, "answer_id": answer_id, "useful": None if row[1] is None else bool(row[1]), "comment": row[2]}

    def rate(self, answer_id: str, *, useful: bool, comment: str) -> bool:
        """Note whether an answer helped; the last word counts. False where there is no such answer."""
        with self._database.writing():
            changed = self._database.execute(
                "UPDATE answers SET useful = ?, comment = ? WHERE id = ?", [useful, comment, answer_id]
            )
        return changed.rowcount == 1
