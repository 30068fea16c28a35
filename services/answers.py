"""What requests are answered with: parts, in order, as they are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from services.schemas import CompletionRequest, PredictRequest, TaskRequest


@dataclass(frozen=True)
class AnswerPart:
    """A part of an answer: text of it, or what ends it."""

    text: str = ""
    event: str = ""
    """Name of an event of /predict; empty for text."""
    data: Mapping[str, Any] = field(default_factory=dict)
    tokens: int = 0
    """Tokens written for it."""
    finish: str = ""
    """Why the answer ended: "stop" or "length"; empty before."""


@dataclass(frozen=True)
class Tokens:
    """How many a model read and wrote."""

    read: int = 0
    written: int = 0

    @classmethod
    def of(cls, parts: Iterable[AnswerPart]) -> Tokens:
        """Those of some parts of an answer."""
        used = [(int(part.data.get("prompt_tokens", 0)), part.tokens) for part in parts]
        return cls(sum(read for read, _ in used), sum(written for _, written in used))

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.read + other.read, self.written + other.written)


@dataclass(frozen=True)
class Work:
    """What makes an answer: `rank` in the thread that ranks files, then `write` in the one in which models write.

    Where another service is to be asked about a draft of the ranking, `draft` and `review` come before them. A question
    about the repository has `ask` alone, in the thread that answers questions, behind `ready`, which waits outside of
    all threads, at most as many seconds as it is given.
    """

    rank: Callable[[], Iterator[AnswerPart]] | None = None
    write: Callable[[], Iterator[AnswerPart]] | None = None
    draft: Callable[[], Iterator[AnswerPart]] | None = None
    review: Callable[[], Iterator[AnswerPart]] | None = None
    ask: Callable[[], Iterator[AnswerPart]] | None = None
    ready: Callable[[float], Awaitable[None]] | None = None

    @classmethod
    def of(cls, made: AnyWork) -> Work:
        """The same, step by step."""
        return made if isinstance(made, Work) else cls(write=lambda: made)


AnyWork: TypeAlias = Work | Iterator[AnswerPart]
"""What makes an answer; a plain iterator is what a model writes."""


class Answerer(Protocol):
    """A repository, perhaps with a model, that answers requests."""

    name: str
    created: int

    def predict(self, request: PredictRequest) -> AnyWork:
        """Events "ranking", text where a model writes, and "done", which holds the whole answer."""
        ...

    def complete(self, request: CompletionRequest) -> AnyWork:
        """Text, then a part with `finish`; the `data` of one holds "prompt_tokens". Raises 404 without a model."""
        ...

    def chat(self, request: TaskRequest) -> AnyWork:
        """Text, then a part with `finish`, as for `complete`."""
        ...
