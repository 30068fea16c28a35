"""Tools that are a function of a file: as they run in the sandbox, and what they say."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from core.errors import UserError
from core.git.repositories import open_repository
from thoughts.sandbox.standing import standing
from thoughts.smells import inside, lizard, secrets
from thoughts.smells.findings import MOST_LINES, Finding, findings_at
from thoughts.smells.tools import chosen

BRANCHES = "".join(f"    if a == {one} {{ return {one}; }}\n" for one in range(12))
COMPLEX = f"fn busy(a: u8) -> u8 {{\n{BRANCHES}    a\n}}\n"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def test_lizard_names_functions_over_a_limit_by_the_highest_one() -> None:
    arguments = ", ".join(f"a{one}: u8" for one in range(9))
    source = f"fn calm(a: u8) {{}}\n\n{COMPLEX}fn many({arguments}) {{}}\n"
    assert list(lizard.read("a.rs", source.encode())) == [
        Finding("lizard complexity over 10", "a.rs", 3, 2 + MOST_LINES, "`busy` has a cyclomatic complexity of 13"),
        Finding("lizard arguments over 8", "a.rs", 18, 18, "`many` takes 9 arguments"),
    ]


def test_secrets_are_placed_and_never_quoted() -> None:
    found = list(secrets.read("a.py", f'x = 1\ny = "{TOKEN}"\n\nz = "{TOKEN}"\n'.encode()))
    assert [one[:4] for one in found] == [("secrets github", "a.py", row, row) for row in (2, 4)]
    assert not any(TOKEN[4:] in one.message for one in found)
    assert list(secrets.read("a.py", b"x = 1\n\xff\n")) == []


def test_both_run_in_the_sandbox(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    if not standing().working:
        pytest.skip(standing().sentence())
    repo = make_repo("sandboxed")
    repo.commit("begin", {"src/a.rs": COMPLEX, "b.toml": f'token = "{TOKEN}"\n', "notes.md": TOKEN})
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    (one, other), _ = chosen(["lizard", "secrets"], ())
    first, second = (findings_at(git_dir, "HEAD", tool, standing().working[0]) for tool in (one, other))
    assert [one[:2] for one in first.findings] == [("lizard complexity over 10", "src/a.rs")]
    assert [one[:3] for one in second.findings] == [("secrets github", "b.toml", 1)]
    assert list(second.lines) == ["b.toml", "src/a.rs"]


FAILING = """
SUFFIXES = (".py",)


def read(path, data):
    if data == b"fail":
        raise RecursionError
    while data == b"hang":
        pass
    yield ("failing rule", path, 1, 1, "x")
"""


def test_files_on_which_a_tool_fails_or_hangs_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "failing.py").write_text(FAILING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(inside, "SECONDS_A_FILE", 0.05)
    tree = tmp_path / "tree"
    (tree / "p").mkdir(parents=True)
    for name, content in {"a.py": "fail", "b.py": "hang", "p/c.py": "x", "d.txt": "x"}.items():
        (tree / name).write_text(content, encoding="utf-8")
    (tree / "link.py").symlink_to("p/c.py")
    inside.main("failing", str(tree), str(tmp_path / "out"))
    assert capsys.readouterr().out == "2 files could not be read by failing\n"
    said = (tmp_path / "out").read_text(encoding="utf-8")
    assert json.loads(said) == ["failing rule", "p/c.py", 1, 1, "x"]
    (tmp_path / "out").write_text(f'{said}not json\n["a", 1]\n', encoding="utf-8")
    (tool,), _ = chosen(["secrets"], ())
    assert list(tool.findings(tmp_path / "out", tree)) == [Finding("failing rule", "p/c.py", 1, 1, "x")]


def test_nothing_is_imported_from_the_folder_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    (tool,), _ = chosen(["secrets"], ())
    command = tool.command(tmp_path, tmp_path / "out")
    environment = {"PYTHONPATH": str(tmp_path)}
    assert subprocess.run(command, cwd=tmp_path, env=environment, check=False).returncode == 0


def test_unknown_tools_are_named_with_what_was_meant() -> None:
    with pytest.raises(UserError, match="no tool called 'lizzard'") as raised:
        chosen(["lizzard"], ())
    assert "lizard" in str(raised.value.hint)
