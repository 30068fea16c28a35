"""Kinds are found by their files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from thoughts import kinds
from thoughts.kind import Cost, digest_of

ONE_MORE = """
from thoughts.kind import Cost, Outcome
class Weather:
    name, trigger, priority = "weather", "commit", 0.0
    def inputs(self, state): return [{}]
    def estimate(self, given): return Cost(cpu_s=1, seconds=1)
    def run(self, given, context): return Outcome()
KIND = Weather()
"""


def test_every_kind_says_what_it_may_use_at_most() -> None:
    for name, kind in kinds.known().items():
        assert kind.name == name
        found = kind.estimate({"old": "", "new": ""})
        assert isinstance(found, Cost)
        assert found.cpu_s > 0
        assert found.seconds > 0


def test_one_more_file_is_one_more_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weather.py").write_text(ONE_MORE)
    before = list(kinds.known())
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    assert sorted([*before, "weather"]) == list(kinds.known())
    assert list(kinds.chosen(["weather"])) == ["weather"]


def test_an_unknown_kind_is_a_mistake_with_a_hint() -> None:
    with pytest.raises(UserError, match=r"no kind of study called 'digset'.*\n.*did you mean 'digest'"):
        kinds.chosen(["digset"])


def test_equal_inputs_have_one_digest() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
