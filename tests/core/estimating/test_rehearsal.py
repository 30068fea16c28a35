"""Short trainings: how long they are, and that each starts where the first one did."""

from __future__ import annotations

import pytest
import torch

from core.errors import UserError
from core.estimating.rehearsal import SECONDS, Rehearsal, Speed, budgets
from core.records.training import MemoryReport


def probed(seconds: float) -> MemoryReport:
    """A training whose steps take so long."""
    return MemoryReport(step_seconds=seconds)


def test_short_trainings_take_a_minute_together() -> None:
    found = budgets(probed(0.01), 1e9)
    assert sum(found) * 0.01 == pytest.approx(SECONDS, rel=0.01)
    assert [found[2] / one for one in found] == pytest.approx([4, 2, 1], rel=0.01)


def test_a_slow_machine_takes_a_few_steps_all_the_same() -> None:
    assert budgets(probed(1000.0), 1e9) == [1, 2, 4]


def test_no_more_is_read_than_there_is() -> None:
    assert budgets(probed(0.01), 40.5) == [10, 20, 40]
    with pytest.raises(UserError, match="is read in 3 steps, an estimate takes 4"):
        budgets(probed(0.01), 3.9)


def test_without_a_probe_there_is_no_estimate() -> None:
    with pytest.raises(UserError, match="fit_memory: false"):
        budgets(MemoryReport(), 100)


def test_each_training_starts_with_the_same_weights_and_random_numbers() -> None:
    model, seen = torch.nn.Linear(2, 2), list[tuple[list[float], float]]()
    rehearsal = Rehearsal(model, seed=3)

    def train() -> None:
        seen.append((model.weight.flatten().tolist(), float(torch.rand(1))))
        for _ in range(3):
            model(torch.ones(2))
        with torch.no_grad():
            model.weight += 1

    rehearsal.run(train, tokens=300)
    rehearsal.run(train, tokens=300)
    assert seen[0] == seen[1]
    speed = rehearsal.speed
    assert 0 < speed.low <= speed.high
    rehearsal.run(lambda: None, tokens=0)
    assert rehearsal.speed == speed


def test_speed_is_that_of_the_passes_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    model, clock = torch.nn.Linear(1, 1), iter([0.0, 9.0, 10.0, 11.0, 13.0])
    monkeypatch.setattr("core.estimating.rehearsal.time.monotonic", lambda: next(clock))
    rehearsal = Rehearsal(model, seed=3)
    rehearsal.run(lambda: [model(torch.ones(1)) for _ in range(5)], tokens=500)
    speed = rehearsal.speed
    assert speed.mean == pytest.approx(75)  # 100 tokens each in 1, 1 and 2 seconds
    assert speed.low == pytest.approx(100 / 1.8)
    assert speed.high == pytest.approx(100)
    assert speed.sentence() == "75 tokens a second are trained on here (56 to 100 in most steps)."


def test_a_model_with_nothing_to_train_is_refused() -> None:
    with pytest.raises(UserError, match="no weight of this model is trained"):
        Rehearsal(torch.nn.Linear(2, 2).requires_grad_(requires_grad=False), seed=3)


def test_a_speed_has_a_mean_and_a_spread() -> None:
    assert Speed(1000.0, 900.0, 1100.0).sentence().startswith("1,000 tokens a second")
