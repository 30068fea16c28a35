"""Whole files and their digests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.files import Digests, atomic_write, size_of, write_json


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail_half_way() -> None:
        with atomic_write(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


def test_digest_follows_content_and_names(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("1")
    digests = Digests(tmp_path / "digests.json")
    first = digests.of(folder)
    (folder / "a").rename(folder / "b")
    renamed = digests.of(folder)
    (folder / "b").write_text("22")
    assert len({first, renamed, digests.of(folder)}) == 3
    assert digests.of(tmp_path / "none") is None


def test_known_files_are_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("content")
    digests = Digests(tmp_path / "digests.json")
    before = digests.of(file)
    digests.save()
    stamp = file.stat()
    moved = file.rename(tmp_path / "moved")
    moved.write_text("CONTENT")  # seen only by who reads the file again
    os.utime(moved, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert Digests(tmp_path / "digests.json").of(moved) == before
    os.utime(moved, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))
    assert Digests(tmp_path / "digests.json").of(moved) != before


def test_a_broken_digest_store_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("content")
    (tmp_path / "digests.json").write_text("{")
    assert Digests(tmp_path / "digests.json").of(file)


def test_size_of_a_folder(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "a.json", {"x": 1})
    assert size_of(tmp_path) == (tmp_path / "deep" / "a.json").stat().st_size
