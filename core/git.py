"""The only place that runs git: hardened calls, opening and fetching repositories, reading blobs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import IO

from filelock import FileLock

from core.config import expand, without_credentials
from core.errors import StageError, UserError
from core.files import remove
from core.logs import log

REF_PREFIXES = {
    "branches": "refs/heads",
    "tags": "refs/tags",
    "remotes": "refs/remotes",
    "pull_requests": "refs/pull",
}
"""Where the refs of a kind lie; the further kind "head" is HEAD itself."""

_REMOTE_KINDS = ("branches", "tags", "pull_requests")  # a bare clone has no remotes of its own
SUBMODULE_MODE = "160000"

_URL = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://|^[^/\\\s:]+@[^/\\\s:]+:")
# No user or system configuration may change what is read.
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "TZ": "UTC",
}
# The user named the repository, so its owner is not questioned; its own settings that would
# change the output are overruled.
_SETTINGS = (
    "safe.directory=*",
    "core.quotePath=false",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "diff.renameLimit=1000",
    "diff.orderFile=/dev/null",
    "diff.suppressBlankEmpty=false",
    "log.showSignature=false",
    "log.showRoot=true",
    "log.mailmap=false",
)


@dataclass(frozen=True)
class Repository:
    """A repository on this machine. `location` is what the user named, without credentials."""

    location: str
    git_dir: Path


def is_url(location: str) -> bool:
    """True for anything git would fetch rather than open."""
    return bool(_URL.match(location)) and not Path(location).exists()


def open_repository(location: str, cache_dir: Path, ref_kinds: Sequence[str] = ("branches", "tags")) -> Repository:
    """Open the repository at a path, or clone (update) the one at a URL in the cache folder.

    Of a URL, branches and tags are fetched, and pull requests where `ref_kinds` names them.

    Raises UserError where there is none, StageError where git cannot fetch it.
    """
    if is_url(location):
        return Repository(without_credentials(location), _updated_clone(location, cache_dir, ref_kinds))
    return Repository(location, _git_dir(location))


def tips(git_dir: Path, ref_kinds: Sequence[str]) -> bytes:
    """Object ids that refs of these kinds point at, one a line: fit for `--stdin` of rev-list and log.

    Taken once per scrape, so that commits arriving meanwhile cannot make its parts disagree.
    """
    prefixes = [REF_PREFIXES[kind] for kind in ref_kinds if kind != "head"]
    found = run(git_dir, "for-each-ref", "--format=%(objectname)", *prefixes) if prefixes else b""
    if "head" in ref_kinds:
        found += run(git_dir, "rev-parse", "--verify", "--quiet", "HEAD", accept=(0, 1))
    return found


def state_digest(location: str, ref_kinds: Sequence[str]) -> str:
    """A digest that changes whenever a ref in scope does; asks the remote for a URL."""
    if is_url(location):
        return hashlib.sha256(_remote_refs(location, ref_kinds)).hexdigest()
    git_dir = _git_dir(location)
    prefixes = [REF_PREFIXES[kind] for kind in ref_kinds if kind != "head"]
    listing = run(git_dir, "for-each-ref", "--format=%(objectname) %(refname)", *prefixes) if prefixes else b""
    listing += run(git_dir, "symbolic-ref", "--quiet", "HEAD", accept=(0, 1)) + tips(git_dir, ref_kinds)
    return hashlib.sha256(listing + shallow_boundary(git_dir)).hexdigest()


def shallow_boundary(git_dir: Path) -> bytes:
    """The commits at which a shallow clone ends; empty for a whole one. Deepening a clone moves no ref."""
    path = git_dir / run(git_dir, "rev-parse", "--git-path", "shallow").decode().strip()
    return path.read_bytes() if path.exists() else b""


def command(git_dir: Path, *arguments: str) -> list[str]:
    """The full hardened command line."""
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    return ["git", "--no-pager", f"--git-dir={git_dir}", *settings, *arguments]


def environment() -> dict[str, str]:
    """The process environment without git's own variables, plus the hardening ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, **_ENVIRONMENT}


def version() -> str:
    """git's own version."""
    return run(Path.cwd(), "version").decode().split()[2]


def run(git_dir: Path, *arguments: str, stdin: bytes = b"", accept: Sequence[int] = (0,)) -> bytes:
    """Standard output of a git command. Raises StageError with git's own words when it fails."""
    line = command(git_dir, *arguments)
    log.debug("$ %s", " ".join(line))
    done = subprocess.run(line, env=environment(), cwd=git_dir, input=stdin, capture_output=True, check=False)
    if done.returncode not in accept:
        raise StageError(f"git {arguments[0]} failed: {_words(done.stderr)}")
    return done.stdout


@contextlib.contextmanager
def stream(git_dir: Path, *arguments: str, stdin: bytes = b"") -> Iterator[IO[bytes]]:
    """Standard output of a running git command. Raises StageError after the block if git failed."""
    line = command(git_dir, *arguments)
    log.debug("$ %s", " ".join(line))
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        process = subprocess.Popen(
            line, env=environment(), cwd=git_dir, stdin=source, stdout=subprocess.PIPE, stderr=errors, bufsize=1 << 20
        )
        assert process.stdout is not None
        try:
            yield process.stdout
        except BaseException:
            process.kill()
            raise
        finally:
            process.stdout.close()
            process.wait()
        if process.returncode:
            errors.seek(0)
            raise StageError(
                f"git {arguments[0]} stopped in {git_dir}: {_words(errors.read())}",
                f"check the repository with: git --git-dir={git_dir} fsck",
            )


