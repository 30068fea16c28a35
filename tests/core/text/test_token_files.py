"""Windows equal a plain loop's, files have the bytes that torch.save writes, and neither needs them in memory."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import most_memory, windows
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.text import token_files
from core.text.stored_sequences import EarlierTokens, read_sequences
from core.text.token_files import WINDOW_KEYS, TokenWriter, load, save, write_windows


def plainly(tokens: list[int], context: int, target: int, stride: int, pad: int) -> list[tuple[list[int], ...]]:
    """The seed's loop: full contexts, targets padded on the right."""
    made = []
    for start in range(0, len(tokens) - context, stride):
        follow = tokens[start + context : start + context + target]
        missing = target - len(follow)
        made.append(
            (
                tokens[start : start + context],
                follow + [pad] * missing,
                [True] * context,
                [True] * len(follow) + [False] * missing,
            )
        )
    return made


@settings(max_examples=200)
@given(st.integers(2, 60), st.integers(1, 12), st.integers(1, 8), st.integers(1, 9))
def test_windows_equal_the_plain_loop(length: int, context: int, target: int, stride: int) -> None:
    tokens = list(range(1, length + 1))
    made = windows(torch.tensor(tokens), context, target, stride)
    assert made["stream"].tolist() == tokens
    if length > context:
        rows = list(zip(*(made[key].tolist() for key in WINDOW_KEYS), strict=True))
        assert rows == plainly(tokens, context, target, stride, 0)
    else:
        shown = made["contexts"][0][made["context_masks"][0]].tolist()
        asked = made["targets"][0][made["target_masks"][0]].tolist()
        assert shown + asked == tokens[: len(shown) + len(asked)]
        assert asked
        assert made["context_masks"][0].tolist() == sorted(made["context_masks"][0].tolist())


def test_a_file_of_windows_is_little_larger_than_its_stream(tmp_path: Path) -> None:
    tokens = torch.arange(100_000)
    path = tmp_path / "windows.pt"
    write_windows(path, tokens.numpy(), 2048, 256, 128, 0)
    assert path.stat().st_size < 1.2 * 8 * len(tokens)
    back = load(path, WINDOW_KEYS)
    assert back["contexts"].shape == (766, 2048)
    assert back["targets"].dtype == torch.int64
    assert back["target_masks"].dtype == torch.bool
    assert torch.equal(back["targets"][3], tokens[3 * 128 + 2048 :][:256])


