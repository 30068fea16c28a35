"""Who asks: by the service's own key, by a member's, or by the cookie that either was given for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from team_made_up import MadeTeam

from patterns.memory.team_memory import TeamMemory
from services.http.sessions import COOKIE, MOST_SESSIONS, Sessions, Visitor


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeTeam]:
    with TeamMemory(tmp_path) as memory:
        yield MadeTeam(memory, memory.found("one", "ada"))


def by_cookie(sessions: Sessions, cookie: str) -> Visitor | None:
    return sessions.who({b"cookie": f"{COOKIE}={cookie}".encode()})


def test_a_member_signs_in_until_the_key_is_revoked(made: MadeTeam) -> None:
    sessions, key = Sessions("own", made.memory), made.key("mia")
    cookie = sessions.begin(key.encode())
    visitor = by_cookie(sessions, cookie)
    assert visitor is not None
    assert visitor.identity is not None
    assert (visitor.identity.member, visitor.identity.role) == ("mia", "member")
    assert key[13:] not in cookie
    made.of("ada").people.revoke_key(key[4:12])
    assert by_cookie(sessions, cookie) is None
    assert sessions.begin(key.encode()) == ""


def test_a_cookie_is_of_one_key_and_of_one_start(made: MadeTeam) -> None:
    sessions, mia, ada = Sessions("", made.memory), made.key("mia"), made.key("ada")
    mine, theirs = sessions.begin(mia.encode()), sessions.begin(ada.encode())
    signature = mine.partition(".")[2]
    for forged in (f"{ada[4:12]}.{signature}", f".{signature}", f"{mia[4:12]}.", ".", "", theirs[:-1], "ü.x"):
        assert by_cookie(sessions, forged) is None
    assert by_cookie(Sessions("", made.memory), mine) is None


def test_a_session_ends_without_those_beside_it(made: MadeTeam) -> None:
    sessions, mia = Sessions("own", made.memory), made.key("mia").encode()
    first, second, own = sessions.begin(mia), sessions.begin(mia), sessions.begin(b"own")
    sessions.end(first)
    assert by_cookie(sessions, first) is None
    for wrong in ("", ".", "x", f"{first[:8]}.", second[:-1]):
        sessions.end(wrong)
    assert by_cookie(sessions, second)
    assert by_cookie(sessions, own)
    sessions.end(second)
    assert by_cookie(sessions, second) is None


def test_a_key_has_only_so_many_sessions_and_ends_none_of_another(made: MadeTeam) -> None:
    sessions, mia, ada = Sessions("", made.memory), made.key("mia").encode(), made.key("ada").encode()
    theirs = sessions.begin(ada)
    mine = [sessions.begin(mia) for _ in range(MOST_SESSIONS + 1)]
    assert by_cookie(sessions, mine[0]) is None
    assert all(by_cookie(sessions, one) for one in (theirs, *mine[1:]))


def test_the_services_own_key_is_an_admins(made: MadeTeam) -> None:
    sessions = Sessions("own", made.memory)
    for visitor in (sessions.who({b"x-api-key": b"own"}), by_cookie(sessions, sessions.begin(b"own"))):
        assert visitor is not None
        assert visitor.identity == made.admin
    assert sessions.who({b"x-api-key": b""}) is None
    assert sessions.begin(b"wrong") == ""


def test_without_a_team_a_key_admits_and_names_nobody() -> None:
    sessions = Sessions("own")
    assert sessions.who({b"x-api-key": b"own"}) == Visitor(None)
    assert by_cookie(sessions, sessions.begin(b"own")) == Visitor(None, signed_in=True)
    assert sessions.who({}) is None
    assert Sessions("").who({}) == Visitor(None)


def test_a_team_without_a_key_of_the_services_own_asks_for_one(made: MadeTeam) -> None:
    assert Sessions("", made.memory).are_needed
    assert Sessions("", made.memory).who({}) is None
