"""Files of evidence: named by their contents, bounded, without credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from stores.engine.database import Database
from thoughts.artifacts import Artifacts
from thoughts.kind import Artifact, Cost
from thoughts.queue import Queue


@pytest.fixture
def artifacts(database: Database, tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "artifacts", database, most_bytes=100)


def keep(artifacts: Artifacts, database: Database, number: int, **files: bytes) -> dict[str, str]:
    """Keep files of a new run."""
    queue = Queue(database, "w")
    with database.write() as connection:
        queue.add(connection, "r1", "walk", {"number": number}, Cost(cpu_s=1, seconds=1))
    job = queue.claim("r1", ["walk"])
    assert job
    kept: dict[str, str] = {}

    def write(connection: Any) -> None:
        kept.update(artifacts.keep(connection, job.run_id, [Artifact(*one) for one in files.items()], float(number)))
        if "kept" in files:
            row = dict.fromkeys(("kind", "title", "command", "log"), "") | {
                "repository": "r1",
                "run_id": job.run_id,
            }
            insights = database.table("insights")
            connection.execute(sa.insert(insights).values(**row, digest="d", statements=[], state="kept", at=0.0))

    assert queue.finish(job, Cost(), "", write)
    return kept


def test_the_oldest_go_first_but_not_what_is_to_be_kept(artifacts: Artifacts, database: Database) -> None:
    first = keep(artifacts, database, 1, kept=b"a" * 40)
    second = keep(artifacts, database, 2, log=b"b" * 40)
    third = keep(artifacts, database, 3, log=b"c" * 40)
    assert artifacts.read(second["log"]) is None
    assert artifacts.read(first["kept"]) == b"a" * 40
    assert artifacts.read(third["log"]) == b"c" * 40
    last = keep(artifacts, database, 4, log=b"d" * 300)
    assert artifacts.read(last["log"]) == b"d" * 300
    assert artifacts.read(third["log"]) is None


def test_one_content_is_kept_once_and_a_changed_file_is_none(artifacts: Artifacts, database: Database) -> None:
    first = keep(artifacts, database, 1, log=b"same", other=b"same")
    assert first["log"] == first["other"]
    assert artifacts.path(first["log"]).read_bytes() == b"same"
    artifacts.path(first["log"]).write_bytes(b"changed")
    assert artifacts.read(first["log"]) is None
    keep(artifacts, database, 2, log=b"same")
    assert artifacts.read(first["log"]) == b"same"


def test_credentials_are_masked_and_bytes_are_left_alone(artifacts: Artifacts, database: Database) -> None:
    kept = keep(artifacts, database, 1, log=b"token = 'ghp_" + b"a1B2" * 9 + b"'", binary=b"\xff\x00")
    assert b"ghp_" not in (artifacts.read(kept["log"]) or b"ghp_")
    assert artifacts.read(kept["binary"]) == b"\xff\x00"
