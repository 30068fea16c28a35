"""GitHub as it is on bad days: limits, faults, renames, slow and cut answers; and the cache that spares it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import githubkit.core
import httpx
import pytest
from builders import PROJECT
from github_server import Answer, Received, Script, Server, repository, serving

from core.errors import StageError, UserError
from miners import github_client
from miners.github.patience import ResumeLaterError
from miners.github.queries import CLOSED_ISSUES
from miners.github.transport import Network
from miners.github_client import GitHubClient
from miners.settings import MiningSettings

pytestmark = pytest.mark.enable_socket
TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
NEVER = {"repository": 0.0, "commits": 0.0, "issues": 0.0, "search": 0.0}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits in a test; what would have been waited for is kept."""
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, time=time.time)
    for module in (githubkit.core, github_client):
        monkeypatch.setattr(module, "time", clock)
    return waits


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)


def client(server: Server, folder: Path, **settings: Any) -> GitHubClient:
    return GitHubClient(MiningSettings(api_url=server.url, **settings), folder)


def ask(script: Script, folder: Path, **settings: Any) -> tuple[Any, list[Received]]:
    """(octo/hello as the client sees it, what the server received)."""
    with serving(script) as server, client(server, folder, cache_hours=NEVER, **settings) as github:
        return github.repository("octo/hello"), server.received


def failing(answers: list[Answer]) -> Script:
    """First these answers, then the repository."""
    return lambda request, number: answers[number] if number < len(answers) else Answer(body=repository())


def limited(**headers: str) -> Answer:
    return Answer(403, {"message": "API rate limit exceeded"}, dict(headers))


@pytest.mark.parametrize(
    ("answers", "waits"),
    [
        ([Answer(403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "7"})], [7]),
        ([Answer(429, {"message": "slow down"}, {"Retry-After": "3"})], [3]),
        ([Answer(503, {"message": "busy"}, {"Retry-After": "5"})], [5]),
        ([Answer(403, {"message": "You have exceeded a secondary rate limit."})], [60]),
        ([Answer(403, {"message": "You have triggered an abuse detection mechanism."})] * 2, [60, 120]),
        ([Answer(429, {"message": ""})], [60]),
        ([Answer(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"})] * 3, [1, 4, 9]),
        ([Answer(500, {"message": "oops"}), Answer(504, b"")], [1, 4]),
        ([Answer(200, b'{"id": 1296269, "full_na')], [1]),
        ([Answer(200, b'{"id": 1296269, "full_na', length=4000)], [1]),
        ([Answer(200, b"")], [1]),
    ],
    ids=["retry-after", "429", "503", "secondary", "abuse", "429 bare", "502s", "5xx", "cut json", "cut body", "empty"],
)
def test_a_passing_failure_is_waited_for(
    answers: list[Answer], waits: list[float], tmp_path: Path, slept: list[float]
) -> None:
    found, received = ask(failing(answers), tmp_path)
    assert found.full_name == "octo/hello"
    assert slept == waits
    assert len(received) == len(answers) + 1


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_a_reset_is_a_moment_not_a_duration(unit: int, tmp_path: Path, slept: list[float]) -> None:
    reset = str(int((time.time() + 100) * unit))
    found, _ = ask(failing([limited(**{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})]), tmp_path)
    assert found.full_name == "octo/hello"
    assert len(slept) == 1
    assert 98 <= slept[0] <= 102


def test_a_date_to_retry_after_is_understood(tmp_path: Path, slept: list[float]) -> None:
    ask(failing([Answer(429, {}, {"Retry-After": formatdate(time.time() + 20, usegmt=True)})]), tmp_path)
    assert 17 <= slept[0] <= 21


def test_a_long_pause_ends_the_run_and_reports_when_to_resume(tmp_path: Path, slept: list[float]) -> None:
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3000)}
    with pytest.raises(ResumeLaterError, match="pause of 50 min") as caught:
        ask(failing([limited(**reset)] * 9), tmp_path, max_wait_s=900.0)
    assert caught.value.exit_code == 75
    assert "run it again in 50 min" in caught.value.hint
    assert slept == []


