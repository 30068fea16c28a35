"""Rows of a split: the same tokens for all, mixes compared with their parts, groups that add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.dataset import baselines
from core.evaluation import compression
from core.evaluation.figures import figures
from core.evaluation.held_out import HeldOut
from core.models import base_models
from core.records.evaluation import BASE, CACHE, COPY, TRIGRAM, TUNED, UNIFORM, UNIGRAM, XZ, XZ_TRAINED
from core.scoring.scores import Scores
from core.text.grammar import ChangeText, CommitText, FileText, serialise
from core.text.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path_factory.mktemp("cache"))
    return Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))


def history(vocabulary: Vocabulary, numbers: range) -> torch.Tensor:
    pieces = []
    for number in numbers:
        change = ChangeText(
            change_type="modified_function",
            symbol_kind="function",
            symbol=(f"f{number % 3}",),
            code=(f"fn f{number % 3}(x: u32) -> u32 {{ x * {number} }}",),
        )
        file = FileText(path=("src/lib.rs",), language="rust", module=("lib",), changes=[change])
        commit = CommitText(year="2024", month="01", author=("Ada",), message=(f"step {number}",), files=[file])
        pieces += [piece for sequence in serialise(commit) for piece in sequence]
    return torch.tensor(vocabulary.encode([pieces])[0])


@pytest.fixture(scope="module")
def held_out(vocabulary: Vocabulary) -> HeldOut:
    earlier = [history(vocabulary, range(20)), history(vocabulary, range(20, 24))]
    return HeldOut.of(earlier, history(vocabulary, range(24, 32)), vocabulary, 50, 200)


def made_up(held_out: HeldOut) -> dict[str, Scores]:
    draw = np.random.default_rng(0)
    count = len(held_out.targets)
    return {
        name: Scores(draw.exponential(size=count), draw.random(count) > 0.5, draw.exponential(size=count))
        for name in (TUNED, BASE)
    }


def test_all_rows_are_of_the_same_tokens(held_out: HeldOut) -> None:
    rows = held_out.counting() | made_up(held_out)
    rows = held_out.mix(rows, held_out.learn(rows))
    assert {TUNED, BASE, TUNED + CACHE, BASE + CACHE, TRIGRAM, COPY, UNIFORM, UNIGRAM} == rows.keys()
    assert {len(scores.nats) for scores in rows.values()} == {len(held_out.targets)}
    table = held_out.table(rows, samples=50, seed=1)
    assert {row.tokens for name, row in table.rows.items() if name not in (XZ, XZ_TRAINED)} == {len(held_out.targets)}
    assert table.rows[XZ_TRAINED].bits_per_byte < table.rows[XZ].bits_per_byte
    assert (table.rows[COPY].token_accuracy or 0) > 0.8
    assert table.rows[COPY].bits_per_byte < table.rows[TRIGRAM].bits_per_byte
    assert all((table.gain, table.gain_of_cache, table.gain_over_copy))


def test_counting_is_that_of_the_dataset_at_the_targets(held_out: HeldOut) -> None:
    train = held_out.earlier[: held_out.trained].astype(np.int32)
    stream = held_out.stream.numpy().astype(np.int32)
    whole = baselines.trigram(train, held_out.vocabulary.size, stream)
    mine = held_out.counting()[TRIGRAM]
    np.testing.assert_allclose(mine.nats, -np.log(whole[held_out.targets.positions - 1]))
    right = held_out.guessed.ids == held_out.target_ids
    assert mine.candidate_nats is not None
    np.testing.assert_allclose(mine.candidate_nats[right], mine.nats[right])


def test_guesses_never_see_later_tokens(held_out: HeldOut, vocabulary: Vocabulary) -> None:
    """With another ending the guesses before it stay what they were."""
    cut = int(held_out.targets.positions[len(held_out.targets) // 2])
    other = held_out.stream.clone()
    other[cut:] = 7
    earlier = [history(vocabulary, range(20)), history(vocabulary, range(20, 24))]
    again = HeldOut.of(earlier, other, vocabulary, 50, 200)
    before = held_out.targets.positions <= cut
    assert (again.guessed.ids[before] == held_out.guessed.ids[before]).all()


def test_groups_add_up_to_the_whole(held_out: HeldOut) -> None:
    rows = held_out.counting() | made_up(held_out)
    for groups in (held_out.by_kind(rows), held_out.by_age(rows)):
        assert sum(group.tokens for group in groups.values()) == len(held_out.targets)
        bits = sum(group.tokens * group.bits_per_token[TUNED] for group in groups.values())
        assert bits == pytest.approx(rows[TUNED].nats.sum() / np.log(2))
    assert held_out.by_kind(rows).keys() == {"about", "function"}


def test_xz_compresses_repeated_training_text_to_almost_nothing(vocabulary: Vocabulary) -> None:
    train = history(vocabulary, range(40)).numpy().astype(np.int32)
    alone, given = compression.bits(train, [train[200:900]], vocabulary)
    assert given < alone / 5


def test_an_empty_split_has_figures(vocabulary: Vocabulary) -> None:
    held_out = HeldOut.of([history(vocabulary, range(3))], torch.tensor([5]), vocabulary, 50, None)
    assert len(held_out.targets) == 0
    rows = held_out.counting()
    assert figures(held_out.targets, rows[TRIGRAM]).bits_per_byte == 0
    assert held_out.by_age(rows) == {}
