"""Texts in UTF-16 and UTF-32, which are binary to git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo, scrape
from msgspec import UNSET

from core.records.commits import FileDiff

MakeRepo = Callable[[str], Repo]
LINES = [f"line {number}: größe, 表示\r\n" for number in range(30)]


def wide(lines: list[str], name: str) -> bytes:
    return ("\ufeff" + "".join(lines)).encode(name)


def changes(repo: Repo, folder: Path, **settings: int) -> list[FileDiff]:
    """Of its last commit."""
    return scrape(repo.path, folder, **settings).commits[-1].diffs


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_patch_is_that_of_the_text(make_repo: MakeRepo, tmp_path: Path, name: str) -> None:
    repo = make_repo("wide")
    edited = [*LINES[:10], "other\n", *LINES[11:]]
    repo.commit("new", {"a.rc": wide(LINES, name), "b.txt": "".join(LINES)})
    repo.commit("edit", {"a.rc": wide(edited, name), "b.txt": "".join(edited)})
    one, other = changes(repo, tmp_path / "out")
    assert one.patch == other.patch
    assert (one.additions, one.deletions, one.is_binary, one.encoding) == (1, 1, False, "utf-8")
    assert (one.old_wide_encoding, one.wide_encoding) == (name, name)
    assert other.old_wide_encoding is other.wide_encoding is UNSET
    (repo.path / "a.rc").unlink()
    repo.commit("gone")
    (gone,) = changes(repo, tmp_path / "gone")
    assert (gone.additions, gone.deletions, gone.is_binary) == (0, 30, False)
    assert (gone.old_wide_encoding, gone.wide_encoding) == (name, UNSET)


def test_what_else_is_binary_stays_binary(make_repo: MakeRepo, tmp_path: Path) -> None:
    repo = make_repo("wide")
    text, picture = wide(LINES, "utf-16-le"), b"\x89PNG\r\n\x1a\n\0\0"
    files = {"a": text, "b": picture, "large": wide(LINES * 50, "utf-16-be"), "long": wide(["表" * 2000], "utf-16-le")}
    repo.commit("one", {**files, "c": picture})
    repo.commit("two", {name: picture + content for name, content in files.items()} | {"c": text})
    for diff in changes(repo, tmp_path / "out", max_file_bytes=5000):
        assert (diff.is_binary, diff.patch, diff.additions) == (True, "", 0)
        assert diff.old_wide_encoding is diff.wide_encoding is UNSET
    found = scrape(repo.path, tmp_path / "first", max_file_bytes=5000)
    assert {diff.filename for diff in found.commits[0].diffs if diff.wide_encoding} == {"a"}


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_renamed_text_is_no_binary_file(make_repo: MakeRepo, tmp_path: Path, name: str) -> None:
    repo = make_repo("wide")
    repo.commit("one", {"a": wide(LINES, name), "b.png": b"\x89PNG\0\0"})
    repo.git("mv", "a", "c")
    repo.git("mv", "b.png", "d.png")
    repo.commit("two")
    text, picture = changes(repo, tmp_path / "out")
    assert (text.change_type, text.is_binary, text.wide_encoding) == ("R", False, name)
    assert (picture.change_type, picture.is_binary, picture.wide_encoding) == ("R", True, UNSET)


def test_many_texts_are_the_same_for_any_number_of_workers(make_repo: MakeRepo, tmp_path: Path) -> None:
    repo = make_repo("wide")
    for turn in range(3):
        files = {f"{n}.rc": wide([f"{n % 7} {turn}\n", *LINES[turn:]], "utf-16-le") for n in range(120)}
        repo.commit(f"{turn}", {**files, "picture.png": b"\x89PNG\0" + bytes([turn])})
    one, many = (scrape(repo.path, tmp_path / str(workers), workers=workers) for workers in (1, 4))
    assert one.text == many.text
    assert one.counts["changes of texts in UTF-16 or UTF-32"] == 360
    for commit in one.commits:
        for diff in commit.diffs:
            assert diff.is_binary == (diff.filename == "picture.png")
    repo.commit("more", {"0.rc": wide(LINES, "utf-16-be")})
    refreshed, whole = scrape(repo.path, tmp_path / "new", one), scrape(repo.path, tmp_path / "whole")
    assert refreshed.text == whole.text
    assert refreshed.counts["changes of texts in UTF-16 or UTF-32"] == 361


def test_the_text_of_both_sides_is_what_the_patch_says(make_repo: MakeRepo, tmp_path: Path) -> None:
    repo = make_repo("wide")
    repo.commit("wide", {"a.c": wide(LINES, "utf-16-be"), "b.c": "\ufeff" + "".join(LINES)})
    repo.commit("utf-8", {"a.c": "\ufeff" + "".join(LINES[1:]), "b.c": wide(LINES[:-1], "utf-16-be")})
    one, other = changes(repo, tmp_path / "out")
    assert (one.old_wide_encoding, one.wide_encoding) == ("utf-16-be", UNSET)
    assert (other.old_wide_encoding, other.wide_encoding) == (UNSET, "utf-16-be")
    # The mark is a part of the first line.
    assert (one.additions, one.deletions) == (1, 2)
    assert (other.additions, other.deletions) == (0, 1)
    assert f"-{LINES[-1]}" in other.patch
