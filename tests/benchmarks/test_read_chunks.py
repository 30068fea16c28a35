"""Drawing chunks for a reader, and checking kept labels, on a built repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from builders import Program, Repo

CODE = "import os\n\n\ndef load(path):\n    return {}\n\n\nclass Tree:\n    def save(self):\n        return 0\n"


@pytest.fixture
def clone(make_repo: Callable[[str], Repo]) -> Repo:
    repo = make_repo("one+x")
    repo.commit("begin", {"store.py": CODE, "README.md": "# A\n"})
    repo.commit("Save twice", {"store.py": CODE.replace("return 0", "return 1")})
    repo.commit("Take no path", {"store.py": CODE.replace("load(path)", "load()"), "README.md": "# A\n\nText.\n"})
    return repo


def drafts(program: Program, clone: Repo, *options: str) -> list[dict[str, Any]]:
    file = program.folder / "drafts.jsonl"
    file.unlink(missing_ok=True)
    done = program.run("-m", "benchmarks.read_chunks", str(clone.path), "--drafts", str(file), *options)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in file.read_text().splitlines()]
    assert all(f"{one['commit']} {one['file']}" in done.stdout for one in found)
    return found


def check(program: Program, clone: Repo, *labels: dict[str, Any]) -> tuple[list[str], str]:
    """The cells of the table's only row, and everything printed."""
    (program.folder / "labels.jsonl").write_text("".join(json.dumps(one) + "\n" for one in labels))
    folder = str(clone.path.parent)
    done = program.run("-m", "benchmarks.read_chunks", "--check", folder, "--labels", "labels.jsonl")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[1].split(), done.stdout


def test_a_draw_has_one_chunk_of_a_commit_and_is_the_same_each_time(program: Program, clone: Repo) -> None:
    found = drafts(program, clone, "--language", "python")
    assert len({one["commit"] for one in found}) == len(found) == 3
    assert {one["language"] for one in found} == {"python"}
    assert drafts(program, clone, "--language", "python") == found
    assert len(drafts(program, clone, "--count", "2")) == 2
    assert len(drafts(program, clone, "--commits", "1")) == 1


def test_labels_are_found_by_their_first_changed_line_and_compared(program: Program, clone: Repo) -> None:
    labels = [one for one in drafts(program, clone, "--language", "python") if one["symbol"] != "Tree"]
    row, _ = check(program, clone, *labels)
    assert row[:5] == ["one/x", "1", str(len(labels)), "1.00", "1.00"]

    right = labels[0] | {"symbol": "other", "type": "bug_fix", "wrong": ["symbol", "type"]}
    row, output = check(program, clone, right, *labels[1:])
    rest = f"{(len(labels) - 1) / len(labels):.2f}"
    assert row[3:] == [rest, rest, rest, "1.00", rest, "1.00"]
    assert f"{right['line']}: type " in output
    assert "right: type bug_fix, symbol other" in output

    row, output = check(program, clone, labels[0] | {"line": "+999"})
    assert row[4:] == ["0.00"] * 5
    assert "+999: no chunk" in output


def test_a_folder_without_the_clone_is_refused(program: Program, clone: Repo) -> None:
    (program.folder / "labels.jsonl").write_text(json.dumps(drafts(program, clone, "--count", "1")[0]))
    (program.folder / "clones").mkdir()
    done = program.run("-m", "benchmarks.read_chunks", "--check", "clones", "--labels", "labels.jsonl")
    assert done.returncode == 2
    assert "no clone of one/x" in done.stderr
