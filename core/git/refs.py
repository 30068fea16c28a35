"""Where a repository keeps its refs, and where its history ends."""

from __future__ import annotations

import os
from pathlib import Path

from core.git.commands import run

REF_PREFIXES: dict[str, tuple[str, ...]] = {
    "branches": ("refs/heads",),
    "tags": ("refs/tags",),
    "remotes": ("refs/remotes",),
    "pull_requests": ("refs/pull", "refs/merge-requests"),
    "notes": ("refs/notes",),
    "stash": ("refs/stash",),
    "all": ("refs",),
    "head": (),
}
"""Prefixes of the refs of a kind; "head" is HEAD itself, "all" includes it."""
BOUNDARY_FILES = ("shallow", "info/grafts")
"""Files that list commits whose recorded parents do not apply."""


def head(git_dir: Path) -> str:
    """The commit that is checked out, "" where there is none yet."""
    return run(git_dir, "rev-parse", "--verify", "--quiet", "HEAD", accept=(0, 1)).decode().strip()


def detached_head(git_dir: Path) -> str:
    """The commit that is checked out where no branch is; "" on a branch."""
    on_branch = run(git_dir, "symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
    return "" if on_branch else head(git_dir)


def branch(git_dir: Path) -> str:
    """The branch that is checked out, "HEAD" where none is."""
    return run(git_dir, "symbolic-ref", "--quiet", "--short", "HEAD", accept=(0, 1)).decode().strip() or "HEAD"


def mailmap(git_dir: Path) -> str:
    """The blob of the .mailmap of HEAD, "" where there is none."""
    return run(git_dir, "rev-parse", "--verify", "--quiet", "HEAD:.mailmap", accept=(0, 1, 128)).decode().strip()


def is_partial(git_dir: Path) -> bool:
    """True for a clone that left objects at its server on purpose."""
    pattern = r"^(remote\..*\.(promisor|partialclonefilter)|extensions\.partialclone)$"
    return bool(run(git_dir, "config", "--local", "--get-regexp", pattern, accept=(0, 1)))


def path_in(git_dir: Path, name: str) -> Path:
    """The path of a part of the repository; linked work trees keep most parts elsewhere."""
    return git_dir / os.fsdecode(run(git_dir, "rev-parse", "--git-path", name).removesuffix(b"\n"))


def boundary(git_dir: Path, name: str) -> list[bytes]:
    """The entries of "shallow" or "info/grafts", one per commit whose recorded parents do not apply."""
    path = path_in(git_dir, name)
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [line for line in lines if line.strip() and not line.startswith(b"#")]
