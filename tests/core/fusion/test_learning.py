"""Weights that are learnt: in few trials, on the validation split alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from made_adapters import Make, commit, twin, write_outputs

from core.errors import UserError
from core.fusion import learning, parents
from core.fusion.fusing import Recipe
from core.fusion.learning import Data, learn, search
from core.models import model_folder


@pytest.mark.parametrize("best", [(0.7, 0.3), (1.0, 0.0), (0.6, 0.3, 0.1), (0.5, 0.3, 0.2, 0.0)])
def test_few_trials_find_the_best_of_a_smooth_valley(best: tuple[float, ...]) -> None:
    tried: list[Sequence[float]] = []

    def bits(weights: Sequence[float]) -> float:
        tried.append(weights)
        return 1 + 0.1 * float(np.sum(np.square(np.subtract(weights, best))))

    equal = [1 / len(best)] * len(best)
    search(bits, equal, 4 * len(best))
    assert len(tried) <= 4 * len(best)
    assert np.allclose(tried[0], equal)
    assert all(sum(one) == pytest.approx(1) and min(one) >= 0 for one in tried)
    nearest = min(float(np.abs(np.subtract(one, best)).max()) for one in tried)
    assert nearest < 0.05


def test_too_few_trials_are_refused() -> None:
    with pytest.raises(UserError, match="4 trials are too few to learn the weights of 3 adapters"):
        learning.check_trials(4, 3)


def test_the_best_weights_on_validation_commits_are_kept(make: Make, tiny_model: Path, tmp_path: Path) -> None:
    first = make("one", tiny_model)
    places = [first, twin(first, tmp_path / "twin")]  # half as much, the other way round
    vocabulary = model_folder.read_info_and_vocabulary(first)[1]
    val, test = commit("Ada", "a.py", "return x + 1\n" * 3), commit("Grace", "b.py", "pass\n")

    def learnt(name: str, *parts: object) -> tuple[list[float], list[float]]:
        outputs = write_outputs(tmp_path / name, vocabulary, test, *parts)  # type: ignore[arg-type]
        found = [parents.read(place) for place in places]
        scratch = tmp_path / f"{name} tried"
        data = Data([outputs, outputs], 0, tmp_path)
        weighting, tried = learn(found, Recipe("delta", [0.5, 0.5]), 4, data, scratch)
        assert tried[0].weights == [0.5, 0.5]
        assert weighting.weights == min(tried, key=lambda one: one.bits_per_byte).weights
        assert "without learning" in weighting.why
        assert parents.read(learning.folder_of(scratch, 0)).info
        return weighting.weights, [one.bits_per_byte for one in tried]

    weights, bits = learnt("outputs", val, test)
    assert min(bits) < bits[0]
    assert learnt("again", val, test) == (weights, bits)
    assert learnt("other test", val, val) == (weights, bits)
    assert learnt("other val", test, test)[1] != bits
