"""Records in files: older ones are read, damaged ones and other versions are refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from core.errors import UserError
from core.records.evaluation import Figures
from core.records.json_files import read_record, write_record
from core.records.training import SUMMARY, MemoryReport, TrainingSummary, Validation, read_metrics, read_training


def test_a_record_survives_the_disk(tmp_path: Path) -> None:
    summary = TrainingSummary(
        steps=3, memory=MemoryReport(planned={"weights": 1}), validation=Validation(untuned=2.0, best=1.5, best_step=3)
    )
    write_record(tmp_path / SUMMARY, summary)
    assert read_training(tmp_path) == summary
    assert list(json.loads((tmp_path / SUMMARY).read_text()))[:2] == ["schema_version", "steps"]


def test_a_field_that_an_older_file_lacks_gets_its_default(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).write_text('{"schema_version": "1.9", "steps": 3, "unknown": []}')
    assert read_training(tmp_path) == TrainingSummary(schema_version="1.9", steps=3)


def test_numbers_may_be_infinite_and_figures_missing(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_record(path, Figures(perplexity=math.inf, bits_per_byte=2))
    assert json.loads(path.read_text()) == {"perplexity": math.inf, "bits_per_byte": 2}
    assert read_record(path, Figures, "1.0", "").perplexity == math.inf


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is damaged"),
        ("[1]", "is damaged"),
        ("[" * 100_000, "is damaged"),
        ('{"steps": "\udcff"}', "is damaged"),
        ('{"steps": "three"}', "is damaged: Expected `int`"),
        ('{"bound_by": "\\ud800"}', "is damaged: .*surrogates"),
        ('{"schema_version": "2.0", "steps": {}}', "has schema version 2.0, this program reads 1.0"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_damaged_file_is_an_error_with_a_hint(tmp_path: Path, text: str | None, complaint: str) -> None:
    if text is not None:
        (tmp_path / SUMMARY).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=complaint) as caught:
        read_training(tmp_path)
    assert "train again" in caught.value.hint


def test_metrics_are_read_up_to_a_line_that_was_cut_off(tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == []
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2.0, "learning_rate": 1e-4}\n{"step": 2, "lo')
    assert read_metrics(tmp_path) == [{"step": 1, "loss": 2.0, "learning_rate": 1e-4}]


@pytest.mark.parametrize(
    "line",
    [
        '{"loss": 2.0}',
        '{"step": "1"}',
        '{"step": 1, "loss": 2.0}',
        "[1]",
        '{"step": 1, "val_loss": []}',
        "[" * 9999 + "]" * 9999,
    ],
)
def test_a_line_of_metrics_without_figures_is_reported(tmp_path: Path, line: str) -> None:
    (tmp_path / "metrics.jsonl").write_text(line)
    with pytest.raises(UserError, match="line 1: no figures"):
        read_metrics(tmp_path)
