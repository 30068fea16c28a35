"""Areas: folders that a study is about, where it is not to be about the whole repository."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.errors import UserError, did_you_mean
from core.git import trees
from thoughts.kind import Context, Input


def checked(areas: Iterable[str]) -> tuple[str, ...]:
    """The folders as git writes them, each once. Raises UserError for what can be no folder of a repository."""
    return tuple(dict.fromkeys(map(_folder, areas)))


def each(areas: Iterable[str], given: Input) -> list[Input]:
    """An input for each area, which it names as its `path`; without any, the input as it is."""
    return [{**given, "path": area} for area in areas] or [given]


def area_in(given: Input) -> str:
    """The area that an input names; "" for the whole repository."""
    path = given.get("path")
    return path if isinstance(path, str) else ""


def is_below(path: str, area: str) -> bool:
    """Whether a file is in an area."""
    return not area or path.startswith(f"{area}/")


def found(git_dir: Path, commit: str, area: str) -> str:
    """The area, or "" for none. Raises UserError where the commit has no such folder."""
    if not area:
        return ""
    area, paths = _folder(area), trees.files_of(git_dir, commit)
    if not any(is_below(path, area) for path in paths):
        folders = {path.rpartition("/")[0] for path in paths} - {""}
        raise UserError(f"there is no folder {area!r} at {commit[:9]}", did_you_mean(area, folders))
    return area


def looked_at(given: Input, commit: str, context: Context) -> str | None:
    """The area of a job, "" for all; None where the commit has no such folder, which its log then says."""
    try:
        return found(context.state.git_dir, commit, area_in(given))
    except UserError as error:
        context.say(f"{error.message}: nothing was looked at")
        return None


def _folder(text: str) -> str:
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or ".." in parts or not parts or not text.isprintable():
        hint = "name it from the repository's top, such as services/payments"
        raise UserError(f"{text!r} is no folder within a repository", hint)
    return "/".join(parts)
