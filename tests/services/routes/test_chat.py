"""Questions over HTTP: answers with citations, streams, indexes that follow, feedback, and OpenAI's clients."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import threading
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import httpx2 as httpx
import pytest
from answerers import official

from chat.citations import Citation
from chat.learning import bandit
from chat.learning.bandit import Arm, Contexts
from chat.learning.policies import Policy
from chat.learning.use_log import UseLog
from chat.providers import Provider
from core.config import ChatConfig
from core.errors import UserError
from index.code_index import CodeIndex
from index.search import CLASSES, Learned, Weights
from services.chat_tools import ChatTools
from services.chats import Chats
from services.http.limits import Limits
from services.indexing import Indexing
from services.queue import Queues
from tests.services.conftest import Asking

Client = httpx.AsyncClient
QUESTION = "Where is a large order reduced?"


def test_an_answer_cites_lines_that_the_commit_has(shop: Asking) -> None:
    async def work(client: Client) -> dict[str, Any]:
        return (await client.post("/chat", json={"question": QUESTION})).json()

    answer = shop(work)
    head = shop.repo.git("rev-parse", "HEAD").strip()
    assert (answer["repo"], answer["commit"], answer["stale_by"]) == ("shop", head, 0)
    first = answer["citations"][answer["statements"][0]["citations"][0] - 1]
    lines = shop.repo.git("show", f"{first['commit']}:{first['path']}").splitlines()
    assert first["path"] == "shop/basket.py"
    assert first["quote"].split("\n") == lines[first["first"] - 1 : first["last"]]
    assert first["blob"] == shop.repo.git("rev-parse", f"HEAD:{first['path']}").strip()
    assert f"`{first['at']}`" in answer["answer"]
    assert "hits" not in answer


def test_a_stream_has_the_state_each_statement_and_the_whole(shop: Asking) -> None:
    async def work(client: Client) -> tuple[str, dict[str, Any]]:
        streamed = await client.post("/chat", json={"question": QUESTION, "stream": True})
        assert streamed.headers["content-type"].startswith("text/event-stream")
        return streamed.text, (await client.post("/chat", json={"question": QUESTION})).json()

    text, whole = shop(work)
    events = [block.split("\n") for block in text.strip().split("\n\n")]
    names = [name.removeprefix("event: ") for name, _ in events]
    read = [json.loads(data.removeprefix("data: ")) for _, data in events]
    assert names == ["state", *["statement"] * len(whole["statements"]), "done"]
    assert read[0]["commit"] == whole["commit"]
    assert read[1]["citations"][0] == whole["citations"][0]
    assert {**read[-1], "answer_id": ""} == {**whole, "answer_id": ""}


def test_the_index_follows_the_branch_and_can_be_held_at_a_commit(shop: Asking) -> None:
    async def work(client: Client) -> None:
        status = (await client.get("/index/status")).json()["repositories"]
        assert [(one["repo"], one["state"], one["commit"]) for one in status] == [("shop", "nothing", "")]
        assert (await client.post("/index/shop/diff")).json()["error"]["code"] == "index_not_ready"
        assert (await client.post("/index/other/initial")).json()["error"]["code"] == "repo_not_found"
        assert (await client.post("/index/shop/initial")).status_code == 202
        old = (await client.post("/chat", json={"question": QUESTION})).json()["commit"]
        new = shop.repo.commit("explain delivery", {"docs/guide.md": "# Guide\n\nParcels come by tram.\n"})
        while (await client.post("/chat", json={"question": "how do parcels come?"})).json()["commit"] != new:
            await asyncio.sleep(0.05)
        assert (await client.post("/index/shop/diff", json={"commit": "no-such"})).status_code == 400
        assert (await client.post("/index/shop/diff", json={"commit": old})).status_code == 202
        while (await status_of(client))["commit"] != old:
            await asyncio.sleep(0.01)
        held = (await client.post("/chat", json={"question": QUESTION, "commit": old})).json()
        assert (held["commit"], held["stale_by"]) == (old, 1)
        assert "1 commit behind main" in held["state"]
        refused = await client.post("/chat", json={"question": QUESTION, "commit": new})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "other_commit_indexed")

    shop(work)


async def status_of(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/index/status")).json()["repositories"][0]
    return found


def test_an_index_that_is_made_is_waited_for_and_then_refused(shop: Asking, monkeypatch: Any) -> None:
    monkeypatch.setattr(Indexing, "_update", lambda one, revision: None)

    async def work(client: Client) -> None:
        refused = await client.post("/chat", json={"question": QUESTION})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "index_not_ready")
        assert refused.headers["Retry-After"]

    shop(work, limits=Limits(seconds=0.2))


def test_a_repository_without_commits_is_said(shop: Asking) -> None:
    shop.repo.git("checkout", "-q", "--orphan", "empty")

    async def work(client: Client) -> None:
        refused = await client.post("/chat", json={"question": QUESTION})
        assert refused.status_code == 400
        assert "no commits" in refused.json()["error"]["message"]
        assert (await status_of(client))["state"] == "failed"

    shop(work)


def test_a_repository_that_was_deleted_is_said(shop: Asking) -> None:
    head = shop.repo.git("rev-parse", "HEAD")

    async def work(client: Client) -> None:
        assert (await client.post("/chat", json={"question": QUESTION})).status_code == 200
        shutil.rmtree(shop.repo.path)
        for question in (QUESTION, "why was discount changed?"):
            refused = await client.post("/chat", json={"question": question})
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "repository_gone")
        status = await status_of(client)
        assert (status["state"], "no repository" in status["problem"]) == ("failed", True)
        assert "Try again" in (await client.get("/")).text
        assert (await client.get(f"/repositories/shop/commits/{head}")).status_code == 503
        assert (await client.post("/index/shop/initial")).status_code in (202, 429)

    shop(work)


def test_feedback_and_reasons_are_kept_for_the_next_service(shop: Asking) -> None:
    async def ask(client: Client) -> str:
        answer: str = (await client.post("/chat", json={"question": QUESTION})).json()["answer_id"]
        rated = {"answer_id": answer, "useful": True, "comment": "right lines"}
        assert (await client.post("/feedback", json=rated)).json() == {"answer_id": answer, "useful": True}
        assert (await client.post("/feedback", json={**rated, "answer_id": "ans_none"})).status_code == 404
        return answer

    answer_id = shop(ask)

    async def read(client: Client) -> None:
        why = (await client.get(f"/answers/{answer_id}/why")).json()
        assert (why["question"], why["useful"], why["comment"]) == (QUESTION, True, "right lines")
        assert why["hits"][0]["symbol"] == "discount"
        assert why["hits"][0]["score"] > 0
        assert set(why["hits"][0]["features"]) <= set(why["weights"]["documents"]["plain"])
        assert re.fullmatch("[0-9a-f]{12}", why["weights_version"])
        assert (why["policy_version"], why["context"]) == ("default", "5 places")
        missing = await client.get("/answers/ans_none/why")
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "answer_not_found")

    shop(read)


def test_answers_name_the_weights_that_a_repository_has_learned(shop: Asking) -> None:
    async def ask(client: Client) -> dict[str, Any]:
        answer = (await client.post("/chat", json={"question": QUESTION})).json()
        found: dict[str, Any] = (await client.get(f"/answers/{answer['answer_id']}/why")).json()
        return found

    before = shop(ask)
    shipped = Weights.shipped()
    by_words = Weights(shipped.files, {one: {"w_all": 3.0} for one in CLASSES}, [])
    with CodeIndex(shop.repo.path / ".git", shop.cache) as index:
        index.keep(Learned(before["commit"], 1, by_words, []))

    async def read(client: Client) -> None:
        now = await ask(client)
        assert now["weights"]["documents"]["plain"] == {"w_all": 3.0}
        assert now["weights_version"] != before["weights_version"]
        assert (await client.get(f"/answers/{before['answer_id']}/why")).json()["weights"] is None

    shop(read)


def test_use_is_noted_behind_the_answers(shop: Asking) -> None:
    async def work(client: Client) -> list[Any]:
        answer, other = [(await client.post("/chat", json={"question": QUESTION})).json() for _ in range(2)]
        await client.post("/chat", json={"question": "who knows discount?"})
        (cited,) = [one["id"] for one in answer["citations"] if one["path"] == "shop/basket.py"]
        said = {"answer_id": answer["answer_id"], "opened": cited}
        assert (await client.post("/feedback", json=said)).json() == said
        assert (await client.post("/feedback", json={**said, "opened": 99})).status_code == 404
        assert (await client.post("/feedback", json={"answer_id": answer["answer_id"]})).status_code == 422
        await client.post("/feedback", json={"answer_id": other["answer_id"], "useful": False})
        return [answer, other]

    answer, other = shop(work)
    with closing(UseLog(shop.repo.path / ".git", shop.cache)) as log:
        opened, useless = sorted(log.judged(), key=lambda one: one.useful is not None)
        assert log.count() == (2, 2)  # places do not answer who knows something
    assert (opened.id, opened.opened, opened.useful) == (answer["answer_id"], {0}, None)
    assert (useless.id, useless.opened, useless.useful) == (other["answer_id"], set(), False)
    assert (opened.arm, opened.chance, opened.policy) == ("5 places", 1.0, "default")
    assert opened.weights == answer["weights_version"]
    best = opened.found.places[0]
    assert (best.path, opened.found.shown) == ("shop/basket.py", len(answer["statements"]))
    assert sum(best.features) > 0
    (file,) = shop.cache.rglob("use.db")
    assert b"order reduced" not in file.read_bytes()


def test_following_a_link_of_an_answer_is_use(shop: Asking) -> None:
    async def work(client: Client) -> str:
        sent = await client.post("/repositories/shop/questions", data={"question": QUESTION})
        page = await client.get(sent.headers["Location"])
        links = re.findall(r'href="([^"]+answer=[^"]+)"', page.text)
        await client.get(links[0].replace("&amp;", "&"))
        return sent.headers["Location"]

    location = shop(work)
    with closing(UseLog(shop.repo.path / ".git", shop.cache)) as log:
        (one,) = log.judged()
    assert (one.id, one.opened) == (location.rsplit("/", 1)[1], {0})


def test_nothing_is_noted_where_the_settings_say_so(shop: Asking) -> None:
    with closing(Chats.open({"": str(shop.repo.path)}, shop.cache, ChatConfig(remember=False))) as chats:
        (served,) = chats.by_name.values()
        served.asking.chat.update()
        answer_id = served.asking.answered(QUESTION)["answer_id"]
        assert served.asking.rate(answer_id, useful=True)
    assert not list(shop.cache.rglob("use.db"))


def test_what_helped_chooses_how_much_is_shown_where_it_may(shop: Asking) -> None:
    one = Contexts(at=1.0, judged=9, verdict="", arms=[Arm(Policy(terse=True), 9, 0, 0.0, 1.0)])
    said = {}
    for adapts in (False, True):
        settings = ChatConfig(adapt=("context",) if adapts else ())
        with closing(Chats.open({"": str(shop.repo.path)}, shop.cache, settings)) as chats:
            (served,) = chats.by_name.values()
            served.asking.chat.update()
            bandit.keep(served.asking.chat.index, [one])
            said[adapts] = served.asking.answered(QUESTION)
    assert (said[False]["context"], said[False]["policy_version"]) == ("5 places", "default")
    assert (said[True]["context"], said[True]["policy_version"]) == ("5 places, best lines only", one.name)


def test_what_is_asked_is_bounded(shop: Asking) -> None:
    async def work(client: Client) -> list[int]:
        bodies: list[dict[str, Any]] = [
            {"question": ""},
            {"question": "x" * 2001},
            {"question": "x", "repo": "y" * 201},
            {"question": "x", "commit": ":/secret"},
            {"question": "x\ud800"},
        ]
        sent = [json.dumps(body) for body in bodies]
        return [(await client.post("/chat", content=body)).status_code for body in sent]

    assert shop(work) == [422] * 5


def test_a_question_may_follow_an_answer(shop: Asking) -> None:
    async def work(client: Client) -> None:
        first = (await client.post("/chat", json={"question": QUESTION})).json()
        asked = {"question": "And what calls it?", "answer_id": first["answer_id"]}
        follows = (await client.post("/chat", json=asked)).json()
        assert follows["kind"] == "calls"
        assert follows["statements"][0]["text"] == "`checkout` in shop/basket.py calls `discount`."
        asked["answer_id"] = follows["answer_id"]
        again = (await client.post("/chat", json={**asked, "question": "why was it changed?"})).json()
        assert again["lead"].startswith("2 commits changed `discount`")
        alone = (await client.post("/chat", json={"question": "And what calls it?"})).json()
        assert not alone["known"]
        unknown = await client.post("/chat", json={**asked, "answer_id": "ans_none"})
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "answer_not_found")

    shop(work)


def test_what_an_answer_was_about_may_be_elsewhere_or_gone_since(shop: Asking) -> None:
    async def work(client: Client) -> None:
        first = (await client.post("/chat", json={"question": QUESTION})).json()
        asked = {"question": "how does that function work?", "answer_id": first["answer_id"]}
        source = shop.repo.git("show", "HEAD:shop/basket.py")
        head = shop.repo.commit("explain", {"shop/basket.py": f"# Prices.\n{source}"})
        while (moved := (await client.post("/chat", json=asked)).json())["commit"] != head:
            await asyncio.sleep(0.05)
        assert moved["citations"][0]["first"] == first["citations"][0]["first"] + 1
        head = shop.repo.commit("start again", {"shop/basket.py": "x = 1\n"})
        while (gone := (await client.post("/chat", json=asked)).json())["commit"] != head:
            await asyncio.sleep(0.05)
        assert not gone["known"]
        assert gone["statements"] == []

    shop(work)


def test_openai_clients_point_back_to_what_they_said(shop: Asking) -> None:
    async def work(client: Client) -> None:
        openai = official(client)
        said = [
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": "`discount` in shop/basket.py."},
            {"role": "user", "content": "thanks, and who wrote it?"},
        ]
        whole: Any = await openai.chat.completions.create(model="chat:shop", messages=said)  # type: ignore[call-overload]
        assert "Who changed `discount`" in whole.choices[0].message.content
        of_responses = await openai.responses.create(model="chat:shop", input=said)  # type: ignore[arg-type]
        assert "Who changed `discount`" in of_responses.output_text

    shop(work)


def test_openai_clients_ask_a_repository_by_its_model(shop: Asking) -> None:
    async def work(client: Client) -> None:
        openai = official(client)
        assert "chat:shop" in [model.id async for model in openai.models.list()]
        asked = [{"role": "user", "content": QUESTION}]
        whole: Any = await openai.chat.completions.create(model="chat:shop", messages=asked)  # type: ignore[call-overload]
        assert "shop/basket.py" in whole.choices[0].message.content
        assert whole.citations[0]["path"] == "shop/basket.py"
        stream: Any = await openai.chat.completions.create(  # type: ignore[call-overload]
            model="chat:shop", messages=asked, stream=True
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text == whole.choices[0].message.content
        assert chunks[-1].citations == whole.citations
        assert len(chunks) > 3
        for body in ({"prompt": "x", "model": "chat:shop"}, {"task": "x", "model": "chat:shop"}):
            path = "/v1/completions" if "prompt" in body else "/predict"
            assert (await client.post(path, json=body)).status_code == 404
        empty = {"model": "chat:shop", "messages": [{"role": "user", "content": " "}]}
        assert (await client.post("/v1/chat/completions", json=empty)).status_code == 400

    shop(work)


def test_no_question_to_the_repository_waits_for_a_language_model(
    shop: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def write(provider: Provider, question: str, sources: Sequence[Citation]) -> str:
        assert go.wait(30)
        return "`discount` takes a tenth [1]. `compute_discount` is free [1]."

    monkeypatch.setattr(Provider, "write", write)

    async def inside() -> None:
        chats = Chats.open({"": str(shop.repo.path)}, shop.cache, ChatConfig(url="http://127.0.0.1:9/v1", model="tiny"))
        queues = Queues(4, 60)
        one = chats.named("")
        asked = asyncio.ensure_future(queues.all(one.ask(QUESTION)))
        tools = ChatTools(one, queues.questions)
        assert (await tools.search_code("discount")).places
        assert (await tools.ask(QUESTION)).known
        assert not asked.done()
        go.set()
        done = (await asked)[-1].data
        assert done["written_by"] == "tiny"
        assert [one["supported"] for one in done["statements"]] == [True, False]
        assert "**Not supported**" in done["answer"]
        queues.close()
        chats.close()

    asyncio.run(inside())


def test_two_repositories_of_one_name_are_refused(shop: Asking) -> None:
    with pytest.raises(UserError, match="two repositories are called 'shop'"):
        Chats.open({"": str(shop.repo.path), "shop": str(shop.repo.path)}, shop.cache)
