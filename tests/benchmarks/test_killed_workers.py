"""Workers are killed at random moments, on either database, and each job is done once."""

from __future__ import annotations

import re

import pytest
from builders import Program, Repo


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_job_is_done_once_whoever_is_killed_when(
    request: pytest.FixtureRequest, forked: Repo, program: Program, kind: str
) -> None:
    place = []
    if kind == "postgresql":
        import psycopg

        url = request.getfixturevalue("postgresql")
        with psycopg.connect(url) as connection:
            connection.execute("DROP SCHEMA IF EXISTS study CASCADE")
        place = ["--database", url]
    counts = ("--jobs", "4", "--kills", "8", "--pause", "0.6")
    done = program.run("-m", "benchmarks.killed_workers", str(forked.path), *counts, *place)
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(r"(\d+) workers were killed; 8 jobs; runs: \{.*'done': 8.*\}\n", done.stdout)
    assert found, done.stdout
    assert int(found[1]) >= 3
