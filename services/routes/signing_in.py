"""Signing in and out, for people with a browser, and the files that all pages load."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from services.http.errors import RefusedError
from services.http.forms import fields_of
from services.http.sessions import COOKIE, SIGN_IN, SIGN_OUT, Sessions
from services.web.pages import HEADERS, page, static_files

_OURS = re.compile(r"/(?![/\\])[!-~]{0,2000}")
"""An address of this service: another site's has its name behind two slashes."""


def sign_in_routes(sessions: Sessions) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)

    def form(request: Request, to: str, *, wrong: bool = False) -> Response:
        about = {"has_team": sessions.has_team, "has_key": sessions.has_key}
        return page("sign_in.html.j2", request.scope, 401 if wrong else 200, wrong=wrong, to=_ours(to), **about)

    @router.get(SIGN_IN)
    async def sign_in(request: Request, to: str = "/") -> Response:
        return form(request, to) if sessions.are_needed else RedirectResponse("/", 303)

    @router.post(SIGN_IN)
    async def signed_in(request: Request) -> Response:
        given = await fields_of(request)
        key, to = given.get("key", ""), given.get("to", "/")
        cookie = await run_in_threadpool(sessions.begin, key.encode("utf-8", "replace"))
        if not cookie:
            return form(request, to, wrong=True)
        answer = RedirectResponse(_ours(to), 303)
        is_secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax", secure=is_secure)
        return answer

    @router.post(SIGN_OUT)
    async def sign_out(request: Request) -> Response:
        sessions.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in static_files():
            raise RefusedError(404, "there is no such file")
        content, kind = static_files()[name]
        return Response(content, media_type=kind, headers={**HEADERS, "Cache-Control": "max-age=3600"})

    return router


def _ours(to: str) -> str:
    """Where somebody wanted to go; the start where that is no page of ours."""
    return to if _OURS.fullmatch(to) else "/"
