"""The service: /predict in our own terms, /v1/… in those of OpenAI's clients, /health, /docs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from core import __version__
from services.answers import Answerer
from services.http.errors import handle_errors
from services.http.keys import KeyGuard
from services.http.limits import BodyLimit, Limits
from services.models import ServedModels
from services.queue import Queues
from services.routes.completions import completion_routes
from services.routes.predict import predict_routes
from services.routes.status import status_routes


def make_app(models: Mapping[str, Answerer], limits: Limits, api_key: str = "") -> FastAPI:
    """The service. Requests that name no model get the first; with an `api_key`, requests without it are refused."""
    queues, guard, served = Queues(limits.waiting, limits.seconds), KeyGuard(api_key), ServedModels(models)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        queues.close()

    app = FastAPI(
        title="Gitlore", version=__version__, lifespan=lifespan, description="Which files change next, and why."
    )
    app.add_middleware(BodyLimit, most=limits.body_bytes, most_seconds=limits.body_seconds)
    handle_errors(app)
    app.include_router(status_routes(served, queues, guard))
    app.include_router(predict_routes(served, queues), dependencies=[Depends(guard)])
    app.include_router(completion_routes(served, queues), dependencies=[Depends(guard)])
    return app
