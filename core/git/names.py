"""Names of a repository: for people, and for its folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from core.config import expand, without_credentials
from core.errors import UserError

_URL = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://|^[^/\\\s:]+@[^/\\\s:]+:")


def is_url(location: str) -> bool:
    """True for a location that git would fetch rather than open."""
    return bool(_URL.match(location)) and not Path(location).exists()


def checked_location(location: str) -> str:
    """The location. Raises UserError for one that git would take for an option."""
    if location.startswith("-"):
        raise UserError(
            f"'{location}' is not a repository: it begins with a dash", f"for a folder of this name write ./{location}"
        )
    return location


def by_folder(entries: Sequence[str]) -> dict[str, str]:
    """Repositories (folders, URLs, and text files that list some) by the name of the folder that each gets."""
    found: dict[str, str] = {}
    seen = set()
    for location in (checked_location(location) for entry in entries for location in _listed(entry)):
        place = location if is_url(location) else str(expand(location).resolve())
        if place in seen:
            continue
        seen.add(place)
        name = folder_name(location)
        while name in found:  # the first keeps the plain name, so that one more does not rename it
            name += f"-{sha256(place.encode()).hexdigest()[:8]}"
        found[name] = location
    return found


def _listed(entry: str) -> list[str]:
    """The repositories of an entry of `repos`: the entry itself or, if it is a text file, its lines.

    Empty lines and lines that start with # are ignored. Raises UserError for an empty list.
    """
    path = expand(entry)
    if not path.is_file():
        return [entry]
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the list of repositories {path} cannot be read: {error}") from None
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise UserError(f"the list of repositories {path} is empty", "write one folder or URL a line")
    return found


def folder_name(location: str) -> str:
    """The name of a repository's folder under outputs."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", _last_part(location, "")).strip("-.") or "repository"


def display_name(location: str, git_dir: str) -> str:
    """The name of a repository for people; `git_dir` is where its objects are."""
    return _last_part(location, git_dir) or location


def _last_part(location: str, git_dir: str) -> str:
    """The last part of a URL, or the folder that holds `git_dir` (the location itself unless given)."""
    path = without_credentials(location) if is_url(location) else git_dir or str(expand(location).resolve())
    return re.split(r"[/\\:]", path.rstrip("/\\").removesuffix("/.git").removesuffix(".git"))[-1]


def is_path(name: str) -> bool:
    """Whether a text can be the path of a file in a repository."""
    parts = name.split("/")
    return name.isprintable() and "\ufffd" not in name and all(part not in ("", ".", "..") for part in parts)