def test_waits_add_up_to_the_bound(tmp_path: Path, slept: list[float]) -> None:
    with pytest.raises(ResumeLaterError):
        ask(failing([Answer(429, {}, {"Retry-After": "40"})] * 9), tmp_path, max_wait_s=100.0)
    assert slept == [40, 40]


@pytest.mark.parametrize("status", [403, 404, 410, 451])
def test_an_inaccessible_repository_gives_none_and_is_requested_once(
    status: int, tmp_path: Path, slept: list[float]
) -> None:
    found, received = ask(lambda *_: Answer(status, {"message": "Not Found"}), tmp_path)
    assert (found, len(received), slept) == (None, 1, [])


def test_a_refused_token_is_reported_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="refuses the token in GITHUB_TOKEN") as caught:
        ask(lambda *_: Answer(401, {"message": "Bad credentials"}), tmp_path)
    assert TOKEN not in str(caught.value)


def test_a_server_that_stays_broken_is_reported(tmp_path: Path, slept: list[float]) -> None:
    with pytest.raises(StageError, match="GitHub answers 502"):
        ask(lambda *_: Answer(502, {"message": "Server Error"}), tmp_path)
    assert slept == [1, 4, 9]


def test_an_unreachable_server_is_reported(tmp_path: Path, slept: list[float]) -> None:
    with serving(lambda *_: Answer()) as server:
        pass
    with client(server, tmp_path) as github, pytest.raises(StageError, match="cannot be reached"):
        github.repository("octo/hello")


def test_a_body_that_drips_is_given_up(tmp_path: Path, slept: list[float]) -> None:
    def script(request: Received, number: int) -> Answer:
        return Answer(body=repository(), pause_s=0.05 if number == 0 else 0)

    found, received = ask(script, tmp_path, timeout_s=0.3)
    assert (found.full_name, len(received), slept) == ("octo/hello", 2, [1])


def test_a_renamed_repository_is_found_under_its_new_name(tmp_path: Path) -> None:
    def script(request: Received, number: int) -> Answer:
        if request.path == "/repos/octo/hello":
            return Answer(301, {"message": "Moved Permanently"}, {"Location": f"{server.url}/repositories/1296269"})
        return Answer(body=repository("octo/greetings"))

    with serving(script) as server, client(server, tmp_path) as github:
        found = github.repository("octo/hello")
    assert found is not None
    assert (found.full_name, found.id) == ("octo/greetings", 1296269)
    assert server.received[1].headers["authorization"] == f"Bearer {TOKEN}"


def test_the_token_goes_to_no_other_host(tmp_path: Path) -> None:
    with serving(lambda *_: Answer(body=repository())) as other:
        moved = Answer(301, {}, {"Location": f"{other.url.replace('127.0.0.1', 'localhost')}/elsewhere"})
        with serving(lambda *_: moved) as server, client(server, tmp_path) as github:
            github.repository("octo/hello")
    assert "authorization" in server.received[0].headers
    assert "authorization" not in other.received[0].headers


