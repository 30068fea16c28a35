"""Windows equal a plain loop's, and cost what the stream costs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.text.token_files import WINDOW_KEYS, TokenWriter, load, load_sequences, save, windows


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
    made = windows(torch.tensor(tokens), context, target, stride, 0)
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
    save(path, windows(tokens, 2048, 256, 128, 0))
    assert path.stat().st_size < 1.2 * 8 * len(tokens)
    back = load(path, WINDOW_KEYS)
    assert back["contexts"].shape == (766, 2048)
    assert back["targets"].dtype == torch.int64
    assert back["target_masks"].dtype == torch.bool
    assert torch.equal(back["targets"][3], tokens[3 * 128 + 2048 :][:256])


def test_tokens_file(tmp_path: Path) -> None:
    path = tmp_path / "tokens.pt"
    with TokenWriter(path) as out:
        out.write([1, 2, 3], {"chunk_id": "a"})
        out.write([], {"chunk_id": "b"})
        out.write([4], {"chunk_id": "c"})
        assert out.finish() == 4
    data = torch.load(path, weights_only=True)
    assert len(data["tokens"]) == len(data["metadata"]) == 3
    assert [sequence.tolist() for sequence in data["tokens"]] == [[1, 2, 3], [], [4]]
    stores = {sequence.untyped_storage().data_ptr() for sequence in data["tokens"] if len(sequence)}
    assert len(stores) == 1
    assert [item.name for item in tmp_path.iterdir()] == ["tokens.pt"]


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
        ([3], [{"commit_hash": "a"}]),
        ("x", "y"),
    ],
)
def test_other_sequences_than_the_tokenizer_writes_are_refused(
    tmp_path: Path, tokens: object, metadata: object
) -> None:
    save(tmp_path / "tokens.pt", {"tokens": tokens, "metadata": metadata})
    with pytest.raises(UserError, match="is damaged"):
        load_sequences(tmp_path / "tokens.pt")
