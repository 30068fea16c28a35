"""What requests may hold. Bounds are part of it, so that too much is refused before any work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from chat.questions import MOST_TEXT as MOST_QUESTION
from core.prediction.question import MOST_TEXT, MOST_TOKENS, CommitName, Question
from services.offered import (
    NO_LOGPROBS,
    NO_TOOLS,
    NOT_REPEATED,
    NOTHING_STORED,
    ONE_ANSWER,
    TEXT_ALONE,
    Only,
    unsupported,
)


def _offered(included: str) -> str:
    if included == "message.output_text.logprobs":
        raise unsupported(NO_LOGPROBS)
    return included


MOST_MESSAGES = 1000
TEXT_FORMAT = {"type": "text"}
A_TEXT, A_LIST = FORMS = ("(text)", "(list)")
TEXT_OR_LIST = Discriminator(lambda value: A_TEXT if isinstance(value, str) else A_LIST)
"""Which of two forms was meant, so that an error is about that one."""
Stop = Annotated[str, Field(max_length=256)]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
MostTokens = Annotated[
    int, Field(ge=1, description=f"Of the sketch. More than {MOST_TOKENS:,} are taken as {MOST_TOKENS:,}.")
]
Stops = Annotated[list[Stop], Field(max_length=4)]
Prompts = Annotated[list[Text], Field(min_length=1, max_length=1)]
Pairs = dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]]
Included = Annotated[str, Field(max_length=100), AfterValidator(_offered)]
NoTools = Annotated[list[Any] | None, Only([], why=NO_TOOLS)]
NoToolChosen = Annotated[str | dict[str, Any] | None, Only("auto", "none", why=NO_TOOLS)]
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
    repo: str = Field(default="", max_length=200)
    """Name of a repository instead: its own model answers, or the first where it has none."""
    second_opinion: bool = False
    """Where the ranking is unsure, ask the model that serve.py was started with by --second-opinion."""
    stream: bool = False
    """Server-sent events: ranking, text as it is written, done."""

    @property
    def question(self) -> Question:
        """The question without how it is to be answered."""
        return Question(**{name: getattr(self, name) for name in Question.model_fields})


class AskRequest(BaseModel):
    """A question about a repository: where or how something is done, who calls it, why, when and by whom it came."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"question": "Where are redirects followed?"}]},
    )

    question: str = Field(min_length=1, max_length=MOST_QUESTION)
    repo: str = Field(default="", max_length=200)
    """Name of a repository in /index/status; the first unless set."""
    commit: CommitName = ""
    """Answer at this commit alone: refused with 409 where the index is at another one."""
    answer_id: str = Field(default="", max_length=100)
    """The answer that this question follows: "it", or "that function", is what that was about."""
    stream: bool = False
    """Server-sent events: state, each statement, done."""


class IndexRequest(BaseModel):
    """What an index is to be brought to."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    commit: CommitName = ""
    """A hash, a branch or a tag, at which the index then stays; by default it follows what is checked out."""


class FeedbackRequest(BaseModel):
    """What somebody thinks of an answer."""

    answer_id: str = Field(min_length=1, max_length=100)
    useful: bool | None = None
    comment: str = Field(default="", max_length=MOST_QUESTION)
    """Of what was useful, or was not."""
    opened: int | None = Field(default=None, ge=1, le=10_000)
    """The `id` of a citation that somebody opened."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.useful is None and self.opened is None:
            raise ValueError("say whether it was `useful`, or which citation was `opened`")
        return self


class _OpenAI(BaseModel):
    """Fields that all of OpenAI's routes have. Others that clients may send are ignored."""

    model: str | None = Field(default=None, max_length=200)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1, description="0 takes the likeliest.")
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**64)
    stream: bool | None = False
    stream_options: dict[str, Any] | None = None
    stop: Annotated[Annotated[Stop, Tag(A_TEXT)] | Annotated[Stops, Tag(A_LIST)], TEXT_OR_LIST] | None = None
    frequency_penalty: Annotated[float | None, Only(0, why=NOT_REPEATED)] = None
    presence_penalty: Annotated[float | None, Only(0, why=NOT_REPEATED)] = None
    logit_bias: Annotated[dict[str, float] | None, Only({}, why="single tokens are not made more likely")] = None
    top_logprobs: Annotated[int | None, Only(0, why=NO_LOGPROBS)] = None

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

    def _about(self, messages: Sequence[ChatMessage], most_tokens: int | None) -> Question:
        """The last message of the user as a task."""
        return Question(
            task=next(iter(said_in(messages)[-1:]), ""),
            sketch_tokens=min(most_tokens or Question().sketch_tokens, MOST_TOKENS),
            always_sketch=True,  # who asks a language model wants it to write
            temperature=self.temperature or 0.0,
            top_p=self.share_drawn_from,
            seed=self.seed or 0,
        )


