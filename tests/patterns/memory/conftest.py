"""A team's memory on either database, made once a module; each test has a team of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from team_made_up import MadeTeam

from patterns.memory.team_memory import TeamMemory


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def memory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamMemory]:
    """The database."""
    location = str(tmp_path_factory.mktemp("memory"))
    if request.param == "postgresql":
        import psycopg

        location = request.getfixturevalue("postgresql")
        with psycopg.connect(location) as connection:
            connection.execute("DROP SCHEMA IF EXISTS team_memory CASCADE")
    with TeamMemory(location) as opened:
        yield opened


@pytest.fixture
def made(memory: TeamMemory) -> MadeTeam:
    """A team in it."""
    return MadeTeam(memory, memory.found(f"team {uuid.uuid4()}", "ada"))
