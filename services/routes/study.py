"""/learning, /insights, /runs, /artifacts and /risks: what the study of the served repositories does and has found."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator

from patterns.memory.operations import storable
from services.http.errors import RefusedError
from services.http.events import STREAMED, event
from services.queue import BusyError, Queues
from services.studies import BIGGEST, ServedStudy, Studies
from services.study_records import insight_record, job_record, risks_record, run_record, status_record
from services.study_schemas import Mark, MarkRequest, Repo, ToggleRequest
from thoughts.insights import Wanted
from thoughts.preferences import Wish
from thoughts.risk.known import known_risks
from thoughts.tables import RUNNING

T = TypeVar("T")
FOLLOW_EVERY_S = 1.0
"""How often a log is read that somebody follows."""
Number = Annotated[int, Path(ge=1, lt=BIGGEST)]
RepoId = Annotated[Repo, Query()]
Text = Annotated[str, Query(max_length=300), AfterValidator(storable)]


def study_routes(studies: Studies, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter()
    for routes in (_learning, _insights, _runs, _evidence):
        router.include_router(routes(studies, queues))
    return router


def allowed(request: Request, role: str) -> None:
    """Raises 403 where a team's member may not do this; without a team, whoever may ask may."""
    identity = getattr(request.state, "identity", None)
    if identity and not identity.may(role):
        raise RefusedError(403, f"this takes the role {role}", code="not_allowed")


def wish_of(body: ToggleRequest) -> Wish:
    """What a request wants to be another way."""
    kinds = None if body.kinds is None else tuple(body.kinds)
    return Wish(body.on, body.quiet_hours, body.time_zone, kinds, **body.budgets.model_dump())


