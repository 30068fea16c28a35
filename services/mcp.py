"""The Model Context Protocol: tools for coding agents, over standard input and output or at /mcp of the service."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import anyio
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from pydantic import Field
from starlette.routing import BaseRoute, Route

from core import __version__
from core.config import checked
from core.errors import EXIT_INTERRUPTED
from core.logs import log
from core.prediction.explaining import ExplainedCommit, explain
from core.prediction.inputs import files_of_diff
from core.prediction.question import MOST_TEXT, CommitName, FilePath, Question
from core.ranking.file_history import FileHistory, history_of_file
from core.ranking.ranker import Mode, RankedFile
from services.chat_tools import ChatTools
from services.chats import Chats
from services.mcp_turns import in_turn
from services.queue import Queues, RequestQueue
from services.served import Served
from services.studies import Studies
from services.study_tools import StudyTools, tools_of
from services.team_tools import TeamTools

T = TypeVar("T")
MAX_DIFF = 1_000_000
"""Characters of a diff."""
MAX_CHANGES = 20
"""Of a file's history."""
Paths = Annotated[list[FilePath], Field(max_length=1000)]
Top = Annotated[int, Field(ge=1, le=50)]
READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
WRITING = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
INSTRUCTIONS = (
    "Gitlore knows the history of this repository. Ask predict_files before you search for what a task changes, and "
    "what_did_i_forget before you commit. Each reason names the commits that it rests on by their full hashes."
)


CHAT_INSTRUCTIONS = (
    "Ask search_code and get_context for code, and ask for anything else about it; citations are path:lines@commit."
)
TEAM_INSTRUCTIONS = (
    "Ask find_patterns what the team did before in code like yours, and say by report_outcome whether it helped."
)


@dataclass(frozen=True)
class FilesFound:
    """Ranked files as of commit `at`. Where `unsure`, the order is right about half as often."""

    at: str
    mode: Mode
    unsure: bool
    files: list[RankedFile]


@dataclass(frozen=True)
class Tools:
    """The tools, about one repository. They run in the thread that ranks, one at a time."""

    served: Served
    rankings: RequestQueue

    async def predict_files(
        self,
        task: Annotated[str, Field(max_length=MOST_TEXT)] = "",
        changed: Paths | None = None,
        files: Paths | None = None,
        top: Top = 5,
    ) -> FilesFound:
        """Which files a task changes, with reasons: an issue, a traceback, or a line like a commit message.

        `changed` are files that are changed already: which others go with them? `files` are names and patterns such
        as src/* to choose from. `probability` is that of a file being changed; `share` adds up to one over all files.
        """
        return await self._in_turn(
            lambda: self._found(task=task, changed=tuple(changed or ()), files=tuple(files or ()), top=top)
        )

    async def what_did_i_forget(self, diff: Annotated[str, Field(max_length=MAX_DIFF)]) -> FilesFound:
        """Which files usually change with those of a unified diff (the output of git diff), but are not in it."""
        return await self._in_turn(lambda: self._found(changed=tuple(files_of_diff(diff))))

    async def explain_change(self, commit: Annotated[CommitName, Field(min_length=1)]) -> ExplainedCommit:
        """What a commit changed and why, by what was known before it: reasons for each file, and what is missing."""
        return await self._in_turn(lambda: explain(self.served.files, commit))

    async def file_history(self, path: FilePath) -> FileHistory:
        """The newest commits that changed a file, its earlier names, and the files that change with it."""

        def read() -> FileHistory:
            at = self.served.files.commit()
            return history_of_file(self.served.files.snapshot(at), path, at, MAX_CHANGES)

        return await self._in_turn(read)

    def _found(self, **asked: object) -> FilesFound:
        answer = self.served.rank(checked("question", Question, asked))
        ranking = answer.ranking
        return FilesFound(answer.at, ranking.mode, ranking.unsure, ranking.files)

    async def _in_turn(self, call: Callable[[], T]) -> T:
        return await in_turn(self.rankings, call)


STUDY_INSTRUCTIONS = (
    "Ask function_card before you change a function or a file, and insights and risk for what a study found."
)


def make_server(
    tools: Tools | None, chat: ChatTools | None = None, team: TeamTools | None = None, study: StudyTools | None = None
) -> MCPServer:
    """The server with the tools that there are: on histories, on the code, on what the team has learnt, and on what a
    study has found.
    """
    kinds = (
        *((tools, INSTRUCTIONS), (chat, CHAT_INSTRUCTIONS), (team, TEAM_INSTRUCTIONS)),
        (study, STUDY_INSTRUCTIONS),
    )
    server = MCPServer("gitlore", version=__version__, instructions=" ".join(words for one, words in kinds if one))
    reading: list[Callable[..., Any]] = []
    if tools:
        reading += [tools.predict_files, tools.what_did_i_forget, tools.explain_change, tools.file_history]
    if chat:
        reading += [chat.search_code, chat.get_context, chat.ask, chat.who_knows, chat.why_changed]
    if team:
        reading += [team.find_patterns, team.get_pattern, team.conventions]
    if study:
        reading += [study.insights, study.risk, study.function_card]
    for tool in reading:
        server.add_tool(tool, annotations=READ_ONLY)
    for tool in (team.report_outcome, team.add_pattern) if team else ():
        server.add_tool(tool, annotations=WRITING)
    return server


def http_route(server: MCPServer, body_bytes: int) -> BaseRoute:
    """The server at /mcp. Its session manager is to be run with the app."""
    app = server.streamable_http_app(
        stateless_http=True,
        json_response=True,
        max_request_body_size=body_bytes,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # see OriginGuard
    )
    (route,) = [route for route in app.routes if isinstance(route, Route)]
    return Route("/mcp", route.app, methods=["POST"])


def speak(served: Served, chats: Chats, studies: Studies | None, most_waiting: int, most_seconds: float) -> None:
    """Answer on standard output what comes on standard input, until that ends or an interrupt comes."""
    queues = Queues(most_waiting, most_seconds)
    tools = Tools(served, queues.rankings), ChatTools(chats.named(""), queues.questions)
    on_study = tools_of(studies, queues) if studies else None
    try:
        anyio.run(make_server(*tools, study=on_study).run_stdio_async)
    except KeyboardInterrupt:
        log.warning("interrupted")
        os._exit(EXIT_INTERRUPTED)  # a thread still waits for a line, and Python would wait for the thread
    finally:
        queues.close()
        chats.close()
        if studies:
            studies.close()
        served.close()