def test_the_token_is_kept_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(failing([Answer(502, {})]), tmp_path)
    assert TOKEN not in caplog.text
    assert all(TOKEN.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_pages_are_followed(tmp_path: Path) -> None:
    def script(request: Received, number: int) -> Answer:
        page = int(request.path.rpartition("page=")[2]) if "&page=" in request.path else 1
        items = [repository(f"octo/{page}-{place}", id=page * 10 + place) for place in range(2)]
        following = f'<{server.url}/search/repositories?q=x&page={page + 1}>; rel="next", <x>; rel="last"'
        return Answer(body={"items": items}, headers={"Link": following} if page < 3 else {})

    with serving(script) as server, client(server, tmp_path) as github:
        github._transport._network._sleep = lambda _: None
        assert [one.id for one in github.search("x", 100)] == [10, 11, 20, 21, 30, 31]
        assert [one.id for one in github.search("x", 3)] == [10, 11, 20]


def test_searches_keep_their_distance(tmp_path: Path) -> None:
    waits: list[float] = []
    with (
        serving(lambda *_: Answer(body={"items": []})) as server,
        client(server, tmp_path, cache_hours=NEVER) as github,
    ):
        github._transport._network._sleep = waits.append
        for query in ("a", "b"):
            list(github.search(query, 5))
    assert waits[0] == 0
    assert 1.5 < waits[1] <= 2


SECOND = """
import sys; sys.path.insert(0, {project!r})
from pathlib import Path
from miners import github_client
from miners.github_client import GitHubClient
from miners.settings import MiningSettings
settings = MiningSettings(api_url={url!r}, cache_hours={hours!r})
with GitHubClient(settings, Path({folder!r})) as github:
    print(github.repository("octo/hello").stargazers_count, github.traffic)
"""


@pytest.mark.parametrize(
    ("hours", "traffic"),
    [
        (1.0, "{'requests to GitHub': 0, 'answers without change': 0, 'answers from the cache': 1}"),
        (0.0, "{'requests to GitHub': 1, 'answers without change': 1, 'answers from the cache': 0}"),
    ],
    ids=["fresh", "stale"],
)
def test_a_second_process_finds_the_answer_in_the_cache(hours: float, traffic: str, tmp_path: Path) -> None:
    def script(request: Received, number: int) -> Answer:
        if request.headers.get("if-none-match") == 'W/"abc"':
            return Answer(304, headers={"ETag": 'W/"abc"'})
        return Answer(body=repository(), headers={"ETag": 'W/"abc"', "Cache-Control": "private, max-age=60"})

    with serving(script) as server:
        hour = {"repository": hours}
        with client(server, tmp_path, cache_hours=hour) as github:
            assert github.repository("octo/hello") is not None
        text = SECOND.format(project=str(PROJECT), url=server.url, folder=str(tmp_path), hours=hour)
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"80 {traffic}"
    assert len(server.received) == (1 if hours else 2)


def graphql(script: Script, folder: Path, **settings: Any) -> tuple[Any, list[Received]]:
    with serving(script) as server, client(server, folder, **settings) as github:
        variables = {"owner": "octo", "name": "hello", "since": None, "after": None, "first": 50}
        return [github.graphql(CLOSED_ISSUES, variables) for _ in range(2)], server.received


DATA = {"data": {"repository": {"issues": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}}}}


def test_a_query_is_answered_from_the_cache_too(tmp_path: Path) -> None:
    found, received = graphql(lambda *_: Answer(body=DATA), tmp_path)
    assert found == [DATA["data"]] * 2
    assert len(received) == 1
    assert json.loads(received[0].body)["variables"]["owner"] == "octo"


def test_an_answer_with_errors_is_not_kept(tmp_path: Path, slept: list[float]) -> None:
    limit = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 30)}

    def script(request: Received, number: int) -> Answer:
        return Answer(body=limit, headers=reset) if number == 0 else Answer(body=DATA)

    found, received = graphql(script, tmp_path)
    assert found == [DATA["data"]] * 2
    assert len(received) == 2
    assert 28 <= slept[0] <= 32


def test_a_repository_that_a_query_cannot_see_gives_none(tmp_path: Path) -> None:
    hidden = {"data": {"repository": None}, "errors": [{"type": "NOT_FOUND", "message": "Could not resolve"}]}
    found, _ = graphql(lambda *_: Answer(body=hidden), tmp_path)
    assert found == [None, None]


def test_a_refused_query_is_reported(tmp_path: Path) -> None:
    wrong = {"errors": [{"message": "Field 'x' doesn't exist on type 'Issue'"}]}
    with pytest.raises(StageError, match="Field 'x' doesn't exist"):
        graphql(lambda *_: Answer(body=wrong), tmp_path)


