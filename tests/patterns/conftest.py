"""A team of its own for each test, on either database."""

from __future__ import annotations

import uuid

import pytest
from team_made_up import MadeTeam

from patterns.memory.team_memory import TeamMemory


@pytest.fixture
def made(team_memory: TeamMemory) -> MadeTeam:
    """The team."""
    return MadeTeam(team_memory, team_memory.found(f"team {uuid.uuid4()}", "ada"))
