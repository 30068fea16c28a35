"""Opening repositories, and the state that they are in."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.config import checked_path, expand, without_credentials
from core.errors import UserError
from core.git.clones import gitpython, remote_refs, updated_clone
from core.git.commands import run
from core.git.names import checked_location, is_url
from core.git.refs import BOUNDARY_FILES, REF_PREFIXES, boundary, detached_head, head, mailmap
from core.logs import log


@dataclass(frozen=True)
class Repository:
    """A repository on this machine. `location` is what the user named, without credentials."""

    location: str
    git_dir: Path


def open_repository(location: str, cache_dir: Path, ref_kinds: Sequence[str] = ("branches", "tags")) -> Repository:
    """Open the repository at a path, or clone (update) the one at a URL in the cache folder.

    A folder within a work tree stands for the whole repository, which is said.
    Of a URL, branches and tags are fetched, and pull requests where `ref_kinds` names them.

    Raises UserError where there is none, StageError where git cannot fetch it.
    """
    if is_url(checked_location(location)):
        return Repository(without_credentials(location), updated_clone(location, cache_dir.resolve(), ref_kinds))
    found = _opened(location)
    if found.location != location:
        _tell_root(location, found.location)
    return found


@dataclass(frozen=True)
class State:
    """Digests of what decides which commits a repository has."""

    refs: str
    """Changes whenever a ref in scope does."""
    boundary: str
    """Changes when a shallow clone is deepened, or grafts are; neither moves a ref."""
    mailmap: str
    """Changes when the .mailmap of HEAD does."""


def state(location: str, ref_kinds: Sequence[str]) -> State:
    """The repository's state as it is now; asks the remote for a URL."""
    if is_url(checked_location(location)):
        refs = _digest(remote_refs(location, ref_kinds))
        return State(refs, _digest(b""), refs)  # its mailmap may have changed with any ref
    git_dir = _opened(location).git_dir
    prefixes = [prefix for kind in ref_kinds for prefix in REF_PREFIXES[kind]]
    # Branches count whatever is in scope, since every commit names those that contain it.
    prefixes += ["refs/heads", "refs/remotes"]
    listing = run(git_dir, "for-each-ref", "--format=%(objectname) %(refname)", *dict.fromkeys(prefixes))
    listing += run(git_dir, "symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
    listing += (head if {"head", "all"} & set(ref_kinds) else detached_head)(git_dir).encode()
    lines = b"".join(b"\n".join(boundary(git_dir, name)) for name in BOUNDARY_FILES)
    return State(_digest(listing), _digest(lines), mailmap(git_dir))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _opened(location: str) -> Repository:
    path = expand(location)
    for folder in (path / ".git", path):  # nearly always; spares importing GitPython, a tenth of a second
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir():
            return Repository(location, checked_path(folder.resolve()))
    git = gitpython()
    hint = "set git_scraper.repo (or --repo) to a repository's folder or URL"
    here = path.resolve()
    try:
        with git.Repo(here, search_parent_directories=here.is_dir()) as repository:
            git_dir = checked_path(Path(repository.git_dir).resolve())
            root = Path(repository.working_tree_dir or git_dir).resolve()
    except git.NoSuchPathError:
        raise UserError(f"repository not found: {path}", hint) from None
    except (git.InvalidGitRepositoryError, ValueError, OSError):
        raise UserError(f"{here} is not a git repository", hint) from None
    return Repository(str(root) if root in here.parents else location, git_dir)


@functools.cache
def _tell_root(location: str, root: str) -> None:
    """Say it once, however often it is opened."""
    log.info("%s is a folder within a repository; all of %s is read", location, root)
