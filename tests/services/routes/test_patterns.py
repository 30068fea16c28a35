"""The team's memory over HTTP: the routes, who may use them, and that no team sees another's rows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from team_made_up import ROLES_OF, MadeTeam, new

from patterns.memory.team_memory import TeamMemory
from services.app import make_app
from services.http.limits import Limits
from services.http.rates import Rate, Rates

PLENTY = Rates({"read": Rate(1e6, 1e6), "write": Rate(1e6, 1e6)})
GITHUB = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5"
BODY = {"problem_type": "bug_fix", "before_code": "return a / b", "after_code": "return a / b if b else 0"}


@dataclass(frozen=True)
class Server:
    """A service with a team in it."""

    app: FastAPI
    made: MadeTeam
    keys: dict[str, str]

    @contextlib.asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        headers = {"X-API-Key": self.keys.get(name, name)}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as it:
            yield it

    def ask(self, name: str, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer to one request of a member's."""
        return self.all(name, lambda client: client.request(method, path, **more))

    def all(self, name: str, work: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
        async def inside() -> Any:
            async with self.client(name) as client:
                return await work(client)

        return asyncio.run(inside())


@pytest.fixture(scope="module")
def app(team_memory: TeamMemory) -> FastAPI:
    return make_app({}, Limits(), team=team_memory, rates=PLENTY)


@pytest.fixture
def server(app: FastAPI, team_memory: TeamMemory) -> Server:
    made = MadeTeam(team_memory, team_memory.found(f"team {uuid.uuid4()}", "ada"))
    return Server(app, made, {name: made.key(name) for name in ROLES_OF})


def added(server: Server, name: str = "mia", **values: Any) -> str:
    answer = server.ask(name, "POST", "/patterns", json={**BODY, **values})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_pattern_comes_back_as_it_was_added_in_either_spelling(server: Server) -> None:
    first = server.ask("mia", "POST", "/patterns", json={**BODY, "commit": "a1", "author": "ada", "confidence": 0.5})
    other = {"problem_type": "bug_fix", "code_before": BODY["before_code"], "code_after": BODY["after_code"]}
    again = server.ask("moe", "POST", "/patterns", json={**other, "commit": "b2"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    shown = server.ask("rob", "GET", f"/patterns/{first.json()['id']}").json()
    assert (shown["code_before"], shown["code_after"]) == (BODY["before_code"], BODY["after_code"])
    assert (shown["created_by"], shown["author"], shown["confidence"], shown["commit"]) == ("mia", "ada", 0.5, "a1")
    assert [one["commit"] for one in shown["occurrences"]] == ["a1", "b2"]


def test_a_list_has_the_shape_of_the_original_design_and_a_cursor(server: Server) -> None:
    server.made.add("mia", *map(new, range(5)))
    answer = server.ask("rob", "GET", "/patterns", params={"problem_type": "bug_fix", "limit": 2}).json()
    assert (answer["total"], answer["page"], answer["per_page"]) == (5, 1, 2)
    seen = answer["patterns"]
    while answer["next_cursor"]:
        answer = server.ask("rob", "GET", "/patterns", params={"limit": 2, "cursor": answer["next_cursor"]}).json()
        seen += answer["patterns"]
    assert len({row["id"] for row in seen}) == len(seen) == 5
    second = server.ask("rob", "GET", "/patterns?limit=2&page=2").json()["patterns"]
    assert [row["id"] for row in second] == [row["id"] for row in seen[2:4]]


def test_an_unchanged_pattern_is_not_sent_again(server: Server) -> None:
    path = f"/patterns/{added(server)}"
    tag = server.ask("rob", "GET", path).headers["etag"]
    assert server.ask("rob", "GET", path, headers={"If-None-Match": tag}).status_code == 304
    server.ask("moe", "POST", f"{path}/feedback", json={"helpful": True})
    assert server.ask("rob", "GET", path, headers={"If-None-Match": tag}).status_code == 200


def test_a_vote_can_be_changed_and_taken_back(server: Server) -> None:
    path = f"/patterns/{added(server)}/feedback"
    seen = []
    for method, body in (("POST", {"helpful": True, "user_id": "eve"}), ("POST", {"helpful": False}), ("DELETE", None)):
        answer = server.ask("moe", method, path, json=body).json()
        seen.append((answer["up"], answer["down"], answer["success_count"], answer["my_vote"]))
    assert seen == [(1, 0, 1, True), (0, 1, 0, False), (0, 0, 0, None)]
    assert server.ask("mia", "POST", path, json={"helpful": True}).json()["error"]["code"] == "own_pattern"


def test_deleting_and_restoring(server: Server) -> None:
    path = f"/patterns/{added(server)}"
    assert server.ask("moe", "DELETE", path).status_code == 403
    assert server.ask("mia", "DELETE", path).json()["deleted_by"] == "mia"
    assert server.ask("rob", "GET", path).status_code == 404
    assert server.ask("rob", "GET", f"{path}?include_deleted=true").status_code == 200
    assert server.ask("moe", "POST", "/patterns", json=BODY).status_code == 409
    assert server.ask("mia", "POST", f"{path}/restore").status_code == 403
    assert server.ask("max", "POST", f"{path}/restore").json()["deleted_at"] is None


def test_a_key_of_idempotency_names_one_request(server: Server) -> None:
    headers = {"Idempotency-Key": "first"}
    answers = [server.ask("mia", "POST", "/patterns", json=BODY, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    other = server.ask("mia", "POST", "/patterns", json={**BODY, "after_code": "return 1"}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
    assert server.ask("rob", "GET", "/patterns").json()["total"] == 1


def test_a_batch_says_what_became_of_each(server: Server) -> None:
    patterns = [
        BODY,
        BODY,
        {**BODY, "after_code": "x" * 16_385},
        {},
        {**BODY, "after_code": "\0"},
        {**BODY, "date": GITHUB},
    ]
    answer = server.ask("mia", "POST", "/patterns/batch", json={"patterns": patterns}).json()
    assert [one["status"] for one in answer["results"]] == ["added", "unchanged", *["refused"] * 4]
    assert [one["code"] for one in answer["results"]][2:] == ["invalid", "invalid", "invalid", "holds_secret"]
    assert (answer["added"], answer["unchanged"], answer["refused"]) == (1, 1, 4)
    assert GITHUB not in json.dumps(answer)
    too_many = server.ask("mia", "POST", "/patterns/batch", json={"patterns": [BODY] * 501})
    assert too_many.status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {**BODY, "confidence": 1.5},
        {**BODY, "confidence": "NaN"},
        {**BODY, "before_code": "\0"},
        {**BODY, "after_code": ""},
        {**BODY, "masked": {"\0": 1}},
        {**BODY, "after_code": "x" * 16_385},
        {**BODY, "survival": {"days": -1}},
        {**BODY, "commit": "HEAD; rm"},
    ],
)
def test_what_is_wrong_with_a_pattern_is_said(server: Server, body: Any) -> None:
    answer = server.ask("mia", "POST", "/patterns", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]
    assert server.ask("rob", "GET", "/patterns").json()["total"] == 0


@pytest.mark.parametrize("path", ["/patterns/nowhere", "/patterns/%00", "/patterns/" + "x" * 5000, "/patterns/ü"])
@pytest.mark.parametrize(("method", "more"), [("GET", ""), ("DELETE", ""), ("POST", "/feedback"), ("POST", "/restore")])
def test_there_is_no_such_pattern(server: Server, path: str, method: str, more: str) -> None:
    answer = server.ask("max", method, path + more, json={"helpful": True} if more == "/feedback" else None)
    assert answer.status_code == 404


def test_a_filter_that_no_database_takes_is_refused(server: Server) -> None:
    assert server.ask("rob", "GET", "/patterns?q=%00").status_code == 422
    assert server.ask("rob", "GET", "/patterns?q=%25%5C'%22").json()["total"] == 0


def test_wrong_keys_are_refused_and_revoked_ones_at_once(server: Server) -> None:
    for key in ("", "wrong", "glk_abcdefgh_" + "x" * 43, server.keys["mia"] + "x"):
        assert server.ask(key, "GET", "/patterns").status_code == 401
    assert server.ask("mia", "GET", "/whoami").status_code == 200
    prefix = server.keys["mia"][4:12]
    assert server.ask("ada", "DELETE", f"/keys/{prefix}").json() == {"prefix": prefix, "revoked": True}
    assert server.ask("mia", "GET", "/whoami").status_code == 401


def test_the_key_says_who_asks(server: Server) -> None:
    answer = server.ask("max", "GET", "/whoami").json()
    assert (answer["member"], answer["role"], answer["team"]) == ("max", "maintainer", server.made.admin.team)
    assert answer["scopes"] == ["read", "write", "maintain"]
    bearer = server.all(
        "nobody", lambda client: client.get("/whoami", headers={"Authorization": f"Bearer {server.keys['rob']}"})
    )
    assert bearer.json()["member"] == "rob"


@pytest.mark.parametrize(
    ("method", "path", "body", "least"),
    [
        ("POST", "/patterns", BODY, "member"),
        ("POST", "/patterns/batch", {"patterns": [BODY]}, "member"),
        ("POST", "/patterns/ID/feedback", {"helpful": True}, "member"),
        ("DELETE", "/patterns/ID/feedback", None, "member"),
        ("DELETE", "/patterns/ID", None, "maintainer"),
        ("POST", "/patterns/ID/restore", None, "maintainer"),
        ("POST", "/sync", {"ops": []}, "member"),
        ("GET", "/stats", None, "maintainer"),
        ("GET", "/audit", None, "maintainer"),
        ("GET", "/members", None, "admin"),
        ("POST", "/members", {"name": "eve", "role": "admin"}, "admin"),
        ("PATCH", "/members/moe", {"role": "admin"}, "admin"),
        ("GET", "/keys", None, "admin"),
        ("POST", "/keys", {"member": "ada"}, "admin"),
        ("DELETE", "/keys/abcdefgh", None, "admin"),
    ],
)
def test_a_role_is_needed(server: Server, method: str, path: str, body: Any, least: str) -> None:
    """A batch and a sync answer for each operation; everything else is refused with 403."""
    pattern = server.made.add("ada", new())[0].id
    vote = {"op": "vote", "id": pattern, "helpful": True, "uid": "u"}
    order = ["reader", "member", "maintainer", "admin"]
    for name, role in [("rob", "reader"), ("moe", "member"), ("max", "maintainer")]:
        if order.index(role) >= order.index(least):
            continue
        sent = {"ops": [vote]} if path == "/sync" else body
        answer = server.ask(name, method, path.replace("ID", pattern), json=sent)
        if path in ("/sync", "/patterns/batch"):
            assert [one["code"] for one in answer.json()["results"]] == ["not_allowed"]
        else:
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    assert server.ask("rob", "GET", f"/patterns/{pattern}").json()["version"] == 1
    assert server.ask("rob", "GET", "/patterns").json()["total"] == 1


def test_members_and_keys_are_made_over_http(server: Server) -> None:
    assert server.ask("ada", "POST", "/members", json={"name": "eve", "role": "member"}).status_code == 201
    made = server.ask("ada", "POST", "/keys", json={"member": "eve", "label": "laptop", "days": 30})
    assert made.status_code == 201
    key = made.json()["key"]
    assert server.ask(key, "GET", "/whoami").json()["member"] == "eve"
    listed = server.ask("ada", "GET", "/keys").text
    assert key[4:12] in listed
    assert key not in listed
    assert server.ask("ada", "PATCH", "/members/eve", json={"disabled": True}).status_code == 200
    assert server.ask(key, "GET", "/whoami").status_code == 401
    actions = [line["action"] for line in server.ask("max", "GET", "/audit").json()["lines"]]
    assert actions[:3] == ["member.change", "key.create", "member.add"]


def test_outboxes_are_delivered_at_least_once_and_done_once(server: Server) -> None:
    pattern = server.made.add("mia", new(7))[0].id
    ops = [
        {"op": "add", "uid": "u1", "pattern": BODY},
        {"op": "vote", "uid": "u2", "id": pattern, "helpful": True},
        {"op": "delete", "uid": "u3", "id": pattern},
    ]
    answers = [server.ask("moe", "POST", "/sync", json={"ops": ops}).json()["results"] for _ in range(2)]
    assert [[one["status"] for one in answer] for answer in answers] == [["added", "done", "refused"]] * 2
    assert [one["replayed"] for one in answers[1]] == [True, True, False]
    assert [one["pattern"]["up"] for one in answers[1]] == [0, 1, 1]
    news = server.ask("moe", "GET", "/sync").json()
    assert {row["id"] for row in news["patterns"]} == {pattern, answers[0][0]["id"]}
    assert server.ask("moe", "GET", "/sync", params={"cursor": news["cursor"]}).json()["patterns"] == []


def test_deletions_are_forgotten_after_half_a_year(server: Server) -> None:
    gone, young = (outcome.id for outcome in server.made.add("mia", new(1), new(2)))
    for pattern in (gone, young):
        server.ask("mia", "DELETE", f"/patterns/{pattern}")
    database, scope = server.made.memory.database, server.made.of("ada").scope
    with database.write() as connection:
        scope.update(connection, "patterns", {"id": gone}, deleted_at="2020-01-02T03:04:05.000000Z")

    async def started() -> None:
        app = make_app({}, Limits(), team=server.made.memory)
        async with app.router.lifespan_context(app):
            pass

    asyncio.run(started())
    shown = [server.ask("rob", "GET", f"/patterns/{one}?include_deleted=true").status_code for one in (gone, young)]
    assert shown == [404, 200]


def test_a_cursor_from_before_a_purge_is_gone(server: Server) -> None:
    before = server.ask("rob", "GET", "/sync").json()["cursor"]
    pattern = server.made.add("mia", new())[0].id
    cursor = server.ask("rob", "GET", "/sync").json()["cursor"]
    server.ask("mia", "DELETE", f"/patterns/{pattern}")
    server.made.of("ada").purge(-1)
    for old in (before, cursor):
        answer = server.ask("rob", "GET", "/sync", params={"cursor": old})
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "cursor_expired")
    assert server.ask("rob", "GET", "/sync?cursor=x").status_code == 400


def test_a_search_finds_what_is_like_it_or_says_that_nothing_applies(server: Server) -> None:
    server.made.add("mia", *(new(number, before_code=f"x_{number} = 1") for number in range(20)))
    pattern = added(server, before_code="decode the cookie jar of a redirect", symbol="follow_redirect")
    found = server.ask("rob", "POST", "/patterns/search", json={"task": "cookie jar lost in a redirect", "k": 3}).json()
    assert [row["id"] for row in found["similar"]] == [pattern]
    assert found["similar"][0]["match"] > found["floor"]
    nothing = server.ask("rob", "POST", "/patterns/search", json={"task": "zebra crossing"}).json()
    assert (nothing["similar"], nothing["reason"]) == ([], "nothing applies")
    server.ask("mia", "DELETE", f"/patterns/{pattern}")
    gone = server.ask("rob", "POST", "/patterns/search", json={"diff": "--- a\n-cookie jar redirect\n"}).json()
    assert gone["similar"] == []


def test_a_key_asks_only_so_often(server: Server) -> None:
    rates = Rates({"read": Rate(0.001, 3), "write": Rate(0.001, 1)})
    server = replace(server, app=make_app({}, Limits(), team=server.made.memory, rates=rates))

    async def work(client: httpx.AsyncClient) -> list[httpx.Response]:
        posts = [await client.post("/patterns", json=BODY) for _ in range(2)]
        return posts + [await client.get("/whoami") for _ in range(4)]

    answers = server.all("mia", work)
    assert [answer.status_code for answer in answers] == [201, 429, 200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 100
    assert answers[-1].json()["error"]["code"] == "rate_limit_exceeded"
    assert server.ask("moe", "GET", "/whoami").status_code == 200


def test_health_needs_no_key_and_says_whether_the_database_answers(server: Server, tmp_path: Path) -> None:
    answer = server.ask("", "GET", "/health")
    assert (answer.status_code, answer.json()["status"], answer.json()["database"]) == (200, "ok", "connected")
    assert server.ask("", "GET", "/patterns").status_code == 401


def test_the_services_own_key_is_an_admins(tmp_path: Path) -> None:
    with TeamMemory(tmp_path) as memory:
        made = MadeTeam(memory, memory.found("one", "ada"))
        server = Server(make_app({}, Limits(), "own", team=memory), made, {})
        answer = server.ask("own", "GET", "/whoami")
        assert (answer.json()["member"], answer.json()["role"]) == ("ada", "admin")
        assert server.ask("other", "GET", "/whoami").status_code == 401


def test_planted_credentials_reach_neither_an_answer_nor_the_database(server: Server) -> None:
    planted = {**BODY, "after_code": f'key = "{GITHUB}"', "commit_msg": GITHUB, "author": GITHUB, "symbol": GITHUB}
    first = server.ask("mia", "POST", "/patterns", json=planted)
    note = {"helpful": True, "note": GITHUB}
    answers = [
        first,
        server.ask("moe", "POST", f"/patterns/{first.json()['id']}/feedback", json=note),
        server.ask("mia", "POST", "/patterns", json={**BODY, "language": GITHUB}),
        server.ask("rob", "GET", "/patterns"),
        server.ask("max", "GET", "/audit"),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 422, 200, 200]
    assert GITHUB not in "".join(answer.text for answer in answers)
    database = server.made.memory.database
    with database.read() as connection:
        assert GITHUB not in str(
            [connection.execute(table.select()).all() for table in database.schema.metadata.sorted_tables]
        )


def test_no_call_of_one_team_shows_counts_or_changes_a_row_of_another(server: Server) -> None:
    """Every route, asked by an admin of another team about rows that it does not have."""
    theirs = server.made.add("mia", new(1), new(2))
    server.made.vote("moe", theirs[0].id, True)
    stranger = server.made.memory.found(f"other {uuid.uuid4()}", "eve")
    key = server.made.memory.team(stranger).people.make_key("eve")[0].text
    cursor = server.ask("rob", "GET", "/patterns?limit=1").json()["next_cursor"]
    sync = server.ask("rob", "GET", "/sync?limit=1").json()["cursor"]
    prefix, pattern = server.keys["mia"][4:12], theirs[0].id
    before = snapshot(server.made)
    ops = [{"op": op, "uid": op, "id": pattern} for op in ("unvote", "delete", "restore")]
    ops.append({"op": "vote", "uid": "vote", "id": pattern, "helpful": False})
    calls: list[tuple[str, str, Any]] = [
        ("GET", "/whoami", None),
        ("GET", "/patterns", None),
        ("GET", "/patterns?q=total&include_deleted=true&sort=recent", None),
        ("GET", f"/patterns?cursor={cursor}", None),
        ("GET", f"/patterns/{pattern}", None),
        ("GET", f"/patterns/{new(1).pattern_id}?include_deleted=true", None),
        ("POST", "/patterns/search", {"code": "return total_1 / count", "task": "fix the mean of nothing"}),
        ("POST", f"/patterns/{pattern}/feedback", {"helpful": True}),
        ("DELETE", f"/patterns/{pattern}/feedback", None),
        ("DELETE", f"/patterns/{pattern}", None),
        ("POST", f"/patterns/{pattern}/restore", None),
        ("GET", "/sync", None),
        ("GET", f"/sync?cursor={sync}", None),
        ("POST", "/sync", {"ops": ops}),
        ("GET", "/stats", None),
        ("GET", "/audit", None),
        ("GET", "/members", None),
        ("PATCH", "/members/mia", {"role": "admin", "disabled": True}),
        ("GET", "/keys", None),
        ("POST", "/keys", {"member": "mia"}),
        ("DELETE", f"/keys/{prefix}", None),
        ("POST", "/patterns", BODY),
        ("POST", "/patterns/batch", {"patterns": [{**BODY, "after_code": "return 2"}]}),
        ("POST", "/members", {"name": "mia", "role": "member"}),
    ]
    ours = ("/patterns", "/sync", "/stats", "/audit", "/members", "/keys", "/whoami")
    offered = {(method.upper(), path) for path, item in server.app.openapi()["paths"].items() for method in item}
    offered = {(method, path) for method, path in offered if path.startswith(ours)}
    called = {(method, path.partition("?")[0]) for method, path, _ in calls}
    missing = [
        (method, path)
        for method, path in offered
        if not any(method == asked and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), to) for asked, to in called)
    ]
    assert missing == []
    assert len(offered) >= 18
    forbidden = (prefix, "total_1", "shop/figures", server.made.admin.team_id, '"moe"', '"max"')
    for method, path, body in calls:
        answer = server.ask(key, method, path, json=body)
        assert answer.status_code < 500
        assert not [word for word in forbidden if word in answer.text and word not in path], (method, path, answer.text)
        counted = {"/stats": "patterns", "/patterns": "total"}
        if method == "GET" and path in counted:
            assert answer.json()[counted[path]] == 0
    assert snapshot(server.made) == before


def snapshot(made: MadeTeam) -> dict[str, str]:
    """Every row of a team, apart from when its keys were used."""
    database, found = made.memory.database, {}
    with database.read() as connection:
        for name, table in database.schema.metadata.tables.items():
            if "team_id" in table.columns:
                columns = [column for column in table.columns if column.name != "last_used_at"]
                rows = connection.execute(made.of("ada").scope.select(name, *columns)).all()
                found[name] = str(sorted(map(str, rows)))
    return found
