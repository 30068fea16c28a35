"""Errors: a page for people; for programs a sentence, its kind, the field that is wrong, and a code, in the shape that
OpenAI's clients read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Scope

from core.errors import GitloreError, UserError
from core.git.commands import GoneError
from core.logs import log
from patterns.memory.refusals import RefusedOperationError
from services.http.request_ids import HEADER
from services.offered import UNSUPPORTED
from services.queue import BusyError, LateError
from services.schemas import FORMS
from services.web.pages import fragment, page, part

RETRY_AFTER_S = 2
MOST_SHOWN = 100
"""Characters of a path, or of a name in a body, that an error repeats."""
_KINDS = {401: "authentication_error", 429: "rate_limit_error", 504: "timeout"}
_CODES = {401: "invalid_api_key", 404: "unknown_url", 405: "method_not_supported", 429: "rate_limit_exceeded"}
STATUS_OF: dict[str, int] = {
    "not_allowed": 403,
    "not_found": 404,
    **dict.fromkeys(("exists", "own_pattern", "deleted", "key_reused", "last_admin"), 409),
    **dict.fromkeys(("not_better", "changed_meanwhile"), 409),
    "cursor_expired": 410,
    **dict.fromkeys(("holds_secret", "invalid"), 422),
    "invalid_cursor": 400,
    "too_large": 413,
    "queue_full": 429,
}
"""Of what a team's memory refuses."""
_CODES_OF_FIELDS = {UNSUPPORTED: UNSUPPORTED, "missing": "missing_required_parameter", "json_invalid": None}


class RefusedError(HTTPException):
    """A request that is refused with a status, a sentence, the field that is wrong, and a code."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.param, self.code = param, code

    @property
    def body(self) -> dict[str, str | None]:
        """As OpenAI's clients read it."""
        kind = _KINDS.get(self.status_code, "server_error" if self.status_code >= 500 else "invalid_request_error")
        return {"message": self.detail, "type": kind, "param": self.param, "code": self.code}

    def answer(self, scope: Scope) -> Response:
        """The error as those read it who asked so: a page, the part of one that htmx puts in, or JSON."""
        asked = Headers(scope=scope)
        made: Response = JSONResponse({"error": self.body}, self.status_code)
        if wants_part(asked):
            made = fragment(part("failure", self.detail), self.status_code)
        elif wants_page(asked):
            made = page("problem.html.j2", scope, self.status_code, message=self.detail)
        made.headers.update(self.headers or {})
        return made


def wants_part(asked: Headers) -> bool:
    """Whether htmx asks, which puts a part into the page; a browser without scripts wants a whole one."""
    return asked.get("hx-request") == "true"


def wants_page(asked: Headers) -> bool:
    """Whether a person's browser asks; some programs take HTML, too, but name JSON first."""
    accepted = asked.get("accept", "")
    return "text/html" in accepted and "application/json" not in accepted


def handle_errors(app: FastAPI) -> None:
    """Answer every exception of a route."""

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.detail == HTTPStatus(error.status_code).phrase:
            message = f"{request.method} {request.url.path[:MOST_SHOWN]} is not offered; /docs shows what is"
            error = HTTPException(error.status_code, message, error.headers)
        answered = refusal_of(error)
        if answered.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.debug("a request failed", exc_info=error)
        response = answered.answer(request.scope)
        response.headers[HEADER] = request.state.request_id  # a defect is answered outside of all middleware
        return response

    for kind in (HTTPException, RequestValidationError, BusyError, LateError, GitloreError, Exception):
        app.add_exception_handler(kind, answer)


def refusal_of(error: Exception) -> RefusedError:
    """What a client reads of an error."""
    match error:
        case RefusedError():
            return error
        case HTTPException():
            code = _CODES.get(error.status_code)
            return RefusedError(error.status_code, error.detail, code=code, headers=error.headers)
        case RequestValidationError():
            return _invalid(error.errors())
        case BusyError():
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            return RefusedError(429, "the queue is full, try again in a moment", code=_CODES[429], headers=headers)
        case LateError():
            return RefusedError(504, "the request took too long")
        case GoneError():
            return RefusedError(503, error.message, code="repository_gone")
        case RefusedOperationError():
            return RefusedError(STATUS_OF[error.code], str(error), code=error.code)
        case GitloreError():
            return RefusedError(400 if isinstance(error, UserError) else 500, str(error))
        case _:
            return RefusedError(500, f"{type(error).__name__}: this is a defect of Gitlore")


def error_response(status: int, message: str, scope: Scope) -> Response:
    """An error in answer to a request that no route has seen."""
    return RefusedError(status, message, code=_CODES.get(status)).answer(scope)


def _invalid(errors: Sequence[Mapping[str, Any]]) -> RefusedError:
    """400 for what is not offered, else 422 for what is wrong."""
    shown = [one for one in errors if one["type"] == UNSUPPORTED] or errors
    status = 400 if shown[0]["type"] == UNSUPPORTED else 422
    message = "; ".join(f"{'.'.join(map(str, _place(one))) or 'the body'}: {one['msg']}" for one in shown[:5])
    field = next((name for name in _place(shown[0]) if isinstance(name, str)), None)
    return RefusedError(status, message, param=field, code=_CODES_OF_FIELDS.get(shown[0]["type"], "invalid_value"))


def _place(error: Mapping[str, Any]) -> list[str | int]:
    """Where in the body something is wrong. Names in it are the client's and have any length."""
    names = [name for name in error["loc"][1:] if name not in FORMS]
    return [name[:MOST_SHOWN] if isinstance(name, str) else name for name in names]
