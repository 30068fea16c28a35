"""Weights in a file are those that can be asked, or a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.ranking.ranker import SHIPPED, Ranker


def test_the_shipped_weights_are_read() -> None:
    assert Ranker.read(SHIPPED) == Ranker.shipped()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda modes: modes.pop("history"), "no weights for questions of the form 'history'"),
        (lambda modes: modes["task"].update(weights={"unknown": 1.0}), "no weights for questions of the form 'task'"),
        (lambda modes: modes["task"].update(weights={}), "no weights for questions of the form 'task'"),
        (lambda modes: modes["change"].update(calibration=[1.0, 2.0]), "no weights for questions of the form 'change'"),
        (lambda modes: modes["issue"]["weights"].update(p_all=float("nan")), "a weight of 'issue' is not a finite"),
        (lambda modes: modes["issue"].update(calibration=[float("inf")] * 5), "a weight of 'issue' is not a finite"),
    ],
)
def test_weights_that_cannot_be_asked_are_refused(
    tmp_path: Path, damage: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    record = json.loads(SHIPPED.read_bytes())
    damage(record["modes"])
    (tmp_path / "ranker.json").write_text(json.dumps({**record, "first_commits": ["a" * 40]}))
    with pytest.raises(UserError, match=complaint):
        Ranker.read(tmp_path / "ranker.json")
    with pytest.raises(UserError, match=complaint):
        Ranker.of("a" * 40, tmp_path)
