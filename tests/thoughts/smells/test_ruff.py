"""What ruff writes, read back."""

from __future__ import annotations

import json
import subprocess
from importlib import metadata
from pathlib import Path

from thoughts.smells.findings import MOST_LINES, Finding
from thoughts.smells.ruff import Ruff


def test_findings_are_read_back_from_what_ruff_writes(tmp_path: Path) -> None:
    tree, output = tmp_path / "tree", tmp_path / "out"
    (tree / "p").mkdir(parents=True)
    (tree / "p" / "a.py").write_text("import os\n\n\ndef f(x=[]):\n    return x\n", encoding="utf-8")
    (tree / "p" / "broken.py").write_text("def (\n", encoding="utf-8")
    (tree / "ruff.toml").write_text('exclude = ["*"]\n', encoding="utf-8")  # the repository's settings do not count
    (tree / ".gitignore").write_text("*\n", encoding="utf-8")
    subprocess.run(Ruff().command(tree, output), check=True)
    found = list(Ruff().findings(output, tree))
    assert {("ruff F401", "p/a.py", 1), ("ruff B006", "p/a.py", 4)} <= {one[:3] for one in found}
    assert any(one.path == "p/broken.py" for one in found)


def test_its_version_is_what_the_program_says() -> None:
    assert Ruff().version == metadata.version("ruff")


def test_what_is_no_finding_is_left_out_and_long_ones_are_cut(tmp_path: Path) -> None:
    said = {
        "code": "D101", "filename": "/tree/a.py", "message": "Missing docstring", "location": {"row": 3, "column": 1},
        "end_location": {"row": 90, "column": 1},
    }  # fmt: skip
    backwards = {**said, "code": None, "end_location": {"row": 1, "column": 1}}
    lines = [json.dumps(said), "not json", "[1]", json.dumps({**said, "location": None}), json.dumps(backwards)]
    (tmp_path / "out").write_text("\n".join(lines), encoding="utf-8")
    assert list(Ruff().findings(tmp_path / "out", Path("/tree"))) == [
        Finding("ruff D101", "a.py", 3, 3 + MOST_LINES - 1, "Missing docstring"),
        Finding("ruff syntax", "a.py", 3, 3, "Missing docstring"),
    ]
