"""What a commit's tree holds, and which commit a name means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.errors import UserError
from core.git.commands import decode, run


def commit_named(git_dir: Path, revision: str) -> str:
    """The hash of the commit that a name, hash or expression means. Raises UserError where there is none."""
    if not revision.isprintable():  # a NUL, or half a character of JSON
        raise UserError(f"no commit is named {revision!r}", "give a hash, a branch or a tag")
    line = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = run(git_dir, *line, accept=(0, 1, 128)).decode().strip()
    if not found or "\n" in found:
        raise UserError(f"no commit is named {revision!r}", "give a hash, a branch or a tag")
    return found


def files_of(git_dir: Path, commit: str) -> dict[str, str]:
    """The blob of each file of a commit; submodules are left out."""
    files = {}
    for entry in run(git_dir, "ls-tree", "-r", "-z", commit).split(b"\0"):
        meta, _, path = entry.partition(b"\t")
        words = meta.split()
        if len(words) == 3 and words[1] == b"blob":
            files[decode(path)[0]] = words[2].decode()
    return files


def entries_of(tree: bytes, id_bytes: int) -> Iterator[tuple[str, str, str]]:
    """(mode, name, id) of what is in a tree as git stores it, in its order; an id has so many bytes there."""
    start = 0
    while start < len(tree):
        end = tree.index(b"\0", start)
        mode, _, name = tree[start:end].partition(b" ")
        start = end + 1 + id_bytes
        yield mode.decode(), decode(name)[0], tree[end + 1 : start].hex()


def changed_between(git_dir: Path, old: str, new: str) -> list[str]:
    """Files that differ between two commits."""
    listing = run(git_dir, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", old, new)
    return [decode(path)[0] for path in listing.split(b"\0") if path]


def merge_base(git_dir: Path, one: str, other: str) -> str:
    """The newest commit that both know, "" where there is none."""
    return run(git_dir, "merge-base", one, other, accept=(0, 1)).decode().strip()


def staged(git_dir: Path) -> list[str]:
    """Files whose staged content differs from the commit that is checked out."""
    listing = run(git_dir, "diff-index", "--cached", "-z", "--name-only", "--no-renames", "HEAD")
    return [decode(path)[0] for path in listing.split(b"\0") if path]


def last_tag(git_dir: Path, commit: str) -> str:
    """The commit of the newest tag before a commit, "" where there is none."""
    name = run(git_dir, "describe", "--tags", "--abbrev=0", f"{commit}^", accept=(0, 128)).decode().strip()
    return commit_named(git_dir, name) if name else ""


def commit_at(git_dir: Path, commit: str, seconds: int) -> str:
    """Where the main line of `commit` was at a time (seconds since 1970), as commits were made; "" before it began."""
    line = ("rev-list", "--first-parent", "--max-count=1", f"--before=@{seconds}", commit, "--")
    return run(git_dir, *line).decode().strip()


def time_of(git_dir: Path, commit: str) -> int:
    """When a commit was committed, in seconds since 1970."""
    return int(run(git_dir, "log", "--no-walk", "--format=%ct", commit, "--"))


def count_between(git_dir: Path, old: str, new: str) -> int:
    """How many commits `new` knows and `old` does not."""
    return int(run(git_dir, "rev-list", "--count", f"^{old}", new, "--"))
