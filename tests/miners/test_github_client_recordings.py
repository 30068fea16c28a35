"""The client against what GitHub really answered, played on localhost, and queries against its published schema."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import recordings
from github_server import Answer, Received, serving
from graphql import parse, validate
from recordings import Exchange

from miners.github import queries as github_queries
from miners.github.transport import kind_of
from miners.github_client import GitHubClient, GitHubRepository
from miners.issue_miner import closed_issues
from miners.settings import MiningSettings

pytestmark = pytest.mark.enable_socket
KEPT = ("etag", "link", "last-modified", "location", "content-type")


def played(exchange: Exchange, host: str) -> Answer:
    """A recorded answer, with its addresses on our host."""
    headers = {
        name: value.replace("https://api.github.com", host)
        for name, value in exchange.headers.items()
        if name in KEPT or name.startswith("x-ratelimit")
    }
    return Answer(exchange.status, exchange.body, headers)


def without_encoding(headers: dict[str, str]) -> dict[str, str]:
    """The recordings hold plain bodies, however they were sent."""
    return {name: value for name, value in headers.items() if name != "content-encoding"}


def test_recorded_repositories_are_read(tmp_path: Path) -> None:
    known: dict[str, Exchange] = {}
    for one in recordings.pygithub():
        if one.method == "GET" and one.status == 200 and re.fullmatch(r"/repos/[^/]+/[^/?]+", one.path):
            known.setdefault(one.path, one)
    assert len(known) > 20
    complete = {path for path, one in known.items() if b'"full_name"' in one.body}
    assert len(complete) > 15

    def script(request: Received, number: int) -> Answer:
        return played(known[request.path], server.url)

    with serving(script) as server, GitHubClient(MiningSettings(api_url=server.url), tmp_path) as github:
        complete = set(sorted(complete)[:25])
        for path in sorted(complete):
            found = github.repository(path.removeprefix("/repos/"))
            assert found is not None
            assert found.full_name == msgspec.json.decode(known[path].body)["full_name"]
        first = github.traffic["requests to GitHub"]
        for path in complete:
            github.repository(path.removeprefix("/repos/"))
        assert github.traffic["requests to GitHub"] == first == len(complete)


@pytest.mark.slow
def test_recorded_searches_issues_and_timelines_are_read(tmp_path: Path) -> None:
    wanted = re.compile(r"/(?:search/repositories\?.*|repos/[^/]+/[^/]+/issues(?:\?.*)?|repos/.*/timeline.*)")
    some = [
        one for one in recordings.pygithub() if one.method == "GET" and one.status == 200 and wanted.fullmatch(one.path)
    ]
    kinds = Counter(kind_of(one.path.partition("?")[0]) for one in some)
    assert kinds["search"] >= 3
    assert kinds["issues"] >= 100
    issues = 0
    for one in some:
        if kind_of(one.path) == "issues" and "timeline" not in one.path:

            def script(request: Received, number: int, one: Exchange = one) -> Answer:
                if "timeline" in request.path or number:
                    return Answer(body=[])
                return Answer(one.status, one.body)

            with serving(script) as server, GitHubClient(MiningSettings(api_url=server.url), tmp_path) as github:
                issues += len(list(closed_issues(github, "jacquev6/PyGithub", "", 1000, Counter())))
        elif kind_of(one.path) == "search" and b'"full_name"' in one.body:

            def found(request: Received, number: int, one: Exchange = one) -> Answer:
                return Answer(one.status, one.body)

            with serving(found) as server, GitHubClient(MiningSettings(api_url=server.url), tmp_path) as github:
                github._transport._network._sleep = lambda _: None
                assert list(github.search(one.path, 5))
    assert issues > 50


def test_every_recorded_answer_gets_a_sensible_wait() -> None:
    import httpx

    from miners.github.patience import rate_limit_wait_s

    waits = Counter(
        rate_limit_wait_s(httpx.Response(one.status, headers=without_encoding(one.headers), content=one.body), 0)
        for one in recordings.pygithub()
        if one.status >= 400 and one.headers.get("x-ratelimit-remaining") != "0"
    )
    assert waits[None] > 60  # what is wrong for good is not waited for
    assert all(wait is None or 0 <= wait <= 120 for wait in waits)


def test_octokits_pages_are_followed(tmp_path: Path) -> None:
    exchanges = {one.path: one for one in recordings.octokit("paginate-issues")}
    with (
        serving(lambda request, _: played(exchanges[request.path], server.url)) as server,
        GitHubClient(MiningSettings(api_url=server.url), tmp_path) as github,
    ):
        pages = list(github.pages("/repos/octokit-fixture-org/paginate-issues/issues", {"per_page": 3}))
    assert [len(msgspec.json.decode(page)) for page in pages] == [3, 3, 3, 3, 1]


def test_octokits_renamed_repository_is_found(tmp_path: Path) -> None:
    exchanges = {one.path: one for one in recordings.octokit("rename-repository") if one.method == "GET"}
    with (
        serving(lambda request, _: played(exchanges[request.path], server.url)) as server,
        GitHubClient(MiningSettings(api_url=server.url), tmp_path) as github,
    ):
        found = github.repository("octokit-fixture-org/rename-repository")
    assert isinstance(found, GitHubRepository)
    assert found.full_name == "octokit-fixture-org/rename-repository-newname"


def test_the_queries_are_valid_by_githubs_schema() -> None:
    schema = recordings.schema()
    for query in github_queries.ALL.values():
        assert validate(schema, parse(query)) == []
        assert validate(schema, parse(query.replace("updatedAt", "updatedAtt")))  # it would see a mistake
