from __future__ import annotations

import os
from pathlib import Path

from thoughts.sandbox.watching import children_of, shared_fairly, size_of_folder, use_below


def test_holes_take_no_place_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside").write_bytes(bytes(1 << 20))
    with (tmp_path / "inside" / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    (tmp_path / "inside" / "link").symlink_to(tmp_path)

    size, files = size_of_folder(str(tmp_path / "inside"), 100)
    assert size < 1 << 16
    assert files == 2


def test_files_are_counted_no_further_than_allowed(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / str(number)).touch()

    assert size_of_folder(str(tmp_path), 10)[1] == 11
    assert size_of_folder(str(tmp_path), 100)[1] == 50


def test_folders_too_deep_to_look_into_are_too_many(tmp_path: Path) -> None:
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=place)
        below = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)

    assert size_of_folder(str(tmp_path), 1000)[1] == 1001


def test_names_too_long_to_look_into_are_too_many(tmp_path: Path) -> None:
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=place)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)

    assert size_of_folder(str(tmp_path), 1000)[1] == 1001


def test_a_process_that_has_ended_uses_nothing() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)

    assert children_of(child) == []
    assert use_below(child, 10).processes == 0
    assert shared_fairly(child) == 0
