"""A model's code is shown where it was measured to be closer to what came than copying is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.prediction.worth import EVALUATION, no_sketch


def measured(folder: Path, rows: dict[str, Any] | None) -> Path:
    continuations = None if rows is None else {"changes": 12, "context": 1, "most_tokens": 1, "rows": rows}
    found = {
        "schema_version": "2.0", "width": 8, "precision": "fp32", "settings": {}, "contamination": {}, "splits": {},
        "data": {"repository": "x", "splits": {}}, "continuations": continuations,
    }  # fmt: skip
    (folder / EVALUATION).write_text(json.dumps(found))
    return folder / "model"


def row(mean: float | None, low: float | None = None) -> dict[str, Any]:
    return {"edit_similarity": {"mean": mean, "low": low, "high": None, "n": 12}}


@pytest.mark.parametrize(
    ("model", "copied", "shown"),
    [(row(0.8, 0.7), row(0.6), True), (row(0.8, 0.5), row(0.6), False), (row(0.4, 0.3), row(0.6), False),
     (row(0.6), row(0.6), False), (row(0.7), row(0.6), True), (row(None), row(0.6), True)],
)  # fmt: skip
def test_it_must_be_better_beyond_its_interval(
    tmp_path: Path, model: dict[str, Any], copied: dict[str, Any], shown: bool
) -> None:
    why = no_sketch(measured(tmp_path, {"fine-tuned": model, "copy": copied}))
    assert (not why) == shown
    if why:
        assert "12 held-out changes" in why
        assert "copying (0.60)" in why


def test_the_mix_that_is_shown_decides(tmp_path: Path) -> None:
    rows = {"fine-tuned": row(0.4, 0.3), "copy": row(0.6), "fine-tuned + cache": row(0.9, 0.8)}
    assert no_sketch(measured(tmp_path, rows)) == ""
    rows["fine-tuned + cache"] = row(0.5, 0.4)
    assert "0.50 of 1" in no_sketch(measured(tmp_path, rows))


@pytest.mark.parametrize(("model", "shown"), [(0.5, True), (0.2, False)])
def test_edits_are_compared_with_the_nearest_past_edit(tmp_path: Path, model: float, shown: bool) -> None:
    place = measured(tmp_path, {"fine-tuned": row(0.1), "copy": row(0.9)})
    found = json.loads((tmp_path / EVALUATION).read_text())
    rows = {name: {"line_similarity": row(mean)["edit_similarity"]} for name, mean in
            (("fine-tuned", model), ("nearest past edit", 0.3), ("nothing", 0.0))}  # fmt: skip
    found["written_edits"] = found["continuations"] | {"rows": rows}
    (tmp_path / EVALUATION).write_text(json.dumps(found))
    assert (not no_sketch(place)) == shown
    assert shown or "the nearest past edit (0.30)" in no_sketch(place)


def test_what_was_not_measured_is_shown(tmp_path: Path) -> None:
    assert no_sketch(tmp_path / "model") == ""
    assert no_sketch(measured(tmp_path, None)) == ""
    assert no_sketch(measured(tmp_path, {"copy": row(0.5)})) == ""


def test_a_damaged_evaluation_is_reported(tmp_path: Path) -> None:
    (tmp_path / EVALUATION).write_text("{")
    with pytest.raises(UserError, match=EVALUATION):
        no_sketch(tmp_path / "model")
