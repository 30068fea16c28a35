"""Pages of a team's memory: its patterns, and one of them with all that speaks for it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from patterns.memory.operations import Delete, Restore, Unvote, Vote
from patterns.memory.reading import Sort, Wanted
from patterns.memory.team_memory import Team, TeamMemory
from services.chats import Chats
from services.http.forms import fields_of
from services.routes.patterns import Cursor, Text, checked, done, team_of
from services.web.changes import changed_lines
from services.web.navigation import PATTERNS
from services.web.pages import page, short
from services.web.timeline import timeline

SHOWN = 20
"""Patterns of a page."""
VOTES = {"yes": True, "no": False}
Form = Annotated[dict[str, str], Depends(fields_of)]


def team_page_routes(memory: TeamMemory, chats: Chats | None) -> APIRouter:
    """The routes; without `chats`, the patterns are where people start. They run in threads, as all of the team do."""
    router = APIRouter(include_in_schema=False)
    router.include_router(_list(memory, chats))
    router.include_router(_one(memory, chats))
    if chats is None:

        @router.get("/")
        def start() -> Response:
            return RedirectResponse(PATTERNS, 303)

    return router


def _list(memory: TeamMemory, chats: Chats | None) -> APIRouter:
    router = APIRouter()

    @router.get(PATTERNS)
    def patterns(
        request: Request,
        q: Text = "",
        problem_type: Text = "",
        change_kind: Text = "",
        language: Text = "",
        repository: Text = "",
        member: Text = "",
        file: Text = "",
        deleted: Annotated[bool, Query()] = False,
        sort: Sort = "score",
        cursor: Cursor = "",
    ) -> Response:
        chosen = {"repository": repository, "change_kind": change_kind, "member": member}
        wanted = Wanted(problem_type, language, file, q, include_deleted=deleted, sort=sort, **chosen)
        reading, served = team_of(memory, request).reading, chats.names() if chats else {}
        choices = reading.choices()
        found = reading.page(wanted, SHOWN, cursor=cursor)
        asked = {name: value for name, value in request.query_params.items() if value and name != "cursor"}
        return page(
            "patterns.html.j2",
            request.scope,
            found=found,
            wanted=wanted,
            choices=choices,
            names={one: served.get(one, short(one)) for one in (repository, *choices["repository"])},
            is_first=not cursor,
            is_filtered=bool(asked),
            first=f"{PATTERNS}?{urlencode(asked)}",
            following=f"{PATTERNS}?{urlencode({**asked, 'cursor': found.next_cursor})}",
            may_restore=request.state.identity.may("maintainer"),
        )

    return router


def _one(memory: TeamMemory, chats: Chats | None) -> APIRouter:
    router = APIRouter()

    def team(request: Request) -> Team:
        return team_of(memory, request)

    @router.get(f"{PATTERNS}/{{pattern}}")
    def one(pattern: str, request: Request) -> Response:
        mine = team(request)
        row = mine.reading.one(pattern, include_deleted=True)
        served = chats.names().get(row["repository"], "") if chats else ""
        return page("pattern.html.j2", request.scope, served=served, **_shown(mine, row))

    @router.post(f"{PATTERNS}/{{pattern}}/vote")
    def vote(pattern: str, request: Request, form: Form) -> Response:
        said = VOTES.get(form.get("helpful", ""))
        operation = checked(Unvote, id=pattern) if said is None else checked(Vote, id=pattern, helpful=said)
        return _back(done(team(request), operation).id, "#votes")

    @router.post(f"{PATTERNS}/{{pattern}}/delete")
    def delete(pattern: str, request: Request) -> Response:
        return _back(done(team(request), checked(Delete, id=pattern)).id)

    @router.post(f"{PATTERNS}/{{pattern}}/restore")
    def restore(pattern: str, request: Request) -> Response:
        return _back(done(team(request), checked(Restore, id=pattern)).id)

    return router


def _shown(team: Team, row: dict[str, Any]) -> dict[str, Any]:
    """What the page of a pattern is filled with."""
    me, template_id = team.identity, row["template_id"]
    is_mine = row["created_by"] == me.member
    is_living = not row["deleted_at"]
    return {
        "one": row,
        "lines": changed_lines(row["code_before"], row["code_after"], row["file_path"]),
        "timeline": timeline(row["survival"]) if row["survival"] else None,
        "convention": team.reading.convention(template_id) if template_id else None,
        "is_mine": is_mine,
        "may_vote": is_living and not is_mine and me.may("member"),
        "may_delete": is_living and (me.may("maintainer") or (is_mine and me.may("member"))),
        "may_restore": not is_living and me.may("maintainer"),
    }


def _back(pattern: str, place: str = "") -> Response:
    return RedirectResponse(f"{PATTERNS}/{pattern}{place}", 303)