def _learning(studies: Studies, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.post("/learning/toggle")
    async def toggle(body: ToggleRequest, request: Request) -> dict[str, Any]:
        """Switch the study of a repository on or off, and change its budgets, quiet hours and kinds."""
        allowed(request, "maintainer")
        one = studies.named(body.repo_id)

        def switched() -> dict[str, Any]:
            studies.switch(one, wish_of(body))
            return status_record(one, is_running=studies.background.is_running)

        return await queues.studies.one(switched)

    @router.get("/learning/status")
    async def status(repo_id: RepoId = "") -> dict[str, Any]:
        """Whether each repository is studied, or the one that is named; what waits, and what is left of its budget."""
        chosen = [studies.named(repo_id)] if repo_id else list(studies.by_name.values())

        def read() -> list[dict[str, Any]]:
            return [status_record(one, is_running=studies.background.is_running) for one in chosen]

        return {"repositories": await queues.studies.one(read)}

    return router


def _insights(studies: Studies, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.get("/insights")
    async def insights(
        repo_id: RepoId = "",
        state: Mark | None = None,
        kind: Text = "",
        filter: Text = "",  # noqa: A002 - the name in the URL
        limit: Annotated[int, Query(ge=1, le=50)] = 20,
        before: Annotated[int, Query(ge=0, lt=BIGGEST)] = 0,
    ) -> dict[str, Any]:
        """What was found, the newest first: only what git still confirms; without `state`, all but dismissed ones.

        `filter` is a text in the title or a statement. `next` goes into `before` for the next page, null on the last.
        """
        one = studies.named(repo_id)
        wanted = Wanted(state or "", kind, filter)

        def read() -> dict[str, Any]:
            found, following = one.study.insights.page(one.study.key, one.study.state.git_dir, wanted, limit, before)
            return {"insights": [insight_record(one, each) for each in found], "next": following or None}

        return await queues.studies.one(read)

    @router.post("/insights/{insight_id}/mark")
    async def mark(insight_id: Number, body: MarkRequest, request: Request) -> dict[str, Any]:
        """Say that an insight was read, is to be kept, or dismissed; the last word counts."""
        allowed(request, "member")

        def marked() -> dict[str, Any]:
            one = studies.of_insight(insight_id)
            one.study.insights.mark(one.study.key, insight_id, body.state)
            return {"id": insight_id, "state": body.state}

        return await queues.studies.one(marked)

    return router


def _runs(studies: Studies, queues: Queues) -> APIRouter:
    router = APIRouter()

    def acted(run_id: int, act: Callable[[ServedStudy, int], None]) -> dict[str, Any]:
        one, found = studies.of_run(run_id)
        act(one, found["job_id"])
        return run_record(one, studies.of_run(run_id)[1])

    @router.get("/runs")
    async def runs(repo_id: RepoId = "", limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
        """Jobs, those that run or wait first, then those that ended last, each with its latest run."""
        one = studies.named(repo_id)
        return await queues.studies.one(lambda: {"jobs": [job_record(one, job) for job in one.study.jobs(limit)]})

    @router.get("/runs/{run_id}")
    async def run(run_id: Number) -> dict[str, Any]:
        """A run: its input, how it ended, what it cost, its log, and the artifacts that it left."""

        def read() -> dict[str, Any]:
            one, found = studies.of_run(run_id)
            return run_record(one, found)

        return await queues.studies.one(read)

    @router.post("/runs/{run_id}/rerun")
    async def rerun(run_id: Number, request: Request) -> dict[str, Any]:
        """Let the job of a run run again. 400 where it is running."""
        allowed(request, "member")
        return await queues.studies.one(lambda: acted(run_id, lambda one, job: one.study.queue.rerun(job)))

    @router.post("/runs/{run_id}/cancel")
    async def cancel(run_id: Number, request: Request) -> dict[str, Any]:
        """Take the job of a run back; one that runs ends within two seconds. 400 where it has ended."""
        allowed(request, "member")
        return await queues.studies.one(lambda: acted(run_id, lambda one, job: one.study.queue.cancel(job)))

    @router.get("/runs/{run_id}/log", responses=STREAMED)
    async def log(run_id: Number, request: Request) -> Response:
        """The log of a run as events, while it runs: `log` with all of it whenever there is more, then `done`."""
        one, _ = await queues.studies.one(lambda: studies.of_run(run_id))
        lines = followed(queues, lambda: one.run(run_id), request, lambda name, data: event(data, name))
        return StreamingResponse(lines, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})

    return router


async def followed(
    queues: Queues,
    read: Callable[[], Mapping[str, Any] | None],
    request: Request,
    made: Callable[[str, dict[str, Any]], str],
) -> AsyncIterator[str]:
    """The log of the run that is read, as events, for as long as a request may take."""
    until, shown = time.monotonic() + queues.studies.most_s, None
    while time.monotonic() < until and not await request.is_disconnected():
        with contextlib.suppress(BusyError):  # then at the next look
            run = await queues.studies.one(read)
            if run and run["log"] != shown:
                shown = run["log"]
                yield made("log", {"run_id": run["id"], "log": shown})
            if run is None or run["state"] != RUNNING:
                yield made("done", {"state": run["state"] if run else "waiting"})
                return
        await asyncio.sleep(FOLLOW_EVERY_S)


def _evidence(studies: Studies, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.get("/artifacts/{sha256}")
    async def artifact(sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]) -> Response:
        """A file that a run left, by the hash of its content: text as text, anything else as bytes."""
        _, data = await queues.studies.one(lambda: studies.artifact(sha256))
        return Response(data, headers={**EVIDENCE, "Content-Type": type_of(data)})

    @router.get("/risks")
    async def risks(
        repo_id: RepoId = "", folder: Text = "", limit: Annotated[int, Query(ge=1, le=1000)] = 50
    ) -> dict[str, Any]:
        """The source files by how likely they are to be repaired next, as the last study found them."""
        one = studies.named(repo_id)

        def read() -> dict[str, Any]:
            return risks_record(one.name, known_risks(one.study.database, one.study.key), limit, folder)

        return await queues.studies.one(read)

    return router


EVIDENCE = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Headers under which a browser runs nothing of a file that a job left."""


def type_of(data: bytes) -> str:
    """Text or bytes, never anything that a browser would act on."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "application/octet-stream" if b"\0" in data else "text/plain; charset=utf-8"
