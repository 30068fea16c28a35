"""A team behind the service, for the tests of its pages."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from team_made_up import MadeTeam

from patterns.memory.team_memory import TeamMemory
from services.app import make_app
from services.http.limits import Limits
from tests.services.team_site import PLENTY, Site


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamMemory]:
    with TeamMemory(tmp_path_factory.mktemp("memory")) as opened:
        yield opened


@pytest.fixture(scope="module")
def app(memory: TeamMemory) -> FastAPI:
    return make_app({}, Limits(), team=memory, rates=PLENTY)


@pytest.fixture
def site(app: FastAPI, memory: TeamMemory) -> Site:
    return Site(app, MadeTeam(memory, memory.found(f"team {uuid.uuid4()}", "ada")))
