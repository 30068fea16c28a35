"""A whole run against GitHub: curated and searched repositories, filters, issues, limits, and a second night."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import githubkit.core
import pytest
from builders import Repo, grow
from github_server import Answer, Received, Script, repository, serving

from miners import github_client
from miners.github import collector
from miners.github.patience import ResumeLaterError
from miners.github_client import GitHubClient
from miners.issue_miner import closed_issues
from miners.pretraining import Pretraining, pretrain
from miners.seeder import STORES
from miners.settings import MiningSettings, SeedingSettings
from stores import PatternStore, VVectorStore

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def repos(make_repo: Callable[[str], Repo]) -> dict[str, Repo]:
    made = {name: make_repo(name) for name in ("good", "found", "small")}
    for name, repo in made.items():
        repo.commit(f"Begin {name}")
        grow(repo, 2 if name == "small" else 5)
    return made


def github(repos: dict[str, Repo]) -> Script:
    """A GitHub with these repositories; `good` has an issue that a commit closed."""
    closing = repos["good"].commit(
        "Handle nothing", {"pkg/part_0.py": "def part(x):\n    if x is None:\n        return\n"}
    )
    known = {
        f"octo/{name}": repository(f"octo/{name}", id=number, clone_url=f"file://{repo.path}")
        for number, (name, repo) in enumerate(repos.items(), start=1)
    }
    issue = {
        "number": 7,
        "title": "TypeError: 'NoneType' object is not iterable",
        "body": "it happens",
        "updatedAt": "2026-01-02T00:00:00Z",
        "closedByPullRequestsReferences": {"nodes": []},
        "timelineItems": {"nodes": [{"closer": {"__typename": "Commit", "oid": closing}}]},
    }

    def script(request: Received, number: int) -> Answer:
        path = request.path.partition("?")[0]
        if path == "/search/repositories":
            others = [
                {**known["octo/found"], "id": 50, "full_name": "octo/gpl", "license": {"spdx_id": "GPL-3.0"}},
                {**known["octo/found"], "id": 51, "full_name": "octo/unloved", "stargazers_count": 1},
                {**known["octo/found"], "id": 52, "full_name": "octo/old", "pushed_at": "2001-01-01T00:00:00Z"},
                {**known["octo/found"], "id": 53, "full_name": "octo/free", "license": None},
            ]
            return Answer(body={"items": [known["octo/good"], known["octo/found"], known["octo/small"], *others]})
        if request.method == "POST":
            variables = json.loads(request.body)["variables"]
            nodes = [issue] if variables["name"] == "good" and not variables["since"] else []
            page = {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}
            return Answer(body={"data": {"repository": {"issues": page}}})
        found = known.get(path.removeprefix("/repos/"))
        return Answer(body=found) if found else Answer(404, {"message": "Not Found"})

    return script


def run(url: str, folder: Path, **settings: Any) -> Pretraining:
    mining = MiningSettings(
        **{
            "api_url": url,
            "curated": {"backend": ("octo/good", "octo/gone")},
            "search": {"a": "topic:a", "b": "topic:a"},
            "min_commits": 5,
            **settings,
        }
    )
    return pretrain(mining, SeedingSettings(), str(folder / "stores"), folder / "cache", "code")


def test_what_github_knows_is_mined_and_a_second_night_asks_for_nothing(
    repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    with serving(github(repos)) as server:
        done = run(server.url, tmp_path)
        assert done.failed == []
        assert done.collected.drops == {
            "repositories that GitHub does not show us": 1,
            "repositories under other licences (GPL-3.0)": 2,
            "repositories below min_stars": 2,
            "repositories without a push in max_days_since_update": 2,
            "repositories without a licence": 2,
            "repositories below min_commits": 1,
        }
        with VVectorStore(tmp_path / "stores") as store, PatternStore(tmp_path / "stores") as patterns:
            states = {state.name: state for state in store.evidence.states().values()}
            assert set(states) == {"octo/good", "octo/found"}
            good = states["octo/good"]
            assert (good.github_id, good.stars, good.licence, good.facts["topics"]) == (
                1,
                80,
                "MIT",
                ["octocat", "api"],
            )
            assert good.issues_until == "2026-01-02T00:00:00Z"
            remedies = [one for one in patterns.evidence.of_repository(good.key) if one.context_type == "error_remedy"]
            assert [(one.option, one.outcome["kind"], one.note[:3]) for one in remedies] == [
                ("TypeError", "guard_fix", "#7:")
            ]
        received = len(server.received)
        again = run(server.url, tmp_path)
        new = server.received[received:]
        # Issues are requested again, from where the first night ended; nothing else is.
        assert [(one.method, json.loads(one.body)["variables"]["since"]) for one in new] == [
            ("POST", "2026-01-02T00:00:00Z")
        ]
        assert not again.seeding
        third = run(server.url, tmp_path)
        assert len(server.received) == received + 1
        assert not third.seeding
        assert third.collected.counts["answers from the cache"] > 0
        assert "nothing new | 0 requests to GitHub, 0 answers without change" in third.summary()


def test_a_limit_ends_the_run_after_merging_what_was_read(
    repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    normal = github(repos)
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 7200)}

    def limited(request: Received, number: int) -> Answer:
        return Answer(403, {"message": "limit"}, reset) if "/search/" in request.path else normal(request, number)

    with serving(limited) as server:
        done = run(server.url, tmp_path)
        assert isinstance(done.resume, ResumeLaterError)
        with VVectorStore(tmp_path / "stores") as store:
            assert [state.name for state in store.evidence.states().values()] == ["octo/good"]
    with serving(normal) as server:
        assert run(server.url, tmp_path).resume is None
        with VVectorStore(tmp_path / "stores") as store:
            assert len(store.evidence.states()) == 2


def test_a_renamed_repository_stays_the_same(
    repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    normal = github(repos)

    def renamed(request: Received, number: int) -> Answer:
        answer = normal(request, number)
        if request.path == "/repos/octo/good":
            return Answer(body={**answer.body, "full_name": "octo/better"})
        return answer

    hours = {"repository": 0.0, "search": 0.0, "issues": 0.0}
    with serving(normal) as server:
        run(server.url, tmp_path, search={})
    with serving(renamed) as server:
        run(server.url, tmp_path, search={}, cache_hours=hours)
    with VVectorStore(tmp_path / "stores") as store:
        assert [state.name for state in store.evidence.states().values()] == ["octo/better"]


def test_without_a_token_the_rest_is_still_mined(
    repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with serving(github(repos)) as server:
        done = run(server.url, tmp_path, search={}, issues=0)
    assert done.tally.counts["repositories"] == 1
    assert all("authorization" not in one.headers for one in server.received)


def later(script: Script, topics: list[str]) -> Script:
    """The same GitHub with other topics, and always with the issue."""

    def with_topics(request: Received, number: int) -> Answer:
        if request.method == "POST":  # GitHub's `since` counts the moment itself in
            variables = json.loads(request.body)["variables"]
            first = Received(
                request.method,
                request.path,
                request.headers,
                json.dumps({"variables": {**variables, "since": None}}).encode(),
            )
            return script(first, number)
        answer = script(request, number)
        return Answer(body={**answer.body, "topics": topics}) if request.path == "/repos/octo/good" else answer

    return with_topics


def evidence_in(folder: Path) -> list[Any]:
    found: list[Any] = []
    for kind in STORES:
        with kind(folder / "stores") as store:
            found += [piece for key in store.evidence.states() for piece in store.evidence.of_repository(key)]
    return found


def test_new_answers_from_github_remove_nothing(
    repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    never = {"repository": 0.0, "search": 0.0, "issues": 0.0}
    script = github(repos)
    with serving(script) as server:
        run(server.url, tmp_path, search={}, cache_hours=never)
    before = evidence_in(tmp_path)
    assert any(piece.note.startswith("#7:") for piece in before)
    with serving(later(script, ["other"])) as server:
        done = run(server.url, tmp_path, search={}, cache_hours=never)
        assert done.tally.counts["repositories"] == 1
        assert evidence_in(tmp_path) == before
        assert run(server.url, tmp_path, search={}, cache_hours=never).tally.counts["repositories without news"] == 1


def test_a_store_left_behind_by_a_kill_gets_its_issues_again(
    repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    with serving(github(repos)) as server:
        run(server.url, tmp_path, search={})
        before = evidence_in(tmp_path)
        for name in ("pattern_memory", "failure_memory"):
            (tmp_path / "stores" / f"{name}.db").unlink()
        run(server.url, tmp_path, search={})
    assert evidence_in(tmp_path) == before


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {"message": "oops"}),
        Answer(body={"errors": [{"message": "Field 'closedByPullRequestsReferences' doesn't exist on type 'Issue'"}]}),
        Answer(404, {"message": "Not Found"}),
        Answer(403, {"message": "Resource not accessible by personal access token"}),
        Answer(body={"data": {"repository": {"issues": {"nodes": [None], "pageInfo": None}}}}),
        Answer(body={"data": {"repository": {"issues": ["?"]}}}),
        Answer(body=[]),
    ],
    ids=["500", "old server", "404", "403", "null", "list", "other"],
)
def test_a_query_that_fails_falls_back_to_rest(
    answer: Answer, repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    for module in (githubkit.core, github_client):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    normal = github(repos)
    closing = repos["good"].git("rev-parse", "HEAD")

    def script(request: Received, number: int) -> Answer:
        if request.method == "POST":
            return answer
        if "/timeline" in request.path:
            return Answer(body=[{"event": "closed", "commit_id": closing}])
        if "/issues" in request.path:
            issue = {"number": 7, "title": "TypeError", "body": None, "updated_at": "2026-01-02T00:00:00Z"}
            return Answer(body=[issue, {"number": 8, "title": "KeyError", "updated_at": None}])
        return normal(request, number)

    with serving(script) as server:
        done = run(server.url, tmp_path, search={})
    assert done.failed == []
    assert [piece.option for piece in evidence_in(tmp_path) if piece.context_type == "error_remedy"] == [
        "KeyError",
        "TypeError",
    ]


def test_one_failed_answer_does_not_stop_the_others(
    repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setattr(githubkit.core, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    normal = github(repos)

    def script(request: Received, number: int) -> Answer:
        return Answer(500, {"message": "oops"}) if request.path == "/repos/octo/gone" else normal(request, number)

    with serving(script) as server:
        done = run(server.url, tmp_path)
    assert [sentence.partition(":")[0] for sentence in done.failed] == ["octo/gone"]
    assert done.tally.counts["repositories"] == 2


def test_a_defect_in_reading_one_answer_does_not_keep_the_rest_from_it(
    repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    asked = GitHubClient.repository

    def repository_of(client: GitHubClient, name: str) -> Any:
        return {}["nothing"] if name == "octo/gone" else asked(client, name)

    def issues_of(client: GitHubClient, name: str, *others: Any) -> Any:
        return 1 / 0 if name == "octo/found" else closed_issues(client, name, *others)

    monkeypatch.setattr(GitHubClient, "repository", repository_of)
    monkeypatch.setattr(collector, "closed_issues", issues_of)
    with serving(github(repos)) as server:
        done = run(server.url, tmp_path)
    assert [sentence.partition(" (")[0] for sentence in done.failed] == [
        "octo/gone: KeyError: 'nothing'",
        "issues of octo/found: ZeroDivisionError: division by zero",
    ]
    assert done.tally.counts["repositories"] == 2
    assert done.tally.counts["issues with a remedy"] == 1


def test_without_a_network_named_clones_are_still_mined(
    repos: dict[str, Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(githubkit.core, "time", SimpleNamespace(sleep=waits.append, time=time.time))
    with serving(github(repos)) as server:
        pass
    done = run(server.url, tmp_path, repositories=(str(repos["good"].path),))
    assert done.tally.counts["repositories"] == 1
    assert [sentence.startswith("GitHub cannot be reached") for sentence in done.failed] == [True]
    assert waits == [1, 4, 9]  # one thing is tried again, not each of them
