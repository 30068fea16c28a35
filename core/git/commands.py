"""The only place that runs git: hardened calls, opening and fetching repositories, reading blobs."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import IO

from filelock import FileLock

from core.config import expand, without_credentials
from core.errors import StageError, UserError
from core.files import remove
from core.logs import log

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
"""Where the refs of a kind lie; "head" is HEAD itself, "all" has it too."""

_LOCAL_KINDS = ("remotes", "stash", "head")  # a bare clone has none of its own
_PIPE_BYTES = 1 << 20
SUBMODULE_MODE = "160000"
NO_MODE = "000000"
BOUNDARY_FILES = ("shallow", "info/grafts")
"""Where a repository keeps commits whose parents are other than they say."""

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
        return Repository(without_credentials(location), _updated_clone(location, cache_dir.resolve(), ref_kinds))
    return Repository(location, _git_dir(location))


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
    if is_url(location):
        refs = _digest(_remote_refs(location, ref_kinds))
        return State(refs, _digest(b""), refs)  # its mailmap may have changed with any ref
    git_dir = _git_dir(location)
    prefixes = [prefix for kind in ref_kinds for prefix in REF_PREFIXES[kind]]
    # Branches count whatever is in scope, since every commit names those that contain it.
    prefixes += ["refs/heads", "refs/remotes"]
    listing = run(git_dir, "for-each-ref", "--format=%(objectname) %(refname)", *dict.fromkeys(prefixes))
    listing += run(git_dir, "symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
    if {"head", "all"} & set(ref_kinds):
        listing += head(git_dir).encode()
    lines = b"".join(b"\n".join(boundary(git_dir, name)) for name in BOUNDARY_FILES)
    return State(_digest(listing), _digest(lines), mailmap(git_dir))


def head(git_dir: Path) -> str:
    """The commit that is checked out, "" where there is none yet."""
    return run(git_dir, "rev-parse", "--verify", "--quiet", "HEAD", accept=(0, 1)).decode().strip()


def mailmap(git_dir: Path) -> str:
    """The blob of the .mailmap of HEAD, "" where there is none."""
    return run(git_dir, "rev-parse", "--verify", "--quiet", "HEAD:.mailmap", accept=(0, 1, 128)).decode().strip()


def is_partial(git_dir: Path) -> bool:
    """True for a clone that left objects at its server on purpose."""
    pattern = r"^(remote\..*\.(promisor|partialclonefilter)|extensions\.partialclone)$"
    return bool(run(git_dir, "config", "--local", "--get-regexp", pattern, accept=(0, 1)))


def path_in(git_dir: Path, name: str) -> Path:
    """Where a part of the repository lies; linked work trees keep most parts elsewhere."""
    return git_dir / os.fsdecode(run(git_dir, "rev-parse", "--git-path", name).removesuffix(b"\n"))


def boundary(git_dir: Path, name: str) -> list[bytes]:
    """The entries of "shallow" or "info/grafts", one per commit whose parents are other than it says."""
    path = path_in(git_dir, name)
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [line for line in lines if line.strip() and not line.startswith(b"#")]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def command(git_dir: Path, *arguments: str, settings: Iterable[str] = ()) -> list[str]:
    """The full hardened command line."""
    words = [word for setting in (*_SETTINGS, *settings) for word in ("-c", setting)]
    return ["git", "--no-pager", f"--git-dir={git_dir}", *words, *arguments]


def environment(*, replacements: bool = False) -> dict[str, str]:
    """The process environment without git's own variables, plus the hardening ones.

    `replacements` lets refs/replace count, which only our own overlay may ask for.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    found = {**kept, **_ENVIRONMENT}
    if replacements:
        del found["GIT_NO_REPLACE_OBJECTS"]
    return found


@functools.cache
def version() -> str:
    """git's own version."""
    return run(Path.cwd(), "version").decode().split()[2]


def run(
    git_dir: Path,
    *arguments: str,
    stdin: bytes = b"",
    accept: Sequence[int] = (0,),
    settings: Iterable[str] = (),
    replacements: bool = False,
) -> bytes:
    """Standard output of a git command. Raises StageError with git's own words when it fails."""
    with stream(
        git_dir, *arguments, stdin=stdin, accept=accept, settings=settings, replacements=replacements
    ) as output:
        return output.read()


