"""The table of confidence from clones."""

from __future__ import annotations

import json
from pathlib import Path

from builders import Program, Repo

from patterns.lifetimes import DAY


def test_changes_are_counted_by_age_until_a_date(program: Program, tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "demo")
    repo.commit("a", {"a.py": "w1\nw2\n", "b.py": "v1\n"})
    repo.clock += 500 * DAY
    repo.commit("b", {"a.py": "other\n"})
    repo.clock += 500 * DAY
    repo.commit("c", {"b.py": "other\n"})
    output = tmp_path / "table.json"
    arguments = ("--repo", str(repo.path), "--until", "2022-03-01", "--output", str(output))
    done = program.run("scripts/fit_confidence.py", *arguments)
    assert done.returncode == 0, done.stderr
    table = json.loads(output.read_text())
    assert (table["repositories"], table["until"]) == (["demo"], "2022-03-01")
    bins = {one["from_days"]: (one["changes"], one["alive"]) for one in table["bins"]}
    assert {days: counts for days, counts in bins.items() if counts[0]} == {30.0: (2, 2), 91.0: (2, 1)}
    assert program.run("scripts/fit_confidence.py", "--until", "2022-03-01").returncode == 2
