"""Pages of a repository's study: what was found, the map of risks, what runs, and the settings. They work without
scripts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from pydantic import ValidationError

from core.errors import UserError
from services.http.errors import RefusedError, wants_part
from services.http.forms import fields_of
from services.queue import Queues
from services.routes.study import Number, Text, allowed, followed, wish_of
from services.studies import BIGGEST, ServedStudy, Studies
from services.study_records import card_record, insight_record, job_record, run_record, status_record
from services.study_schemas import Mark, ToggleRequest
from services.web.navigation import STUDY
from services.web.pages import HEADERS, fragment, html_event, page, part
from services.web.treemap import MOST_TILES, treemap
from thoughts.cards.card import FACT
from thoughts.insights import Wanted
from thoughts.kept_runs import last_run_of
from thoughts.kind import Fact
from thoughts.kinds import known
from thoughts.preferences import UNITS
from thoughts.risk.known import known_risks
from thoughts.tables import INSIGHT_STATES

T = TypeVar("T")
SHOWN = 20
"""Insights of a page."""
SHOWN_JOBS = 100
SHOWN_FILES = 50
"""Of the table beside the map."""
_SETTINGS = ("quiet_hours", "time_zone")
Number0 = Annotated[int, Query(ge=0, lt=BIGGEST)]


def study_page_routes(studies: Studies, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)
    for routes in (_insights, _risks, _jobs, _settings):
        router.include_router(routes(studies, queues))
    return router


def _insights(studies: Studies, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.get(STUDY)
    async def overview(request: Request) -> Response:
        def read() -> list[dict[str, Any]]:
            running = studies.background.is_running
            return [status_record(one, is_running=running) for one in studies.by_name.values()]

        return page("studies.html.j2", request.scope, studies=await queues.studies.one(read))

    @router.get(f"{STUDY}/{{repo}}")
    async def feed(
        repo: str,
        request: Request,
        state: Mark | None = None,
        kind: Text = "",
        filter: Text = "",  # noqa: A002 - the name in the URL
        before: Number0 = 0,
    ) -> Response:
        one = studies.named(repo)

        def read() -> dict[str, Any]:
            key, git_dir = one.study.key, one.study.state.git_dir
            found, following = one.study.insights.page(key, git_dir, Wanted(state or "", kind, filter), SHOWN, before)
            records = [insight_record(one, each) for each in found]
            return {"insights": records, "following": following, "standing": status_of(studies, one)}

        asked = {"state": state or "", "kind": kind, "filter": filter}
        filled = await queues.studies.one(read)
        following = urlencode({**asked, "before": filled.pop("following")}) if filled["following"] else ""
        filled |= {"asked": asked, "is_filtered": any(asked.values()), "is_first": not before, "following": following}
        return page("insights.html.j2", request.scope, repo=one.name, states=INSIGHT_STATES, **filled)

    @router.post(f"{STUDY}/{{repo}}/insights/{{insight_id}}")
    async def mark(repo: str, insight_id: Number, request: Request) -> Response:
        allowed(request, "member")
        one, state = studies.named(repo), (await fields_of(request)).get("state", "")
        if state not in INSIGHT_STATES:
            raise RefusedError(422, f"an insight is one of {', '.join(INSIGHT_STATES)}", param="state")

        def marked() -> dict[str, Any] | None:
            one.study.insights.mark(one.study.key, insight_id, state)
            found = one.insight(insight_id)
            return insight_record(one, found) if found else None

        record = await queues.studies.one(marked)
        if record is None or not wants_part(request.headers):
            return RedirectResponse(f"{_home(one)}#insight-{insight_id}", 303)
        return fragment(part("insight", one.name, record))

    return router


def _risks(studies: Studies, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.get(f"{STUDY}/{{repo}}/risks")
    async def risks(repo: str, request: Request, folder: Text = "") -> Response:
        one = studies.named(repo)

        def read() -> dict[str, Any]:
            found = known_risks(one.study.database, one.study.key)
            files = [each for each in found.files if each.path.startswith(folder)]
            has_coverage = any(each.ran for each in files[:SHOWN_FILES])
            return {
                "tiles": treemap(files), "total": len(files), "files": files[:SHOWN_FILES], "commit": found.commit,
                "standing": status_of(studies, one), "has_coverage": has_coverage,
            }  # fmt: skip

        filled = await queues.studies.one(read)
        return page("risks.html.j2", request.scope, repo=one.name, folder=folder, most_tiles=MOST_TILES, **filled)

    @router.get(f"{STUDY}/{{repo}}/files/{{path:path}}")
    async def file(repo: str, path: str, request: Request, symbol: Text = "") -> Response:
        one = studies.named(repo)

        def read() -> dict[str, Any]:
            found = known_risks(one.study.database, one.study.key)
            key, git_dir = one.study.key, one.study.state.git_dir
            insights, _ = one.study.insights.page(key, git_dir, Wanted(text=path), SHOWN)
            records = [insight_record(one, each) for each in insights]
            symbols = [fact.scope.removeprefix(f"{path}:") for fact in one.study.facts(FACT) if _is_in(path, fact)]
            return {"risk": found.of(path), "total": len(found.files), "insights": records, "symbols": symbols}

        card = card_record(await queues.questions.one(lambda: one.card(path, symbol)))
        return page("card.html.j2", request.scope, repo=one.name, card=card, **await queues.studies.one(read))

    return router


def _jobs(studies: Studies, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.get(f"{STUDY}/{{repo}}/jobs")
    async def jobs(repo: str, request: Request) -> Response:
        one = studies.named(repo)

        def read() -> dict[str, Any]:
            found = [job_record(one, job) for job in one.study.jobs(SHOWN_JOBS)]
            return {"jobs": found, "standing": status_of(studies, one)}

        filled = await queues.studies.one(read)
        return page("jobs.html.j2", request.scope, repo=one.name, most=SHOWN_JOBS, **filled)

    @router.get(f"{STUDY}/{{repo}}/jobs/{{job_id}}")
    async def job(repo: str, job_id: Number, request: Request) -> Response:
        one = studies.named(repo)
        filled = await queues.studies.one(lambda: job_filled(one, job_id))
        return page("job.html.j2", request.scope, repo=one.name, **filled)

    @router.get(f"{STUDY}/{{repo}}/jobs/{{job_id}}/log")
    async def log(repo: str, job_id: Number, request: Request) -> Response:
        one = studies.named(repo)

        def made(name: str, data: dict[str, Any]) -> str:
            return html_event(name, part("log", data["log"]) if name == "log" else part("job_ended", one.name, job_id))

        lines = followed(queues, lambda: last_run_of(one.study.database, one.study.key, job_id), request, made)
        return StreamingResponse(lines, media_type="text/event-stream", headers=HEADERS)

    @router.post(f"{STUDY}/{{repo}}/jobs/{{job_id}}/{{action}}")
    async def act(repo: str, job_id: Number, action: str, request: Request) -> Response:
        allowed(request, "member")
        one = studies.named(repo)
        doing: dict[str, Callable[[int], None]] = {"rerun": one.study.queue.rerun, "cancel": one.study.queue.cancel}
        if action not in doing:
            raise RefusedError(404, "a job can be run again or cancelled")
        await queues.studies.one(lambda: doing[action](job_of(one, job_id)["id"]))
        return RedirectResponse(f"{_home(one)}/jobs/{job_id}", 303)

    def job_filled(one: ServedStudy, job_id: int) -> dict[str, Any]:
        found = job_of(one, job_id)
        runs = [run_record(one, {**found, "job_state": found["state"], **run}) for run in one.study.runs(job_id)]
        return {"job": job_record(one, {**found, "last_run": None}), "runs": runs}

    return router


def _settings(studies: Studies, queues: Queues) -> APIRouter:
    router = APIRouter()

    @router.get(f"{STUDY}/{{repo}}/settings")
    async def settings(repo: str, request: Request) -> Response:
        one = studies.named(repo)
        return shown(request, one, await queues.studies.one(lambda: status_of(studies, one)))

    @router.post(f"{STUDY}/{{repo}}/switch")
    async def switch(repo: str, request: Request) -> Response:
        one, is_on = studies.named(repo), (await fields_of(request)).get("on") == "yes"
        allowed(request, "maintainer")
        await queues.studies.one(lambda: studies.switch(one, wish_of(ToggleRequest(on=is_on))))
        return RedirectResponse(f"{_home(one)}/{'jobs' if is_on else 'settings'}", 303)

    @router.post(f"{STUDY}/{{repo}}/settings")
    async def change(repo: str, request: Request) -> Response:
        one, form = studies.named(repo), await fields_of(request)
        allowed(request, "maintainer")
        try:
            body = _settings_of(form)
            await queues.studies.one(lambda: studies.switch(one, wish_of(body)))
        except (ValidationError, UserError) as error:
            problem = error.message if isinstance(error, UserError) else _first(error)
            status = await queues.studies.one(lambda: status_of(studies, one))
            return shown(request, one, status, problem)
        return RedirectResponse(f"{_home(one)}/settings", 303)

    def shown(request: Request, one: ServedStudy, status: dict[str, Any], problem: str = "") -> Response:
        code = 422 if problem else 200
        return page("study_settings.html.j2", request.scope, code, repo=one.name, standing=status, problem=problem)

    return router


def status_of(studies: Studies, one: ServedStudy) -> dict[str, Any]:
    """What the head of each page says."""
    return status_record(one, is_running=studies.background.is_running)


def job_of(one: ServedStudy, job_id: int) -> dict[str, Any]:
    """A job of this repository. Raises 404 without one."""
    try:
        return one.study.job(job_id)
    except UserError as error:
        raise RefusedError(404, error.message, param="job_id", code="job_not_found") from None


def _settings_of(form: dict[str, str]) -> ToggleRequest:
    """The form's fields, whose boxes say which kinds. Raises ValidationError or UserError for wrong ones."""
    chosen = [name.removeprefix("kind-") for name in form if name.startswith("kind-")]
    if not chosen:
        raise UserError("choose a kind of study, or switch the study off")
    kinds = [] if set(chosen) == set(known()) else chosen
    budgets = {name: form[name] for name in UNITS if form.get(name)}
    given = {name: form[name] for name in _SETTINGS if name in form}
    return ToggleRequest.model_validate({**given, "kinds": kinds, "budgets": budgets})


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{str(first['loc'][-1]).replace('_', ' ')}: {first['msg']}"


def _is_in(path: str, fact: Fact) -> bool:
    return fact.scope.startswith(f"{path}:")


def _home(one: ServedStudy) -> str:
    return f"{STUDY}/{quote(one.name, safe='')}"
