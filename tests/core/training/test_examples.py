"""Blocks and windows as a model gets them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import windows
from datasets import Dataset, DatasetDict
from transformers import LlamaConfig, LlamaForCausalLM

from core.errors import UserError
from core.models import base_models
from core.text.grammar import ChangeText, CommitText, FileText, serialise
from core.text.hunks import hunks
from core.text.vocabulary import Vocabulary
from core.training.examples import Blocks, Chosen, Collator, Edits, Windows
from core.training.loss import IGNORED

STREAM = torch.arange(100, 187)


def blocks(block: int, width: int, lengths: tuple[int, ...] = (), **named: str) -> Blocks:
    rows = []
    for first in range(0, len(STREAM) - 1, block - 1):
        ids = STREAM[first : first + block].numpy().astype(np.int32)
        rows.append({"input_ids": ids, "seq_lengths": lengths or (len(ids),), "first_token": first})
    return Blocks(Dataset.from_list(rows).with_format("numpy"), width, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize(("block", "width"), [(10, 10), (10, 4), (10, 7), (50, 8), (200, 200), (64, 32), (10, 2)])
def test_every_token_is_asked_for_once(block: int, width: int) -> None:
    made = blocks(block, width)
    asked = [int(id_) for number in range(len(made)) for id_ in made[number]["labels"][1:]]
    assert asked == STREAM[1:].tolist()
    assert sum(made.tokens(number) for number in range(len(made))) == len(STREAM) - 1
    assert all(len(made[number]["input_ids"]) <= width for number in range(len(made)))
    first_row = [made.tokens(number) for number in range(-(-(min(block, len(STREAM)) - 1) // max(width - 1, 1)))]
    assert max(first_row) - min(first_row) <= 1  # nearly equal pieces, no leftovers
    for number, first in enumerate(made.first_tokens()):
        assert int(made[number]["input_ids"][0]) == int(STREAM[first])


def test_blocks_know_their_stream() -> None:
    made = blocks(10, 10)
    assert made.belongs_to(STREAM)
    other = STREAM.clone()
    other[40] = 7
    assert not made.belongs_to(other)
    assert not made.belongs_to(STREAM[:-3])


def test_commits_do_not_see_each_other() -> None:
    made = blocks(87, 87, (30, 57), documents="commit")
    example = made[0]
    assert example["position_ids"].tolist() == [*range(30), *range(57)]
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    model = LlamaForCausalLM(shape).eval()
    batch = Collator(0)([example])
    with torch.no_grad():
        together = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits[0]
        alone = [model(input_ids=part[None]).logits[0] for part in (STREAM[:30], STREAM[30:])]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


def test_windows_ask_for_targets_alone() -> None:
    made = Windows(windows(STREAM, 16, 4, 2), 20)
    example = made[3]
    assert example["input_ids"].tolist() == STREAM[6:26].tolist()
    assert example["labels"].tolist() == [IGNORED] * 16 + STREAM[22:26].tolist()
    assert made.tokens(3) == 4
    assert made.length(3) == 20
    assert made.first_tokens()[3] == 22
    narrow = Windows(windows(STREAM, 16, 4, 2), 10)[3]
    assert Windows(windows(STREAM, 16, 4, 2), 10).length(3) == 10
    assert narrow["input_ids"].tolist() == STREAM[16:26].tolist()
    assert narrow["labels"].tolist() == [IGNORED] * 6 + STREAM[22:26].tolist()


def test_edits_ask_for_the_edit_alone(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path)
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    before, after = ("fn a() {\n", "    one();\n}\n"), ("fn a() {\n", "    two();\n}\n")
    change = ChangeText(
        change_type="modified_function",
        symbol_kind="function",
        symbol=("a",),
        before=("".join(before),),
        edit=hunks(("".join(before),), ("".join(after),)),
    )
    file = FileText(path=("a.rs",), language="rust", changes=[change, change])
    pieces = [
        piece
        for sequence in serialise(CommitText(year="2024", month="05", author=("A",), message=("m",), files=[file]))
        for piece in sequence
    ]
    stream = torch.tensor(vocabulary.encode([pieces])[0])
    made = Edits(stream, vocabulary.markers, 64)
    assert len(made) == 2
    for number, first in enumerate(made.first_tokens()):
        ids, labels = made[number]["input_ids"], made[number]["labels"]
        asked = labels != IGNORED
        assert torch.equal(ids[asked], labels[asked])
        assert torch.equal(ids[asked], stream[first : first + int(asked.sum())])
        assert made.tokens(number) == int(asked.sum())
        assert made.length(number) == len(ids) <= 64
        assert vocabulary.decode(labels[asked].tolist()).startswith("<REMOVED>    one();\n")
        assert asked.tolist() == sorted(asked.tolist())  # the edit comes last
    assert vocabulary.decode(made[1]["input_ids"].tolist()).count("<MESSAGE>m") == 1
    past = torch.arange(30).numpy()
    wide = Edits(stream, vocabulary.markers, 400, lambda position: past if position > len(stream) // 2 else past[:0])
    assert wide[1]["input_ids"][:30].tolist() == past.tolist()
    assert (wide[1]["labels"][:30] == IGNORED).all()
    assert wide.length(1) == len(wide[1]["input_ids"])
    assert wide[0]["input_ids"].tolist() == Edits(stream, vocabulary.markers, 400)[0]["input_ids"].tolist()


def test_a_padded_window_is_masked() -> None:
    example = Windows(windows(STREAM[:10], 16, 4, 2), 20)[0]
    real = example["attention_mask"].bool()
    assert example["input_ids"][real].tolist() == STREAM[:10].tolist()
    assert (example["labels"][~real] == IGNORED).all()


def test_short_examples_are_filled_up_on_the_right() -> None:
    made = blocks(10, 10)
    batch = Collator(7)([made[0], made[len(made) - 1]])
    short = len(made[len(made) - 1]["input_ids"])
    assert batch["input_ids"].shape == (2, 10)
    assert batch["input_ids"][1, short:].tolist() == [7] * (10 - short)
    assert batch["labels"][1, short:].tolist() == [IGNORED] * (10 - short)


def test_an_order_may_repeat() -> None:
    made = Chosen(blocks(10, 10), [2, 0, 2])
    assert len(made) == 3
    assert torch.equal(made[0]["input_ids"], made[2]["input_ids"])


def test_a_short_block_may_be_anywhere() -> None:
    """As it does where some repositories' blocks are taken more often."""
    rows = [{"input_ids": list(range(n)), "seq_lengths": [n], "first_token": 0} for n in (10, 3, 10, 2)]
    made = Blocks(Dataset.from_list(rows).with_format("numpy"), 4)
    assert [made[number]["input_ids"].tolist() for number in range(len(made))] == [
        *([0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9], [0, 1, 2]),
        *([0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9], [0, 1]),
    ]


@pytest.mark.parametrize("name", ["dataset_dict.json", "train/state.json", "train/dataset_info.json"])
@pytest.mark.parametrize("content", ['{"splits": 3, "features": 3}', "[" * 20_000 + "]" * 20_000, "[1]"])
def test_a_damaged_folder_of_blocks_is_reported(tmp_path: Path, name: str, content: str) -> None:
    rows = Dataset.from_dict({"input_ids": [[1, 2]]})
    DatasetDict({"train": rows}).save_to_disk(str(tmp_path / "dataset"))
    (tmp_path / "dataset" / name).write_text(content)
    with pytest.raises(UserError, match="cannot be read"):
        Blocks.load(tmp_path / "dataset", "train", 64)
