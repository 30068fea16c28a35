"""The team's memory for coding agents, asked by the official client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from team_made_up import MadeTeam, convention, new

from patterns.memory.operations import Convene
from patterns.memory.team_memory import TeamMemory
from services.app import make_app
from services.http.limits import Limits
from services.http.rates import Rate, Rates

GITHUB = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5"
PLENTY = Rates({"read": Rate(1e6, 1e6), "write": Rate(1e6, 1e6)})


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeTeam]:
    with TeamMemory(tmp_path) as memory:
        yield MadeTeam(memory, memory.found("one", "ada"))


def asked(made: MadeTeam, key: str, work: Callable[[Client], Awaitable[Any]], rates: Rates = PLENTY) -> Any:
    """What a function gets with a client of /mcp."""

    async def inside() -> Any:
        app = make_app({}, Limits(), team=made.memory, rates=rates)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app.router.lifespan_context(app))
            http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), headers={"X-API-Key": key})
            await stack.enter_async_context(http)
            transport = streamable_http_client("http://test/mcp", http_client=http)
            return await work(await stack.enter_async_context(Client(transport)))

    return asyncio.run(inside())


def call(made: MadeTeam, name: str, tool: str, **arguments: Any) -> Any:
    return asked(made, made.key(name), lambda client: client.call_tool(tool, arguments))


def test_the_tools_say_whether_they_write(made: MadeTeam) -> None:
    tools = asked(made, made.key("rob"), lambda client: client.list_tools()).tools
    assert {tool.name: tool.annotations.read_only_hint for tool in tools} == {
        "find_patterns": True,
        "get_pattern": True,
        "conventions": True,
        "report_outcome": False,
        "add_pattern": False,
    }
    for tool in tools:
        assert tool.description
        assert not {"key", "member", "team", "user_id"} & set(tool.input_schema["properties"])


def test_an_agent_finds_uses_and_reports(made: MadeTeam) -> None:
    made.add("mia", *(new(number, before_code=f"x_{number} = 1") for number in range(10)))
    added = call(
        made, "moe", "add_pattern", before="cookie = jar.pop()", after="cookie = jar.get()", why="Keep cookies"
    )
    assert added.structured_content["status"] == "added"
    found = call(made, "mia", "find_patterns", task="cookies vanish from the jar").structured_content
    (change,) = found["similar"]
    assert (change["why"], change["before"], change["up"]) == ("Keep cookies", "cookie = jar.pop()", 0)
    assert found["seq"] == 11
    report = call(
        made, "mia", "report_outcome", id=change["id"], helpful=True, note=f"with {GITHUB}"
    ).structured_content
    assert (report["up"], report["down"]) == (1, 0)
    row = made.of("rob").reading.one(change["id"])
    assert row["last_used"]
    assert row["created_by"] == "moe"
    again = call(made, "rob", "get_pattern", id=change["id"]).structured_content
    assert again["up"] == 1
    follows = made.add("mia", new(20, template_id="fedcba9876543210"))[0].id
    seen = [call(made, "rob", "get_pattern", id=one).structured_content for one in (change["id"], follows)]
    assert [one["template_id"] for one in seen] == ["", "fedcba9876543210"]
    nothing = call(made, "rob", "find_patterns", code="zebra").structured_content
    assert (nothing["similar"], nothing["reason"]) == ([], "nothing applies")


def test_conventions_of_a_file_are_told(made: MadeTeam) -> None:
    made.of("mia").apply([Convene(template=convention(0))])
    (told,) = call(made, "rob", "conventions", path="tests/test_a.py").structured_content["conventions"]
    assert (told["before"], told["after"]) == ("self . assertEqual ( v0 , s0 )", "assert v0 == s0")
    assert call(made, "rob", "conventions", path="a.rs").structured_content["conventions"] == []


def test_survival_is_told_in_words(made: MadeTeam) -> None:
    lasting = {"born": "b", "until": "c", "days": 400.4, "lines": 4, "alive": 3}
    outcomes = made.add(
        "mia",
        new(1, survival=lasting),
        new(2, survival={**lasting, "alive": 0, "ended_by": "d" * 40, "taken_back": True}),
        new(3, survival=None),
    )
    told = [call(made, "rob", "get_pattern", id=one.id).structured_content["survival"] for one in outcomes]
    assert told == ["3 of 4 lines stand after 400 days", f"taken back after 400 days by {'d' * 40}", ""]


@pytest.mark.parametrize(
    ("name", "tool", "arguments", "says"),
    [
        ("rob", "add_pattern", {"before": "a", "after": "b", "why": "c"}, "a reader may not write"),
        ("rob", "report_outcome", {"id": "ID", "helpful": True}, "a reader may not write"),
        ("mia", "report_outcome", {"id": "ID", "helpful": True}, "votes are for patterns of others"),
        ("moe", "get_pattern", {"id": "nowhere"}, "no pattern nowhere"),
        ("moe", "get_pattern", {"id": "a b"}, "match"),
        ("moe", "find_patterns", {"task": "x" * 70_000}, "at most"),
        ("moe", "find_patterns", {"k": 6}, "less than or equal"),
        ("moe", "add_pattern", {"before": "\0", "after": "b", "why": "c"}, "NUL"),
        ("moe", "add_pattern", {"before": "", "after": "b", "why": "c", "language": GITHUB}, "holds a credential"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    made: MadeTeam, name: str, tool: str, arguments: dict[str, Any], says: str
) -> None:
    pattern = made.add("mia", new())[0].id
    sent = {key: pattern if value == "ID" else value for key, value in arguments.items()}
    answer = call(made, name, tool, **sent)
    assert answer.is_error
    assert says in answer.content[0].text
    assert GITHUB not in answer.content[0].text
    assert made.of("ada").reading.stats()["patterns"] == 1


def test_a_revoked_key_is_refused_by_the_tools_too(made: MadeTeam) -> None:
    key = made.key("mia")
    listing = lambda client: client.list_tools()  # noqa: E731
    assert len(asked(made, key, listing).tools) == 5
    made.of("ada").people.revoke_key(key[4:12])
    with pytest.raises(BaseExceptionGroup):
        asked(made, key, listing)


def test_no_tool_shows_or_changes_a_pattern_of_another_team(made: MadeTeam) -> None:
    pattern = made.add("mia", new(1))[0].id
    stranger = made.memory.found("other", "eve")
    key = made.memory.team(stranger).people.make_key("eve")[0].text
    made.of("mia").apply([Convene(template=convention(0))])
    before = made.of("rob").reading.one(pattern)

    async def work(client: Client) -> list[str]:
        calls = [
            ("find_patterns", {"code": before["code_before"], "task": before["commit_msg"]}),
            ("conventions", {"path": "a.py"}),
            ("get_pattern", {"id": pattern}),
            ("get_pattern", {"id": before["pattern_id"]}),
            ("report_outcome", {"id": pattern, "helpful": True}),
        ]
        return [(await client.call_tool(tool, arguments)).model_dump_json() for tool, arguments in calls]

    answers = asked(made, key, work)
    assert not [text for text in answers if "total_1" in text or "figures" in text or "assertEqual" in text]
    assert made.of("rob").reading.one(pattern) == before


def test_writing_tools_have_a_rate(made: MadeTeam) -> None:
    rates = Rates({"read": Rate(1e6, 1e6), "write": Rate(0.001, 1)})

    async def work(client: Client) -> list[bool]:
        calls = [{"before": "", "after": f"b{number}", "why": "c"} for number in range(2)]
        return [(await client.call_tool("add_pattern", one)).is_error for one in calls]

    assert asked(made, made.key("mia"), work, rates) == [False, True]