@contextlib.contextmanager
def stream(
    git_dir: Path,
    *arguments: str,
    stdin: bytes = b"",
    accept: Sequence[int] = (0,),
    settings: Iterable[str] = (),
    replacements: bool = False,
) -> Iterator[IO[bytes]]:
    """Standard output of a running git command. Raises StageError after the block if git failed."""
    line = command(git_dir, *arguments, settings=settings)
    log.debug("$ %s", shlex.join(line))
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as source:
        source.write(stdin)
        source.seek(0)
        process = subprocess.Popen(
            line,
            env=environment(replacements=replacements),
            cwd=git_dir,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=errors,
            pipesize=_PIPE_BYTES,
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
        if process.returncode not in accept:
            errors.seek(0)
            raise StageError(
                f"git {arguments[0]} failed in {git_dir}: {_words(errors.read())}",
                f"check the repository with: git --git-dir={git_dir} fsck",
            )


def decode(data: bytes) -> tuple[str, str]:
    """(text, encoding): UTF-8 where it is valid, else Latin-1, in which every byte has a meaning."""
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


class DiffTree:
    """One `git diff-tree --stdin` that is asked again and again, since it keeps what it has unpacked."""

    def __init__(self, git_dir: Path, arguments: Iterable[str], settings: Iterable[str] = ()) -> None:
        line = command(git_dir, "diff-tree", "--stdin", *arguments, settings=settings)
        log.debug("$ %s", shlex.join(line))
        self.end = f"end-{secrets.token_hex(16)}\n".encode()
        """A line that names no object: git repeats it, which tells where an answer ends."""
        self._rest = b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close
        self._process = subprocess.Popen(
            line,
            env=environment(replacements=True),
            cwd=git_dir,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            pipesize=_PIPE_BYTES,
        )

    def ask(self, old: str, new: str) -> None:
        """Have it compare two trees; `answer` gives what it prints, in the order of asking."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the answer will tell
            self._process.stdin.write(f"{old} {new}\n".encode() + self.end)
            self._process.stdin.flush()

    def answer(self) -> Iterator[bytes]:
        """What it prints for the next two trees, in blocks as they come; the last bytes are `end`.

        Raises StageError when git ends before that is all.
        """
        assert self._process.stdout is not None
        if self._process.stdout.closed:
            raise StageError("git diff-tree has ended")
        held = len(self.end) - 1  # the end may straddle two blocks
        data, self._rest = self._rest, b""
        while True:
            found = data.find(self.end)
            if found >= 0:
                self._rest = data[found + len(self.end) :]
                yield data[: found + len(self.end)]
                return
            if len(data) > held:
                yield data[:-held]
                data = data[-held:]
            block = self._process.stdout.read1(1 << 16)  # type: ignore[attr-defined]
            if not block:
                break
            data += block
        self._process.wait()
        self._errors.seek(0)
        raise StageError(f"git diff-tree stopped: {_words(self._errors.read())}")

    def kill(self) -> None:
        """Have it end; an answer that is being read then breaks off."""
        self._process.kill()

    def close(self) -> None:
        """End it, once or more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._errors.close()


_BLOBS_AHEAD = 500
"""Requests that fit into a pipe, so that neither side waits for the other."""


class BlobReader:
    """Contents of blobs through one `git cat-file` process."""

    def __init__(self, git_dir: Path) -> None:
        self._git_dir = git_dir

    def __enter__(self) -> BlobReader:
        line = command(self._git_dir, "cat-file", "--batch")
        log.debug("$ %s", shlex.join(line))
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
        return next(self.read_many([blob], max_bytes))

    def read_many(self, blobs: Sequence[str], max_bytes: int | None = None) -> Iterator[bytes | None]:
        """The same for several, asked for ahead so that git need not wait; take all before another call."""
        assert self._process.stdin is not None
        for start in range(0, len(blobs), _BLOBS_AHEAD):
            batch = blobs[start : start + _BLOBS_AHEAD]
            try:
                self._process.stdin.write("".join(f"{blob}\n" for blob in batch).encode())
                self._process.stdin.flush()
            except BrokenPipeError:
                raise self._ended(batch[0]) from None
            for blob in batch:
                yield self._take(blob, max_bytes)

    def _take(self, blob: str, max_bytes: int | None) -> bytes | None:
        assert self._process.stdout is not None
        header = self._process.stdout.readline().split()
        if not header:
            raise self._ended(blob)
        if len(header) != 3:  # "<id> missing"
            return None
        size = int(header[2])
        wanted = header[1] == b"blob" and (max_bytes is None or size <= max_bytes)
        content = self._process.stdout.read(size) if wanted else None
        if not wanted:
            self._skip(size)
        self._process.stdout.read(1)
        return content

    def _ended(self, blob: str) -> StageError:
        return StageError(f"git cat-file ended while reading {blob} from {self._git_dir}", "run again")

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
            repository.git.fetch("--prune", "--no-auto-gc", *deepen, url, *refspecs, env=_fetch_environment())
            _forget_others(clone, ref_kinds)
            if current := re.match(
                r"ref: (\S+)\tHEAD", repository.git.ls_remote("--symref", url, "HEAD", env=_fetch_environment())
            ):
                repository.git.symbolic_ref("HEAD", current[1])
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


def _remote_refs(url: str, ref_kinds: Sequence[str]) -> bytes:
    git = _gitpython()
    with _fetch_errors(url):
        listing = git.Git().ls_remote(url, *_fetched(ref_kinds), env=_fetch_environment())
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
