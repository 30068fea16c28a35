"""Killed at any moment, the active adapter is a whole file: on both databases, with processes that really die."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
import uuid
from pathlib import Path

import pytest
from adapters_made_up import BETTER, archived, fused, in_parts
from builders import Program, wait_for

from patterns.memory.team_memory import Team, TeamMemory

KILLS = 20
WAIT_S = 600.0
"""For a process to begin, on a machine that has much else to do."""
WORKING = """
import itertools, json, os, sys, time
from pathlib import Path
from adapters_made_up import archived, in_parts
from patterns.adapters import archive
from patterns.memory.team_memory import TeamMemory

figures = Path("made/fusion.json")
report = json.loads(figures.read_text())

def work():
    memory = TeamMemory(sys.argv[1], adapters=Path("adapters"))
    adapters = memory.team(memory.admin(sys.argv[2])).adapters
    for number in itertools.count():
        figures.write_text(json.dumps(report | {"notes": [f"{os.getpid()} {number}"]}))
        row, _ = adapters.add(in_parts(archived(Path("made"))), "click")
        adapters.activate(row["id"])
        if number == 0:
            print("working", os.getpid(), flush=True)
        if number % 3 == 2:
            adapters.rollback()

for number in range(int(sys.argv[3])):
    while not Path(f"go-{number}").exists():
        time.sleep(0.01)
    if (child := os.fork()) == 0:
        work()
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database, beside which there is a folder of adapters."""
    return str(tmp_path / "team" if request.param == "sqlite" else request.getfixturevalue("postgresql"))


def check(team: Team, folder: Path) -> None:
    """Every version has its file, so each active one has, too."""
    rows = team.adapters.page(100_000)["adapters"]
    for row in rows:
        path = folder / f"{row['id']}.tar"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["id"]
    active = {row["id"] for row in team.adapters.active().values()}
    assert active == {row["id"] for row in rows if row["active"]}
    assert len(active) <= 1


@pytest.mark.slow
def test_twenty_kills_leave_the_active_adapter_whole(tmp_path: Path, adapter: Path, location: str) -> None:
    random.seed(4)
    name, left_over = f"team {uuid.uuid4()}", 0
    fused(adapter, tmp_path / "made", 1, BETTER)
    with TeamMemory(location, adapters=tmp_path / "adapters") as memory:
        team = memory.team(memory.found(name, "ada"))
        folder = tmp_path / "adapters" / team.identity.team_id
        process = Program(tmp_path).start("-c", WORKING, location, name, str(KILLS))

        def printed(what: str) -> list[str]:
            assert process.poll() is None, process.communicate()
            return [line for line in process.printed().splitlines() if line.startswith(what)]

        try:
            for kill in range(KILLS):
                (tmp_path / f"go-{kill}").touch()
                wait_for(lambda kill=kill: len(printed("working")) > kill, WAIT_S)
                time.sleep(random.uniform(0, 0.3))
                os.kill(int(printed("working")[-1].split()[1]), signal.SIGKILL)
                wait_for(lambda kill=kill: process.poll() is not None or len(printed("dead")) > kill, WAIT_S)
                check(team, folder)
                left_over += len(list(folder.glob(".received-*")))
        finally:
            process.kill_all()
        process.communicate()
        actions = [line["action"] for line in team.reading.audit(100)[0]]
        assert actions.count("adapter.activate") >= KILLS
        assert left_over  # some were killed while they received
        fused(adapter, tmp_path / "last", 2, BETTER)
        team.adapters.add(in_parts(archived(tmp_path / "last")), "click")
        files = {path.stem for path in folder.glob("*.tar")}
        assert files == {row["id"] for row in team.adapters.page(100_000)["adapters"]}
