"""Tools for coding agents that answer questions about a repository's code, with citations that git confirms."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field

from chat.calls import Place, callers
from chat.questions import MOST_TEXT
from chat.statements import Found
from core.errors import UserError
from index.hits import Hit
from index.texts import masked
from services.chats import ServedChat
from services.mcp_turns import in_turn
from services.queue import RequestQueue

T = TypeVar("T")
MOST_CODE_LINES = 200
"""Of a place that is shown."""
MOST_PLACES = 3
MOST_NAME = 300
Question = Annotated[str, Field(min_length=1, max_length=MOST_TEXT)]
Name = Annotated[str, Field(min_length=1, max_length=MOST_NAME)]
_LINES = re.compile(r"(?P<path>.+?):(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?(?:@[0-9a-f]{4,64})?")


@dataclass(frozen=True)
class FoundPlace:
    """A symbol, or lines of a file. Lines count from 1, both included."""

    path: str
    first: int
    last: int
    symbol: str
    kind: str
    doc: str
    """The first sentence of its docstring."""


@dataclass(frozen=True)
class CodeFound:
    """Places at the commit `at`, the best first."""

    at: str
    places: list[FoundPlace]


@dataclass(frozen=True)
class ShownPlace:
    """A place with its code, which is cut after some lines."""

    place: FoundPlace
    code: str


@dataclass(frozen=True)
class Context:
    """What code is, and what calls it, at the commit `at`."""

    at: str
    places: list[ShownPlace]
    callers: list[str]
    """A sentence for each, with its citations."""
    notes: list[str]


@dataclass(frozen=True)
class Said:
    """An answer: statements with their citations, such as `src/a.py:3-9@abc123456`, which git has confirmed."""

    at: str
    state: str
    """How far that commit is from the newest."""
    known: bool
    """False where only the nearest was found."""
    text: str
    """All of it as Markdown."""
    answer_id: str
    """For a question that follows it."""
    citations: list[dict[str, Any]]


@dataclass(frozen=True)
class ChatTools:
    """The tools, about one repository. They run in the thread that answers questions, one at a time."""

    served: ServedChat
    questions: RequestQueue

    async def search_code(self, query: Question, top: Annotated[int, Field(ge=1, le=50)] = 10) -> CodeFound:
        """The symbols and files that words or names are about, at the newest commit that is indexed."""

        def search() -> CodeFound:
            index = self.served.asking.chat.index
            return CodeFound(index.commit or "", [_place(hit) for hit in index.search(query, top)])

        return await self._in_turn(search)

    async def get_context(self, of: Name) -> Context:
        """The code of a symbol (`Client.send`), of a file or of lines (`src/a.py:3-9`), and what calls it."""
        return await self._in_turn(lambda: self._context(of.strip()))

    async def ask(self, question: Question, follows: Annotated[str, Field(max_length=100)] = "") -> Said:
        """Ask in words: where or how something is done, who calls, changed, introduced or knows it, and what is new.

        `follows` is the `answer_id` of the answer before it, which "it" and "that function" then point back to.
        """
        return await self._in_turn(lambda: self._said(question, follows))

    async def who_knows(self, of: Name) -> Said:
        """Who knows a file, a symbol or a topic best, by their commits, recent ones counting more."""
        return await self._in_turn(lambda: self._said(f"who knows {of}?"))

    async def why_changed(self, of: Name) -> Said:
        """The commits that changed a file, a symbol or a topic, in the words of those who made them."""
        return await self._in_turn(lambda: self._said(f"why was {of} changed?"))

    def _said(self, question: str, follows: str = "") -> Said:
        desk = self.served.asking
        found = desk.answered(question, desk.subject_of(follows) if follows else None)
        parts = (found[name] for name in ("commit", "state", "known", "answer", "answer_id", "citations"))
        return Said(*parts)

    def _context(self, of: str) -> Context:
        chat = self.served.asking.chat
        commit, hits = chat.index.commit or "", self._named(of)
        shown = []
        for hit in hits[:MOST_PLACES]:
            lines = masked(chat.citations.source(hit.path, commit) or b"").decode("utf-8", "replace").split("\n")
            last = min(hit.last, hit.first + MOST_CODE_LINES - 1)
            shown.append(ShownPlace(_place(hit), "\n".join(lines[hit.first - 1 : last])))
        found = Found.nothing()
        if hits and hits[0].symbol:
            places = [Place(hit.path, hit.first, hit.last, hit.symbol) for hit in hits]
            found = callers(chat.git_dir, chat.citations, commit, hits[0].symbol, places, timeout_s=chat.timeout_s)
        said = [f"{one.text} ({', '.join(map(str, one.citations))})" for one in found.statements]
        more = [f"{len(hits) - MOST_PLACES} more places have this name"] if len(hits) > MOST_PLACES else []
        return Context(commit, shown, said, [*more, *found.notes])

    def _named(self, of: str) -> list[Hit]:
        """The places that a name means. Raises UserError where there are none."""
        chat = self.served.asking.chat
        if hits := chat.index.symbols_named(of):
            return hits
        lines = _LINES.fullmatch(of)
        path = lines["path"] if lines else of
        count = len(chat.citations.lines(path, chat.index.commit or ""))
        first = int(lines["first"]) if lines else 1
        last = min(int(lines["last"] or first) if lines else count, count)
        if not 1 <= first <= last:
            raise UserError(f"no symbol, file or lines are called {of!r}", "search_code finds symbols by words")
        return [Hit(path, first, last, "", "", "lines" if lines else "file")]

    async def _in_turn(self, call: Callable[[], T]) -> T:
        return await in_turn(self.questions, call, self.served.ready)


def _place(hit: Hit) -> FoundPlace:
    return FoundPlace(hit.path, hit.first, hit.last, hit.symbol, hit.kind, hit.doc)
