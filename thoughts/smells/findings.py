"""Findings of tools in the files of a commit. Tools run in the sandbox, and only read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

from core.errors import StageError
from core.git import trees
from thoughts.sandbox.limits import Ended, Limits
from thoughts.sandbox.running import Sandbox
from thoughts.sandbox.tiers import Tier
from thoughts.sandbox.trees import Bounds, write_tree

BOUNDS = Bounds()
LIMITS = Limits(seconds=300, memory_bytes=2 << 30, disk_bytes=1 << 30)


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
    def programs(self) -> Sequence[Path]:
        """Folders that it needs to see, beside the system's."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Endings of the files that it reads."""
        ...

    def command(self, folder: Path, output: Path) -> Sequence[str]:
        """The command line that writes its findings in `folder` to the file `output`."""
        ...

    def findings(self, output: Path, folder: Path) -> Iterator[Finding]:
        """What it wrote. What cannot be read is left out."""
        ...


@dataclass(frozen=True)
class Looked:
    """What tools found in a commit, in the order of paths and lines."""

    findings: list[Finding]
    lines: dict[str, int]
    """Of each file that a tool reads."""
    is_cut_off: bool
    """The commit is too large; some of its files were not looked at."""


def findings_at(git_dir: Path, commit: str, tools: Sequence[Tool], tier: Tier) -> Looked:
    """What tools say about the files of a commit.

    Raises StageError where a tool ends otherwise than it should.
    """
    paths = [path for path in trees.files_of(git_dir, commit) if path.endswith(tuple(suffixes_of(tools)))]
    if not paths:
        return Looked([], {}, is_cut_off=False)
    with _folders() as (tree, work):
        written = write_tree(git_dir, commit, tree, BOUNDS)
        lines = {path: count for path in paths if (count := _lines_of(tree / path)) is not None}
        found: list[Finding] = []
        for tool in tools:
            output = work / f"{tool.name}.out"
            box = Sandbox(tier, writable=work, readable=[tree, *tool.programs], limits=LIMITS)
            ended = box.run(tool.command(tree, output))
            if ended.ended is not Ended.DONE or ended.exit_code:
                said = ended.stderr.decode(errors="replace").strip()[-300:] or ended.why
                raise StageError(f"{tool.name} failed on {commit[:9]}: {said}", "run it by hand on this commit")
            if output.is_file() and not output.is_symlink():
                found += [one for one in tool.findings(output, tree) if one.last <= lines.get(one.path, 0)]
    found.sort(key=lambda one: (one.path, one.first, one.rule))
    return Looked(found, lines, written.is_cut_off)


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    with TemporaryDirectory(prefix="gitlore-") as folder:
        tree, work = Path(folder) / "tree", Path(folder) / "work"
        tree.mkdir()
        work.mkdir()
        yield tree, work


def suffixes_of(tools: Sequence[Tool]) -> list[str]:
    """Endings of the files that tools read."""
    return [one for tool in tools for one in tool.suffixes]


def _lines_of(file: Path) -> int | None:
    """How many lines a file has; None for what is none, such as a link."""
    if file.is_symlink() or not file.is_file():
        return None
    with file.open("rb") as rows:
        return sum(1 for _ in rows)


def relative(path: str, folder: Path) -> str:
    """A path as the commit names it."""
    return path.removeprefix(f"{folder}/")
