"""Clones of repositories: opened by path or URL, and told apart by their first commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.config import expand, without_credentials
from core.errors import StageError, UserError
from core.git import commands, refs
from core.git.names import folder_name, is_url
from core.git.refs import is_partial
from core.git.repositories import open_repository


@dataclass(frozen=True)
class Clone:
    """A repository on this machine, at the commit that is checked out."""

    key: str
    name: str
    location: str
    git_dir: Path
    head: str


def open_clone(location: str, cache_dir: Path) -> Clone:
    """Open the repository at a path, or clone (update) the one at a URL.

    Raises UserError where there is none, or one that lacks commits or objects on purpose (its first commit would be
    another one, its changes could not be read), or where it is empty; StageError where git cannot read it.
    """
    try:
        repository = open_repository(location, cache_dir)
    except UserError as error:
        raise UserError(error.message, "name the folder of a clone, or a git URL") from None
    if refs.boundary(repository.git_dir, "shallow") or is_partial(repository.git_dir):
        raise UserError(
            f"{repository.location} is a shallow or partial clone", "get all of it: git fetch --unshallow --refetch"
        )
    head = refs.head(repository.git_dir)
    if not head:
        raise UserError(f"{repository.location} has no commits", "name another repository")
    return opened_clone(location, repository.git_dir, head)


def opened_clone(location: str, git_dir: Path, head: str) -> Clone:
    """The clone in a git folder, at a commit. Raises StageError where git cannot read it there."""
    return Clone(key_of(git_dir, head), name_of(location), place_of(location), git_dir, head)


def key_of(git_dir: Path, head: str) -> str:
    """What all clones of a repository share: the first commit of its main line."""
    listing = commands.run(git_dir, "rev-list", "--first-parent", "--max-parents=0", "--end-of-options", head)
    roots = listing.decode().split()
    if not roots:
        raise StageError(f"{git_dir}: the first commit cannot be found", "check it with git fsck")
    return f"root:{roots[-1]}"


def name_of(location: str) -> str:
    """What people call the repository at a path or URL: its folder, or the one above a folder called repo."""
    name = folder_name(location)
    if name in ("repo", "repository") and not is_url(location):
        return folder_name(str(expand(location).resolve().parent))
    return name


def place_of(location: str) -> str:
    """The location, absolute and without credentials."""
    return without_credentials(location if is_url(location) else str(expand(location).resolve()))
