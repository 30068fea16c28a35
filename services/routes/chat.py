"""/chat, /index, /feedback and /answers: questions about a repository, answered with citations that git confirms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response

from core.git import trees
from core.git.commands import GoneError
from services.answers import AnswerPart
from services.chats import Chats, ServedChat
from services.http.errors import RefusedError
from services.http.events import STREAMED, Wire, answered, event
from services.queue import Queues
from services.schemas import AskRequest, FeedbackRequest, IndexRequest

_EXPLAINED = (
    *("answer_id", "repo", "question", "kind", "known", "commit", "written_by", "useful", "comment"),
    *("policy_version", "context", "weights_version", "hits", "weights"),
)
"""Fields of an answer."""


def chat_routes(chats: Chats, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.post("/chat", responses=STREAMED)
    async def chat(body: AskRequest, request: Request) -> Response:
        """A question about a repository; every statement of the answer points at lines or commits that say so."""
        work = chats.named(body.repo).ask(body.question, body.commit, body.answer_id)
        return await answered(queues, work, ChatWire(), request, stream=body.stream)

    @router.get("/index/status")
    async def status() -> dict[str, Any]:
        """The repositories that can be asked: which commit each is indexed at, and how far that is from the newest."""
        return {"repositories": [await state_of(one, queues) for one in chats.by_name.values()]}

    @router.post("/index/{repo}/initial", status_code=202)
    async def initial(repo: str, body: IndexRequest | None = None) -> dict[str, Any]:
        """Index a repository that has not been asked yet; where it is indexed already, as `diff`."""
        return await _brought(chats.named(repo), body, queues)

    @router.post("/index/{repo}/diff", status_code=202)
    async def diff(repo: str, body: IndexRequest | None = None) -> dict[str, Any]:
        """Bring an index to another commit by what differs. Without a commit, it follows the branch again."""
        if not (one := chats.named(repo)).indexing.commit:
            message = f"{one.name} is not indexed yet: POST /index/{one.name}/initial"
            raise RefusedError(409, message, param="repo", code="index_not_ready")
        return await _brought(one, body, queues)

    @router.post("/feedback")
    async def feedback(body: FeedbackRequest) -> dict[str, Any]:
        """Say whether an answer was useful, or which citation was opened; the last word counts."""

        def rate(one: ServedChat) -> bool:
            opened = body.opened or 0
            return one.reading.rate(body.answer_id, useful=body.useful, comment=body.comment, opened=opened)

        await queues.reading.one(lambda: chats.find(body.answer_id, rate))
        return {"answer_id": body.answer_id, **body.model_dump(include={"useful", "opened"}, exclude_none=True)}

    @router.get("/answers/{answer_id}/why")
    async def why(answer_id: str) -> dict[str, Any]:
        """The places that an answer was chosen from, the best first, with each feature times its weight; the weights of
        both classes of question, where these have not changed since.
        """
        found = await queues.reading.one(lambda: chats.find(answer_id, lambda one: one.reading.why(answer_id)))
        return {name: found.get(name) for name in _EXPLAINED}

    return router


class ChatWire(Wire):
    """What /chat answers."""

    def whole(self, parts: list[AnswerPart]) -> dict[str, Any]:
        """What the last event holds."""
        return dict(parts[-1].data) if parts else {}

    async def stream(self, parts: AsyncIterator[AnswerPart]) -> AsyncIterator[str]:
        """Named events: state, one for each statement, done."""
        async for part in parts:
            yield event(part.data, part.event)


async def state_of(one: ServedChat, queues: Queues) -> dict[str, Any]:
    """How far the index of a repository is, and how far behind that is; the `date` of the commit that it describes, ""
    where that is gone, and its size in `bytes`. A repository that was deleted is one that cannot be updated.
    """
    progress = one.indexing.progress
    found: dict[str, Any] = {
        "repo": one.name,
        "state": progress.stage,
        "commit": progress.commit,
        "done": progress.done,
        "total": progress.total,
        "problem": progress.problem,
        "pinned": bool(one.indexing.pinned),
        "in_words": progress.in_words(),
    }
    if progress.commit:
        try:
            state, date, size = await queues.reading.one(lambda: one.reading.about(progress.commit))
        except GoneError as error:
            problem = f"{error.message}; {error.hint}"
            return {**found, "state": "failed", "problem": error.message, "in_words": problem}
        found |= {"branch": state.branch, "behind": state.behind, "beside": state.beside, "date": date, "bytes": size}
        if progress.stage == "ready":
            found["in_words"] = state.in_words().replace("answered at", "indexed at")
    return found


async def _brought(one: ServedChat, body: IndexRequest | None, queues: Queues) -> dict[str, Any]:
    """Begin an update. Raises 400 where there is no such commit."""
    revision = body.commit if body else ""
    if revision:
        revision = await queues.reading.one(lambda: trees.commit_named(one.git_dir, revision))
    one.indexing.bring_to(revision)
    return await state_of(one, queues)