def decode(data: bytes) -> tuple[str, str]:
    """(text, encoding): UTF-8 where it is valid, else Latin-1, in which every byte has a meaning."""
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


class BlobReader:
    """Contents of blobs through one `git cat-file` process."""

    def __init__(self, git_dir: Path) -> None:
        self._git_dir = git_dir

    def __enter__(self) -> BlobReader:
        line = command(self._git_dir, "cat-file", "--batch")
        log.debug("$ %s", " ".join(line))
        self._process = subprocess.Popen(
            line, env=environment(), cwd=self._git_dir, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def read(self, blob: str, max_bytes: int | None = None) -> bytes | None:
        """The content, or None where the object is missing, no blob, or larger than `max_bytes`.

        Raises StageError when git itself has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(blob.encode() + b"\n")
            self._process.stdin.flush()
            header = self._process.stdout.readline().split()
        except BrokenPipeError:
            header = []
        if not header:
            raise StageError(f"git cat-file ended while reading {blob} from {self._git_dir}", "run again")
        if len(header) != 3:  # "<id> missing"
            return None
        size = int(header[2])
        wanted = header[1] == b"blob" and (max_bytes is None or size <= max_bytes)
        content = self._process.stdout.read(size) if wanted else None
        if not wanted:
            self._skip(size)
        self._process.stdout.read(1)
        return content

    def _skip(self, size: int) -> None:
        assert self._process.stdout is not None
        while size > 0:
            size -= len(self._process.stdout.read(min(size, 1 << 20))) or size


def _gitpython() -> ModuleType:
    """GitPython, which refuses to be imported where there is no git."""
    try:
        import git
    except ImportError:
        raise UserError("the git command was not found", "install git, or put it on the PATH") from None
    return git


def _git_dir(location: str) -> Path:
    git = _gitpython()
    path = expand(location)
    hint = "set git_scraper.repo (or --repo) to a repository's folder or URL"
    try:
        with git.Repo(path) as repository:
            return Path(repository.git_dir).resolve()
    except git.NoSuchPathError:
        raise UserError(f"repository not found: {path}", hint) from None
    except (git.InvalidGitRepositoryError, ValueError, OSError):
        raise UserError(f"{path.resolve()} is not a git repository", hint) from None


def _updated_clone(url: str, cache_dir: Path, ref_kinds: Sequence[str]) -> Path:
    """A bare clone of `url`, brought up to date. Its address is kept without credentials."""
    git = _gitpython()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", url.rstrip("/").removesuffix(".git").rsplit("/", 1)[-1]) or "repository"
    clone = cache_dir / "repositories" / f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:12]}.git"
    clone.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{clone}.lock"), _fetch_errors(url):
        if clone.exists():
            log.info("updating the clone of %s", without_credentials(url))
        else:
            log.info("cloning %s", without_credentials(url))
            temporary = clone.with_name(f"{clone.name}.tmp")
            remove(temporary)  # what a killed run left
            try:
                with git.Repo.clone_from(url, temporary, bare=True, env=_fetch_environment()) as repository:
                    repository.git.remote("set-url", "origin", without_credentials(url))
                temporary.rename(clone)
            finally:
                remove(temporary)
        with git.Repo(clone) as repository:
            refspecs = [f"+{prefix}/*:{prefix}/*" for prefix in _fetched(ref_kinds)]
            repository.git.fetch("--prune", "--no-auto-gc", url, *refspecs, env=_fetch_environment())
    return clone


def _fetched(ref_kinds: Sequence[str]) -> list[str]:
    """Prefixes of the refs that a URL is asked for."""
    return [REF_PREFIXES[kind] for kind in dict.fromkeys(("branches", "tags", *ref_kinds)) if kind in _REMOTE_KINDS]


def _remote_refs(url: str, ref_kinds: Sequence[str]) -> bytes:
    git = _gitpython()
    with _fetch_errors(url):
        patterns = [f"{prefix}/*" for prefix in _fetched(ref_kinds)]
        listing = git.Git().ls_remote(url, *patterns, env=_fetch_environment())
    return str(listing).encode()


def _fetch_environment() -> dict[str, str]:
    return {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")}


@contextlib.contextmanager
def _fetch_errors(url: str) -> Iterator[None]:
    git = _gitpython()
    try:
        yield
    except (git.GitCommandError, git.UnsafeProtocolError) as error:
        words = _words(str(getattr(error, "stderr", "") or error).encode()).replace(url, without_credentials(url))
        raise UserError(
            f"cannot fetch {without_credentials(url)}: {words}", "check the URL, the network and your access"
        ) from None


def _words(message: bytes) -> str:
    """git's last complaint, in one line."""
    lines = [line.strip() for line in message.decode(errors="replace").splitlines() if line.strip()]
    fatal = [line for line in lines if "fatal:" in line or "error:" in line]
    return (fatal or lines or ["no message"])[-1].strip("' ")
