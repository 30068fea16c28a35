"""The bounds of a question."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from core.config import checked
from core.errors import UserError
from core.prediction.question import MOST_PATTERNS, CommitName, Question


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"changed": ("a" * 4097,)}, "at most 4096"),
        ({"changed": ("é" * 2049,)}, "4,096 bytes"),
        ({"files": ("é" * 2049,)}, "4,096 bytes"),
        ({"files": ("[" * 257,)}, "256 characters"),
        ({"files": ("*a" * 129,)}, "256 characters"),
        ({"files": ("*",) * (MOST_PATTERNS + 1)}, "may be patterns"),
        ({"files": ("a",) * 1001}, "at most 1000"),
        ({"author": "a" * 1001}, "at most 1000"),
        ({"task": "a" * 65_537}, "at most 65536"),
        ({"top_p": -0.1}, "greater than or equal"),
        ({"seed": 2**64}, "less than"),
        ({"seed": -(2**63) - 1}, "greater than or equal"),
    ],
)
def test_what_is_too_much_is_named_in_a_short_sentence(asked: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        checked("question", Question, asked)
    assert len(str(caught.value)) < 1000


def test_what_fits_is_taken() -> None:
    asked = {"changed": ("a" * 4096,), "files": ("*" * 256, *("a" * 4096,) * 999), "author": "é" * 1000}
    for one in ({**asked, "top_p": 0, "seed": 2**64 - 1}, {"files": ("*",) * MOST_PATTERNS, "seed": -(2**63)}):
        assert Question.model_validate(one).model_dump(include=one.keys()) == one


@pytest.mark.parametrize("name", [":/fix", "HEAD^{/(a*)*b}", "HEAD:/x", "x" * 1001])
def test_a_commit_is_not_searched_for(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(CommitName).validate_python(name)


@pytest.mark.parametrize("name", ["HEAD~1", "main^2", "v1.0^{commit}", "feature/x", "main@{1}"])
def test_other_names_of_commits_are_left_to_git(name: str) -> None:
    assert TypeAdapter(CommitName).validate_python(name) == name
