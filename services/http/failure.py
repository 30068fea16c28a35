"""What an error looks like, for the description of the routes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Problem(BaseModel):
    """What is wrong, and of which kind that is."""

    message: str
    type: str
    param: str | None
    code: str | None


class Failure(BaseModel):
    """The answer to a request that cannot be met."""

    error: Problem


FAILURES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Failure, "description": "The request is wrong, or comes too early."},
    "5XX": {"model": Failure, "description": "It took too long, or failed."},
}
