"""Pages: the repositories, questions with their answers, files at a commit. They work without scripts."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from chat.questions import MOST_TEXT
from core.git import touched, trees
from core.logs import log
from services.answers import AnswerPart
from services.chat_records import statements_of
from services.chats import Chats, ServedChat
from services.http.errors import RefusedError, refusal_of, wants_part
from services.http.forms import fields_of
from services.queue import BusyError, Queues
from services.routes.chat import state_of
from services.web.pages import HEADERS, fragment, html_event, page, part
from services.web.viewer import ShownFile, shown

MOST_ASKED = 100
"""Questions whose stream has not been opened yet; the oldest are forgotten."""
OfAnswer = Query(max_length=100)
"""The answer whose link was followed."""


def page_routes(chats: Chats, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)
    for routes in (_repositories, _questions, _answers, _code):
        router.include_router(routes(chats, queues))
    return router


def _repositories(chats: Chats, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    async def repositories(request: Request) -> Response:
        found = [await state_of(one, queues) for one in chats.by_name.values()]
        return page("repositories.html.j2", request.scope, repositories=found)

    @router.get("/repositories/{repo}")
    async def ask(repo: str, request: Request) -> Response:
        return page("ask.html.j2", request.scope, state=await state_of(chats.named(repo), queues))

    @router.get("/repositories/{repo}/state")
    async def state(repo: str) -> Response:
        return await index_state(chats.named(repo))

    @router.post("/repositories/{repo}/index")
    async def index(repo: str, request: Request) -> Response:
        one = chats.named(repo)
        with contextlib.suppress(BusyError):  # one that runs is shown
            one.indexing.bring_to("")
        return await index_state(one) if wants_part(request.headers) else RedirectResponse(f"/repositories/{repo}", 303)

    async def index_state(one: ServedChat) -> Response:
        return fragment(part("index_state", one.name, await state_of(one, queues)))

    return router


def _questions(chats: Chats, queues: Queues) -> APIRouter:
    router = APIRouter()
    asked: dict[str, tuple[ServedChat, str]] = {}

    @router.post("/repositories/{repo}/questions")
    async def questions(repo: str, request: Request) -> Response:
        one, question = chats.named(repo), (await fields_of(request)).get("question", "").strip()
        if not 0 < len(question) <= MOST_TEXT:
            raise RefusedError(422, f"a question has 1 to {MOST_TEXT:,} characters", param="question")
        if wants_part(request.headers):
            while len(asked) >= MOST_ASKED:
                del asked[next(iter(asked))]
            asked[token := secrets.token_urlsafe(16)] = one, question
            one.indexing.follow()
            state = await state_of(one, queues)
            return page("asked.html.j2", request.scope, token=token, question=question, state=state)
        parts = await queues.all(one.ask(question), request.is_disconnected)
        return RedirectResponse(f"/answers/{parts[-1].data['answer_id']}" if parts else "/", 303)

    @router.get("/questions/{token}")
    async def answer(token: str, request: Request) -> Response:
        one, question = asked.pop(token, (None, ""))
        lines = _streamed(one, question, queues, request) if one else _again()
        return StreamingResponse(lines, media_type="text/event-stream", headers=HEADERS)

    return router


def _answers(chats: Chats, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.get("/answers/{answer_id}")
    async def answer(answer_id: str, request: Request) -> Response:
        record = await queues.reading.one(lambda: chats.find(answer_id, lambda one: one.reading.kept.find(answer_id)))
        return page("answer.html.j2", request.scope, record=record, statements=list(statements_of(record)))

    @router.post("/answers/{answer_id}/feedback")
    async def feedback(answer_id: str, request: Request) -> Response:
        useful = (await fields_of(request)).get("useful") == "yes"

        def rate(one: ServedChat) -> bool:
            return one.reading.rate(answer_id, useful=useful)

        await queues.reading.one(lambda: chats.find(answer_id, rate))
        if not wants_part(request.headers):
            return RedirectResponse(f"/answers/{answer_id}", 303)
        return fragment(part("feedback", {"answer_id": answer_id, "useful": useful}))

    return router


def _code(chats: Chats, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.get("/repositories/{repo}/files/{commit}/{path:path}")
    async def file(
        repo: str, commit: str, path: str, request: Request, lines: str = "", answer: Annotated[str, OfAnswer] = ""
    ) -> Response:
        one, (first, last) = chats.named(repo), _range(lines)

        def read() -> ShownFile:
            data = one.reading.chat.citations.source(path, commit)
            if data is None:
                raise RefusedError(404, "there is no such file at this commit, or it is too large to show")
            if answer and one.uses:
                one.uses.open(answer, path, first)
            return shown(data, path, first, last)

        return page("file.html.j2", request.scope, repo=one.name, commit=commit, file=await queues.reading.one(read))

    @router.get("/repositories/{repo}/commits/{commit}")
    async def told(repo: str, commit: str, request: Request) -> Response:
        one = chats.named(repo)

        if not (commit.isascii() and commit.isalnum()):
            raise RefusedError(404, "a commit is shown by its hash")
        touch = await queues.reading.one(lambda: touched.named(one.git_dir, trees.commit_named(one.git_dir, commit)))
        return page("commit.html.j2", request.scope, repo=one.name, touch=touch)

    return router


async def _streamed(one: ServedChat, question: str, queues: Queues, request: Request) -> AsyncIterator[str]:
    """An answer as events of HTML; "done" is always the last."""

    seen: set[int] = set()
    try:
        async with contextlib.aclosing(queues.parts(one.ask(question, why=True), request.is_disconnected)) as parts:
            async for made in parts:
                for event in _events(one.name, made, seen):
                    yield event
    except Exception as error:  # noqa: BLE001 - the status is sent already
        refused = refusal_of(error)
        if refused.status_code == 500:
            log.exception("a page's stream failed")
        yield html_event("failed", part("failure", refused.detail))
    yield html_event("done", "")


def _events(repo: str, made: AnswerPart, seen: set[int]) -> list[str]:
    if made.event == "state":
        return []
    if made.event == "statement":
        answer_id = made.data["answer_id"]
        found = [html_event("statement", part("statement", repo, made.data, answer_id))]
        for one in made.data["citations"]:
            if one["id"] not in seen:
                seen.add(one["id"])
                found.append(html_event("source", part("source", repo, one, answer_id)))
        return found
    record = {**made.data, "useful": None}
    lead = [html_event("lead", part("lead", record["lead"]))] if record["lead"] else []
    return [html_event("state", ""), *lead, html_event("ending", part("ending", repo, record))]


async def _again() -> AsyncIterator[str]:
    yield html_event("failed", part("failure", "this question was answered already; ask it again"))
    yield html_event("done", "")


def _range(lines: str) -> tuple[int, int]:
    """The lines that "3-9" or "3" means; none where a text is no range."""
    first, _, last = lines.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal() and len(lines) < 20):
        return 0, 0
    return int(first), max(int(first), int(last or first))
