"""How many lines of a commit's files ran, as people see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner, Result

from thoughts.risk.__main__ import main
from thoughts.risk.coverage.covered import Coverage, Ran, merged
from thoughts.risk.coverage.formats import report_of


def coverage(*reports: bytes, files: tuple[str, ...] = ("a.py", "b.py")) -> Coverage:
    return merged("c" * 40, map(report_of, reports), files)


def test_a_line_ran_if_one_of_several_reports_says_so() -> None:
    first, second = b"SF:/ci/one/a.py\nDA:1,1\nDA:2,0\nSF:/ci/one/b.py\nDA:1,0\n", b"mode: set\nx/a.py:2.1,4.1 1 1\n"
    found = coverage(first, second)
    assert found.files == {"a.py": Ran(4, 4, 4), "b.py": Ran(0, 1, 1)}
    assert coverage(second, first).files == found.files
    assert found.reports == 2


def test_two_names_of_one_file_are_put_together() -> None:
    found = coverage(b"SF:/py39/a.py\nDA:1,1\nDA:2,0\nSF:/py310/a.py\nDA:1,0\nDA:2,0\nDA:3,1\n")
    assert found.files == {"a.py": Ran(2, 3, 3)}


def test_files_that_mean_none_and_those_that_could_be_several_are_counted() -> None:
    found = coverage(b"SF:a.py\nDA:1,1\nSF:gone.py\nSF:lost.py\nDA:x\n", files=("p/a.py", "q/a.py", "b.py"))
    assert (found.files, found.unknown, found.unclear, found.odd) == ({}, 2, 1, 1)


@pytest.mark.parametrize(
    ("ran", "share"),
    [
        (Ran(0, 0), "-"),
        (Ran(0, 9), "0%"),
        (Ran(1, 1_000), "1%"),
        (Ran(1, 2), "50%"),
        (Ran(999, 1_000), "99%"),
        (Ran(9, 9), "100%"),
    ],
)
def test_all_and_none_are_said_of_no_other_share(ran: Ran, share: str) -> None:
    assert ran.share == share


def test_what_is_not_used_is_said() -> None:
    found = Coverage("", {}, reports=1, unknown=3, unclear=1, odd=4)
    assert found.in_words([Ran(1, 3), Ran(0, 1)], 2) == (
        "coverage is known of 2 source files: tests ran 25% of 4 lines that can run; left out of the reported files: "
        "3 that this commit does not have, 1 that could be several, 2 with more lines than they have here; "
        "lines of reports that make no sense: 4"
    )
    assert Coverage("", {}).in_words([], 0) == "coverage is known of 0 source files"


@pytest.fixture
def repo(make_repo: Callable[[str], Repo]) -> Repo:
    made = make_repo("shop")
    made.commit("begin", {"a.py": "x = 1\ny = 2\n", "b.py": "x = 1\n", "é.py": "x = 1\n", "notes.md": "x\n"})
    return made


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in words])


def test_the_table_has_what_ran_beside_the_same_scores(repo: Repo, tmp_path: Path) -> None:
    named = {"a.py": "DA:1,1\nDA:2,0", "b.py": "DA:7,1", "é.py": "DA:1,1", "gone.py": "DA:1,1"}
    (tmp_path / "lcov.info").write_text("".join(f"SF:{name}\n{lines}\n" for name, lines in named.items()))
    shown = run(repo.path, "--coverage", tmp_path / "lcov.info").stdout.splitlines()
    assert shown[1].startswith("coverage is known of 2 source files: tests ran 67% of 3 lines that can run; left out")
    assert "1 that this commit does not have, 1 with more lines than they have here" in shown[1]
    assert shown[3].endswith("recency    ran  file")
    assert {line.split()[-1]: line.split()[-2] for line in shown[4:]} == {"a.py": "50%", "b.py": "-", "é.py": "100%"}
    plain = run(repo.path).stdout.splitlines()
    assert [re.sub(r" +\S+(?=  \S+$)", "", line) for line in shown[4:]] == plain[3:]
    assert plain[2].endswith("recency  file")


def test_a_report_that_cannot_be_read_is_a_mistake_with_its_name(repo: Repo, tmp_path: Path) -> None:
    done = run(repo.path, "--coverage", tmp_path / "none.xml")
    assert done.exit_code == 2
    assert f"{tmp_path}/none.xml cannot be read as a coverage report: it is not there" in done.stderr


def test_what_a_study_kept_is_of_one_commit(repo: Repo, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(Coverage(repo.git("rev-parse", "HEAD"), {"a.py": Ran(1, 2, 2)}, reports=3, unknown=2).as_kept())
    shown = run(repo.path, "--coverage", kept).stdout
    assert "coverage is known of 1 source file: tests ran 50% of 2 lines" in shown
    assert "2 that this commit does not have" in shown
    repo.commit("go on", {"b.py": "x = 2\n"})
    assert "is of " in run(repo.path, "--coverage", kept).stderr
    assert run(repo.path, "--at", "HEAD~1", "--coverage", kept).stdout == shown
    kept.write_bytes(kept.read_bytes()[:-9])
    assert "is not what a study kept" in run(repo.path, "--coverage", kept).stderr
