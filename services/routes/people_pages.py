"""Pages about who is in the team, by which keys, and what they did: for its admins and maintainers."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError

from patterns.memory.identity import now
from patterns.memory.people import KeyState, Listed, People
from patterns.memory.refusals import RefusedOperationError
from patterns.memory.tables import ROLES
from patterns.memory.team_memory import TeamMemory
from services.http.errors import STATUS_OF
from services.routes.patterns import Cursor, Text, team_of
from services.routes.team_pages import Form
from services.team_schemas import KeyRequest, MemberChange, MemberRequest
from services.web.navigation import AUDIT, KEYS, MEMBERS
from services.web.pages import page

SHOWN = 50
"""Lines of the audit on a page."""
Number = Annotated[int, Query(ge=1, le=10_000)]
BodyT = TypeVar("BodyT", bound=BaseModel)


def people_page_routes(memory: TeamMemory) -> APIRouter:
    """The routes. They run in threads, since a database may let them wait."""
    router = APIRouter(include_in_schema=False)
    for routes in (_members, _keys, _audit):
        router.include_router(routes(memory))
    return router


def _members(memory: TeamMemory) -> APIRouter:
    router = APIRouter()

    def people(request: Request) -> People:
        return team_of(memory, request).people

    @router.get(MEMBERS)
    def members(
        request: Request, name: Text = "", role: Text = "", number: Annotated[Number, Query(alias="page")] = 1
    ) -> Response:
        return shown(request, name, role, number)

    @router.post(MEMBERS)
    def add(request: Request, form: Form) -> Response:
        try:
            new = _read(MemberRequest, form)
            people(request).add_member(new.name, new.role, new.email)
        except RefusedOperationError as refused:
            return shown(request, problem=refused)
        return RedirectResponse(MEMBERS, 303)

    @router.post(f"{MEMBERS}/change")
    def change(request: Request, form: Form) -> Response:
        try:
            wanted = _read(MemberChange, form)
            people(request).change_member(form.get("name", ""), role=wanted.role, disabled=wanted.disabled)
        except RefusedOperationError as refused:
            return shown(request, problem=refused)
        return RedirectResponse(MEMBERS, 303)

    def shown(
        request: Request, name: str = "", role: str = "", number: int = 1, problem: RefusedOperationError | None = None
    ) -> Response:
        found = people(request).some_members(name, role, number)
        filters = {"name": name, "role": role}
        return page("members.html.j2", request.scope, **_filled(found, filters, problem), roles=ROLES)

    return router


def _keys(memory: TeamMemory) -> APIRouter:
    router = APIRouter()

    def people(request: Request) -> People:
        return team_of(memory, request).people

    @router.get(KEYS)
    def keys(
        request: Request, member: Text = "", state: KeyState = "", number: Annotated[Number, Query(alias="page")] = 1
    ) -> Response:
        return shown(request, member, state, number)

    @router.post(KEYS)
    def make(request: Request, form: Form) -> Response:
        try:
            wanted = _read(KeyRequest, {name: value for name, value in form.items() if value})
            made, row = people(request).make_key(wanted.member, wanted.label, wanted.days)
        except RefusedOperationError as refused:
            return shown(request, problem=refused)
        return shown(request, made={"key": made.text, **row})

    @router.post(f"{KEYS}/revoke")
    def revoke(request: Request, form: Form) -> Response:
        try:
            people(request).revoke_key(form.get("prefix", ""))
        except RefusedOperationError as refused:
            return shown(request, problem=refused)
        return RedirectResponse(KEYS, 303)

    def shown(
        request: Request,
        member: str = "",
        state: KeyState = "",
        number: int = 1,
        *,
        made: dict[str, Any] | None = None,
        problem: RefusedOperationError | None = None,
    ) -> Response:
        mine = people(request)
        found, filters = mine.some_keys(member, state, number), {"member": member, "state": state}
        names = [one["name"] for one in mine.members() if not one["disabled_at"]]
        return page(
            "keys.html.j2", request.scope, **_filled(found, filters, problem), names=names, made=made, now=now()
        )

    return router


def _audit(memory: TeamMemory) -> APIRouter:
    router = APIRouter()

    @router.get(AUDIT)
    def audit(request: Request, member: Text = "", action: Text = "", cursor: Cursor = "") -> Response:
        reading = team_of(memory, request).reading
        lines, following = reading.audit(SHOWN, cursor, member=member, action=action)
        filters = {"member": member, "action": action}
        query = urlencode({**filters, "cursor": following}) if following else ""
        return page("audit.html.j2", request.scope, lines=lines, filters=filters, is_first=not cursor, following=query)

    return router


def _filled(found: Listed, filters: dict[str, str], problem: RefusedOperationError | None) -> dict[str, Any]:
    """What the page of a list is filled with, whatever it lists; a refusal stands above it."""
    status = STATUS_OF[problem.code] if problem else 200
    said = str(problem) if problem else ""
    return {"found": found, "filters": filters, "query": urlencode(filters), "problem": said, "status": status}


def _read(kind: type[BodyT], form: dict[str, str]) -> BodyT:
    """The fields of a form as the body of a route. Raises RefusedOperationError for what is wrong with them."""
    try:
        return kind.model_validate(form)
    except ValidationError as error:
        first = error.errors()[0]
        raise RefusedOperationError("invalid", f"{first['loc'][0]}: {first['msg']}") from None
