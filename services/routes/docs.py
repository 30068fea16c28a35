"""/docs: the routes as a page."""

from __future__ import annotations

import functools

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import HTMLResponse

from services.web.docs import page, policy


def docs_routes(app: FastAPI) -> APIRouter:
    """The route, about all those that the app has when it is first asked."""
    router = APIRouter()
    made = functools.cache(lambda: page(app.openapi()))

    @router.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(made(), headers={"Content-Security-Policy": policy(made())})

    return router
