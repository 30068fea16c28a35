"""A repository behind the routes, without a model: rankings, reasons, streams, and what only a model can do."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from builders import PROJECT, Repo, grow

from core.errors import UserError
from core.prediction.files import FileAsker
from core.prediction.question import Question
from core.prediction.second_opinion import SecondOpinion, SecondOpinionConfig
from services.app import make_app
from services.http.limits import Limits
from services.served import Served, load_all

Client = httpx.AsyncClient
PLENTY = Limits()
Ask = Callable[[Callable[[Client], Awaitable[Any]]], Any]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository with a dozen commits. Not to be changed."""
    repo = Repo.new(tmp_path_factory.mktemp("grown") / "repo")
    grow(repo)
    return repo


@pytest.fixture(scope="module")
def shared(grown: Repo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """It, served without a model."""
    yield from served_at(grown, tmp_path_factory.mktemp("cache"))


@pytest.fixture
def own(history: Repo, tmp_path: Path) -> Iterator[Served]:
    """One that may be changed."""
    yield from served_at(history, tmp_path / "cache")


def served_at(repo: Repo, cache: Path) -> Iterator[Served]:
    (made,) = load_all([], {"": str(repo.path)}, cache, 10).values()
    yield made
    made.close()


def asked(served: Served, work: Callable[[Client], Awaitable[Any]], limits: Limits = PLENTY) -> Any:
    """What a function gets that is called with a client of the service."""

    async def inside() -> Any:
        transport = httpx.ASGITransport(app=make_app({served.name: served}, limits), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await work(client)

    return asyncio.run(inside())


@pytest.fixture
def ask(shared: Served) -> Ask:
    """The same of the repository that is not changed."""
    return lambda work: asked(shared, work)


def test_files_come_with_reasons_whose_commits_exist(ask: Ask, grown: Repo) -> None:
    answer = ask(lambda client: client.post("/predict", json={"task": "step 12: handlers and notes"})).json()
    assert (answer["model"], answer["at"], answer["mode"]) == ("files", grown.git("rev-parse", "HEAD"), "task")
    assert answer["files"]
    assert 0 < sum(file["share"] for file in answer["files"]) <= 1 + 1e-5
    assert all(0 <= file["probability"] <= 1 for file in answer["files"])
    reasons = [reason for file in answer["files"] for reason in file["reasons"]]
    assert any(reason["commits"] for reason in reasons)
    for reason in reasons:
        assert reason["text"]
        for commit in reason["commits"]:
            assert grown.git("cat-file", "-t", commit) == "commit"
    assert answer["change_types"] == []
    assert answer["commit"] is None


def test_a_change_is_answered_with_what_goes_with_it(ask: Ask) -> None:
    answer = ask(lambda client: client.post("/predict", json={"changed": ["src/lib.rs"]})).json()
    assert answer["mode"] == "change"
    assert "src/lib.rs" not in [file["name"] for file in answer["files"]]
    assert not any(file["new"] for file in answer["files"])


def test_an_answer_as_of_a_commit_knows_nothing_later(own: Served, history: Repo) -> None:
    history.commit("add later", {"later.py": "x = 1\n"})

    async def both(client: Client) -> tuple[Any, Any]:
        question = {"task": "later", "top": 50}
        return (
            (await client.post("/predict", json=question)).json(),
            (await client.post("/predict", json={**question, "at": "HEAD~1"})).json(),
        )

    now, then = asked(own, both)
    assert now["files"][0]["name"] == "later.py"
    assert then["at"] == history.git("rev-parse", "HEAD~1")
    assert "later.py" not in [file["name"] for file in then["files"]]


@pytest.mark.parametrize("at", ["nowhere", "-x", "--all", "a\0b", "\ud800", "HEAD~99", "0" * 40, "HEAD:README.md"])
def test_an_unknown_commit_is_a_sentence(ask: Ask, at: str) -> None:
    body = json.dumps({"at": at}).encode()
    answer = ask(lambda client: client.post("/predict", content=body, headers={"Content-Type": "application/json"}))
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["message"]


def test_a_stream_begins_with_the_ranking(ask: Ask) -> None:
    text = ask(lambda client: client.post("/predict", json={"task": "notes", "stream": True})).text
    events = [json.loads(line[len("data: ") :]) for line in text.splitlines() if line.startswith("data: ")]
    assert [line for line in text.splitlines() if line.startswith("event")] == ["event: ranking", "event: done"]
    assert events[0] == events[1]
    assert events[0]["files"]


def test_chat_lists_files_with_reasons_below(ask: Ask) -> None:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "step 12: handlers and notes"}]}
    whole = ask(lambda client: client.post("/v1/chat/completions", json=body)).json()
    text = whole["choices"][0]["message"]["content"]
    lines = text.splitlines()
    assert lines[0] == "**Files**"
    assert lines[1].startswith("- `")
    assert lines[2].startswith("  - ")
    assert "~~~~" not in text
    assert whole["choices"][0]["finish_reason"] == "stop"
    stream = ask(lambda client: client.post("/v1/chat/completions", json={**body, "stream": True})).text
    chunks = [json.loads(line[len("data: ") :]) for line in stream.splitlines() if line.startswith("data: {")]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == text


def test_a_response_is_what_a_chat_is(ask: Ask) -> None:
    task = "step 12: handlers and notes"
    chat = ask(
        lambda client: client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": task}]})
    )
    response = ask(lambda client: client.post("/v1/responses", json={"input": task})).json()
    assert (response["model"], response["status"]) == ("files", "completed")
    assert response["output"][0]["content"][0]["text"] == chat.json()["choices"][0]["message"]["content"]


