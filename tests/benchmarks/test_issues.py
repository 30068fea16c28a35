"""The table of `python -m benchmarks.issues`, on an issue of a built repository."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from builders import Program, Repo

from benchmarks.issues import OURS, PEER, Answer, Issue, is_candidate, mcnemar


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("src/_pytest/fixtures.py", True),
        ("setup.py", True),
        ("sympy/testing/runtests.py", True),
        ("testing/test_x.py", False),
        ("testing/plugin.py", False),
        ("pkg/tests/helper.py", False),
        ("pkg/test_a.py", False),
        ("pkg/a_test.py", False),
        ("conftest.py", False),
        ("README.md", False),
    ],
)
def test_candidates_are_python_files_that_are_no_tests(path: str, is_one: bool) -> None:
    assert is_candidate(path) is is_one


def test_every_file_of_the_fix_must_be_found() -> None:
    issue = Issue(instance_id="1", repo="o/n", base_commit="x", issue="i", files=["a", "b"], chronorepo_top20=["a"])
    answer = Answer(issue, ["b", "c", "a"], 0.0)
    assert answer.places(OURS) == 3
    assert answer.places(PEER) == float("inf")


def test_mcnemar_is_the_sign_test_of_the_pairs_that_differ() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(3, 3) == 1


def test_issues_are_asked_of_their_base_commit(make_repo: Callable[[str], Repo], program: Program) -> None:
    lines = []
    for owner in ("one+x", "two+x"):
        repo = make_repo(owner)
        base = repo.commit("begin", {f"{name}.py": f"def {name}():\n    pass\n" for name in ("load", "save", "show")})
        for name in ("load", "save"):
            text = f"{name} fails\n" + f"calling {name}() raises an error whenever it is called twice. " * 5
            line = {"instance_id": f"{owner}-{name}", "repo": owner.replace("+", "/"), "base_commit": base}
            lines.append({**line, "issue": text, "files": [f"{name}.py"], "chronorepo_top20": ["show.py"]})
    missing = {**lines[0], "repo": "not/here"}
    (program.folder / "issues.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (*lines, missing)))
    arguments = ("-m", "benchmarks.issues", "issues.jsonl", str(program.folder.parent), "--cache-dir", "cache")
    for more in ((), ("--leave-out",)):
        done = program.run(*arguments, *more)
        assert done.returncode == 0, done.stderr
        assert "| all: gitlore | 4 | 1.000 |" in done.stdout
        assert "| all: ChronoRepo | 4 | .000 |" in done.stdout
        assert "| all: another issue's ranking | 4 | .000 |" in done.stdout
        assert "| all: p (wins/losses) | 4 | 0.12 (4/0) |" in done.stdout
