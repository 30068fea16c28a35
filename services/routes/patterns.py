"""/patterns, /sync, /stats: what a team has learnt, for its members."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, ValidationError

from patterns.memory.operations import Add, Delete, NewPattern, Operation, Outcome, Restore, Unvote, Vote, storable
from patterns.memory.reading import MOST_PAGE, MOST_SYNCED, Sort, Wanted
from patterns.memory.searching import Asked, Search
from patterns.memory.team_memory import Team, TeamMemory
from patterns.memory.writing import KEPT_DAYS
from services.http.errors import STATUS_OF, RefusedError
from services.team_schemas import BatchRequest, FeedbackOnPattern, SearchRequest, SyncRequest

Key = Annotated[str, Header(alias="Idempotency-Key", max_length=150)]
Text = Annotated[str, Query(max_length=1_000), AfterValidator(storable)]
Cursor = Annotated[str, Query(max_length=1_000)]
KEPT_KEYS_DAYS = 1.0
"""How long an Idempotency-Key names the request that it came with."""


def team_of(memory: TeamMemory, request: Request) -> Team:
    """The team of whoever's key it is. Raises 403 where the service's own key has no team yet."""
    identity = request.state.identity
    if identity is None:
        raise RefusedError(403, "there is no team yet: python -m patterns serve makes one", code="not_allowed")
    return memory.team(identity, request.client.host if request.client else "")


def pattern_routes(memory: TeamMemory, search: Search) -> APIRouter:
    """The routes. They run in threads, since a database may let them wait."""
    router = APIRouter(tags=["team"])

    def team(request: Request) -> Team:
        return team_of(memory, request)

    _reading(router, team)
    _writing(router, team)
    _syncing(router, team)

    @router.post("/patterns/search")
    def find(body: SearchRequest, request: Request) -> dict[str, Any]:
        """Conventions that hold for the given lines, then past changes that are like it; or that nothing applies."""
        return search.find(team(request), Asked(**body.model_dump()))

    return router


def _reading(router: APIRouter, team: Callable[[Request], Team]) -> None:
    @router.get("/whoami")
    def whoami(request: Request) -> dict[str, Any]:
        """Whose key this is, and what it allows."""
        who = team(request).identity
        may = {"read": True, "write": who.may("member"), "maintain": who.may("maintainer"), "admin": who.may("admin")}
        allowed = [name for name, allows in may.items() if allows]
        about = {"team": who.team, "team_id": who.team_id, "key_prefix": who.key_prefix}
        return {"member": who.member, "role": who.role, **about, "scopes": allowed}

    @router.get("/patterns")
    def list_patterns(
        request: Request,
        problem_type: Text = "",
        language: Text = "",
        file: Text = "",
        q: Text = "",
        shape: Text = "",
        include_deleted: bool = False,
        sort: Sort = "score",
        limit: Annotated[int, Query(ge=1, le=MOST_PAGE)] = 20,
        page: Annotated[int, Query(ge=1)] = 1,
        cursor: Cursor = "",
        repository: Text = "",
        change_kind: Text = "",
        member: Text = "",
    ) -> dict[str, Any]:
        """The team's patterns, the most helpful or the latest first; next_cursor goes on where this page ends."""
        chosen = {"repository": repository, "change_kind": change_kind, "member": member}
        wanted = Wanted(problem_type, language, file, q, shape, include_deleted, sort, **chosen)
        found = team(request).reading.page(wanted, limit, page=page, cursor=cursor)
        figures = {"total": found.total, "page": page, "per_page": limit, "next_cursor": found.next_cursor or None}
        return {"patterns": found.patterns, **figures}

    @router.get("/patterns/{pattern}")
    def one_pattern(pattern: str, request: Request, response: Response, include_deleted: bool = False) -> Any:
        """A pattern by its UUID or by its pattern_id, with its occurrences and your vote."""
        found = team(request).reading.one(pattern, include_deleted=include_deleted)
        tag = f'"{found["version"]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        response.headers["ETag"] = tag
        return found

    @router.get("/stats")
    def stats(request: Request) -> dict[str, Any]:
        """The team in figures."""
        return team(request).reading.stats()


