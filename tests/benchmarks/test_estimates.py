"""The check of estimates: its trainings, and the table that counts how often an interval holds the result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from builders import Program

from benchmarks.estimates import Trained, table

ROW = Trained("one", "lora", 17, 30.0, 128.0, 3.0, [512, 1024, 2048, 8192], [2.9, 2.8, 2.6, 2.1])


def test_results_are_counted_inside_and_outside() -> None:
    rows = [ROW, replace(ROW, name="two", losses=[2.9, 2.8, 2.6, 9.0]), replace(ROW, losses=[3.1, 3.2, 3.3, 3.0])]
    lines = table(rows)
    assert [line.split("|")[-2].strip() for line in lines[2:5]] == ["yes", "no", "-"]
    assert lines[3].startswith("| two | lora | 17 | 3.000 | 2.600 (2,048) | ")
    assert "the loss did not fall" in lines[4]
    assert lines[-1] == "1 of 2 results are inside the interval; 1 had no curve"


def test_trainings_are_recorded_by_their_tokens(finished: Program, tmp_path: Path) -> None:
    points = tmp_path / "points.jsonl"
    arguments = ("--method", "scratch", "--tokens", "256", "--width", "64")
    done = finished.run("-m", "benchmarks.estimates", str(points), "outputs", *arguments)
    assert done.returncode == 0, done.stderr
    assert len(points.read_text().splitlines()) == 1
    row = done.stdout.splitlines()[2]
    assert row.startswith("| outputs | scratch | 17 | ")
    again = finished.run("-m", "benchmarks.estimates", str(points))
    assert again.stdout == done.stdout
