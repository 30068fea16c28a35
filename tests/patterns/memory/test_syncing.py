"""Offline first: what is done here reaches the server once, and what others do comes here, whatever is interrupted."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from team_made_up import MadeTeam, convention, new

from core.errors import StageError, UserError
from core.history.messages import Pseudonyms
from patterns.memory import syncing
from patterns.memory.local import LocalMemory
from patterns.memory.operations import Add, Convene, Delete, Operation, Restore, Unvote, Vote
from patterns.memory.reading import Wanted


class DiedError(BaseException):
    """The process is killed; nothing catches this."""


@dataclass
class Server:
    """What a server does, without HTTP; it dies, or rather its client does, at some moments."""

    made: MadeTeam
    member: str
    url: str = "http://server"
    dies_at: set[int] = field(default_factory=set)
    moment: int = 0

    def _passes(self) -> None:
        self.moment += 1
        if self.moment in self.dies_at:
            raise DiedError

    def whoami(self) -> dict[str, Any]:
        who = self.made.of(self.member).identity
        return {"team_id": who.team_id, "member": who.member, "role": who.role}

    def push(self, operations: list[Operation]) -> list[dict[str, Any]]:
        self._passes()  # before it is sent
        team = self.made.of(self.member)
        outcomes = team.apply(operations)
        self._passes()  # done, but the answer is lost
        rows = team.reading.some({one.id for one in outcomes})
        return [{**one.model_dump(), "pattern": rows.get(one.id)} for one in outcomes]

    def pull(self, cursor: str, limit: int) -> dict[str, Any]:
        self._passes()
        return self.made.of(self.member).reading.news(cursor, limit)._asdict()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalMemory]:
    opened = LocalMemory(tmp_path / "mine")
    yield opened
    opened.close()


def rows(team: Any) -> dict[str, dict[str, Any]]:
    """All patterns by their UUIDs, without what differs from machine to machine."""
    found = team.reading.page(Wanted(include_deleted=True), 100).patterns
    return {row["id"]: {key: value for key, value in row.items() if key not in ("seq", "my_vote")} for row in found}


def test_what_is_done_here_is_here_at_once_and_there_after_a_push(made: MadeTeam, local: LocalMemory) -> None:
    theirs = made.add("moe", new(1))[0].id
    server = Server(made, "mia")
    syncing.pull(local, server)
    outcomes = local.do(
        [Add(pattern=new(2)), Vote(id=theirs, helpful=True), Add(pattern=new(2)), Vote(id="x", helpful=True)]
    )
    assert [one.status for one in outcomes] == ["added", "done", "unchanged", "refused"]
    assert local.waiting() == 2
    assert local.team.reading.one(theirs)["up"] == 1
    assert len(rows(made.of("rob"))) == 1
    done = syncing.push(local, server)
    assert (done.delivered, done.refused, local.waiting()) == (2, [], 0)
    assert rows(local.team) == rows(made.of("rob"))
    assert made.of("mia").reading.one(theirs)["my_vote"] is True
    assert made.of("mia").reading.one(outcomes[0].id)["created_by"] == "mia"


def test_what_others_do_comes_here_with_deletions(made: MadeTeam, local: LocalMemory) -> None:
    outcomes = made.add("moe", *map(new, range(7)))
    server = Server(made, "mia")
    assert syncing.pull(local, server).read == 7
    made.of("moe").apply([Delete(id=outcomes[0].id)])
    made.vote("max", outcomes[1].id, True)
    made.add("max", new(2, commit="c" * 40))
    done = syncing.pull(local, server)
    assert (done.read, done.was_full) == (3, False)
    assert rows(local.team) == rows(made.of("rob"))
    made.of("max").apply([Restore(id=outcomes[0].id)])
    syncing.pull(local, server)
    assert rows(local.team) == rows(made.of("rob"))
    assert syncing.pull(local, server).read == 0


def test_what_waits_lies_on_top_of_what_is_read(made: MadeTeam, local: LocalMemory) -> None:
    theirs = made.add("moe", new(1))[0].id
    server = Server(made, "mia")
    syncing.pull(local, server)
    local.do([Vote(id=theirs, helpful=False)])
    made.vote("max", theirs, True)
    syncing.pull(local, server)
    shown = local.team.reading.one(theirs)
    assert (shown["up"], shown["down"], shown["my_vote"]) == (1, 1, False)
    syncing.sync(local, server)
    assert rows(local.team) == rows(made.of("rob"))


@pytest.mark.parametrize("moment", range(1, 21))
def test_killed_at_any_moment_each_operation_is_done_once(
    made: MadeTeam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """Three operations a request; the client dies before, while, and after the server works, and before it notes so."""
    monkeypatch.setattr(syncing, "AT_ONCE", 3)
    monkeypatch.setattr(syncing, "ROWS", 2)
    theirs = [one.id for one in made.add("moe", *map(new, range(4)))]
    server = Server(made, "mia", dies_at={moment})
    first = LocalMemory(tmp_path)
    syncing.pull(first, Server(made, "mia"))
    first.do([Add(pattern=new(10 + number)) for number in range(5)])
    first.do([Vote(id=one, helpful=True) for one in theirs])
    first.do([Vote(id=theirs[0], helpful=False), Unvote(id=theirs[1]), Vote(id=theirs[1], helpful=True)])
    delivered = first.outbox.__class__.delivered

    def dies_too(self: Any, connection: Any, uids: Any) -> None:
        server._passes()  # the answer is here, and not noted
        delivered(self, connection, uids)
        server._passes()  # noted, and not committed

    monkeypatch.setattr(first.outbox.__class__, "delivered", dies_too)
    with pytest.raises(DiedError):
        syncing.sync(first, server)
    monkeypatch.undo()
    again = LocalMemory(tmp_path)
    syncing.sync(again, Server(made, "mia"))
    assert again.waiting() == 0
    assert rows(again.team) == rows(made.of("rob"))
    stats = made.of("ada").reading.stats()
    assert (stats["patterns"], stats["votes"]) == (9, {"up": 3, "down": 1})
    scope = made.of("ada").scope
    with made.memory.database.read() as connection:
        assert scope.count(connection, "feedback_events") == 7
        assert scope.count(connection, "occurrences") == 9
    assert made.of("ada").check() == []
    for opened in (first, again):
        opened.close()


def test_an_old_cursor_reads_everything_again(
    made: MadeTeam, local: LocalMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "ROWS", 2)
    outcomes = made.add("moe", *map(new, range(6)))
    server = Server(made, "mia")
    syncing.pull(local, server)
    made.of("moe").apply([Delete(id=outcomes[0].id), Delete(id=outcomes[1].id)])
    made.of("ada").purge(-1)
    local.do([Add(pattern=new(20)), Vote(id=outcomes[1].id, helpful=True)])
    dying = Server(made, "mia", dies_at={3})
    with pytest.raises(DiedError):
        syncing.pull(local, dying)
    done = syncing.pull(local, server)
    assert (done.was_full, done.removed) == (True, 1)
    assert outcomes[0].id not in rows(local.team)
    done = syncing.push(local, server)
    assert (done.delivered, len(done.refused)) == (2, 1)
    assert syncing.pull(local, server).read == 1


def test_the_server_has_the_last_word(made: MadeTeam, local: LocalMemory) -> None:
    theirs = made.add("moe", new(1))[0].id
    server = Server(made, "mia")
    local.do([Add(pattern=new(3))])  # as whoever it is, before the server has told the role
    syncing.pull(local, server)
    assert local.team.identity.role == "member"
    assert local.do([Delete(id=theirs)])[0].code == "not_allowed"
    assert local.do([Vote(id=theirs, helpful=True)])[0].status == "done"
    made.of("max").apply([Delete(id=theirs)])
    made.add("max", new(3))
    made.of("max").apply([Delete(id=made.add("max", new(3))[0].id)])
    done = syncing.push(local, server)
    assert len(done.refused) == 2
    assert all("deleted" in reason for reason in done.refused)
    assert rows(local.team) == rows(made.of("rob"))


def test_a_memory_is_of_one_member_of_one_team(made: MadeTeam, local: LocalMemory) -> None:
    syncing.pull(local, Server(made, "mia"))
    other = MadeTeam(made.memory, made.memory.found(f"other {uuid.uuid4()}", "ada"))
    for server in (Server(made, "moe"), Server(other, "mia")):
        with pytest.raises(UserError, match="this memory is of mia"):
            syncing.pull(local, server)


def test_credentials_and_addresses_stay_out_of_the_file(tmp_path: Path) -> None:
    secret = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5"
    local = LocalMemory(tmp_path, pseudonyms=Pseudonyms(b"salt"))
    message = f"Fix it with {secret}\n\nSigned-off-by: Ada <ada@example.org>"
    local.do([Add(pattern=new(after_code=f'key = "{secret}"', commit_msg=message))])
    (row,) = rows(local.team).values()
    local.close()
    assert row["author"].endswith("@redacted.invalid>")
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"<SECRET:github>" in written
    assert secret.encode() not in written
    assert b"ada@example.org" not in written


def test_an_operation_and_its_delivery_are_written_together(
    local: LocalMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise DiedError

    monkeypatch.setattr(local.outbox, "add", dies)
    with pytest.raises(DiedError):
        local.do([Add(pattern=new(1))])
    assert rows(local.team) == {}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda news: {},
        lambda news: {**news, "cursor": 1, "patterns": [{}]},
        lambda news: {**news, "patterns": [{**news["patterns"][0], "up": "many"}]},
        lambda news: {**news, "patterns": [{**news["patterns"][0], "occurrences": None}]},
    ],
)
def test_a_server_that_answers_otherwise_changes_nothing(
    made: MadeTeam, local: LocalMemory, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    made.add("moe", new(1))

    class Odd(Server):
        def pull(self, cursor: str, limit: int) -> dict[str, Any]:
            return spoil(super().pull(cursor, limit))

    with pytest.raises(StageError):
        syncing.pull(local, Odd(made, "mia"))
    assert rows(local.team) == {}
    assert syncing.pull(local, Server(made, "mia")).read == 1


def test_conventions_go_both_ways(made: MadeTeam, local: LocalMemory) -> None:
    made.of("moe").apply([Convene(template=convention(1))])
    local.do([Convene(template=convention(2))])
    syncing.sync(local, Server(made, "mia"))
    for team in (local.team, made.of("rob")):
        assert {one["template_id"][-1] for one in team.reading.conventions("a.py", 5)} == {"1", "2"}
    assert local.waiting() == 0


def test_a_row_of_a_later_version_is_read(made: MadeTeam, local: LocalMemory) -> None:
    made.add("moe", new(1))

    class Later(Server):
        def pull(self, cursor: str, limit: int) -> dict[str, Any]:
            news = super().pull(cursor, limit)
            return {**news, "patterns": [{**row, "colour": "blue"} for row in news["patterns"]]}

    assert syncing.pull(local, Later(made, "mia")).read == 1


def test_the_outbox_is_cut_into_bodies(made: MadeTeam, local: LocalMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "MOST_BYTES", 5_000)
    local.do([Add(pattern=new(number, commit_msg="x" * 2_000)) for number in range(5)])
    local.do([Add(pattern=new(9, commit_msg="x" * 8_000))])
    sizes = []

    class Counting(Server):
        def push(self, operations: list[Operation]) -> list[dict[str, Any]]:
            sizes.append(len(operations))
            return super().push(operations)

    syncing.push(local, Counting(made, "mia"))
    assert sum(sizes) == 6
    assert sizes[-1] == 1
    assert max(sizes) < 5


def test_the_file_is_sound_afterwards(made: MadeTeam, tmp_path: Path) -> None:
    local = LocalMemory(tmp_path)
    local.do([Add(pattern=new(number)) for number in range(3)])
    made.add("moe", *map(new, range(2, 6)))
    syncing.sync(local, Server(made, "mia"))
    local.close()
    with sqlite3.connect(tmp_path / "team_memory.db") as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
