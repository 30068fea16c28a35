"""What a kind of study is: what it is asked, what it may use, and what it may say.

A kind is one file in `kinds/` with `KIND: Kind = …`. It never touches the queue: `inputs` says what to study now, `run`
works in a process of its own and gives back an `Outcome`, which is kept whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from chat.statements import Statement
from core.config import ChatConfig, StudyConfig
from core.errors import UserError
from core.git import trees
from thoughts.frontier.payoffs import Ran
from thoughts.marks import Marked

Input = Mapping[str, Any]
"""What a job is about, ready for JSON. A kind studies the same input once, however often it is asked to."""
ON_COMMIT = "commit"
"""The trigger of kinds that are asked whenever the repository has another newest commit."""


@dataclass(frozen=True)
class State:
    """A repository at one moment."""

    location: str
    """What the user named, without credentials."""
    git_dir: Path
    cache_dir: Path
    """Where its index is."""
    commit: str
    """The newest commit, in full."""
    before: str
    """The newest commit when this kind was asked last, "" the first time. It may be gone since."""
    now: datetime
    """In the repository's time zone."""
    writer: ChatConfig | None = None
    """The language model that may write, if there is one and a budget for it."""
    settings: StudyConfig = field(default_factory=StudyConfig)
    """As `inputs` may ask for them. A job is not given them: its input says all that it needs."""
    writer_key: str = field(default="", repr=False)
    """Of the writer's API. It is in no environment, where programs that a job starts would find it."""

    def known_before(self) -> str:
        """The newest commit when this kind was asked last; "" where it is gone, as after a force push."""
        try:
            return trees.commit_named(self.git_dir, self.before) if self.before else ""
        except UserError:
            return ""


class Cost(msgspec.Struct, frozen=True):
    """What a job used, or at most uses."""

    cpu_s: float = 0.0
    """Of all its processes."""
    io_bytes: int = 0
    """Read from disks and written to them; what the system had in memory does not count."""
    model_s: float = 0.0
    """That a language model worked for it."""
    seconds: float = 0.0
    """From its start to its end. Of an estimate, the deadline."""


@dataclass(frozen=True)
class Artifact:
    """A file that a job leaves."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Insight:
    """Something to be shown, and what proves it.

    It is shown if git confirms every citation of every statement, each statement has one, and the log is there.
    """

    title: str
    """One sentence."""
    statements: tuple[Statement, ...]
    command: str
    """What makes `log` again."""
    log: str
    """The name of the artifact that holds what the command said."""


@dataclass(frozen=True)
class Fact:
    """Something that later jobs and answers may build on. It replaces the one of the same name and scope."""

    name: str
    scope: str
    """A path, a symbol, or "" for the whole repository."""
    value: Any
    """Ready for JSON."""
    commit: str
    blob: str = ""
    """The content that it is true of: at a commit whose file has another one, the fact is stale."""


@dataclass(frozen=True)
class FollowUp:
    """A job that comes from this one."""

    kind: str
    input: Input
    priority: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """All that a job leaves."""

    insights: Sequence[Insight] = ()
    artifacts: Sequence[Artifact] = ()
    facts: Sequence[Fact] = ()
    follow_ups: Sequence[FollowUp] = ()


@dataclass
class Context:
    """What a running job may use. Whatever it prints is in its log."""

    state: State
    folder: Path
    """Empty, and deleted when the job ends."""
    facts: Callable[[str], list[Fact]] = field(default=lambda _: [])
    """The facts of a name that are kept now; all for ""."""
    runs: Callable[[], list[Ran]] = field(default=list)
    """The newest runs, and what became of what they found."""
    marked: Callable[[], list[Marked]] = field(default=list)
    """The insights of this kind that people read, kept or dismissed."""
    model_s: float = 0.0
    """Add here what a language model took."""

    def say(self, text: str) -> None:
        """Write a line into the job's log."""
        print(text, flush=True)  # noqa: T201 - what a job prints is its log


class Kind(Protocol):
    """A kind of study."""

    @property
    def name(self) -> str:
        """In lower case, as commands and settings name it."""
        ...

    @property
    def trigger(self) -> str:
        """When `inputs` is asked: ON_COMMIT, or a cron expression in the repository's time zone. And the first time."""
        ...

    @property
    def priority(self) -> float:
        """Jobs of more come first; an ordinary one has 0."""
        ...

    def inputs(self, state: State) -> list[Input]:
        """What to study now. Asked in the worker, so it must be quick: a few questions to git."""
        ...

    def estimate(self, given: Input) -> Cost:
        """The most that a job may use. It is reserved before the job starts, and a job that exceeds it is ended."""
        ...

    def run(self, given: Input, context: Context) -> Outcome:
        """Do it. An exception is a failed attempt, with its text as the reason."""
        ...


def absolute(path: str) -> str:
    """A file that settings name, for a job: that has another working folder."""
    with contextlib.suppress(RuntimeError):  # the home of somebody who is not known
        return str(Path(path).expanduser().absolute())
    return str(Path(path).absolute())


def digest_of(given: Input) -> str:
    """What two equal inputs share, whatever the order of their keys."""
    return hashlib.sha256(msgspec.json.encode(given, order="sorted")).hexdigest()
