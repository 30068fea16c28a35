"""Every error in the shape that OpenAI's clients read."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from core.errors import GitloreError, UserError
from core.logs import log
from services.queue import BusyError, LateError

RETRY_AFTER_S = 2


def handle_errors(app: FastAPI) -> None:
    """Answer every exception of a route."""

    @app.exception_handler(StarletteHTTPException)
    async def http(_: Request, error: StarletteHTTPException) -> Response:
        return error_response(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()[:5])
        return error_response(422, wrong)

    @app.exception_handler(BusyError)
    async def busy(_: Request, __: BusyError) -> Response:
        answer = error_response(429, "the queue is full, try again in a moment")
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer

    @app.exception_handler(LateError)
    async def late(_: Request, __: LateError) -> Response:
        return error_response(504, "the request took too long")

    @app.exception_handler(Exception)
    async def defect(_: Request, error: Exception) -> Response:
        log.debug("a request failed", exc_info=error)
        return error_response(500, f"{type(error).__name__}: this is a defect of Gitlore")

    @app.exception_handler(GitloreError)
    async def ours(_: Request, error: GitloreError) -> Response:
        return error_response(400 if isinstance(error, UserError) else 500, str(error))


def error_response(status: int, message: str) -> JSONResponse:
    """An error as JSON."""
    kind = {401: "authentication_error", 429: "rate_limit_error", 504: "timeout"}.get(
        status, "server_error" if status >= 500 else "invalid_request_error"
    )
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": status}}, status)