@settings(max_examples=100)
@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 20), st.integers(1, 30), st.sampled_from([7, 1 << 20]))
def test_windows_have_the_bytes_that_torch_writes(
    tmp_path_factory: pytest.TempPathFactory, length: int, context: int, target: int, stride: int, block: int
) -> None:
    tokens = torch.arange(1, length + 1)
    made = windows(tokens, context, target, stride)
    left = int(made["stream"].storage_offset())
    store, mask = torch.full((made["stream"].untyped_storage().nbytes() // 8,), 5), None
    mask = torch.zeros(len(store), dtype=torch.bool)
    store[left : left + length], mask[left : left + length] = tokens, True
    count = len(made["contexts"])
    folder = tmp_path_factory.mktemp("windows")
    save(
        folder / "torch.pt",
        {
            "contexts": store.as_strided((count, context), (stride, 1)),
            "targets": store.as_strided((count, target), (stride, 1), context),
            "context_masks": mask.as_strided((count, context), (stride, 1)),
            "target_masks": mask.as_strided((count, target), (stride, 1), context),
            "stream": store[left : left + length],
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_files, "_BLOCK", block)
        write_windows(folder / "ours.pt", tokens.numpy(), context, target, stride, 5)
    assert (folder / "ours.pt").read_bytes() == (folder / "torch.pt").read_bytes()


def sequences(number: int, seed: int = 3) -> list[tuple[list[int], dict[str, Any]]]:
    """Ids and what is known of them, with names that the pickle holds anyway, and with numbers of every width."""
    chosen = random.Random(seed)
    names = [name.encode().decode() for name in ("storage", "cpu", "tokens", "metadata", "symbol", "é", "")]
    made = []
    for place in range(number):
        about = {
            "chunk_id": f"c_{place}",
            "commit_hash": f"{place // 3:040}",
            "digest": f"{place // 3:032}",
            "symbol": chosen.choice(names),
            "text_bytes": chosen.choice([0, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**40]),
        }
        if chosen.random() < 0.3:
            about["old_path"] = "src/old.rs"
        made.append(([chosen.randrange(60_000) for _ in range(chosen.choice([0, 1, 3, 300]))], about))
    return [*made, ([1, 2], {"chunk_id": "last", "digest": "d"})]


def write_tokens(path: Path, made: list[tuple[list[int], dict[str, Any]]]) -> None:
    with TokenWriter(path) as out:
        for ids, about in made:
            out.write(ids, about)
        assert out.finish() == sum(len(ids) for ids, _ in made)


@pytest.mark.parametrize("number", [0, 1, 2, 60, 998, 999, 1000, 2001])
def test_tokens_have_the_bytes_that_torch_writes(tmp_path: Path, number: int) -> None:
    made = sequences(number)
    write_tokens(tmp_path / "tokens.pt", made)
    once = {}.setdefault  # type: ignore[var-annotated]
    metadata = [
        {once(key, key): once(one, one) if type(one) is str else one for key, one in about.items()} for _, about in made
    ]
    flat = torch.tensor([id_ for ids, _ in made for id_ in ids], dtype=torch.int32)
    save(tmp_path / "torch.pt", {"tokens": list(flat.split([len(ids) for ids, _ in made])), "metadata": metadata})
    assert (tmp_path / "tokens.pt").read_bytes() == (tmp_path / "torch.pt").read_bytes()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["tokens.pt", "torch.pt"]


def test_sequences_are_read_back(tmp_path: Path) -> None:
    made = sequences(2500)
    write_tokens(tmp_path / "tokens.pt", made)
    abouts: list[dict[str, Any]] = []
    stored = read_sequences(tmp_path / "tokens.pt", abouts.append)
    assert abouts == [about for _, about in made]
    ends = stored.offsets.tolist()
    assert [stored.ids[a:b].tolist() for a, b in itertools.pairwise(ends)] == [ids for ids, _ in made]
    earlier = EarlierTokens(tmp_path / "tokens.pt", tmp_path)
    digest = made[1500][1]["digest"]
    found = [(np.frombuffer(ids, np.int32).tolist(), about) for ids, about in earlier.of(digest)]
    assert found == [one for one in made if one[1]["digest"] == digest]


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_files, "_BLOCK", 1 << 12)
    one, four = sequences(2_000), sequences(8_000)
    tokens = [np.arange(size, dtype=np.int32) for size in (50_000, 200_000)]
    write_tokens(tmp_path / "1.pt", one)  # what is made once, such as imports
    for small, large in (
        (lambda: write_tokens(tmp_path / "1.pt", one), lambda: write_tokens(tmp_path / "4.pt", four)),
        (
            lambda: write_windows(tmp_path / "w1.pt", tokens[0], 64, 8, 4, 0),
            lambda: write_windows(tmp_path / "w4.pt", tokens[1], 64, 8, 4, 0),
        ),
    ):
        assert most_memory(large) < 2 * most_memory(small) + 100_000


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    save(path, {"tokens": []})
    with pytest.raises(UserError, match="does not hold"):
        load(path, ["stream"])
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match="cannot be read"):
        load(path, ["tokens"])
    path.write_bytes(b"")
    with pytest.raises(UserError, match="cannot be read"):
        load(path, ["tokens"])
    path.write_bytes(b"PK\x03\x04" * 100)
    with pytest.raises(UserError, match="cannot be read"):
        load(path, ["tokens"])


@pytest.mark.parametrize(
    ("tokens", "metadata"),
    [
        ([torch.zeros(2, dtype=torch.int64)], [{"commit_hash": "a"}]),
        ([torch.zeros(2, 2, dtype=torch.int32)], [{"commit_hash": "a"}]),
        ([torch.zeros(9, dtype=torch.int32)[4:6]], [{"commit_hash": "a"}]),
        ([torch.zeros(2, dtype=torch.int32)], []),
        ([torch.zeros(2, dtype=torch.int32)], [{"commit_hash": 1}]),
        ([torch.zeros(9, dtype=torch.int32)[:4]], [{"commit_hash": "a"}]),
        ([torch.zeros(2, dtype=torch.int32), torch.zeros(2, dtype=torch.int32)], [{}, {}]),
        ([torch.zeros(2, dtype=torch.int32)], [{"commit_hash": ["a"]}]),
        ([3], [{"commit_hash": "a"}]),
        ("x", "y"),
    ],
)
def test_other_sequences_than_the_tokenizer_writes_are_refused(
    tmp_path: Path, tokens: object, metadata: object
) -> None:
    save(tmp_path / "tokens.pt", {"tokens": tokens, "metadata": metadata})
    with pytest.raises(UserError, match="is damaged"):
        read_sequences(tmp_path / "tokens.pt", lambda _: None)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "tokens.pt", {"tokens": Path, "metadata": []})
    with pytest.raises(UserError, match="is damaged"):
        read_sequences(tmp_path / "tokens.pt", lambda _: None)


def test_files_that_are_no_tokens_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.pt"
    write_tokens(path, sequences(5))
    whole = path.read_bytes()
    for content in (b"", b"PK\3\4" * 100, whole[:200], whole.replace(b"tokens", b"tokans")):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"cannot be read|is damaged"):
            read_sequences(path, lambda _: None)
