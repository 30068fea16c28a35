"""Own weights replace the shipped ones only where newer commits show that they are better."""

from __future__ import annotations

import numpy as np
import pytest

from core.ranking.gate import MOST_CANDIDATES, Examples, gated, narrowed
from core.ranking.model import Example, softmax
from core.ranking.ranker import FEATURES, MODES
from core.records.ranker import ModeWeights, RankerRecord

SIZE = len(FEATURES["history"])
SHIPPED = RankerRecord(modes={mode: ModeWeights(weights={"a_10": 1.0}, calibration=[0.5]) for mode in MODES})


def made_up(signal: dict[str, float], commits: int, *, seed: int, candidates: int = 30) -> list[Examples]:
    """Commits whose files were drawn from the shares that weights give."""
    draw = np.random.default_rng(seed)
    weights = np.array([signal.get(name, 0.0) for name in FEATURES["history"]])
    found: list[Examples] = []
    for _ in range(commits):
        features = draw.normal(size=(candidates, SIZE)).astype(np.float32)
        true = np.arange(candidates) == draw.choice(candidates, p=softmax(features @ weights))
        found.append({"history": [Example(features, true)]})
    return found


def gate(signal: dict[str, float], *, train: int = 200, val: int = 100, samples: int = 200) -> RankerRecord:
    training, validation = made_up(signal, train, seed=1), made_up(signal, val, seed=2)
    return gated(training, validation, SHIPPED, least=50, samples=samples, seed=3)


def test_a_planted_signal_is_learned() -> None:
    record = gate({"a_10": 1.0, "a_last": 2.0})
    assert record.modes["history"].weights["a_last"] > 0.5
    assert record.modes["history"].examples == 200
    assert len(record.modes["history"].calibration) == 5
    assert record.gate[MODES.index("history")].startswith("history: its own weights: they gain +")


def test_the_shipped_weights_stay_where_nothing_else_is_to_be_learned() -> None:
    record = gate({"a_10": 1.0})
    assert record.modes == SHIPPED.modes
    assert "95 % interval" in record.gate[MODES.index("history")]


@pytest.mark.parametrize(("val", "samples"), [(49, 200), (100, 0)])
def test_a_gain_without_enough_evidence_changes_nothing(val: int, samples: int) -> None:
    record = gate({"a_last": 2.0}, val=val, samples=samples)
    assert record.modes == SHIPPED.modes
    assert record.gate[MODES.index("history")].startswith("history: shipped weights; ")


def test_every_form_has_a_sentence_even_without_any_commit() -> None:
    record = gated([], [], SHIPPED, least=50, samples=200, seed=0)
    assert record.modes == SHIPPED.modes
    why = dict.fromkeys(MODES, "shipped weights; fewer than 50 commits to validate its own on")
    why["issue"] = "shipped weights; commits are no issues"
    assert record.gate == [f"{mode}: {why[mode]}" for mode in MODES]


def test_right_files_stay_candidates_however_unlikely() -> None:
    features = np.zeros((500, SIZE), np.float32)
    features[:, FEATURES["history"].index("a_10")] = np.arange(500)
    true = np.arange(500) == 0
    kept = narrowed(Example(features, true), "history", SHIPPED)
    assert kept.true.sum() == 1
    assert len(kept.true) == MOST_CANDIDATES + 1
