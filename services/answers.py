"""What requests are answered with: parts, in order, as they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.schemas import ChatRequest, CompletionRequest, PredictRequest


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
class Work:
    """What makes an answer: `rank` in the thread that ranks files, then `write` in the one in which models write.

    Where another service is to be asked about a draft of the ranking, `draft` and `review` come before them.
    """

    rank: Callable[[], Iterator[AnswerPart]] | None = None
    write: Callable[[], Iterator[AnswerPart]] | None = None
    draft: Callable[[], Iterator[AnswerPart]] | None = None
    review: Callable[[], Iterator[AnswerPart]] | None = None


class Answerer(Protocol):
    """A repository, perhaps with a model, that answers requests."""

    name: str
    created: int

    def predict(self, request: PredictRequest) -> Work:
        """Events "ranking", text where a model writes, and "done", which holds the whole answer."""
        ...

    def complete(self, request: CompletionRequest) -> Work:
        """Text, then a part with `finish`; the `data` of one holds "prompt_tokens". Raises 404 without a model."""
        ...

    def chat(self, request: ChatRequest) -> Work:
        """Text, then a part with `finish`, as for `complete`."""
        ...
