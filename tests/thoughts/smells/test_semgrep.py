"""The user's own rules for semgrep. The program is one of the test's own, which answers as semgrep does."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from core.errors import StageError, UserError
from core.git.repositories import open_repository
from thoughts.sandbox.standing import standing
from thoughts.smells.findings import MOST_LINES, Finding, findings_at
from thoughts.smells.tools import chosen

PROGRAM = """#!{python}
import json, pathlib, sys
if "--version" in sys.argv:
    sys.exit(print("1.2.3"))
words = dict(zip(sys.argv, sys.argv[1:]))
assert words["--metrics"] == "off" and "--disable-version-check" in sys.argv
rule = pathlib.Path(words["--config"]).read_text().strip()
if rule == "broken":
    sys.exit("invalid rule")
place = {{"start": {{"line": 2}}, "end": {{"line": 9}}, "extra": {{"message": "Do not\\n  eval", "severity": "ERROR"}}}}
results = [{{"check_id": rule, "path": sys.argv[-1] + "/p/a.py", **place}}]
json.dump({{"results": results, "errors": []}}, open(words["--output"], "w"))
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "venv" / "bin" / "semgrep"
    path.parent.mkdir(parents=True)
    path.write_text(PROGRAM.format(python=Path(sys.executable).resolve()), encoding="utf-8")
    path.chmod(0o755)
    (path.parent / "python").symlink_to(Path(sys.executable).resolve())
    return str(path)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text("no-eval\n", encoding="utf-8")
    return path


def test_it_is_asked_about_its_rules_in_the_sandbox(
    make_repo: Callable[[str], Repo], tmp_path: Path, program: str, rules: Path
) -> None:
    if not standing().working:
        pytest.skip(standing().sentence())
    repo = make_repo("asked")
    repo.commit("begin", {"p/a.py": "x = 1\n" * 9})
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    commit = repo.git("rev-parse", "HEAD")
    (tool,), notes = chosen([], [str(rules)], program)
    looked = findings_at(git_dir, commit, tool, standing().working[0])
    assert looked.findings == [Finding("semgrep no-eval", "p/a.py", 2, 1 + MOST_LINES, "Do not eval")]
    assert notes == []
    rules.write_text("broken\n", encoding="utf-8")
    with pytest.raises(StageError, match=r"semgrep failed on [0-9a-f]+: invalid rule"):
        findings_at(git_dir, commit, tool, standing().working[0])


def test_other_rules_are_another_version(tmp_path: Path, program: str, rules: Path) -> None:
    versions = [chosen([], [str(rules)], program)[0][0].version]
    rules.write_text("other\n", encoding="utf-8")
    versions.append(chosen([], [str(rules)], program)[0][0].version)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.yml").write_text("other\n", encoding="utf-8")
    versions.append(chosen([], [str(tmp_path / "folder")], program)[0][0].version)
    assert all(one.startswith("1.2.3 ") for one in versions)
    assert versions[0] != versions[1] == versions[2]


def test_without_rules_or_program_it_is_left_out(tmp_path: Path, program: str, rules: Path) -> None:
    assert chosen([], [], program) == ([], [])
    tools, notes = chosen([], [str(rules)], str(tmp_path / "nowhere"))
    assert tools == []
    assert notes[0].startswith("semgrep is not installed here")
    with pytest.raises(UserError, match="is not there"):
        chosen([], [str(tmp_path / "missing.yaml")], program)


def test_what_is_no_report_says_nothing(tmp_path: Path, program: str, rules: Path) -> None:
    (tool,), _ = chosen([], [str(rules)], program)
    for said in ("", "[]", json.dumps({"results": [{"check_id": 1}]})):
        (tmp_path / "out").write_text(said, encoding="utf-8")
        assert list(tool.findings(tmp_path / "out", tmp_path)) == []
