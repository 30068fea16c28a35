"""Fields of OpenAI's API that are taken only where they ask for nothing, and why."""

from __future__ import annotations

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

UNSUPPORTED = "unsupported_value"
"""Type of the error of a field that asks for what is not offered; others are of pydantic's types."""
ONE_ANSWER = "one answer is made for a request"
TEXT_ALONE = "answers are plain text"
NO_TOOLS = "no tools are called"
NO_LOGPROBS = "probabilities of tokens are not given"
NOTHING_STORED = "no response is stored, so the task stands in the input"
NOT_REPEATED = "what was written already is not made less likely"


class Only:
    """Marks a field that is null or one of a few values. Another asks for what is not offered, and gets a sentence."""

    def __init__(self, *accepted: object, why: str) -> None:
        self._accepted, self._why = (None, *accepted), why

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The field's own type, then this."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> dict[str, Any]:
        """The values, and why there are no others."""
        return {"enum": list(self._accepted), "description": f"Nothing else: {self._why}."}

    def _check(self, value: object) -> object:
        if value not in self._accepted:
            raise unsupported(self._why)
        return value


def unsupported(why: str) -> PydanticCustomError:
    """The error of a field that asks for what is not offered."""
    return PydanticCustomError(UNSUPPORTED, f"{why}; leave this out")
