"""Closed issues: which errors they name, and which commits closed them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from github_server import Answer, Received, Script, serving

from core.records.mined import ClosedIssue
from miners.github_client import GitHubClient
from miners.issue_miner import closed_issues, latest
from miners.settings import MiningSettings
from miners.signals.error_texts import errors_in

SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER = SHA[::-1]


def mined(script: Script, folder: Path, limit: int = 100) -> tuple[list[ClosedIssue], Counter[str], list[Received]]:
    counts: Counter[str] = Counter()
    with serving(script) as server, GitHubClient(MiningSettings(api_url=server.url), folder) as github:
        return list(closed_issues(github, "octo/hello", "2024-01-01T00:00:00Z", limit, counts)), counts, server.received


def node(number: int, title: str, **fields: Any) -> dict[str, Any]:
    empty = {"body": "", "closedByPullRequestsReferences": {"nodes": []}, "timelineItems": {"nodes": []}}
    return {"number": number, "title": title, "updatedAt": f"2024-02-0{number}T00:00:00Z", **empty, **fields}


@pytest.mark.enable_socket
def test_with_a_token_a_query_gives_what_closed_an_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    by_commit = {"nodes": [{"closer": {"__typename": "Commit", "oid": SHA}}]}
    by_pull = {
        "nodes": [{"closer": {"__typename": "PullRequest", "number": 9, "merged": True, "mergeCommit": {"oid": OTHER}}}]
    }
    merged = {"nodes": [{"number": 8, "merged": True, "mergeCommit": {"oid": OTHER}}]}
    pages = [
        [
            node(1, "KeyError in parse", timelineItems=by_commit),
            node(2, "It hangs", body="TypeError: undefined is not a function", timelineItems=by_pull),
        ],
        [
            node(3, "ValueError", closedByPullRequestsReferences=merged, timelineItems=by_commit),
            node(4, "a question", body=None, timelineItems={"nodes": [{"closer": None}, None]}),
        ],
    ]

    def script(request: Received, number: int) -> Answer:
        variables = json.loads(request.body)["variables"]
        assert variables["since"] == "2024-01-01T00:00:00Z"
        place = int(variables["after"] or 0)
        info = {"hasNextPage": place == 0, "endCursor": str(place + 1)}
        return Answer(body={"data": {"repository": {"issues": {"nodes": pages[place], "pageInfo": info}}}})

    issues, counts, received = mined(script, tmp_path)
    assert [(one.number, one.errors, one.commits) for one in issues] == [
        (1, ["KeyError"], [SHA]),
        (2, ["TypeError"], [OTHER]),
        (3, ["ValueError"], [OTHER, SHA]),
        (4, [], []),
    ]
    assert counts == {"issues": 4, "issues that name an error": 3}
    assert len(received) == 2
    assert latest(issues, "2024-01-01T00:00:00Z") == "2024-02-04T00:00:00Z"


@pytest.mark.enable_socket
def test_without_a_token_rest_gives_what_it_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)

    def script(request: Received, number: int) -> Answer:
        if "/timeline" in request.path:
            events = [
                {"event": "labeled"},
                {"event": "closed", "commit_id": SHA},
                {"event": "closed", "commit_id": None},
            ]
            return Answer(body=events)
        issues = [
            {"number": 1, "title": "IndexError", "body": None, "updated_at": "2024-02-01T00:00:00Z"},
            {
                "number": 2,
                "title": "Fix IndexError",
                "updated_at": "2024-02-02T00:00:00Z",
                "pull_request": {"url": "x"},
            },
            {"number": 3, "title": "How?", "body": "please", "updated_at": "2024-02-03T00:00:00Z"},
        ]
        return Answer(body=issues)

    issues, _, received = mined(script, tmp_path)
    assert [(one.number, one.commits) for one in issues] == [(1, [SHA]), (3, [])]
    assert sum("/timeline" in one.path for one in received) == 1  # only where there is an error to learn from
    assert all("authorization" not in one.headers for one in received)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("requests.exceptions.ConnectionError: refused", ["ConnectionError"]),
        ("`ModuleNotFoundError: No module named 'x'`", ["ModuleNotFoundError"]),
        ("AttributeError: 'NoneType' object has no attribute 'y'", ["AttributeError", "TypeError"]),
        ("raise ValueError when empty", []),
        ("Add a custom TimeoutError", []),
        ("thread panicked at index out of bounds", ["Panic"]),
        ("Cannot read property 'x' of undefined", ["TypeError"]),
        ("java.lang.NullPointerException", ["NullPointerException"]),
        ("Error: something, Exception", []),
        ("AError BError CError DError", ["AError", "BError", "CError"]),
    ],
)
def test_errors_are_recognised_by_name(text: str, errors: list[str]) -> None:
    assert errors_in(text) == errors
