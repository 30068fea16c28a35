"""Files of adapters: whole, in their place, and none that nobody knows of."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from core.errors import StageError
from patterns.adapters.files import ABANDONED_S, AdapterFiles


def test_a_file_is_what_its_name_says(adapter: Path, tmp_path: Path) -> None:
    files = AdapterFiles(tmp_path / "adapters")
    with files.receiving() as place:
        packed = files.pack(adapter, place)
        files.keep(packed)
    path = files.check(packed.id)
    assert path.stat().st_size == packed.size
    assert list((tmp_path / "adapters").iterdir()) == [path]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert not files.is_whole(packed.id)
    with pytest.raises(StageError, match="is damaged"):
        files.check(packed.id)
    path.unlink()
    with pytest.raises(StageError, match="is missing"):
        files.check(packed.id)


def test_files_that_nobody_knows_of_are_swept(tmp_path: Path) -> None:
    files = AdapterFiles(tmp_path)
    for name in ("known.tar", "orphan.tar"):
        (tmp_path / name).write_bytes(b"x")
    old, young = tmp_path / ".received-old", tmp_path / ".received-young"
    for place in (old, young):
        place.mkdir()
        (place / "part").write_bytes(b"x")
    long_ago = time.time() - ABANDONED_S - 60
    os.utime(old, (long_ago, long_ago))
    assert files.sweep({"known"}) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [".received-young", "known.tar"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    def receive() -> None:
        with AdapterFiles(tmp_path / "adapters").receiving() as place:
            (place / "part").write_bytes(b"x")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StageError, match="cannot be written: No space left"):
        receive()
    assert list((tmp_path / "adapters").iterdir()) == []


def test_nothing_is_swept_where_nothing_was_added(tmp_path: Path) -> None:
    assert AdapterFiles(tmp_path / "none").sweep(set()) == 0
