"""A vocabulary keeps what belongs together, knows what its text supports, and learns from nothing else."""

from __future__ import annotations

import itertools

import pytest

from core.text import vocabulary_training as training
from core.text.grammar import AUTHOR, CODE_START, FILE_START, MARKERS
from core.text.vocabulary import PAD, UNK
from core.text.vocabulary_training import TrainingText, train

CODE = [
    f"pub fn do_{name}(&self, value_{name}: u32) -> Result<(), Error> {{\n        self.{name} += value_{name};\n}}\n"
    for name in ("".join(letters) for letters in itertools.product("bdgk", "aeiou", ("lt", "mn", "rs"), "aeio"))
] * 3


def text() -> TrainingText:
    return TrainingText([[CODE_START, code] for code in CODE])


def split(source: str) -> list[str]:
    return [source[start:end] for _, (start, end) in training.untrained().pre_tokenizer.pre_tokenize_str(source)]


def test_nothing_that_belongs_together_is_cut() -> None:
    source = "fn get_energy_2(&mut self) -> u32 {\n        self.total_energy >>= 12345;\r\n\tx\n\n\n    y  }"
    pieces = split(source)
    assert "".join(pieces) == source
    for whole in ("get_energy_2", "total_energy", ">>=", "->", "\n        ", "\r\n\t", "\n\n\n    "):
        assert any(whole in piece for piece in pieces)
    assert [piece for piece in pieces if piece.strip().isdigit()] == [" 123", "45"]


@pytest.mark.parametrize("size", [600, 700])
def test_a_requested_size_is_used(size: int) -> None:
    vocabulary = train(text(), size)
    assert vocabulary.size == size
    names = [vocabulary.tokenizer.id_to_token(id_) for id_ in range(2 + len(MARKERS))]
    assert names == [PAD, UNK, *map(str, MARKERS)]


def test_values_count_towards_the_size() -> None:
    sequences = [[FILE_START, "a.rs", AUTHOR, "Ada", CODE_START, code] for code in CODE]
    vocabulary = train(TrainingText([*sequences, [FILE_START, "rare.rs"]]), 600, most_values=5, least=2)
    assert vocabulary.size == 600
    assert list(vocabulary.values) == [(AUTHOR, "Ada"), (FILE_START, "a.rs")]
    assert sorted(vocabulary.values.values()) == [598, 599]


def test_auto_learns_what_occurs_often_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {}
    for often in (5, 20, 80):
        monkeypatch.setattr(training, "OFTEN", often)
        sizes[often] = train(text(), None).size
    assert sizes[5] > sizes[20] > sizes[80] > 2 + len(MARKERS) + 256
    monkeypatch.setattr(training, "MOST_ENTRIES", 600)
    monkeypatch.setattr(training, "OFTEN", 5)
    assert train(text(), None).size == 600


@pytest.mark.parametrize(("times", "learned"), [(19, 0), (20, 1)])
def test_auto_learns_what_occurs_twenty_times(times: int, learned: int) -> None:
    assert train(TrainingText([[CODE_START, "qz\n" * times]]), None).size == 2 + len(MARKERS) + 256 + learned


@pytest.mark.parametrize(("length", "learned"), [(120, 1), (121, 0)])
def test_a_value_of_up_to_120_characters_becomes_one_token(length: int, learned: int) -> None:
    assert len(train(TrainingText([[AUTHOR, "a" * length]]), 600, most_values=9).values) == learned


def test_little_text_gives_a_small_vocabulary() -> None:
    small = train(TrainingText([[CODE_START, "fn a() {}"]]), None)
    assert small.size == 2 + len(MARKERS) + 256
    small.check_lossless()
