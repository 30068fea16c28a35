"""The main line as git shows it: sections, hunks, kinds of files."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import Repo

from core.git import main_line


def edits(repo: Repo) -> list[main_line.FileEdit]:
    """Those of the newest commit."""
    *_, last = main_line.steps(repo.path / ".git", "HEAD")
    assert last.hash == repo.git("rev-parse", "HEAD")
    assert last.time == repo.clock
    return last.edits


def test_hunks_have_the_lines_of_both_sides_and_where_they_are(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "1\n2\n3\n4\n5\n"})
    repo.commit("b", {"a.py": "0\n1\n2\n3\nfour\n-- 4\n"})
    (edit,) = edits(repo)
    assert edit.hunks == [
        main_line.Hunk(0, [], 1, [b"0"]),
        main_line.Hunk(4, [b"4", b"5"], 5, [b"four", b"-- 4"]),
    ]


def test_content_that_looks_like_a_patch_is_content(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    text = "diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\nBinary files a and b differ"
    repo.commit("a", {"a.patch": text, "b.py": "x\n"})
    first, second = edits(repo)
    assert [line.decode() for line in first.hunks[0].added] == text.split("\n")
    assert second.hunks == [main_line.Hunk(0, [], 1, [b"x"])]


def test_each_kind_of_change_gets_its_own_section(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"mode": "x\n", "link": "target\n", "old name": "a\nb\nc\n", "gone": "g\n", "data": b"\0\1"})
    sub = Repo.new(tmp_path / "sub")
    sub.commit("s", {"s": "s"})
    (repo.path / "mode").chmod(0o755)
    (repo.path / "link").unlink()
    (repo.path / "link").symlink_to("mode")
    (repo.path / "old name").rename(repo.path / 'a "new"\nname')
    (repo.path / "gone").unlink()
    repo.write({"data": b"\0\2", "empty": ""})
    repo.git("clone", "-q", str(sub.path), "module")
    repo.commit("b")
    found = {(edit.old_path, edit.new_path): edit for edit in edits(repo)}
    assert set(found) == {
        *((name, name) for name in (b"mode", b"data")),
        *((b"link", b""), (b"", b"link"), (b"gone", b""), (b"", b"empty"), (b"old name", b'a "new"\nname')),
    }
    assert found[b"", b"link"].hunks == [main_line.Hunk(0, [], 1, [b"mode"])]
    assert found[b"link", b""].hunks == [main_line.Hunk(1, [b"target"], 0, [])]
    assert found[b"data", b"data"].is_binary
    assert not found[b"mode", b"mode"].hunks


def test_a_marker_on_the_border_of_two_blocks_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.new(tmp_path / "r")
    hashes = [repo.commit(f"c{number}", {"a": f"{number}\n" * number}) for number in range(8)]
    for size in (7, 33, 64):
        monkeypatch.setattr(main_line, "_BLOCK_BYTES", size)
        found = list(main_line.steps(repo.path / ".git", "HEAD"))
        assert [step.hash for step in found] == hashes
        assert found[5].edits[0].hunks[0].added == [b"5"] * 5


def test_a_merge_is_one_step_against_its_first_parent(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    first = repo.commit("a", {"a": "1\n"})
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit("b", {"b": "1\n"})
    repo.git("checkout", "-q", "main")
    second = repo.commit("c", {"c": "1\n"})
    repo.git("merge", "-q", "--no-ff", "side", "-m", "merge")
    merge = repo.git("rev-parse", "HEAD")
    git_dir = repo.path / ".git"
    assert main_line.first_parents(git_dir, "HEAD") == [first, second, merge]
    assert main_line.parents(git_dir, "HEAD")[merge] == [second, side]
    (step,) = main_line.steps(git_dir, "HEAD", second)
    assert [edit.new_path for edit in step.edits] == [b"b"]


def test_edits_between_commits_are_those_of_the_wanted_files(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "1\n2\n", "b.md": "x\n", "p/c.py": "1\n"})
    repo.commit("b", {"a.py": "1\nx\n"})
    repo.commit("c", {"a.py": "1\ny\n", "b.md": "y\n", "p/c.py": "2\n"})
    found = main_line.edits_between(repo.path / ".git", "HEAD~2", "HEAD", ["*.py"])
    assert [(one.old_path, one.hunks) for one in found] == [
        (b"a.py", [main_line.Hunk(2, [b"2"], 2, [b"y"])]),
        (b"p/c.py", [main_line.Hunk(1, [b"1"], 1, [b"2"])]),
    ]
    assert len(main_line.edits_between(repo.path / ".git", "HEAD~2", "HEAD")) == 3
    assert main_line.edits_between(repo.path / ".git", "HEAD", "HEAD") == []
