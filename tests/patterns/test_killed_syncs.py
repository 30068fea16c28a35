"""Members' machines that are killed between the outbox and the server's answer: nothing is lost, nothing done twice."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import Program, wait_for
from team_made_up import MadeTeam, new
from warm_start import Running

from patterns.memory.local import LocalMemory
from patterns.memory.operations import Add, Operation, Unvote, Vote
from patterns.memory.reading import Wanted
from patterns.memory.team_memory import TeamMemory

KILLS, AT_ONCE = 20, 3
SERVING = """
import sys
from patterns.__main__ import main
sys.stderr = sys.stdout  # which says the port
main()
"""
SYNCING = f"""
from patterns.__main__ import main
from patterns.memory import syncing
syncing.AT_ONCE = syncing.ROWS = {AT_ONCE}
main()
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeTeam]:
    with TeamMemory(tmp_path / "server") as memory:
        yield MadeTeam(memory, memory.found("shop", "ada"))


@pytest.fixture
def server(made: MadeTeam, tmp_path: Path) -> Iterator[str]:
    """The URL of the team's server, a process of its own."""
    program = Program(tmp_path)
    running = program.start("-c", SERVING, "serve", "--database", "server", "--port", "0", GITLORE_API_KEY="")
    try:
        wait_for(lambda: "listening on" in running.printed() or running.poll() is not None)
        (url,) = re.findall(r"listening on (http://\S+)", running.printed())
        yield url
        assert running.poll() is None
    finally:
        running.kill_all()
        running.communicate()


def syncing(folder: Path, url: str, key: str) -> Running:
    words = ("sync", "--remote", url, "--memory", "mine", "--cache-dir", "cache")
    return Program(folder).start("-c", SYNCING, *words, GITLORE_TEAM_KEY=key)


def a_round(number: int, theirs: list[str]) -> list[Operation]:
    """Six patterns and six changed votes, which end as no vote."""
    about, found = theirs[number % len(theirs)], list[Operation]()
    for at in range(0, 6, 3):
        found += [Add(pattern=new(100 + number * 6 + at + more)) for more in range(3)]
        found += [Vote(id=about, helpful=True), Vote(id=about, helpful=False), Unvote(id=about)]
    return found


def wait_until_left(database: Path, most: int, process: Running) -> None:
    """Wait until at most so much is left in an outbox, or the process has ended."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as outside:
        count = "SELECT count(*) FROM outbox"
        wait_for(lambda: outside.execute(count).fetchone()[0] <= most or process.poll() is not None)


@pytest.mark.slow
def test_twenty_kills_between_outbox_and_server(made: MadeTeam, server: str, tmp_path: Path) -> None:
    """Each kill falls when so much of the outbox is delivered, and a few milliseconds more."""
    chance = random.Random(1)
    theirs = [one.id for one in made.add("moe", *map(new, range(4)))]
    mine, killed = LocalMemory(tmp_path / "mine"), list[bool]()
    assert syncing(tmp_path, server, made.key("mia")).communicate(120)[1] == ""
    for number in range(KILLS):
        assert {one.status for one in mine.do(a_round(number, theirs))} == {"added", "done"}
        process = syncing(tmp_path, server, made.key("mia"))  # a key a round: none asks too often
        wait_until_left(tmp_path / "mine" / "team_memory.db", mine.waiting() * number // KILLS, process)
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.communicate(120)
        killed.append(process.returncode == -9)
    assert any(killed)
    out, err = syncing(tmp_path, server, made.key("mia")).communicate(120)
    assert (err, mine.waiting()) == ("", 0)
    assert ", 0 refused, " in out
    team = made.of("ada")
    with made.memory.database.read() as connection:
        counts = {
            name: team.scope.count(connection, name, team.scope.column(name, "member") == "mia")
            for name in ("feedback_events", "occurrences", "pattern_feedback")
        }
    assert counts == {"feedback_events": 6 * KILLS, "occurrences": 6 * KILLS, "pattern_feedback": 0}
    assert team.check() == mine.team.check() == []
    wanted = Wanted(include_deleted=True)
    pages = [of.reading.page(wanted, 500).patterns for of in (team, mine.team)]
    here, there = ({row["id"]: (row["up"], row["down"], row["occurrence_count"]) for row in page} for page in pages)
    assert here == there
    assert len(here) == 4 + 6 * KILLS
    mine.close()
