"""The main line, and what came in with each of its commits."""

from __future__ import annotations

from pathlib import Path

import msgspec
from patterns_made_up import chunk

from core.records.chunk_files import chunk_groups
from core.records.chunks import NO_COMMIT
from patterns.steps import changes_of, main_line, steps_of

PARENTS = {"a": [], "b": ["a"], "x": ["a"], "y": ["x"], "m": ["b", "y"], "z": ["y"], "n": ["m", "z"]}


def test_a_merge_stands_for_the_commits_that_only_it_brought_in() -> None:
    assert [sorted(step) for step in main_line(PARENTS, "n")] == [["a"], ["b"], ["m", "x", "y"], ["n", "z"]]
    assert main_line(PARENTS, "n")[2][0] == "m"


def test_a_shallow_clone_has_the_commits_that_it_has() -> None:
    assert main_line({"b": ["a"], "c": ["b", "q"]}, "c") == [["b"], ["c"]]
    assert main_line({}, "c") == []


def test_steps_have_the_changes_of_their_commits(tmp_path: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    made = []
    for day, commit in zip((1, 4, 2, 3, 5), "axbyq", strict=True):
        when = msgspec.structs.replace(NO_COMMIT, author=f"of {commit}", commit_timestamp=f"2024-01-0{day}T00:00:00Z")
        patch = f"@@ -1 +1 @@\n-old_{commit}(1)\n+new_{commit}(1)\n"
        made.append(chunk(patch, commit_hash=commit, commit_metadata=when))
        made.append(chunk(patch, commit_hash=commit, commit_metadata=when, language="markdown"))
    path.write_bytes(b"\n".join(map(msgspec.json.encode, made)) + b"\n")
    changes = [changes_of(group.commit_hash, group.chunks()) for group in chunk_groups(path)]
    found = list(steps_of(filter(None, changes), PARENTS, "m"))
    assert [step.commit for step in found] == ["a", "b", "m"]
    assert [change.pairs for change in found[2].changes] == [
        (("old_x(1)", "new_x(1)"),),
        (("old_y(1)", "new_y(1)"),),
    ]
    assert (found[2].at.day, found[2].author) == (4, "of x")
