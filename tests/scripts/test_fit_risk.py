"""Making the weights of risk from clones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from builders import Repo
from click.testing import CliRunner

from scripts.fit_risk import main
from thoughts.risk.weights import FEATURES, Weights


def test_weights_come_from_the_clones_that_say_something(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo, young = make_repo("old"), make_repo("young")
    young.commit("begin", {"a.py": "x = 1\n"})
    repo.commit("begin", {f"part_{number}.py": "x = 1\n" for number in range(30)})
    for turn in range(60):
        repo.commit(f"Fix part {turn}", {f"part_{turn % 12}.py": f"x = {turn}\n"})
    out = tmp_path / "weights.json"
    done = CliRunner().invoke(main, ["--repo", str(repo.path), "--repo", str(young.path), "--output", str(out)])
    assert done.exit_code == 0, done.output
    made = msgspec.json.decode(out.read_bytes(), type=Weights)
    assert set(made.weights) == set(FEATURES)
    assert made.weights["fixes"] > 0.3
    assert made.repositories == ["old"]