def _writing(router: APIRouter, team: Callable[[Request], Team]) -> None:
    @router.post("/patterns", status_code=201, responses={200: {"description": "The team has it already."}})
    def add(body: NewPattern, request: Request, key: Key = "") -> Response:
        """Add a pattern. Where the team has it, that it occurred once more is noted."""
        operation = Add(pattern=body, **_named(key))
        outcome = done(team(request), operation, kept_days=KEPT_KEYS_DAYS)
        shown = team(request).reading.one(outcome.id, include_deleted=True)
        return JSONResponse({**shown, "status": outcome.status}, 201 if outcome.status == "added" else 200)

    @router.post("/patterns/batch")
    def add_all(body: BatchRequest, request: Request, key: Key = "") -> dict[str, Any]:
        """Add up to 500 patterns; what is wrong with one leaves the others be."""
        return _batch(team(request), body, key)

    @router.post("/patterns/{pattern}/feedback")
    def vote(pattern: str, body: FeedbackOnPattern, request: Request, key: Key = "") -> dict[str, Any]:
        """Say whether a pattern helped. One vote a member, none for one's own; the last word counts."""
        said = {"helpful": body.helpful, "note": body.note, "used": body.used}
        return _voted(team(request), checked(Vote, id=pattern, **said, **_named(key)))

    @router.delete("/patterns/{pattern}/feedback")
    def unvote(pattern: str, request: Request) -> dict[str, Any]:
        """Take one's vote back."""
        return _voted(team(request), checked(Unvote, id=pattern))

    @router.delete("/patterns/{pattern}")
    def delete(pattern: str, request: Request) -> dict[str, Any]:
        """Delete a pattern: one's own, or as a maintainer any. It can be restored."""
        outcome = done(team(request), checked(Delete, id=pattern))
        return team(request).reading.one(outcome.id, include_deleted=True)

    @router.post("/patterns/{pattern}/restore")
    def restore(pattern: str, request: Request) -> dict[str, Any]:
        """Undo a deletion, as a maintainer."""
        return team(request).reading.one(done(team(request), checked(Restore, id=pattern)).id)


def _syncing(router: APIRouter, team: Callable[[Request], Team]) -> None:
    @router.get("/sync")
    def pull(
        request: Request, cursor: Cursor = "", limit: Annotated[int, Query(ge=1, le=MOST_SYNCED)] = MOST_SYNCED
    ) -> dict[str, Any]:
        """What has changed since a cursor, deletions included, in the order of change. 410: read everything again."""
        return team(request).reading.news(cursor, limit)._asdict()

    @router.post("/sync")
    def push(body: SyncRequest, request: Request) -> dict[str, Any]:
        """Deliver operations that were done elsewhere, each with the pattern as it then stands."""
        mine = team(request)
        outcomes = mine.apply(body.ops, kept_days=KEPT_DAYS)
        rows = mine.reading.some({outcome.id for outcome in outcomes})
        results = [{**outcome.model_dump(), "pattern": rows.get(outcome.id)} for outcome in outcomes]
        return {"results": results}


def _batch(team: Team, body: BatchRequest, key: str) -> dict[str, Any]:
    found: dict[int, Outcome] = {}
    ready: dict[int, Add] = {}
    for at, one in enumerate(body.patterns):
        uid = f"{key}/{at}" if key else ""
        try:
            ready[at] = Add(pattern=NewPattern.model_validate(one), **_named(uid))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))[:100]
            found[at] = Outcome(uid=uid, status="refused", code="invalid", message=f"{place}: {first['msg']}")
    done = team.apply(list(ready.values()), kept_days=KEPT_KEYS_DAYS)
    found |= dict(zip(ready, done, strict=True))
    results = [found[at].model_dump() for at in range(len(body.patterns))]
    return {"results": results, **Counter(one["status"] for one in results)}


def _voted(team: Team, operation: Operation) -> dict[str, Any]:
    shown = team.reading.one(done(team, operation, kept_days=KEPT_KEYS_DAYS).id)
    return {name: shown[name] for name in ("id", "up", "down", "score", "success_count", "last_used", "my_vote")}


def done(team: Team, operation: Operation, *, kept_days: float = KEPT_KEYS_DAYS) -> Outcome:
    """Do one operation. Raises RefusedError where it is refused."""
    (outcome,) = team.apply([operation], kept_days=kept_days)
    if outcome.status == "refused":
        raise RefusedError(STATUS_OF[outcome.code], outcome.message, code=outcome.code)
    return outcome


def checked(kind: type[Vote | Unvote | Delete | Restore], **said: Any) -> Operation:
    """An operation on the pattern of a path. Raises 404 for what cannot be the name of one."""
    try:
        return kind(**said)
    except ValidationError:
        raise RefusedError(404, "the team has no such pattern", code="not_found") from None


def _named(key: str) -> dict[str, str]:
    return {"uid": key} if key else {}
