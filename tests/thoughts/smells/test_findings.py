"""Findings of tools in a commit, in the sandbox."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from builders import Repo

from core.errors import StageError
from core.git.repositories import open_repository
from thoughts.sandbox.standing import standing
from thoughts.sandbox.tiers import Tier
from thoughts.smells.findings import Finding, findings_at
from thoughts.smells.ruff import Ruff


@pytest.fixture
def tier() -> Tier:
    if not standing().working:
        pytest.skip(standing().sentence())
    return standing().working[0]


class Script:
    """A tool of one Python program; it gets the folder and the file to write."""

    name = "script"
    version = "1"
    suffixes = (".py",)
    programs = (Path(sys.base_prefix), Path(sys.prefix).resolve())

    def __init__(self, program: str) -> None:
        self._program = program

    def command(self, folder: Path, output: Path) -> Sequence[str]:
        return str(Path(sys.executable).resolve()), "-c", self._program, str(folder), str(output)

    def findings(self, output: Path, folder: Path) -> Iterator[Finding]:
        for line in output.read_text(encoding="utf-8").splitlines():
            path, first, last = line.split(":")
            yield Finding("script", path, int(first), int(last), "")


def test_ruff_looks_at_the_files_of_a_commit(make_repo: Callable[[str], Repo], tmp_path: Path, tier: Tier) -> None:
    repo = make_repo("linted")
    repo.commit("begin", {"b.py": "import os\n", "a.py": "import re\n", "notes.md": "import os\n"})
    old = repo.git("rev-parse", "HEAD")
    repo.commit("change", {"b.py": "x = 1\n"})
    looked = findings_at(open_repository(str(repo.path), tmp_path).git_dir, old, Ruff(), tier)
    unused = [one.path for one in looked.findings if one.rule == "ruff F401"]
    assert unused == ["a.py", "b.py"]
    assert looked.lines == {"a.py": 1, "b.py": 1}
    assert looked.left_out == 0


def test_only_lines_that_the_commit_has_count(make_repo: Callable[[str], Repo], tmp_path: Path, tier: Tier) -> None:
    repo = make_repo("lines")
    repo.commit("begin", {"a.py": "x = 1\ny = 2\n"})
    said = "a.py:1:2\na.py:2:3\na.py:0:1\nelsewhere.py:1:1\n"
    program = f"import sys; open(sys.argv[2], 'w').write({said!r})"
    looked = findings_at(
        open_repository(str(repo.path), tmp_path).git_dir, repo.git("rev-parse", "HEAD"), Script(program), tier
    )
    assert [(one.path, one.first) for one in looked.findings] == [("a.py", 1)]


def test_a_tool_that_fails_is_named_with_what_it_said(
    make_repo: Callable[[str], Repo], tmp_path: Path, tier: Tier
) -> None:
    repo = make_repo("failing")
    repo.commit("begin", {"a.py": "x = 1\n"})
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    with pytest.raises(StageError, match=r"script failed on [0-9a-f]{9}: out of ideas"):
        findings_at(git_dir, repo.git("rev-parse", "HEAD"), Script("import sys; sys.exit('out of ideas')"), tier)


def test_of_many_files_the_same_ones_are_looked_at_in_every_year(
    make_repo: Callable[[str], Repo], tmp_path: Path, tier: Tier
) -> None:
    repo = make_repo("many")
    repo.commit("begin", {f"p{number}/a.py": "x = 1\n" for number in range(8)} | {"b.md": "x\n"})
    old = repo.git("rev-parse", "HEAD")
    repo.commit("change", {"p3/a.py": "x = 2\n", "c.md": "x\n"})
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    program = "import sys, os; open(sys.argv[2], 'w'); print(sum(len(f) for _, _, f in os.walk(sys.argv[1])), 'files')"
    then, now = (findings_at(git_dir, one, Script(program), tier, 3) for one in (old, repo.git("rev-parse", "HEAD")))
    assert then.lines == now.lines
    assert (len(now.lines), now.left_out, now.notes) == (3, 5, ["3 files"])
    assert list(now.lines) != [f"p{number}/a.py" for number in range(3)]  # not the first ones


def test_a_commit_that_no_tool_reads_is_not_written(
    make_repo: Callable[[str], Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo("prose")
    repo.commit("begin", {"notes.md": "x\n"})
    monkeypatch.setattr("thoughts.smells.findings.write_tree", None)
    looked = findings_at(open_repository(str(repo.path), tmp_path).git_dir, "HEAD", Ruff(), None)  # type: ignore[arg-type]
    assert (looked.findings, looked.lines) == ([], {})
