"""/predict: what changes next, in our own terms."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from services.answers import AnswerPart
from services.http.events import event, streamed
from services.models import ServedModels
from services.queue import Queues
from services.schemas import PredictRequest


def predict_routes(models: ServedModels, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.post("/predict", responses={200: {"content": {"text/event-stream": {}}}})
    async def predict(body: PredictRequest, request: Request) -> Response:
        """The files that change next, with reasons; with a model, kinds of change and a sketch of the commit."""
        model = models.named(body.model)
        work = model.predict(body)
        if body.stream:
            return await streamed(queues, work, _events, request)
        parts = await queues.all(work, request.is_disconnected)
        return JSONResponse({"model": model.name, **(parts[-1].data if parts else {})})

    return router


async def _events(parts: AsyncIterator[AnswerPart]) -> AsyncIterator[str]:
    async for part in parts:
        yield f"event: {part.event or 'text'}\n" + event(part.data if part.event else {"text": part.text})
