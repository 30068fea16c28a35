"""Ctrl-C while a command still imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *line: str, error: str = "KeyboardInterrupt") -> subprocess.CompletedProcess[str]:
    """Run Python where the import of yaml, which all commands have, ends with an error."""
    (folder / "yaml.py").write_text(f"raise {error}\n", encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    words = [sys.executable, *line]
    return subprocess.run(words, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "line",
    [
        ["chat.py"],
        ["predict.py"],
        ["serve.py"],
        ["pipeline.py"],
        ["-m", "stores"],
        ["-X", "utf8", "-m", "chat", "--status"],
    ],
)
def test_a_command_ends_with_a_word(tmp_path: Path, line: list[str]) -> None:
    done = run(tmp_path, *line)
    assert done.stderr == "interrupted\n"
    assert done.returncode != 0


def test_a_program_that_uses_the_library_sees_where_it_was(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", "import core.config")
    assert "Traceback" in done.stderr
    script = tmp_path / "own.py"
    script.write_text("import core\nraise KeyboardInterrupt\n", encoding="utf-8")
    assert "Traceback" in run(tmp_path, str(script)).stderr


def test_other_errors_of_a_command_keep_their_traceback(tmp_path: Path) -> None:
    assert "Traceback" in run(tmp_path, "chat.py", error="ValueError").stderr
