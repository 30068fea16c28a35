"""Patch ids are git's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from builders import Repo, scrape


def test_patch_ids_equal_gits(history: Repo, tmp_path: Path) -> None:
    text = "".join(f"line {n}\n" for n in range(60))
    history.commit(
        "odd", {'quo"te': text, "tab\there": text, "no newline": "x", "crlf": "a\r\nb\r\n", "spaces": "\tx y \f\n"}
    )
    history.git("mv", 'quo"te', "moved there")
    history.git("rm", "-q", "crlf")
    (history.path / "tab\there").chmod(0o755)
    edited = text.replace("line 5\n", "LINE 5\n").replace("line 50\n", "")
    history.commit("rename, edit, mode", {"moved there": edited, "tab\there": edited, "no newline": "x\ny"})
    history.commit("white space", {"spaces": "x  y\n", "fake": "@@ -1 +1 @@\n\\ No newline\n--- a\n+++ b\n"})
    log = ["git", "log", "-p", "--full-index", "-M50%", "main"]
    patches = subprocess.run(log, cwd=history.path, capture_output=True, check=True).stdout
    words = ["git", "patch-id", "--stable"]
    answer = subprocess.run(words, cwd=history.path, input=patches, capture_output=True, check=True).stdout
    own = {hash_: id_ for id_, hash_ in (line.split() for line in answer.decode().splitlines())}
    commits = scrape(history.path, tmp_path / "out").commits
    assert {commit.metadata.hash: commit.metadata.patch_id for commit in commits} == own


def test_equal_changes_are_found_at_any_line(history: Repo, tmp_path: Path) -> None:
    first = history.commit("insert", {"README.md": "# Notes\n\nversion 11\nmore\n"})
    history.commit("push it down", {"README.md": "a\nb\nc\n# Notes\n\nversion 11\n"})
    history.commit("insert again", {"README.md": "a\nb\nc\n# Notes\n\nversion 11\nmore\n"})
    history.commit("nothing")
    commits = scrape(history.path, tmp_path / "out").commits
    assert commits[-2].duplicate_of == first
    assert (commits[-1].metadata.patch_id, commits[-1].duplicate_of) == (None, None)
