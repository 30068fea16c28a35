"""Findings of tools in the files of a commit. Tools run in the sandbox, and only read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

from core.errors import StageError
from core.git import trees
from thoughts.sandbox.limits import Ended, Limits
from thoughts.sandbox.running import Sandbox
from thoughts.sandbox.tiers import Tier
from thoughts.sandbox.trees import Bounds, write_tree

MOST_FILES = 5_000
"""Of a commit that are looked at."""
PAST_FILES = 1_000
"""Of an earlier year's commit: enough to learn what rules are worth."""
BOUNDS = Bounds(bytes=64 << 20, file_bytes=1 << 20)
MOST_NOTES = 3
"""Lines of what a tool has to say."""
LIMITS = Limits(seconds=300, memory_bytes=2 << 30, disk_bytes=1 << 30)


MOST_LINES = 4
"""Of a finding: the first ones. What is said of a whole class is not acted upon in its last line."""


class Finding(NamedTuple):
    """Something that a tool says about lines of a file; they count from 1, both are included."""

    rule: str
    path: str
    first: int
    last: int
    message: str


class Tool(Protocol):
    """A program that reads a folder and says something about its files. A file in this room is one."""

    @property
    def name(self) -> str:
        """As its rules begin."""
        ...

    @property
    def version(self) -> str:
        """What its findings depend on beside the files: with another one, the past is looked at again."""
        ...

    @property
    def programs(self) -> Sequence[Path]:
        """Folders that it needs to see, beside the system's."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of the files that it reads."""
        ...

    def command(self, folder: Path, output: Path) -> Sequence[str]:
        """The command line that writes its findings in `folder` to the file `output`, and prints what it has to say."""
        ...

    def findings(self, output: Path, folder: Path) -> Iterator[Finding]:
        """What it wrote. What cannot be read is left out."""
        ...


@dataclass(frozen=True)
class Looked:
    """What a tool found in a commit, in the order of paths and lines."""

    findings: list[Finding]
    lines: dict[str, int]
    """Of each file that was looked at."""
    left_out: int = 0
    """Files that were not: too many, too large, links, or missing in this clone."""
    notes: list[str] = field(default_factory=list)
    """What the tool had to say beside it."""


def tool_of(rule: str) -> str:
    """The name of the tool whose rule it is."""
    return rule.partition(" ")[0]


def findings_at(git_dir: Path, commit: str, tool: Tool, tier: Tier, most_files: int = MOST_FILES) -> Looked:
    """What a tool says about the files of a commit; of more than `most_files`, about the same ones in every year.

    Raises StageError where the tool ends otherwise than it should.
    """
    paths = [path for path in trees.files_of(git_dir, commit) if path.endswith(tool.suffixes)]
    if not paths:
        return Looked([], {})
    chosen = set(sorted(paths, key=_draw)[:most_files])
    with _folders() as (tree, work):
        write_tree(git_dir, commit, tree, BOUNDS, chosen)
        lines = {path: count for path in paths if path in chosen and (count := _lines_of(tree / path)) is not None}
        output = work / "findings"
        ended = Sandbox(tier, writable=work, readable=[tree, *tool.programs], limits=LIMITS).run(
            tool.command(tree, output)
        )
        if ended.ended is not Ended.DONE or ended.exit_code:
            said = ended.stderr.decode(errors="replace").strip()[-300:] or ended.why
            raise StageError(f"{tool.name} failed on {commit[:9]}: {said}", "run it by hand on this commit")
        found: list[Finding] = []
        if output.is_file() and not output.is_symlink():
            found += [
                one for one in tool.findings(output, tree) if 1 <= one.first <= one.last <= lines.get(one.path, 0)
            ]
    found.sort(key=lambda one: (one.path, one.first, one.rule))
    notes = ended.stdout.decode(errors="replace").strip().split("\n")[:MOST_NOTES]
    return Looked(found, lines, len(paths) - len(lines), [one for one in notes if one])


def _draw(path: str) -> bytes:
    """A random order that is the same at every commit."""
    return hashlib.sha256(path.encode(errors="surrogateescape")).digest()


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    with TemporaryDirectory(prefix="gitlore-") as folder:
        tree, work = Path(folder) / "tree", Path(folder) / "work"
        tree.mkdir()
        work.mkdir()
        yield tree, work


def _lines_of(file: Path) -> int | None:
    """How many lines a file has; None for what is none, such as a link."""
    if file.is_symlink() or not file.is_file():
        return None
    with file.open("rb") as rows:
        return sum(1 for _ in rows)


def relative(path: str, folder: Path) -> str:
    """A path as the commit names it."""
    return path.removeprefix(f"{folder}/")
