"""patterns.jsonl of made-up histories: what is in it, its evidence, the same change made again."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import Repo, cut

from core.errors import UserError
from core.progress import Progress
from core.records.patterns import PROBLEM_TYPES, Pattern, read_patterns
from patterns.memory import content
from patterns.memory.records import new_patterns
from patterns.mining import Mined, mine

BEFORE, AFTER = "def total(items):\n    return sum(items)\n", "def total(items):\n    return sum(items or ())\n"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R"


def mined(repo: Repo, folder: Path, *types: str) -> tuple[list[Pattern], Mined]:
    cut(repo.path, folder)
    output = folder / "patterns.jsonl"
    with Progress("walking") as progress:
        found = mine(
            folder / "commits.json",
            folder / "chunks.jsonl",
            output,
            types or PROBLEM_TYPES,
            progress,
            folder / "patterns.cache",
        )
    return list(read_patterns(output)), found


def lines_of(repo: Repo, blob: str, lines: tuple[int, int]) -> str:
    return "\n".join(repo.git("cat-file", "blob", blob).split("\n")[lines[0] - 1 : lines[1]])


def test_a_repair_has_both_sides_its_evidence_and_what_became_of_it(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    other = "\n\ndef other():\n    pass\n"
    root = repo.commit("Start", {"a.py": "import os\n\n\n" + BEFORE + other})
    fix = repo.commit(
        "Fix totals of nothing\n\nCloses #7",
        {"a.py": "import os\n\n\n" + AFTER + other, "tests/test_a.py": "def test_total():\n    assert True\n"},
    )
    last = repo.commit("Notes", {"README.md": "x\n"})
    (pattern,), found = mined(repo, tmp_path / "out")
    assert found.counts == {"bug fix": 1}
    assert (pattern.problem_type, pattern.before_code, pattern.after_code) == ("bug_fix", BEFORE[:-1], AFTER[:-1])
    assert (pattern.commit, pattern.symbol, pattern.language) == (fix, "total", "python")
    assert (pattern.repository, pattern.commit_msg) == (f"root:{root}", "Fix totals of nothing\n\nCloses #7")
    assert (pattern.with_test, pattern.test_files, pattern.closes) == (True, ["tests/test_a.py"], ["#7"])
    (evidence,) = pattern.evidence
    assert (evidence.commit, evidence.old_lines, evidence.new_lines) == (fix, (4, 5), (4, 5))
    assert evidence.old_lines
    assert evidence.new_lines
    assert lines_of(repo, evidence.old_blob, evidence.old_lines) == pattern.before_code
    assert lines_of(repo, evidence.new_blob, evidence.new_lines) == pattern.after_code
    assert pattern.survival
    assert (pattern.survival.born, pattern.survival.until) == (fix, last)
    assert (pattern.survival.lines, pattern.survival.alive, pattern.survival.ended_by) == (1, 1, "")
    assert 0 < pattern.confidence < 1


def test_what_was_taken_back_has_no_confidence(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("Start", {"a.py": BEFORE})
    fix = repo.commit("Fix totals of nothing", {"a.py": AFTER})
    repo.git("revert", "--no-edit", fix)
    reverting = repo.git("rev-parse", "HEAD")
    first, second = mined(repo, tmp_path / "out")[0]
    assert first.survival
    assert (first.survival.ended_by, first.survival.taken_back, first.confidence) == (reverting, True, 0)
    assert (second.commit, second.before_code) == (reverting, AFTER[:-1])
    assert first.solution_hash != second.solution_hash


def test_an_addition_has_no_before_side(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("Start", {"a.py": "x = 1\n"})
    repo.commit("Add totals", {"a.py": "x = 1\n\n\n" + AFTER})
    (pattern,), _ = mined(repo, tmp_path / "out")
    assert (pattern.problem_type, pattern.before_code) == ("feature_addition", "")
    assert pattern.after_code == AFTER[:-1]
    assert (pattern.evidence[0].old_blob, pattern.evidence[0].old_lines) == ("", None)
    assert mined(repo, tmp_path / "fixes", "bug_fix")[0] == []


def test_the_same_change_made_again_is_evidence_of_the_first(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("Start", {"a.py": BEFORE, "b.py": "# b\n" + BEFORE})
    first = repo.commit("Fix totals of nothing", {"a.py": AFTER})
    second = repo.commit("Fix the other totals of nothing", {"b.py": "# b\n" + AFTER})
    (pattern,), found = mined(repo, tmp_path / "out")
    assert [(one.commit, one.path) for one in pattern.evidence] == [(first, "a.py"), (second, "b.py")]
    assert found.drops["changes that were made before"] == 1


def test_credentials_are_masked_before_anything_is_hashed(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    for number in range(3):
        call = f"def f():\n    return g('{TOKEN}{number}')\n"
        repo.commit("Start", {f"{number}.py": call})
        repo.commit(f"Fix the call of g with {TOKEN}{number}", {f"{number}.py": call.replace("g(", "h(")})
    (pattern,), _ = mined(repo, tmp_path / "out")
    assert len(pattern.evidence) == 3
    assert sum(pattern.masked.values()) == 3
    assert TOKEN[4:20] not in (tmp_path / "out" / "patterns.jsonl").read_text()


def test_a_memory_knows_a_change_by_the_same_hash(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("Start", {"a.py": BEFORE.replace("return", "# all of them\n    return")})
    repo.commit("Fix totals of nothing", {"a.py": AFTER.replace("return", f"key = '{TOKEN}'  # why\n    return")})
    (pattern,), _ = mined(repo, tmp_path / "out")
    (new,) = new_patterns(pattern)
    assert content.solution_hash(content.clean(new)) == pattern.solution_hash


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BEFORE, BEFORE.replace("sum(", "sum(  ")),
        (BEFORE, BEFORE.replace("return", "# more\n    return")),
        ("import os\n" + BEFORE, "import sys\n" + BEFORE),
        ("from a import (\n    b,\n)\n" + BEFORE, "from a import (\n    c,\n)\n" + BEFORE),
    ],
    ids=["white space", "comment", "import", "import of several lines"],
)
def test_what_repairs_nothing_is_no_pattern(tmp_path: Path, before: str, after: str) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("Start", {"a.py": before})
    repo.commit("Fix the crash", {"a.py": after})
    assert mined(repo, tmp_path / "out")[0] == []


def test_of_a_class_the_run_of_lines_that_changed_counts(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    code = "class A:\n    one = 1\n\n    def f(self):\n        pass\n\n    two = 2\n"
    repo.commit("Start", {"a.py": code})
    repo.commit("Fix the second number", {"a.py": code.replace("two = 2", "two = 3")})
    repo.commit("Fix both numbers", {"a.py": code.replace("two = 2", "two = 4").replace("one = 1", "one = 0")})
    (pattern,), found = mined(repo, tmp_path / "out")
    assert "two = 2" in pattern.before_code
    assert "one" not in pattern.before_code
    assert lines_of(repo, pattern.evidence[0].new_blob, pattern.evidence[0].new_lines or (0, 0)) == pattern.after_code
    assert found.drops["changes in several places of a symbol"] == 1


def test_a_name_that_a_commit_replaces_in_several_places_is_no_repair(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    code = "def f(x):\n    return old(x)\n\n\ndef g(x):\n    return old(x)\n\n\ndef h(x):\n    return other(x)\n"
    repo.commit("Start", {"a.py": code})
    repo.commit("Fix h", {"a.py": code.replace("old", "new").replace("other", "another")})
    (pattern,), found = mined(repo, tmp_path / "out")
    assert pattern.symbol == "h"
    assert found.drops["changes of a name in several places"] == 2


@pytest.mark.parametrize(("symbols", "patterns"), [(4, 4), (5, 0)])
def test_a_repair_of_many_symbols_is_mixed_with_something_else(tmp_path: Path, symbols: int, patterns: int) -> None:
    repo = Repo.new(tmp_path / "r")
    code = [f"def f{number}(x):\n    return x + {number}\n" for number in range(symbols)]
    repo.commit("Start", {"a.py": "\n\n".join(code)})
    repo.commit("Fix the numbers", {"a.py": "\n\n".join(code).replace("x + ", "x - 2 * ")})
    assert len(mined(repo, tmp_path / "out")[0]) == patterns


def test_what_a_merge_is_for_counts_for_its_commits(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("Start", {"a.py": BEFORE})
    repo.git("checkout", "-q", "-b", "side")
    commit = repo.commit("Use a tuple", {"a.py": AFTER})
    repo.git("checkout", "-q", "main")
    repo.commit("Notes", {"README.md": "x"})
    repo.git(
        "merge", "-q", "--no-ff", "side", "-m", "Merge pull request #1 from ada/side", "-m", "Fix totals of nothing"
    )
    (pattern,), _ = mined(repo, tmp_path / "out")
    assert pattern.commit == commit
    assert pattern.survival
    assert pattern.survival.born == repo.git("rev-parse", "HEAD")


def test_names_tell_patterns_apart_and_stay_over_runs(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("Start", {"a.py": BEFORE + "\n\n" + BEFORE.replace("total", "both")})
    repo.commit("Fix it", {"a.py": AFTER + "\n\n" + AFTER.replace("total", "both").replace("()", "[]")})
    first, again = mined(repo, tmp_path / "one")[0], mined(repo, tmp_path / "two")[0]
    assert len({pattern.pattern_id for pattern in first}) == 2
    assert all(len(pattern.pattern_id) == 16 for pattern in first)
    assert first == again


def test_a_file_in_latin_1_is_found_in_its_blob(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    head = b"# -*- coding: latin-1 -*-\r\n"
    repo.commit("Start", {"a.py": head + b"def f():\r\n    return '\xe9' + g(1)\r\n"})
    repo.commit("Fix g", {"a.py": head + b"def f():\r\n    return '\xe9' + g(2)\r\n"})
    (pattern,), _ = mined(repo, tmp_path / "out")
    assert pattern.before_code == "def f():\r\n    return 'é' + g(1)\r"


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    one, other = Repo.new(tmp_path / "one"), Repo.new(tmp_path / "other")
    one.commit("Fix a", {"a.py": BEFORE})
    other.commit("Fix b", {"a.py": AFTER})
    for repo in (one, other):
        cut(repo.path, tmp_path / f"{repo.path.name}-out")
    with pytest.raises(UserError, match="is not made of"), Progress("walking") as progress:
        mine(
            tmp_path / "one-out/commits.json",
            tmp_path / "other-out/chunks.jsonl",
            tmp_path / "patterns.jsonl",
            PROBLEM_TYPES,
            progress,
            tmp_path / "patterns.cache",
        )
