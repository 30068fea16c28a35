"""What a model answers with: parts, in order, as they are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


class Answerer(Protocol):
    """A model that answers requests. Its methods run in the queue's thread, one at a time."""

    name: str
    created: int

    def predict(self, request: PredictRequest) -> Iterator[AnswerPart]:
        """Events "ranking", text, "done", which holds the whole prediction."""
        ...

    def complete(self, request: CompletionRequest) -> Iterator[AnswerPart]:
        """Text, then a part with `finish`. The first part's `data` holds "prompt_tokens"."""
        ...

    def chat(self, request: ChatRequest) -> Iterator[AnswerPart]:
        """Text, then a part with `finish`, as for `complete`."""
        ...
