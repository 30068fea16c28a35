"""Where one can go from any page, and as whom."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope

from patterns.memory.identity import Identity

STUDY = "/study"
PATTERNS, MEMBERS, KEYS, AUDIT = "/team/patterns", "/team/members", "/team/keys", "/team/audit"


@dataclass(frozen=True)
class Rooms:
    """What a service has pages about."""

    repositories: bool = False
    team: bool = False
    studies: bool = False


@dataclass(frozen=True)
class Link:
    """A page that others lead to."""

    name: str
    path: str
    is_here: bool


@dataclass(frozen=True)
class Navigation:
    """The head of a page."""

    links: list[Link]
    who: str = ""
    """The member, with their role and their team."""
    signed_in: bool = False
    """By a cookie, which can be given back."""


def navigation(scope: Scope) -> Navigation:
    """What whoever sends this request may go to; nothing before it is known who they are."""
    app, state = scope.get("app"), scope.get("state", {})
    if app is None or "identity" not in state:
        return Navigation([])
    identity: Identity | None = state["identity"]
    places = _places(app.state.rooms, identity)
    links = [Link(name, path, _is_below(scope["path"], path)) for name, path in places]
    who = f"{identity.member}, {identity.role} of {identity.team}" if identity else ""
    return Navigation(links, who, state.get("signed_in", False))


def _places(rooms: Rooms, identity: Identity | None) -> list[tuple[str, str]]:
    found = [("Repositories", "/")] if rooms.repositories else []
    found += [("Study", STUDY)] if rooms.studies else []
    if not (rooms.team and identity):
        return found if rooms.studies else []  # one room needs no doors
    found.append(("Patterns", PATTERNS))
    if identity.may("admin"):
        found += [("Members", MEMBERS), ("Keys", KEYS)]
    return found + ([("Audit", AUDIT)] if identity.may("maintainer") else [])


def _is_below(path: str, place: str) -> bool:
    return path == place if place == "/" else path == place or path.startswith(f"{place}/")
