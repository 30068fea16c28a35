"""Fields that are taken only where they ask for nothing."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from services.offered import Only


class Asked(BaseModel):
    n: Annotated[int | None, Only(1, why="one answer is made for a request")] = None


def test_null_and_what_asks_for_nothing_is_taken() -> None:
    assert [Asked.model_validate(body).n for body in ({}, {"n": None}, {"n": 1})] == [None, None, 1]


def test_another_value_gets_a_sentence_and_a_wrong_type_is_wrong() -> None:
    with pytest.raises(ValidationError) as raised:
        Asked.model_validate({"n": 2})
    (error,) = raised.value.errors()
    assert (error["type"], error["loc"]) == ("unsupported_value", ("n",))
    assert error["msg"] == "one answer is made for a request; leave this out"
    with pytest.raises(ValidationError, match="valid integer"):
        Asked.model_validate({"n": "two"})


def test_the_document_says_which_values_and_why() -> None:
    field = Asked.model_json_schema()["properties"]["n"]
    assert field["enum"] == [None, 1]
    assert field["description"] == "Nothing else: one answer is made for a request."
