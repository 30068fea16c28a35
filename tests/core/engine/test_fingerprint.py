"""What makes a stage stale, and what must not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.engine import fingerprint
from core.engine.fingerprint import PROJECT, code_digest, code_files
from core.files import Digests

CODE = '''
"""Docstring."""
import os

class Config:
    """Settings."""
    size: int = 3
    """Help."""

def double(x):
    """Twice."""
    return 2 * x  # a comment
'''


def digest(tmp_path: Path, text: str) -> str:
    path = tmp_path / f"module{len(list(tmp_path.iterdir()))}.py"
    path.write_text(text)
    return code_digest(path, Digests(tmp_path / "none"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another"),
        ("Docstring", "Words"),
        ("Help", "More help"),
        ("2 * x", "2*x"),
        ("import os\n", "import os\n\n"),
    ],
)
def test_words_and_formatting_do_not_count(tmp_path: Path, old: str, new: str) -> None:
    assert old in CODE
    assert digest(tmp_path, CODE) == digest(tmp_path, CODE.replace(old, new))


@pytest.mark.parametrize(("old", "new"), [("2 * x", "3 * x"), ("= 3", "= 4"), ("def double", "def twice")])
def test_code_counts(tmp_path: Path, old: str, new: str) -> None:
    assert digest(tmp_path, CODE) != digest(tmp_path, CODE.replace(old, new))


def test_imported_project_modules_count_and_the_engine_does_not(tmp_path: Path) -> None:
    files = code_files(PROJECT / "semantic_chunker.py", Digests(tmp_path / "none"))
    assert {"semantic_chunker.py", "core/code/languages.py", "core/records/commits.py", "core/git/commands.py"} <= set(
        files
    )
    assert not {"core/engine/runner.py", "core/progress.py", "core/engine/command.py", "core/logs.py"} & set(files)


def test_every_leaf_exempt_from_digests_exists() -> None:
    assert all((PROJECT / name).is_file() for name in fingerprint._NEVER_DECIDE)


def test_modules_behind_the_engine_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "stage.py").write_text("from core.engine import turns\nfrom core.engine.command import stage_main\n")
    assert len(code_files(tmp_path / "stage.py", Digests(tmp_path / "none"))) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('UserError("no such file", "check the path")', 'UserError("there is no such file", "look again")'),
        ('ValueError(f"bad {x}")', 'ValueError(f"{x} is bad")'),
        ('log.info("doubling %s", x)', 'log.info("twice %s", x)'),
        ('help="doubles"', 'help="multiplies by two"'),
    ],
)
def test_wording_of_errors_help_and_log_lines_does_not_count(tmp_path: Path, old: str, new: str) -> None:
    code = (
        'def double(x):\n    log.info("doubling %s", x)\n    if not x:\n'
        '        raise UserError("no such file", "check the path")\n'
        '    if x < 0:\n        raise ValueError(f"bad {x}")\n'
        '    return 2 * x\n\nSTAGE = Stage(name="double", help="doubles")\n'
    )
    assert old in code
    assert digest(tmp_path, code) == digest(tmp_path, code.replace(old, new))


def test_which_error_is_raised_counts(tmp_path: Path) -> None:
    code = 'def f():\n    raise UserError("no")\n'
    assert digest(tmp_path, code) != digest(tmp_path, code.replace("UserError", "StageError"))


def test_imports_inside_functions_count(tmp_path: Path) -> None:
    (tmp_path / "helper_module.py").write_text("x = 1\n")
    (tmp_path / "outer.py").write_text("def f():\n    import helper_module\n    return helper_module.x\n")
    assert any(
        name.endswith("helper_module.py") for name in code_files(tmp_path / "outer.py", Digests(tmp_path / "none"))
    )


def test_reasons_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    digests = Digests(tmp_path / "digests.json")
    record = {
        "facts": {"setting a.b": "1", "input x": "11", "library torch": "2.12", "code old.py": "1"},
        "outputs": {"out": {"sha256": digests.of(tmp_path / "out")}, "gone": {"sha256": "1"}},
    }
    now = {"setting a.b": "2", "input x": "22", "library torch": "2.13", "code new.py": "1"}
    outputs = {"out": tmp_path / "out", "gone": tmp_path / "gone"}
    assert fingerprint.reasons(now, record, outputs, digests) == [
        "code new.py is new",
        "code old.py is gone",
        "input x changed",
        "library torch changed: 2.12 -> 2.13",
        "setting a.b changed: 1 -> 2",
        "output gone is missing",
    ]
    assert fingerprint.reasons(now, None, outputs, digests) == ["it has not run here yet"]


def test_what_was_learned_of_code_is_kept_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("x = 1\n")
    digests = Digests(tmp_path / "digests.json")
    first = code_digest(path, digests)
    digests.save()
    again = Digests(tmp_path / "digests.json")
    assert code_digest(path, again) == first
    path.write_text("x = 22\n")
    assert code_digest(path, again) != first


def test_a_module_has_the_same_digest_imported_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from miners import repository_miner

    found = fingerprint.module_digest(repository_miner.__name__, tmp_path / "a")
    monkeypatch.delitem(sys.modules, repository_miner.__name__)
    assert fingerprint.module_digest(repository_miner.__name__, tmp_path / "b") == found
    assert fingerprint.module_digest("miners.clones", tmp_path / "b") != found
