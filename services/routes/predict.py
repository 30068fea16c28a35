"""/predict: what changes next, in our own terms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from services.answers import AnswerPart
from services.http.events import STREAMED, Wire, answered, event
from services.models import ServedModels
from services.queue import Queues
from services.schemas import PredictRequest


def predict_routes(models: ServedModels, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.post("/predict", responses=STREAMED)
    async def predict(body: PredictRequest, request: Request) -> Response:
        """The files that change next, with reasons; with a model, kinds of change and a sketch of the commit."""
        model = models.asked(body.model, body.repo)
        return await answered(queues, model.predict(body), PredictWire(model.name), request, stream=body.stream)

    return router


@dataclass(frozen=True)
class PredictWire(Wire):
    """What /predict answers."""

    model: str

    def whole(self, parts: list[AnswerPart]) -> dict[str, Any]:
        """What the last event holds."""
        return {"model": self.model, **(parts[-1].data if parts else {})}

    async def stream(self, parts: AsyncIterator[AnswerPart]) -> AsyncIterator[str]:
        """Named events; text is one, too."""
        async for part in parts:
            yield event(part.data if part.event else {"text": part.text}, part.event or "text")
