"""Bare clones of repositories at URLs, kept in the cache folder and brought up to date."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from core.config import without_credentials
from core.errors import UserError
from core.files import remove
from core.git.commands import last_complaint, run
from core.git.refs import REF_PREFIXES, boundary
from core.logs import log

_LOCAL_KINDS = ("remotes", "stash", "head")  # a bare clone has none of its own
_DUBIOUS = re.compile(r"dubious ownership in repository at '([^'\n]+)'")


def gitpython() -> ModuleType:
    """GitPython, which cannot be imported unless git is installed."""
    try:
        import git
    except ImportError:
        raise UserError("the git command was not found", "install git, or put it on the PATH") from None
    return git


def updated_clone(url: str, cache_dir: Path, ref_kinds: Sequence[str]) -> Path:
    """A bare clone of `url`, brought up to date. Its address is kept without credentials."""
    from filelock import FileLock

    git = gitpython()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", url.rstrip("/").removesuffix(".git").rsplit("/", 1)[-1]) or "repository"
    clone = cache_dir / "repositories" / f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:12]}.git"
    clone.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{clone}.lock"), _fetch_errors(url):
        if clone.exists():
            log.info("updating the clone of %s", without_credentials(url))
        else:
            log.info("cloning %s", without_credentials(url))
            for left in clone.parent.glob(f"{clone.name}.tmp-*"):  # by killed runs, whose git may be writing still
                shutil.rmtree(left, ignore_errors=True)
            temporary = clone.with_name(f"{clone.name}.tmp-{secrets.token_hex(4)}")
            try:
                with git.Repo.clone_from(url, temporary, bare=True, env=_fetch_environment()) as repository:
                    repository.git.remote("set-url", "origin", without_credentials(url))
                temporary.rename(clone)
            finally:
                remove(temporary)
        with git.Repo(clone) as repository:
            refspecs = [f"+{pattern}:{pattern}" for pattern in _fetched(ref_kinds)]
            deepen = ["--depth=2147483647"] if boundary(clone, "shallow") else []
            _ask(repository.git.fetch, "--prune", "--no-auto-gc", *deepen, "--", url, *refspecs)
            _forget_others(clone, ref_kinds)
            if current := re.match(rb"ref: (\S+)\tHEAD", _ask(repository.git.ls_remote, "--symref", "--", url, "HEAD")):
                repository.git.symbolic_ref("HEAD", os.fsdecode(current[1]))
    return clone


def _forget_others(clone: Path, ref_kinds: Sequence[str]) -> None:
    """Delete refs that an earlier run fetched and this one did not ask for."""
    kept = tuple(pattern.removesuffix("*") for pattern in _fetched(ref_kinds))
    refs = run(clone, "for-each-ref", "--format=%(refname)").splitlines()
    others = [b"delete " + ref + b"\n" for ref in refs if not os.fsdecode(ref).startswith(kept)]
    if others:
        run(clone, "update-ref", "--stdin", stdin=b"".join(others))


def _fetched(ref_kinds: Sequence[str]) -> list[str]:
    """Patterns of the refs that a URL is asked for."""
    kinds = dict.fromkeys(("branches", "tags", *(kind for kind in ref_kinds if kind not in _LOCAL_KINDS)))
    return ["refs/*"] if "all" in kinds else [f"{prefix}/*" for kind in kinds for prefix in REF_PREFIXES[kind]]


def remote_refs(url: str, ref_kinds: Sequence[str]) -> bytes:
    git = gitpython()
    with _fetch_errors(url):
        return _ask(git.Git().ls_remote, "--", url, *_fetched(ref_kinds))


def _ask(call: Callable[..., Any], *arguments: str) -> bytes:
    """What a command says of a remote.

    As a process of its own, which GitPython ends when an interrupt lets go of it; another call would leave it running.
    """
    process = call(*arguments, as_process=True, env=_fetch_environment())
    said, complaint = process.communicate()
    process.wait(stderr=complaint)  # raises GitCommandError where it failed
    return bytes(said)


def _fetch_environment() -> dict[str, str]:
    return {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")}


@contextlib.contextmanager
def _fetch_errors(url: str) -> Iterator[None]:
    git = gitpython()
    try:
        yield
    except (git.GitCommandError, git.UnsafeProtocolError, git.UnsafeOptionError) as error:
        shown, said = without_credentials(url), str(getattr(error, "stderr", "") or error)
        if owned := _DUBIOUS.search(said):
            raise UserError(
                f"cannot fetch {shown}: git refuses its dubious ownership, since {owned[1]} belongs to another user",
                f"name the folder instead of a URL, or run: git config --global --add safe.directory {owned[1]}",
            ) from None
        words = last_complaint(said.encode()).replace(url, shown)
        raise UserError(f"cannot fetch {shown}: {words}", "check the URL, the network and your access") from None