@dataclass(frozen=True)
class Reviewer(SecondOpinion):
    """A model that says what a test has it say, when it lets it."""

    says: str = "[2]"
    go: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def _asked(self, text: str) -> str:
        self.asked.append(text)
        self.go.wait(20)
        if not self.says:
            raise ValueError("no answer within 1 s")
        return self.says


@pytest.fixture
def reviewer(shared: Served) -> Iterator[Reviewer]:
    """Behind the repository that is not changed."""
    made = Reviewer(SecondOpinionConfig(second_opinion="m"))
    made.go.set()
    shared.second_opinion = made
    yield made
    shared.second_opinion = None


UNSURE: dict[str, Any] = {"task": "do it", "second_opinion": True}


def test_a_model_is_asked_where_that_is_wanted_and_the_ranking_is_unsure(ask: Ask, reviewer: Reviewer) -> None:
    plain = ask(lambda client: client.post("/predict", json={"task": "do it"})).json()
    assert plain["unsure"]
    assert "second_opinion" not in plain
    assert reviewer.asked == []
    answer = ask(lambda client: client.post("/predict", json=UNSURE)).json()
    second = plain["files"][1]["name"]
    assert answer["files"][0]["name"] == second
    assert answer["files"][0]["reasons"][0]["text"] == "m chose it"
    assert answer["second_opinion"] == {"model": "m", "files": [second], "problem": ""}
    assert len(reviewer.asked) == 1
    sure = ask(lambda client: client.post("/predict", json={"task": "", "second_opinion": True})).json()
    assert "second_opinion" not in sure
    assert len(reviewer.asked) == 1


def test_an_answer_with_a_second_opinion_is_that_of_the_command(ask: Ask, shared: Served, reviewer: Reviewer) -> None:
    files = shared.files
    asker = FileAsker(files.location, files.cache_dir, files.open_sources, second_opinion=reviewer)
    question = Question(task="do it", top=3)
    expected = asker.with_evidence(asker.answer(question), question).as_dict()
    asker.close()
    assert expected["second_opinion"]
    answer = ask(lambda client: client.post("/predict", json={**UNSURE, "top": 3})).json()
    assert answer == json.loads(json.dumps({"model": "files", **expected}))


def test_a_second_opinion_that_fails_leaves_the_order_and_says_why(ask: Ask, shared: Served) -> None:
    shared.second_opinion = failing = Reviewer(SecondOpinionConfig(second_opinion="m"), says="")
    failing.go.set()
    plain = ask(lambda client: client.post("/predict", json={"task": "do it"})).json()
    answer = ask(lambda client: client.post("/predict", json=UNSURE)).json()
    shared.second_opinion = None
    assert answer["files"] == plain["files"]
    assert answer["second_opinion"] == {"model": "m", "files": [], "problem": "no answer within 1 s"}


def test_without_a_model_for_it_a_second_opinion_is_refused(ask: Ask) -> None:
    answer = ask(lambda client: client.post("/predict", json=UNSURE))
    assert answer.status_code == 400
    assert "--second-opinion" in answer.json()["error"]["message"]


def test_no_ranking_waits_behind_a_second_opinion(shared: Served, reviewer: Reviewer) -> None:
    reviewer.go.clear()

    async def work(client: Client) -> None:
        waiting = [asyncio.create_task(client.post("/predict", json=UNSURE)) for _ in range(2)]
        while not reviewer.asked:
            await asyncio.sleep(0.01)
        assert (await client.post("/predict", json={"task": "do it"})).status_code == 200
        assert (await client.post("/predict", json=UNSURE)).status_code == 429
        assert (await client.get("/health")).json()["requests"] == 2
        reviewer.go.set()
        assert [(await one).json()["second_opinion"]["problem"] for one in waiting] == ["", ""]

    asked(shared, work, Limits(waiting=1))


def test_only_a_model_completes_text(ask: Ask) -> None:
    async def work(client: Client) -> tuple[Any, Any, Any]:
        return (
            (await client.get("/v1/models")).json(),
            await client.post("/v1/completions", json={"prompt": "fn"}),
            await client.post("/v1/completions", json={"prompt": "fn", "stream": True}),
        )

    models, whole, stream = ask(work)
    assert [one["id"] for one in models["data"]] == ["files"]
    for refused in (whole, stream):
        assert refused.status_code == 404
        assert "trained model" in refused.json()["error"]["message"]


def test_a_file_pattern_that_matches_nothing_is_refused(ask: Ask) -> None:
    assert ask(lambda client: client.post("/predict", json={"files": ["no/*.such"]})).status_code == 400


def test_a_new_commit_is_seen_by_the_next_question(own: Served, history: Repo) -> None:
    before = own.rank(Question(task="brand new"))
    history.commit("add a brand new file", {"brand_new.py": "x = 1\n"})
    after = own.rank(Question(task="brand new"))
    assert before.at != after.at
    assert after.ranking.files[0].name == "brand_new.py"


def test_several_repositories_are_served_by_their_names(grown: Repo, history: Repo, tmp_path: Path) -> None:
    history.commit("one more")
    found = load_all([], {"one": str(grown.path), "two": str(history.path)}, tmp_path / "cache", 10)
    assert list(found) == ["one", "two"]
    for name, repo in (("one", grown), ("two", history)):
        assert found[name].rank(Question()).at == repo.git("rev-parse", "HEAD")
        found[name].close()


def test_a_repository_without_commits_is_an_error(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no commits"):
        load_all([], {"": str(make_repo("empty").path)}, tmp_path, 10)


def test_serving_files_imports_no_torch(grown: Repo, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from services.served import load_all\n"
        "from services.app import make_app; from services.http.limits import Limits\n"
        f"make_app(load_all([], {{'': {str(grown.path)!r}}}, Path({str(tmp_path)!r}), 10), Limits())\n"
        "print(sorted({'torch', 'transformers', 'tokenizers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
