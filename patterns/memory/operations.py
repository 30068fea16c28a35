"""What members do to the team's patterns: the same operations over HTTP, from an outbox, and on one's own machine."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field

MOST_CODE = 16_384
"""Characters of each side of a pattern."""
MOST_MESSAGE = 8_192
MOST_NOTE = 2_000
MOST_OPERATIONS = 500
"""In one request."""


def storable(text: str) -> str:
    """The text. Raises ValueError where a database would refuse it."""
    if "\0" in text:
        raise ValueError("a character NUL cannot be stored")
    return text


Code = Annotated[str, Field(max_length=MOST_CODE), AfterValidator(storable)]
Line = Annotated[str, Field(max_length=1_000), AfterValidator(storable)]
Path = Annotated[str, Field(max_length=4_096), AfterValidator(storable)]
Message = Annotated[str, Field(max_length=MOST_MESSAGE), AfterValidator(storable)]
Note = Annotated[str, Field(max_length=MOST_NOTE), AfterValidator(storable)]
Hex = Annotated[str, Field(pattern="^(?:[0-9a-f]{64})?$")]
Id = Annotated[str, Field(max_length=36, pattern="^[0-9A-Za-z-]{1,36}$")]
"""A pattern's UUID, or the pattern_id that one of its occurrences has."""
Uid = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable)]


class Lasting(BaseModel):
    """What became of the added lines, as `core.records.patterns.Survival` has it."""

    model_config = ConfigDict(extra="ignore")

    born: Line = ""
    until: Line = ""
    days: float = Field(default=0, ge=0, le=1e6)
    lines: int = Field(default=0, ge=0, le=10**9)
    alive: int = Field(default=0, ge=0, le=10**9)
    ended_by: Line = ""
    taken_back: bool = False


class NewPattern(BaseModel):
    """A pattern as a line of patterns.jsonl has it; fields that are not kept here are ignored.

    The code of each side has two names: that of patterns.jsonl, and that of the answers.
    """

    model_config = ConfigDict(
        extra="ignore",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {
                    "problem_type": "bug_fix",
                    "before_code": "return total / count",
                    "after_code": "return total / count if count else 0",
                    "commit_msg": "Fix the mean of nothing",
                    "language": "python",
                    "file_path": "shop/figures.py",
                }
            ]
        },
    )

    problem_type: Annotated[str, Field(min_length=1, max_length=50), AfterValidator(storable)]
    code_before: Code = Field(validation_alias=AliasChoices("code_before", "before_code"))
    code_after: Code = Field(validation_alias=AliasChoices("code_after", "after_code"), min_length=1)
    pattern_id: Annotated[str, Field(max_length=64, pattern="^[0-9A-Za-z_-]*$")] = ""
    commit_msg: Message = ""
    author: Line = ""
    date: Annotated[str, Field(max_length=40), AfterValidator(storable)] = ""
    confidence: float = Field(default=0.0, ge=0, le=1)
    repository: Line = ""
    commit: Annotated[str, Field(max_length=64, pattern="^[0-9A-Za-z]*$")] = ""
    file_path: Path = ""
    language: Annotated[str, Field(max_length=50), AfterValidator(storable)] = ""
    symbol: Line = ""
    change_kind: Annotated[str, Field(max_length=50), AfterValidator(storable)] = ""
    shape_hash: Hex = ""
    template_id: Annotated[str, Field(max_length=64), AfterValidator(storable)] = ""
    with_test: bool = False
    survival: Lasting | None = None
    masked: dict[Annotated[str, Field(max_length=50), AfterValidator(storable)], int] = Field(
        default_factory=dict, max_length=50
    )
    """Credentials that were masked before it came here."""


class NewConvention(BaseModel):
    """An edit that the team makes again and again, as a line of templates.jsonl has it."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    template_id: Annotated[str, Field(min_length=1, max_length=64, pattern="^[0-9A-Za-z_-]+$")]
    repository: Line = ""
    language: Annotated[str, Field(max_length=50), AfterValidator(storable)] = ""
    before: Line
    after: Line
    steps: int = Field(ge=0, le=10**9)
    authors: int = Field(default=0, ge=0, le=10**9)
    share: float = Field(default=0, ge=0, le=1)
    fired: int = Field(default=0, ge=0, le=10**9)
    right: int = Field(default=0, ge=0, le=10**9)
    confidence: float = Field(default=0, ge=0, le=1)
    first_seen: Line = ""
    last_seen: Line = ""
    last_seen_at: Annotated[str, Field(max_length=40), AfterValidator(storable)] = ""
    retired: Annotated[str, Field(max_length=50), AfterValidator(storable)] = ""
    paths: list[Path] = Field(default_factory=list, max_length=8)


class _Operation(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    uid: Uid = Field(default_factory=lambda: str(uuid.uuid4()))
    """Names the operation for good: delivered twice, it is done once."""

    @property
    def said(self) -> dict[str, Any]:
        """What it says, without its name."""
        return self.model_dump(mode="json", exclude={"uid"})


class Convene(_Operation):
    """Tell the team of a convention; of two looks at the same one, the later counts."""

    op: Literal["convene"] = "convene"
    template: NewConvention

    @property
    def id(self) -> str:
        """That of the template."""
        return self.template.template_id


class Add(_Operation):
    """Add a pattern; where the team has it, note that it occurred once more."""

    op: Literal["add"] = "add"
    pattern: NewPattern


class Vote(_Operation):
    """Say whether a pattern of somebody else's helped; the last word counts. `used` says that it was put to use."""

    op: Literal["vote"] = "vote"
    id: Id
    helpful: bool
    note: Note = ""
    used: bool = False


class Unvote(_Operation):
    """Take one's vote back."""

    op: Literal["unvote"] = "unvote"
    id: Id


class Delete(_Operation):
    """Delete a pattern: one's own, or as a maintainer any."""

    op: Literal["delete"] = "delete"
    id: Id


class Restore(_Operation):
    """Undo a deletion, as a maintainer."""

    op: Literal["restore"] = "restore"
    id: Id


Operation: TypeAlias = Annotated[Add | Vote | Unvote | Delete | Restore | Convene, Field(discriminator="op")]


class Outcome(BaseModel):
    """What became of an operation."""

    uid: str
    status: Literal["added", "known", "done", "unchanged", "refused"]
    """Added ones are "known" where they occurred somewhere new, "unchanged" where nothing is new about them."""
    id: str = ""
    """The pattern's UUID, or the convention's template_id."""
    code: str = ""
    """Why it was refused, for programs."""
    message: str = ""
    """The same for people."""
    replayed: bool = False
    """It had been done before, when it was first delivered."""
