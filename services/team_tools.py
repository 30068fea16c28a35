"""Tools for coding agents that read the team's memory and add to it. The key alone says who asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from core.errors import GitloreError
from core.prediction.question import MOST_TEXT, FilePath
from patterns.memory.operations import Add, Id, Line, NewPattern, Note, Operation, Outcome, Vote
from patterns.memory.operations import Code as CodeSide
from patterns.memory.searching import Asked, Search
from patterns.memory.team_memory import Team, TeamMemory
from services.http.errors import RefusedError
from services.http.rates import Rates, Use
from services.survival import in_words

T = TypeVar("T")
MOST_FOUND = 5
"""Short lists are read; long ones teach agents to look away."""
Text = Annotated[str, Field(max_length=MOST_TEXT)]


@dataclass(frozen=True)
class PastChange:
    """A change that was made before: evidence, not an answer to paste."""

    id: str
    problem_type: str
    repository: str
    commit: str
    path: str
    symbol: str
    why: str
    """The first line of its message."""
    before: str
    after: str
    with_test: bool
    survival: str
    """What became of the added lines; empty where nobody has looked."""
    template_id: str
    """The convention that it follows; empty where it follows none."""
    up: int
    down: int
    """Members whom it helped, and whom it did not."""
    score: float
    """Lower bound of the share whom it helped."""
    match: float
    """How much of the question it has, 0 to 1; 0 where nothing was asked."""


@dataclass(frozen=True)
class PatternsFound:
    """At most five past changes, or the reason why there are none, as of change number `seq` of the memory."""

    similar: list[PastChange]
    reason: str
    seq: int


@dataclass(frozen=True)
class Convention:
    """How lines like `before` are written by now. v0, v1, … stand for any name, s0, … for any literal."""

    before: str
    after: str
    steps: int
    """Changes of the main line that wrote it so."""
    fired: int
    right: int
    """How often it would have been offered, and how often the line became just that."""
    confidence: float
    last_seen: str
    """The commit of the latest."""


@dataclass(frozen=True)
class Conventions:
    """At most five, those of the file's folder first."""

    conventions: list[Convention]


@dataclass(frozen=True)
class Reported:
    """The votes on a pattern after a report."""

    id: str
    up: int
    down: int
    score: float


@dataclass(frozen=True)
class Added:
    """A pattern that the team has now; `status` is "added", "known" or "unchanged"."""

    id: str
    status: str


@dataclass(frozen=True)
class TeamTools:
    """The tools, for any team whose members' keys are known."""

    memory: TeamMemory
    search: Search
    rates: Rates

    async def find_patterns(
        self,
        ctx: Context[Any],
        code: Text = "",
        diff: Text = "",
        error: Text = "",
        task: Text = "",
        path: FilePath = "",
        k: Annotated[int, Field(ge=1, le=MOST_FOUND)] = MOST_FOUND,
    ) -> PatternsFound:
        """What the team did before in code like this: give the code, a diff, an error or a task, and the path.

        Past changes with the commit, whether a test came with it, what became of it, and whom it helped. They are
        context: look at the commit before you do the same. An empty list means that nothing applies.
        """

        def find(team: Team) -> PatternsFound:
            found = self.search.find(team, Asked(code, diff, error, task, path, k))
            return PatternsFound([_change(row) for row in found["similar"]], found["reason"], found["seq"])

        return await self._in_thread(ctx, find)

    async def get_pattern(self, ctx: Context[Any], id: Id) -> PastChange:  # noqa: A002 - the name agents see
        """One past change by its id, with both sides of the code."""
        return await self._in_thread(ctx, lambda team: _change(team.reading.one(id)))

    async def conventions(self, ctx: Context[Any], path: Annotated[FilePath, Field(min_length=1)]) -> Conventions:
        """What the team has begun to write otherwise, for the lines that you are editing in this file.

        They hold for lines that are changed anyway: do not change others because of them.
        """

        def find(team: Team) -> Conventions:
            names = Convention.__dataclass_fields__
            rows = team.reading.conventions(path, MOST_FOUND)
            return Conventions([Convention(**{name: row[name] for name in names}) for row in rows])

        return await self._in_thread(ctx, find)

    async def report_outcome(self, ctx: Context[Any], id: Id, helpful: bool, note: Note = "") -> Reported:  # noqa: A002
        """Say whether a past change helped once you have used it. One report a member; the last one counts."""

        def report(team: Team) -> Reported:
            outcome = _done(team, Vote(id=id, helpful=helpful, note=note, used=True))
            row = team.reading.one(outcome.id)
            return Reported(row["id"], row["up"], row["down"], row["score"])

        return await self._in_thread(ctx, report, "write")

    async def add_pattern(
        self,
        ctx: Context[Any],
        before: CodeSide,
        after: Annotated[CodeSide, Field(min_length=1)],
        why: Annotated[Line, Field(min_length=1)],
        path: FilePath = "",
        language: Annotated[str, Field(max_length=50)] = "",
    ) -> Added:
        """Tell the team of a repair: the code before and after, and in a line why. Credentials are masked."""
        new = {"problem_type": "bug_fix", "code_before": before, "code_after": after, "commit_msg": why}

        def add(team: Team) -> Added:
            pattern = NewPattern.model_validate({**new, "file_path": path, "language": language})
            outcome = _done(team, Add(pattern=pattern))
            return Added(outcome.id, outcome.status)

        return await self._in_thread(ctx, add, "write")

    async def _in_thread(self, ctx: Context[Any], call: Callable[[Team], T], use: Use | None = None) -> T:
        """What a call returns for the team of whoever asks. Raises ToolError."""
        request = ctx.request_context.request
        if request is None or request.state.identity is None:
            raise ToolError("the team's memory is asked over HTTP with a member's key")
        identity = request.state.identity
        ip = request.client.host if request.client else ""
        try:
            if use:
                self.rates.take(identity, use)
            return await run_in_threadpool(lambda: call(self.memory.team(identity, ip)))
        except RefusedError as error:
            raise ToolError(error.detail) from error
        except GitloreError as error:
            raise ToolError(str(error)) from error


def _done(team: Team, operation: Operation) -> Outcome:
    (outcome,) = team.apply([operation])
    if outcome.status == "refused":
        raise ToolError(outcome.message)
    return outcome


def _change(row: Mapping[str, Any]) -> PastChange:
    same = "id", "problem_type", "repository", "commit", "symbol", "with_test", "template_id", "up", "down", "score"
    return PastChange(
        **{name: row[name] for name in same},
        path=row["file_path"],
        why=row["commit_msg"].partition("\n")[0],
        before=row["code_before"],
        after=row["code_after"],
        survival=in_words(row["survival"]),
        match=row.get("match", 0.0),
    )
