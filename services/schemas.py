"""What requests may hold. Bounds are part of it, so that too much is refused before any work."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from core.prediction.question import MOST_TEXT, MOST_TOKENS, CommitName, Question

Stop = Annotated[str, Field(max_length=256)]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
TEXT_PARTS = ("text", "input_text", "output_text")
"""Types of parts that are text: of a chat, and of /v1/responses."""


class PredictRequest(Question):
    """What changes next in the repository, or goes with what is changed already?"""

    model_config = ConfigDict(
        strict=False,  # JSON has no tuples
        defer_build=False,  # FastAPI needs it complete
        json_schema_extra={"examples": [{"task": "Fix the timeout of disputes", "top": 3}]},
    )

    at: CommitName = ""
    """Answer as of this commit: only it and its ancestors are known, and no model writes. By default, HEAD."""
    model: str = Field(default="", max_length=200)
    """Name of a model in /v1/models; the first unless set."""
    second_opinion: bool = False
    """Where the ranking is unsure, ask the model that serve.py was started with by --second-opinion."""
    stream: bool = False
    """Server-sent events: ranking, text as it is written, done."""

    @property
    def question(self) -> Question:
        """The question without how it is to be answered."""
        return Question(**{name: getattr(self, name) for name in Question.model_fields})


class _OpenAI(BaseModel):
    """Fields that both OpenAI routes have. Others that clients may send are ignored."""

    model: str = Field(default="", max_length=200)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1, description="0 takes the likeliest.")
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**64)
    n: int | None = Field(default=1, ge=1, le=1, description="Only one answer is made.")
    stream: bool | None = False
    stream_options: dict[str, Any] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None

    @property
    def share_drawn_from(self) -> float:
        """`top_p`, 1 unless set; 0 is one that is set."""
        return 1.0 if self.top_p is None else self.top_p

    @property
    def stops(self) -> list[str]:
        """Texts at which the answer ends."""
        found = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [text for text in found if text]

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with a count of tokens."""
        return bool((self.stream_options or {}).get("include_usage"))


class CompletionRequest(_OpenAI):
    """Text to continue. Spelled markers, such as <COMMIT_START>, stand for the markers of the commit grammar."""

    prompt: Text | Annotated[list[Text], Field(min_length=1, max_length=1)]
    max_tokens: int | None = Field(default=64, ge=1, le=MOST_TOKENS)
    echo: bool | None = False


class ContentPart(BaseModel):
    """A part of a message. Only text is read."""

    type: str = Field(default="text", max_length=50)
    text: Text = ""


class ChatMessage(BaseModel):
    """One message: text, or a list of parts, of which only text is read."""

    role: str = Field(max_length=50)
    content: Text | Annotated[list[ContentPart], Field(max_length=1000)] | None = None

    @property
    def text(self) -> str:
        """The message's text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type in TEXT_PARTS)
        return self.content or ""

    @field_validator("content")
    @classmethod
    def _bounded(cls, content: str | list[ContentPart] | None) -> str | list[ContentPart] | None:
        if isinstance(content, list) and sum(len(part.text) + 1 for part in content) > MOST_TEXT + 1:
            raise ValueError(f"the parts of a message have at most {MOST_TEXT:,} characters of text")
        return content


class ChatRequest(_OpenAI):
    """The last message of the user is the task; the answer names files with reasons, and a model adds a sketch."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=1000)
    max_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)

    @property
    def question(self) -> Question:
        """What the user asks for."""
        return Question(
            task=next((message.text for message in reversed(self.messages) if message.role == "user"), ""),
            sketch_tokens=self.max_completion_tokens or self.max_tokens or Question().sketch_tokens,
            temperature=self.temperature or 0.0,
            top_p=self.share_drawn_from,
            seed=self.seed or 0,
        )
