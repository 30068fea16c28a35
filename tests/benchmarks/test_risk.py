"""The table that sets risk beside lines of code."""

from __future__ import annotations

import re
from collections.abc import Callable

from builders import Repo
from click.testing import CliRunner

from benchmarks.risk import main


def test_each_repository_has_a_row_and_weights_of_the_others(make_repo: Callable[[str], Repo]) -> None:
    for name, repaired in (("one", 12), ("other", 8)):
        repo = make_repo(name)
        repo.commit("begin", {f"part_{number}.py": f"x = {number}\n" for number in range(30)})
        for turn in range(60):
            repo.commit(f"Fix part {turn}", {f"part_{turn % repaired}.py": f"x = {turn}\n"})
    young = make_repo("young")  # says nothing
    young.commit("begin", {"a.py": "x = 1\n"})
    folders = [str(young.path.parent / name) for name in ("one", "other", "young")]
    done = CliRunner().invoke(main, folders, catch_exceptions=False)
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == ["|", "| one", "| other", "| mean of 2"]
    assert float(rows[1][4]) > float(rows[1][5])  # the same files are repaired again; all are equally long
    assert re.search(r"^AUC over lines alone \+0\.\d{3} \[", done.stdout, re.MULTILINE)
    assert "behind lines alone: none" in done.stdout


def test_repositories_that_say_nothing_give_no_table(history: Repo) -> None:
    done = CliRunner().invoke(main, [str(history.path)], catch_exceptions=False)
    assert done.stdout == "no repository has enough files and repairs\n"
