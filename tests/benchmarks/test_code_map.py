"""The map against what ran, on a small project whose tests are really traced."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import PROJECT, Repo
from click.testing import CliRunner

from benchmarks.code_map import main

FILES: dict[str, str | bytes] = {
    "lib.py": """
import functools
import tools

def marked(function):
    @functools.wraps(function)
    def wrapper(*given):
        return function(*given)
    return wrapper

class Box:
    def __init__(self):
        self.value = tools.start()

    @marked
    def open(self):
        return [self.look(n) for n in (1, 2)]

    def look(self, n):
        if n > 5:
            self.never()
        return n

    def never(self): ...

def numbers():
    yield 1
    yield 2

def call(what):
    return what()
""",
    "tools.py": "def start():\n    return 0\n\ndef look(): ...\n",
    "tests/test_lib.py": """
import lib

def handed():
    return 1

def test_box():
    assert lib.Box().open() == [1, 2]

def test_numbers():
    assert list(lib.numbers()) == [1, 2]
    assert lib.call(handed) == 1
""",
}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with what its tests called."""
    repo = Repo.new(tmp_path_factory.mktemp("traced") / "project")
    repo.commit("begin", FILES)
    shutil.copy(PROJECT / "benchmarks" / "traced_calls.py", repo.path)
    line = [sys.executable, "-m", "pytest", "-p", "traced_calls", "-p", "no:cacheprovider", "-q", "tests"]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PYTHONPATH"))}
    done = subprocess.run(line, cwd=repo.path, env=clean, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    return repo.path


def test_the_tracer_notes_calls_lines_tests_and_imports(traced: Path) -> None:
    record: dict[str, Any] = json.loads((traced / "traced_calls.json").read_text())
    ran = {(path, name, there, other) for path, name, _, there, other in record["calls"]}
    assert {
        ("tests/test_lib.py", "test_box", "lib.py", "Box.__init__"),
        ("tests/test_lib.py", "test_box", "lib.py", "marked.wrapper"),
        ("lib.py", "marked.wrapper", "lib.py", "Box.open"),
        ("lib.py", "Box.open", "lib.py", "Box.look"),  # from within a comprehension
        ("lib.py", "Box.__init__", "tools.py", "start"),
        ("lib.py", "call", "tests/test_lib.py", "handed"),
    } <= ran
    assert ["tests/test_lib.py", "test_box", "lib.py", "Box.open"] in record["passed_on"]
    assert ["lib.py", "Box.never"] not in record["tests"]["tests/test_lib.py::test_box"]
    assert ["tools.py", "start"] in record["tests"]["tests/test_lib.py::test_box"]
    assert record["imports"] == [["lib.py", "tools.py"], ["tests/test_lib.py", "lib.py"]]
    never = FILES["lib.py"].splitlines().index("            self.never()") + 1  # type: ignore[arg-type]
    assert never not in record["lines"]["lib.py"]
    assert never - 1 in record["lines"]["lib.py"]


def test_shares_are_of_what_ran(traced: Path) -> None:
    said = CliRunner().invoke(main, [str(traced), "--wrong", "9"], catch_exceptions=False).stdout
    rows = {line.split(" | ")[0]: line.split(" | ")[1:] for line in said.splitlines() if line.startswith("| map")}
    claimed, precision, recall = rows["| map, sure"][:3]
    assert (claimed, precision.split()[0]) == ("7", "1.000")
    assert "missing lib.py call -> tests/test_lib.py handed" in said
    assert "missing tests/test_lib.py test_box -> lib.py marked.wrapper" in said
    assert 0.5 < float(recall.split()[0]) < 1
    name = next(line for line in said.splitlines() if line.startswith("| name alone | "))
    assert float(name.split(" | ")[2].split()[0]) < 1  # tools.look has the name, too
    assert rows["| map, whether any test reaches it"][1].startswith("0.857")  # all but `never`


def test_a_clone_without_a_trace_is_said_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(tmp_path)])
    assert done.exit_code == 1
    assert "traced_calls.json is not there" in done.output
