"""Which commits touched some lines, a file, or the whole tree: bounded in number and time."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.git.commands import decode, run

SECONDS = 10.0
"""For one question to git; a long history of many lines takes longer."""
MOST_COMMITS = 500
MOST_SAYING = 5000
"""Commits with a word in their messages, of which the nearest are chosen."""
_COMMENT = re.compile(rb"\s*(?:#(?!!?\[)|//|/\*|\*|--|;|%|[\"'])")
"""How a line of a comment or text begins; `#[` is an attribute of Rust."""
_FORMAT = "%H%x00%at%x00%aN%x00%aE%x00%s%x00%b"


@dataclass(frozen=True)
class Touch:
    """A commit: who, when (author date, seconds since 1970), why."""

    hash: str
    time: int
    author: str
    email: str
    title: str
    body: str

    @property
    def day(self) -> str:
        """When, as "2026-11-29" in UTC."""
        try:
            return f"{datetime.fromtimestamp(self.time, UTC):%Y-%m-%d}"
        except (ValueError, OverflowError, OSError):  # git takes any number
            return "an unknown day"


def of_lines(
    git_dir: Path, commit: str, path: str, first: int, last: int, *, timeout_s: float = SECONDS
) -> list[Touch]:
    """Commits that changed some lines of a file, as they are at `commit`, newest first; the last one added them.

    git follows the lines through edits and renames of the file. Raises SlowGitError where that takes too long,
    StageError where there are no such lines.
    """
    choice = f"-L{first},{last}:{path}"
    found = _logged(git_dir, commit, ("--no-merges", choice), (), timeout_s)
    return found or _logged(git_dir, commit, (choice,), (), timeout_s)  # a merge may have added them


def of_path(git_dir: Path, commit: str, path: str, *, timeout_s: float = SECONDS) -> list[Touch]:
    """Commits that changed a file, under earlier names as well, newest first."""
    return _logged(git_dir, commit, ("--follow", "--no-merges"), (path,), timeout_s)


def of_folder(git_dir: Path, commit: str, path: str, *, timeout_s: float = SECONDS) -> list[Touch]:
    """Commits that changed a file in a folder, newest first."""
    return _logged(git_dir, commit, ("--no-merges",), (path,), timeout_s)


def since(
    git_dir: Path, old: str, commit: str, paths: Sequence[str] = (), *, timeout_s: float = SECONDS
) -> list[Touch]:
    """Commits that `commit` knows and `old` does not, newest first; only those that changed one of `paths`, if any."""
    return _logged(git_dir, commit, (f"^{old}", "--no-merges"), paths, timeout_s)


def since_time(
    git_dir: Path, seconds: int, commit: str, paths: Sequence[str] = (), *, timeout_s: float = SECONDS
) -> list[Touch]:
    """The same of commits that were made at or after a time (seconds since 1970)."""
    return _logged(git_dir, commit, (f"--since=@{seconds}", "--no-merges"), paths, timeout_s)


def mentioning(git_dir: Path, commit: str, word: str, *, timeout_s: float = SECONDS) -> list[Touch]:
    """Commits that changed how often a text occurs, newest first."""
    return _logged(git_dir, commit, (f"-S{word}", "--no-merges"), (), timeout_s)


def saying(git_dir: Path, commit: str, texts: Sequence[str], *, timeout_s: float = SECONDS) -> list[Touch]:
    """Commits whose messages hold any of some texts, in upper or lower case, the newest MOST_SAYING first."""
    choice = ("-i", "-F", "--no-merges", *(f"--grep={text}" for text in texts))
    return _logged(git_dir, commit, choice, (), timeout_s, MOST_SAYING)


def first_tag(git_dir: Path, commit: str, *, timeout_s: float = SECONDS) -> str:
    """The oldest tag that holds a commit, "" where none does."""
    line = ("for-each-ref", f"--contains={commit}", "--sort=creatordate", "--count=1", "--format=%(refname:short)")
    return decode(run(git_dir, *line, "refs/tags", timeout_s=timeout_s))[0].strip()


def named(git_dir: Path, commit: str) -> Touch:
    """One commit."""
    return _logged(git_dir, commit, ("--no-walk",), (), SECONDS)[0]


def definitions(git_dir: Path, commit: str, name: str, *, timeout_s: float = SECONDS) -> list[tuple[str, int]]:
    """(path, line) of lines that seem to define a name: a word such as def or class, then the name; no comments."""
    pattern = (
        r"(^|[^[:alnum:]_])(def|class|fn|func|function|struct|enum|trait|interface|type|const|let|var|module|sub|macro_rules!)"
        rf"[[:space:]]+(\([^)]*\)[[:space:]]*)?{name}($|[^[:alnum:]_])"
    )
    return matching_lines(git_dir, commit, pattern, unlike=_COMMENT, timeout_s=timeout_s)


def has_word(git_dir: Path, commit: str, word: str, *, timeout_s: float = SECONDS) -> bool:
    """Whether a word stands in any text file of a commit."""
    line = ("grep", "-I", "-l", "-w", "-F", "-e", word, commit, "--")
    return bool(run(git_dir, *line, accept=(0, 1), timeout_s=timeout_s))


def matching_lines(
    git_dir: Path,
    commit: str,
    pattern: str,
    *,
    unlike: re.Pattern[bytes] | None = None,
    timeout_s: float = SECONDS,
    most: int = 2000,
) -> list[tuple[str, int]]:
    """(path, line) of lines of text files that an extended regular expression finds, in the order of the paths.

    Those that begin as `unlike` are left out.
    """
    listing = run(
        git_dir, "grep", "-I", "-n", "-z", "-E", "-e", pattern, commit, "--", accept=(0, 1), timeout_s=timeout_s
    )
    found = []
    for line in listing.split(b"\n")[:most]:
        name, _, rest = line.partition(b"\0")
        number, _, text = rest.partition(b"\0")
        path = decode(name)[0].partition(":")[2]
        if path and number.isdigit() and not (unlike and unlike.match(text)):
            found.append((path, int(number)))
    return found


def _logged(
    git_dir: Path, commit: str, choice: Sequence[str], paths: Sequence[str], timeout_s: float, most: int = MOST_COMMITS
) -> list[Touch]:
    marker = secrets.token_hex(8)
    listing = run(
        git_dir,
        *("log", "-s", f"--format={marker}{_FORMAT}", f"--max-count={most}", *choice, commit, "--"),
        *(f":(top,literal){path}" if choice[0] != "--follow" else path for path in paths),
        settings=(f"mailmap.blob={commit}:.mailmap",),
        timeout_s=timeout_s,
    )
    found = []
    for record in listing.split(marker.encode())[1:]:
        hash_, time, *texts = record.split(b"\0")
        author, email, title, body = (decode(text)[0].strip() for text in texts[:4])
        found.append(Touch(hash_.decode(), int(time or 0), author, email, title, body))
    return found
