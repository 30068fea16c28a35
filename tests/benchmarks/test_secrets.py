"""Made-up credentials are masked, whatever surrounds them: the benchmark's own cases."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from benchmarks import secret_cases, secrets

CASES = list(secret_cases.cases())
LEAST = 0.95


def test_there_are_enough_cases_of_enough_kinds() -> None:
    assert len(secret_cases.TOKENS) >= 90
    assert len({case.surrounding for case in CASES}) >= 14
    assert len({case.kind for case in CASES}) >= 90


@pytest.mark.parametrize("what", ["kind", "surrounding"])
def test_nearly_all_of_each_are_masked(what: str) -> None:
    masked, all_of_them = Counter[str](), Counter[str]()
    for case in CASES:
        all_of_them[getattr(case, what)] += 1
        masked[getattr(case, what)] += case.is_masked
    few = {name: f"{masked[name]} of {count}" for name, count in all_of_them.items() if masked[name] < 0.75 * count}
    assert not few
    assert masked.total() >= LEAST * len(CASES)


def test_a_part_that_is_left_is_seen() -> None:
    case = next(case for case in CASES if case.kind == "github" and case.surrounding == "python")
    assert case.is_masked
    assert not secret_cases.Case("x", "y", "left: " + "Ab3".join("xyzvw"), ("Ab3".join("xyzvw"),)).is_masked


def test_what_a_history_added_is_counted(make_repo: type[Repo]) -> None:
    repo = make_repo("leaky")
    value, _ = secret_cases.draw(secret_cases.TOKENS["github"], random.Random(3))
    repo.commit("one", {"a.py": f'key = "{value}"\n', "b.py": "fine = 1\n"})
    ran = CliRunner().invoke(secrets.main, ["--spans", str(Path(repo.path))])
    assert ran.exit_code == 0, ran.output
    assert "1 in 0.00 MB" in ran.output
    assert f"[['{value}']]" in ran.output
