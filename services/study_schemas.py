"""What requests to a repository's study may hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from patterns.memory.operations import storable

MOST_MINUTES = 100_000
"""Of a day's budget, as in config.yaml."""
MOST_KINDS = 50
Repo = Annotated[str, Field(max_length=300), AfterValidator(storable)]
Mark = Literal["new", "read", "kept", "dismissed"]
Amount = Annotated[float, Field(ge=0, le=MOST_MINUTES, allow_inf_nan=False)]
Hours = Annotated[str, Field(max_length=20), AfterValidator(storable)]
Zone = Annotated[str, Field(max_length=100), AfterValidator(storable)]
Kinds = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=MOST_KINDS)]


class _Body(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class BudgetsRequest(_Body):
    """What a day's study may use; what is left out stays."""

    cpu_minutes: Amount | None = None
    io_gigabytes: Amount | None = None
    model_minutes: Amount | None = None


class ToggleRequest(_Body):
    """Whether a repository is studied in the background, and how; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"on": True, "budgets": {"cpu_minutes": 30}}]})

    repo_id: Repo = ""
    """Its name; the first one unless set."""
    on: bool | None = None
    """Off is the kill switch: nothing starts, here or by study.py, and what runs ends within two seconds."""
    budgets: BudgetsRequest = Field(default_factory=BudgetsRequest)
    quiet_hours: Hours | None = None
    """Hours in which nothing is started, such as 08:00-18:00; empty for none."""
    time_zone: Zone | None = None
    """Whose clock they follow, such as Europe/Berlin."""
    kinds: Kinds | None = None
    """Kinds of study; an empty list for all."""


class MarkRequest(_Body):
    """What somebody made of an insight."""

    state: Mark
    """Dismissed ones are no longer shown; the evidence of kept ones is not swept away."""