class CompletionRequest(_OpenAI):
    """Text to continue. Spelled markers, such as <COMMIT_START>, stand for the markers of the commit grammar."""

    prompt: Annotated[Annotated[Text, Tag(A_TEXT)] | Annotated[Prompts, Tag(A_LIST)], TEXT_OR_LIST]
    max_tokens: int | None = Field(default=64, ge=1, le=MOST_TOKENS)
    echo: bool | None = False
    n: Annotated[int | None, Only(1, why=ONE_ANSWER)] = None
    best_of: Annotated[int | None, Only(1, why=ONE_ANSWER)] = None
    suffix: Annotated[str | None, Only("", why="text is continued, not filled in")] = None
    logprobs: Annotated[int | None, Only(why=NO_LOGPROBS)] = None


class ContentPart(BaseModel):
    """A part of a message. Only text is read."""

    type: str = Field(default="text", max_length=50)
    text: Text = ""


Parts = Annotated[list[ContentPart], Field(max_length=MOST_MESSAGES)]


class ChatMessage(BaseModel):
    """One message: text, or a list of parts, of which only text is read."""

    role: str = Field(max_length=50)
    content: Annotated[Annotated[Text, Tag(A_TEXT)] | Annotated[Parts, Tag(A_LIST)], TEXT_OR_LIST] | None = None

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


def said_in(messages: Sequence[ChatMessage]) -> list[str]:
    """The texts of the user's messages."""
    return [message.text for message in messages if message.role == "user"]


class ChatRequest(_OpenAI):
    """The last message of the user is the task; the answer names files with reasons, and a model adds a sketch."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=MOST_MESSAGES)
    max_tokens: MostTokens | None = None
    max_completion_tokens: MostTokens | None = None
    n: Annotated[int | None, Only(1, why=ONE_ANSWER)] = None
    logprobs: Annotated[bool | None, Only(False, why=NO_LOGPROBS)] = None
    response_format: Annotated[dict[str, Any] | None, Only(TEXT_FORMAT, why=TEXT_ALONE)] = None
    modalities: Annotated[list[str] | None, Only(["text"], why=TEXT_ALONE)] = None
    audio: Annotated[dict[str, Any] | None, Only(why=TEXT_ALONE)] = None
    tools: NoTools = None
    tool_choice: NoToolChosen = None
    functions: NoTools = None
    function_call: NoToolChosen = None
    web_search_options: Annotated[dict[str, Any] | None, Only(why=NO_TOOLS)] = None

    @property
    def question(self) -> Question:
        """What the user asks for."""
        return self._about(self.messages, self.max_completion_tokens or self.max_tokens)

    @property
    def said(self) -> list[str]:
        """The messages of the user, the question last."""
        return said_in(self.messages)


class InputItem(ChatMessage):
    """One message of /v1/responses."""

    type: Annotated[str | None, Only("message", why="messages alone are read, and nothing is stored to refer to")] = (
        None
    )


Items = Annotated[list[InputItem], Field(min_length=1, max_length=MOST_MESSAGES)]


class TextOptions(BaseModel):
    """How /v1/responses writes text."""

    format: Annotated[dict[str, Any] | None, Only(TEXT_FORMAT, why=TEXT_ALONE)] = None


class ResponseRequest(_OpenAI):
    """The last message of the user is the task, as in a chat. Nothing is stored, so nothing is read back."""

    input: Annotated[Annotated[Text, Tag(A_TEXT)] | Annotated[Items, Tag(A_LIST)], TEXT_OR_LIST]
    instructions: Text | None = None
    max_output_tokens: MostTokens | None = None
    metadata: Pairs | None = Field(default=None, max_length=16)
    truncation: Literal["auto", "disabled"] | None = None
    text: TextOptions | None = None
    include: list[Included] | None = Field(default=None, max_length=20)
    tools: NoTools = None
    tool_choice: NoToolChosen = None
    background: Annotated[bool | None, Only(False, why="a response is made while its client waits")] = None
    previous_response_id: Annotated[str | None, Only(why=NOTHING_STORED)] = None
    conversation: Annotated[str | dict[str, Any] | None, Only(why=NOTHING_STORED)] = None
    prompt: Annotated[dict[str, Any] | None, Only(why="no prompt templates are kept")] = None

    @property
    def question(self) -> Question:
        """What the user asks for."""
        return self._about(self._messages, self.max_output_tokens)

    @property
    def said(self) -> list[str]:
        """The messages of the user, the question last."""
        return said_in(self._messages)

    @property
    def _messages(self) -> Sequence[ChatMessage]:
        return [ChatMessage(role="user", content=self.input)] if isinstance(self.input, str) else self.input


TaskRequest: TypeAlias = ChatRequest | ResponseRequest
"""Both ways of OpenAI's to give a task."""
