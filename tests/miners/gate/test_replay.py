"""The replay sees a signal where there is one, and none where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from miners.gate.replay import HELD_OUT, LATER, replay
from miners.gate.tables import Seen, tables
from miners.gate.verdicts import Verdict
from stores.agent.context_types import CONTEXT_TYPES

DAY = 86400


def history(
    repositories: int, number: int = 150, *, signal: bool = True, shift: float = 1.0, seed: int = 1
) -> Iterator[Seen]:
    """Fixes of two kinds; with `signal` one kind is small and one large, everywhere alike."""
    rng = np.random.default_rng(seed)
    for repository in range(repositories):
        for place in range(number):
            option = "logic_fix" if rng.random() < 0.5 else "import_fix"
            median = {"logic_fix": 3.0, "import_fix": 60.0}[option] if signal else 10.0
            size = max(1, round(float(rng.lognormal(np.log(median * shift), 0.6 if signal else 1.4))))
            yield f"root:{repository}", option, (repository + place * 10) * DAY, {"lines": size}


def verdict(seen: Iterator[Seen], archetypes: dict[str, str] | None = None) -> Verdict:
    return {table.target: replay(table) for table in tables(CONTEXT_TYPES["repair_strategy"], seen, archetypes or {})}[
        "lines"
    ]


def test_a_signal_that_holds_everywhere_passes() -> None:
    found = verdict(history(6))
    assert found.passed
    assert found.method == HELD_OUT
    assert len(found.tried) == 6
    assert found.gain_over("placebo").low > 0.5


@pytest.mark.parametrize("seed", range(5))
def test_labels_without_information_do_not_beat_the_placebo(seed: int) -> None:
    found = verdict(history(6, signal=False, seed=seed))
    assert not found.passed
    assert abs(found.gain_over("placebo").mean or 0.0) < 0.05


def test_the_defaults_are_beaten_by_what_is_known_of_the_place() -> None:
    found = verdict(history(6))
    assert found.mean("own history") < found.mean("defaults") < found.mean("uniform") + 1
    assert found.mean("seeded") < found.mean("defaults")


def test_nothing_is_learned_from_what_came_later() -> None:
    """One repository's future, in the past of the others, would give it away."""
    early = list(history(6, number=120))
    late = [("root:late", option, at + 10**9, outcome) for _, option, at, outcome in history(1, number=120, shift=8.0)]
    alone = verdict(iter([*early, *late]))
    assert alone.method == HELD_OUT
    without = verdict(iter(early))
    bits = {one.name: one.bits["seeded"] for one in alone.tried}
    for one in without.tried:
        assert bits[one.name] == one.bits["seeded"]


def test_one_history_predicts_its_own_future_in_blocks() -> None:
    found = verdict(history(1, number=400))
    assert found.method == LATER
    assert found.passed
    assert [one.name for one in found.tried][:2] == ["root:0#3", "root:0#4"]


def test_too_little_evidence_is_no_verdict() -> None:
    found = verdict(history(4, number=10))
    assert not found.passed
    assert (found.tried, found.left_out) == ([], 4)
    assert found.figures().gain_over_defaults.low is None


def test_losers_are_named() -> None:
    odd = [("root:odd", option, at, {"lines": 400}) for _, option, at, _ in history(1)]
    found = verdict(iter([*history(6), *odd]))
    assert found.losers == ["root:odd"]


def test_archetypes_count_only_where_they_predict_better() -> None:
    seen, archetypes = [], {}
    for name, shift in (("small", 0.3), ("large", 3.0)):
        for repository, option, at, outcome in history(4, shift=shift):
            seen.append((f"{repository}{name}", option, at, outcome))
            archetypes[f"{repository}{name}"] = name
    assert verdict(iter(seen), archetypes).by_archetype
    shuffled = dict(zip(archetypes, ["small", "large"] * 4, strict=True))
    assert not verdict(iter(seen), shuffled).by_archetype


def test_tools_of_repositories_are_held_out_whole() -> None:
    context = CONTEXT_TYPES["tool_selection"]
    same: list[Seen] = [(f"root:{number}", "python/test_runner", number, {"choice": "pytest"}) for number in range(12)]
    same += [(f"root:{number}", "python/linter", number, {"choice": "ruff"}) for number in range(12)]
    (table,) = tables(context, iter([*same, ("root:x", "python/test_runner", 0, {"choice": "nose"})]), {})
    found = replay(table)
    assert found.tried[0].tests == 2
    assert found.coverage()["first choice"] > 0.8
    assert "root:x" in found.losers


@pytest.mark.parametrize("repositories", [2, 3, 4])
def test_a_few_repositories_do_not_predict_others(repositories: int) -> None:
    (table,) = [
        one for one in tables(CONTEXT_TYPES["repair_strategy"], history(repositories), {}) if one.target == "lines"
    ]
    assert replay(table).method == LATER
    held_out = replay(table, hold_out=True)
    assert (held_out.method, len(held_out.tried), held_out.passed) == (HELD_OUT, repositories, False)


def test_one_archetype_for_all_is_dropped() -> None:
    names = {f"root:{number}": "library" for number in range(8)}
    for seed in range(5):
        found = verdict(history(8, seed=seed), names)
        assert not found.by_archetype
        assert found.gain_over("seeded", of="archetype").mean == pytest.approx(0, abs=1e-9)
