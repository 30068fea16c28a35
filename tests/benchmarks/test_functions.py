"""The table of `python -m benchmarks.functions`, on issues of a built repository."""

from __future__ import annotations

import json
from collections.abc import Callable

from builders import Program, Repo

CODE = "def load(path):\n    return {}\n\n\ndef save(tree):\n    return {}\n\n\ndef show(tree):\n    return 0\n"
TWO = "diff --git a/store.py b/store.py\n--- a/store.py\n+++ b/store.py\n@@ -2 +2 @@\n-b\n+a\n@@ -6 +6 @@\n-b\n+a\n"
PATCH = (
    "diff --git a/store.py b/store.py\n--- a/store.py\n+++ b/store.py\n@@ -{0} +{0} @@\n-    return 0\n+    return 9\n"
)


def line(number: int, base: str, text: str, **more: str) -> str:
    issue = f"{text}\n" + "It raises an error whenever it is called twice with the same thing. " * 5
    fixed = {"repo": "one/x", "base_commit": base, "issue": issue, "files": ["store.py"]}
    return json.dumps({"instance_id": f"one__x-{number}", **fixed, **more}) + "\n"


def test_functions_of_a_patch_or_of_the_pull_request_must_all_be_named(
    make_repo: Callable[[str], Repo], program: Program
) -> None:
    repo = make_repo("one+x")
    base = repo.commit("begin", {"store.py": CODE.format(0, 0), "other.py": "def other():\n    pass\n"})
    repo.commit("Save twice", {"store.py": CODE.format(0, 1)})
    repo.git("update-ref", "refs/pull/7/head", "HEAD")
    lines = [
        line(7, base, "save fails"),  # its fix is in the clone
        line(8, base, "load fails", patch=PATCH.format(2)),
        line(11, base, "load and save fail", patch=TWO),
        line(9, base, "nobody knows this fix"),
        line(10, base, "Fix the blank lines", patch=PATCH.format(4)),  # no function is there
    ]
    (program.folder / "issues.jsonl").write_text("".join(lines))
    done = program.run("-m", "benchmarks.functions", "issues.jsonl", str(program.folder.parent), "--cache-dir", "cache")
    assert done.returncode == 0, done.stderr
    assert "| all: gitlore | 3 | .667 | 1.000 |" in done.stdout  # two functions are not among one
    assert "files' order, then BM25 | 3 |" in done.stdout

    (program.folder / "issues.jsonl").write_text(lines[3])
    done = program.run("-m", "benchmarks.functions", "issues.jsonl", str(program.folder.parent), "--cache-dir", "cache")
    assert done.returncode == 2
    assert "no issue has a fix that changes a function" in done.stderr
