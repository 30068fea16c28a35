"""The index on disk: complete or refused, and what is there already is taken over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import UserError
from core.records.copying import INFO
from core.scoring import copying_folder
from core.scoring.copying import Cache
from core.scoring.copying_folder import CopyingWriter, ends, read_index, read_info
from core.scoring.segments import Segment

Ids = NDArray[np.int64]
IDS: Ids = np.random.default_rng(0).integers(0, 5, 1000)
CACHE = Cache(np.full(Cache.SHAPE, 0.5))


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying_folder, "SIZES", (256, 64))


def written(folder: Path, *parts: Ids, earlier: Path | None = None) -> Path:
    writer = CopyingWriter(folder, 2, earlier)
    for part in parts:
        writer.add(part)
    writer.finish("a model", CACHE)
    return folder


def test_what_was_written_is_read(tmp_path: Path) -> None:
    folder = written(tmp_path / "copying", IDS[:700], IDS[700:])
    info = read_info(folder)
    index = read_index(folder, info)
    assert info.model == "a model"
    assert (np.array(info.weights) == CACHE.weights).all()
    assert [one.tokens for one in index.segments] == [256, 256, 64, 64, 60, 256, 44]
    kept = [segment.backward[: segment.tokens][::-1] for segment in index.segments]
    assert (np.concatenate(kept) == IDS).all()
    assert [segment.lead for segment in index.segments] == [0, *[32] * 6]


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_longer_history_has_most_ends_of_a_shorter_one(one: int, other: int) -> None:
    short, long = sorted((one, other))
    found = ends(short)
    assert found == sorted(set(found))
    assert (found[-1] if found else 0) == short
    assert {end for end in found if end % 256 == 0} <= set(ends(long))
    assert len(found) <= short // 256 + 4


def test_segments_of_the_last_time_are_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = written(tmp_path / "first", IDS[:800])
    sort, sorted_again = Segment.of, list[int]()

    def of(ids: Ids, lead: int, size: int) -> Segment:
        sorted_again.append(len(ids))
        return sort(ids, lead, size)

    monkeypatch.setattr(Segment, "of", of)
    second = written(tmp_path / "second", IDS[:900], earlier=first)
    assert sorted_again == [64 + 32, 64 + 32, 4 + 32]  # what is behind the first 768, with its lead
    again = written(tmp_path / "again", IDS[:900])
    for file in ("0.bin", "3.bin", INFO):
        assert (second / file).read_bytes() == (again / file).read_bytes()


def test_only_the_newest_of_a_long_history_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying_folder, "MOST_TOKENS", 300)
    index = read_index(folder := written(tmp_path / "copying", IDS), read_info(folder))
    assert index.segments[0].lead == 0
    assert sum(segment.tokens for segment in index.segments) == 1000 - 512  # whole segments are left out


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("0.bin", lambda data: data[:-1]),
        ("1.bin", lambda data: data[:5] + bytes([data[5] ^ 1]) + data[6:]),
        ("1.bin", lambda data: b""),
        (INFO, lambda data: data[:-9]),
        (INFO, lambda data: data.replace(b'"tokens": 64', b'"tokens": 63')),
        (INFO, lambda data: data.replace(b"0.5", b"1.5", 1)),
        (INFO, lambda data: data.replace(b"0.5", b"NaN", 1)),
        (INFO, lambda data: json.dumps({**json.loads(data), "weights": [[0.5]]}).encode()),
        (INFO, lambda data: data.replace(b'"id_bytes": 2', b'"id_bytes": 4')),
    ],
)
def test_damage_is_a_sentence_and_nothing_of_it_is_taken_over(
    tmp_path: Path, file: str, damage: Callable[[bytes], bytes]
) -> None:
    folder = written(tmp_path / "copying", IDS[:320])
    whole = (folder / file).read_bytes()
    (folder / file).write_bytes(damage(whole))
    assert (folder / file).read_bytes() != whole
    with pytest.raises(UserError, match="copying"):
        read_index(folder, read_info(folder))
    again = written(tmp_path / "again", IDS[:320], earlier=folder)
    assert sum(segment.tokens for segment in read_index(again, read_info(again)).segments) == 320


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    folder = written(tmp_path / "copying", IDS[:320])
    (folder / "1.bin").unlink()
    with pytest.raises(UserError, match="cannot be read"):
        read_index(folder, read_info(folder))
