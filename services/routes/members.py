"""/members, /keys, /audit: who is in the team, for its admins, and who changed what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from patterns.memory.people import People
from patterns.memory.reading import MOST_PAGE
from patterns.memory.team_memory import TeamMemory
from services.routes.patterns import Cursor, Text, team_of
from services.team_schemas import KeyRequest, MemberChange, MemberRequest


def member_routes(memory: TeamMemory) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["team"])

    def people(request: Request) -> People:
        return team_of(memory, request).people

    @router.get("/members")
    def members(request: Request) -> dict[str, Any]:
        """The team's members."""
        return {"members": people(request).members()}

    @router.post("/members", status_code=201)
    def add_member(body: MemberRequest, request: Request) -> dict[str, Any]:
        """Add a member."""
        return people(request).add_member(body.name, body.role, body.email)

    @router.patch("/members/{name}")
    def change_member(name: str, body: MemberChange, request: Request) -> dict[str, Any]:
        """Give a member another role, or disable them."""
        return people(request).change_member(name, role=body.role, disabled=body.disabled)

    @router.get("/keys")
    def keys(request: Request) -> dict[str, Any]:
        """The keys, without what is secret about them."""
        return {"keys": people(request).keys()}

    @router.post("/keys", status_code=201)
    def make_key(body: KeyRequest, request: Request) -> dict[str, Any]:
        """Make a key. It is shown in this answer and never again."""
        made, row = people(request).make_key(body.member, body.label, body.days)
        return {"key": made.text, **row}

    @router.delete("/keys/{prefix}")
    def revoke_key(prefix: str, request: Request) -> dict[str, Any]:
        """Refuse a key from now on."""
        people(request).revoke_key(prefix)
        return {"prefix": prefix, "revoked": True}

    @router.get("/audit")
    def audit(
        request: Request,
        cursor: Cursor = "",
        limit: Annotated[int, Query(ge=1, le=MOST_PAGE)] = 50,
        member: Text = "",
        action: Text = "",
    ) -> dict[str, Any]:
        """Who changed what, the latest first; `action` is one, or how some begin."""
        reading = team_of(memory, request).reading
        lines, next_cursor = reading.audit(limit, cursor, member=member, action=action)
        return {"lines": lines, "next_cursor": next_cursor or None}

    return router
