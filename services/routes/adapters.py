"""/adapters: versions of a team's adapters, and which of them is active."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, Response

from patterns.adapters.merging import MergeRequest, Merges
from patterns.adapters.versions import Versions
from patterns.memory.reading import MOST_PAGE
from patterns.memory.team_memory import TeamMemory
from services.http.uploads import Upload
from services.queue import BusyError
from services.routes.patterns import Cursor, Key, team_of
from services.team_schemas import ActivateRequest, RollbackRequest

MOST_UPLOADS = 4
"""At once; each has a thread and writes to the disk."""
SLACK = 1 << 16
"""Bytes of an archive beside its files."""
TAR = "application/x-tar"
_BODY = {"required": True, "content": {TAR: {"schema": {"type": "string", "format": "binary"}}}}
Name = Annotated[str, Query(max_length=200, description="What it is called; need not be the only one of that name.")]


def adapter_routes(memory: TeamMemory) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["team"])

    def adapters(request: Request) -> Versions:
        return team_of(memory, request).adapters

    _reading(router, adapters)
    uploads = _Uploads()

    @router.post(
        "/adapters",
        status_code=201,
        responses={200: {"description": "The team has it already."}},
        openapi_extra={"requestBody": _BODY},
    )
    async def add(request: Request, name: Name, key: Key = "") -> Response:
        """Add a version: the tar archive of a model folder, the weights last. It is checked as it comes."""
        mine = await run_in_threadpool(adapters, request)
        mine.scope.identity.require("member", "add adapters")
        with uploads.place():
            upload = Upload(request, mine.files.most_bytes + SLACK)
            row, is_new = await run_in_threadpool(mine.add, upload.parts(), name, key)
        return JSONResponse({**row, "status": "added" if is_new else "known"}, 201 if is_new else 200)

    @router.post("/adapters/rollback")
    def rollback(request: Request, body: RollbackRequest | None = None, key: Key = "") -> dict[str, Any]:
        """Activate what was active before, as a maintainer; once more goes one step further back."""
        asked = body or RollbackRequest()
        return adapters(request).rollback(asked.base, reason=asked.reason, key=key)

    @router.post("/adapters/{adapter}/activate")
    def activate(adapter: str, request: Request, body: ActivateRequest | None = None, key: Key = "") -> dict[str, Any]:
        """Make a version the active one of its base, as a maintainer. 409 where its figures do not speak for it, or
        another activation has come between.
        """
        asked = body or ActivateRequest()
        return adapters(request).activate(adapter, **asked.model_dump(), key=key)

    return router


def merge_routes(memory: TeamMemory, wake: Callable[[], None]) -> APIRouter:
    """The routes of merges, which are asked before those of versions; `wake` is called where there is a new one."""
    router = APIRouter(tags=["team"])

    def merges(request: Request) -> Merges:
        return team_of(memory, request).adapters.merges

    @router.post("/adapters/merge", status_code=202)
    def merge(body: MergeRequest, request: Request, key: Key = "") -> dict[str, Any]:
        """Fuse adapters into a new version, as a maintainer. The answer is a job; its status is read by its id."""
        job = merges(request).ask(body, key)
        wake()
        return job

    @router.get("/adapters/merge")
    def list_merges(request: Request, limit: Annotated[int, Query(ge=1, le=MOST_PAGE)] = 20) -> dict[str, Any]:
        """The merges that were asked for last."""
        return {"merges": merges(request).newest(limit)}

    @router.get("/adapters/merge/{job}")
    def one_merge(job: str, request: Request) -> dict[str, Any]:
        """A merge: queued, running, done with its `result`, or refused or failed, with the `reasons`."""
        return merges(request).one(job)

    return router


def _reading(router: APIRouter, adapters: Callable[[Request], Versions]) -> None:
    @router.get("/adapters")
    def list_adapters(
        request: Request, cursor: Cursor = "", limit: Annotated[int, Query(ge=1, le=MOST_PAGE)] = 20
    ) -> dict[str, Any]:
        """The team's adapters, the newest first, and the active one of each base."""
        found = adapters(request).page(limit, cursor)
        return {**found, "next_cursor": found["next_cursor"] or None}

    @router.get("/adapters/{adapter}")
    def one_adapter(adapter: str, request: Request) -> dict[str, Any]:
        """A version by its id, eight characters of it, or its name: parents, figures, and when it was active."""
        return adapters(request).one(adapter)

    @router.get("/adapters/{adapter}/file", response_class=FileResponse)
    def file(adapter: str, request: Request) -> Response:
        """The archive of a version. The ETag is its id, which is the sha256 of the file; ranges are answered."""
        id_, path = adapters(request).file(adapter)
        headers = {"ETag": f'"{id_}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return FileResponse(path, headers=headers, media_type=TAR, filename=f"{id_[:12]}.tar")


class _Uploads:
    """How many are being received."""

    def __init__(self) -> None:
        self._inside = 0

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place for one. Raises BusyError where there is none."""
        if self._inside >= MOST_UPLOADS:
            raise BusyError
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