def test_an_enterprise_server_has_its_own_addresses(tmp_path: Path) -> None:
    def script(request: Received, number: int) -> Answer:
        return Answer(body=DATA if request.method == "POST" else repository())

    with serving(script) as server:
        settings = MiningSettings(api_url=f"{server.url}/api/v3")
        with GitHubClient(settings, tmp_path) as github:
            assert github.repository("octo/hello") is not None
            github.graphql(CLOSED_ISSUES, {"owner": "octo", "name": "hello", "first": 1})
    assert server.paths() == ["/api/v3/repos/octo/hello", "/api/graphql"]


def test_an_address_without_a_scheme_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a URL: github"):
        GitHubClient(MiningSettings(api_url="github"), tmp_path)


def test_an_answer_of_another_shape_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="cannot be read"):
        ask(lambda *_: Answer(body=["no", "repository"]), tmp_path)


@pytest.mark.parametrize("token", ["ghp_AAAA\nBBBBTOPSECRET", "ghp_\u00e9TOPSECRET", "two TOPSECRET"])
def test_what_cannot_be_a_token_is_refused_unseen(token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", token)
    with pytest.raises(UserError, match="GITHUB_TOKEN is not a token") as caught:
        GitHubClient(MiningSettings(), tmp_path)
    assert "TOPSECRET" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[::1", "ftp://u:TOPSECRET@host/x", ""])
def test_an_invalid_address_is_reported_without_credentials(url: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a URL") as caught:
        GitHubClient(MiningSettings(api_url=url), tmp_path)
    assert "TOPSECRET" not in str(caught.value)


def test_a_private_repository_is_seen_only_with_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(request: Received, number: int) -> Answer:
        return (
            Answer(body=repository()) if "authorization" in request.headers else Answer(404, {"message": "Not Found"})
        )

    with serving(script) as server:
        for token, seen in (("", False), ("t", True), ("", False), ("t", True)):
            monkeypatch.setenv("GITHUB_TOKEN", token)
            with client(server, tmp_path) as github:
                assert (github.repository("octo/hello") is not None) == seen
    assert len(server.received) == 2  # each answer is kept for one user


def test_the_token_does_not_go_over_a_clear_line(tmp_path: Path) -> None:
    received: list[httpx.Request] = []

    class Nowhere(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            received.append(request)
            return httpx.Response(200, content=b"{}")

    network = Network(TOKEN, httpx.URL("https://github.example/"), NEVER, 5)
    network._inner = Nowhere()  # type: ignore[assignment]
    for url in ("https://github.example/a", "http://github.example/a", "https://github.example:444/a"):
        network.handle_request(httpx.Request("GET", url))
    assert ["authorization" in request.headers for request in received] == [True, False, False]


def test_a_damaged_cache_is_rebuilt(tmp_path: Path) -> None:
    with serving(lambda *_: Answer(body=repository())) as server:
        with client(server, tmp_path) as github:
            github.repository("octo/hello")
        for path in tmp_path.rglob("*.db"):
            path.write_bytes(b"no database at all" * 500)
        with client(server, tmp_path) as github:
            assert github.repository("octo/hello") is not None
            assert github.repository("octo/hello") is not None
    assert len(server.received) == 2


def test_a_failed_query_is_sent_again(tmp_path: Path, slept: list[float]) -> None:
    wrong = {"errors": [{"message": "Something went wrong while executing your query."}]}
    found, received = graphql(lambda _, number: Answer(body=wrong if number < 2 else DATA), tmp_path)
    assert (found, len(received), slept) == ([DATA["data"]] * 2, 3, [1, 4])


def test_a_token_that_a_query_is_refused_for_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="refuses the token in GITHUB_TOKEN"):
        graphql(lambda *_: Answer(401, {"message": "Bad credentials"}), tmp_path)
