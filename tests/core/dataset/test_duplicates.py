"""Copies are found, and earlier versions of a symbol are not mistaken for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.dataset import duplicates
from core.dataset.abouts import Abouts
from core.dataset.duplicates import Duplicate, find, shingles
from core.dataset.history import CommitTokens, TokenHistory
from core.dataset.splits import Split

RANDOM = np.random.default_rng(11)


def code(length: int = 100) -> list[int]:
    return RANDOM.integers(0, 5000, length).tolist()


def changed(ids: list[int], *places: int) -> list[int]:
    return [9999 if place in places else id_ for place, id_ in enumerate(ids)]


def history(*chunks: tuple[str, list[int], dict[str, Any]]) -> tuple[TokenHistory, list[Split]]:
    """A history of one commit a chunk; each chunk is (split, code, more metadata)."""
    ids: list[int] = []
    offsets, codes, ends, metadata = [0], [], [], []
    splits = {name: Split(name, []) for name in ("train", "val", "test")}
    for number, (name, own, about) in enumerate(chunks):
        codes.append(len(ids) + 1)
        ids += [1, *own, 2]
        ends.append(len(ids))
        offsets.append(len(ids))
        metadata.append({"file_path": f"{number}.rs", "symbol": "f", **about})
        splits[name].commits.append(CommitTokens(str(number), "", "", number, number + 1, len(own) + 2))
    starts = np.array(offsets[:-1], np.int64)
    abouts = Abouts()
    for about in metadata:
        abouts.add(about)
    made = TokenHistory(
        np.array(ids, np.int32), np.array(offsets, np.int64), abouts, starts, starts, np.array(codes), np.array(ends)
    )
    return made, list(splits.values())


def kinds(found: dict[str, list[Duplicate]]) -> dict[str, list[tuple[int, int, str]]]:
    return {name: [(one.sequence, one.of, one.kind) for one in copies] for name, copies in found.items()}


def test_exact_and_near_copies_are_found() -> None:
    original, other = code(), code()
    made, splits = history(
        ("train", original, {}),
        ("train", other, {}),
        ("val", original, {}),
        ("val", changed(other, 50), {}),
        ("val", code(), {}),
        ("test", changed(original, 3, 97), {}),
        ("test", changed(original, *range(0, 100, 5)), {}),
    )
    found = find(made, splits, least_tokens=32, similarity=0.8)
    assert kinds(found) == {"val": [(2, 0, "exact"), (3, 1, "near")], "test": [(5, 2, "near")]}
    near = found["test"][0]
    a, b = set(shingles(made.code(5)).tolist()), set(shingles(made.code(0)).tolist())
    assert near.similarity == pytest.approx(len(a & b) / len(a | b))
    assert len(a) == 96


def test_an_earlier_version_of_a_symbol_is_not_a_copy() -> None:
    before = code()
    own = {"file_path": "a.rs", "symbol": "f"}
    made, splits = history(
        ("train", before, own),
        ("val", changed(before, 10), own),
        ("val", changed(before, 20), {"file_path": "b.rs", "symbol": "g", "old_path": "a.rs", "old_symbol": "f"}),
        ("val", changed(before, 30), {"file_path": "a.rs", "symbol": "copy"}),
        ("test", changed(before, 10, 80), own),
        ("test", before, own),
    )
    found = kinds(find(made, splits, least_tokens=32, similarity=0.8))
    assert [kind for _, _, kind in found["val"]] == ["earlier version", "earlier version", "near"]
    assert found["test"] == [(4, 1, "earlier version"), (5, 0, "exact")]


def test_a_symbol_that_was_a_copy_is_still_its_own_earlier_version() -> None:
    same = code()
    about = [{"file_path": f"{name}.rs", "symbol": "f"} for name in "abcdefgh"]
    made, splits = history(*(("train", same, one) for one in about), ("val", changed(same, 10), about[5]))
    assert kinds(find(made, splits, least_tokens=32, similarity=0.8))["val"] == [(8, 5, "earlier version")]


def test_short_code_is_left_alone() -> None:
    short = code(20)
    made, splits = history(("train", short, {}), ("val", short, {}), ("val", [], {}), ("test", code(3), {}))
    assert kinds(find(made, splits, least_tokens=32, similarity=0.8)) == {"val": [], "test": []}
    assert kinds(find(made, splits, least_tokens=21, similarity=0.8)) == {"val": [], "test": []}
    assert kinds(find(made, splits, least_tokens=20, similarity=0.8))["val"] == [(1, 0, "exact")]


def test_none_is_missed_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pair that is alike by exact comparison is found, whatever the blocks that minima are taken in."""
    monkeypatch.setattr(duplicates, "_BLOCK_TOKENS", 300)
    originals = [code(int(length)) for length in RANDOM.integers(40, 120, 60)]
    copies = [changed(one, len(one) // 2) for one in originals]
    made, splits = history(*(("train", one, {}) for one in originals), *(("test", one, {}) for one in copies))
    found = find(made, splits, least_tokens=32, similarity=0.8)["test"]
    expected = []
    for number, one in enumerate(originals):
        a, b = (set(shingles(np.array(ids, np.int32)).tolist()) for ids in (one, copies[number]))
        if len(a & b) / len(a | b) >= 0.8:
            expected.append((60 + number, number))
    assert len(expected) > 20
    assert [(one.sequence, one.of) for one in found] == expected
