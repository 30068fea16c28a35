"""Each rule speaks where it should, and is silent where all is well."""

from __future__ import annotations

from typing import Any

import pytest

from core.evaluation.hints import RULES, hints


def facts(**changed: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A good model; `changed` are dotted paths with `__` for the dot."""
    rows = {
        "fine-tuned": {"bits_per_byte": 0.6, "text_bits_per_byte": 0.55},
        "untuned base": {"bits_per_byte": 1.0, "text_bits_per_byte": 0.9},
        "copy": {"bits_per_byte": 0.9},
        "fine-tuned + cache": {"bits_per_byte": 0.5},
    }
    found: dict[str, Any] = {
        "e": {
            "width": 512,
            "splits": {"test": {"rows": rows, "gain": {"text": {"share": 0.3, "low": 0.2, "high": 0.4}}}},
            "contamination": {"test": {"suspicious": False, "changes_in_training": 0, "changes": 9}},
            "next_commits": {
                "commits": 9,
                "accuracy": {
                    name: {"file@5": {"mean": mean}}
                    for name, mean in (("model", 0.6), ("frequency", 0.5), ("recency", 0.4))
                },
            },
        },
        "t": {
            "coverage": 0.1,
            "steps": 80,
            "validation": {"best": 2.0, "untuned": 2.5, "best_step": 80},
            "memory": {"decisions": []},
        },
    }
    for path, value in changed.items():
        *parts, last = path.split("__")
        at = found
        for part in parts:
            at = at[part.replace("_", " ") if part == "untuned_base" else part]
        at[last] = value
    return found["e"], found["t"]


def test_a_good_model_needs_no_hint() -> None:
    assert hints(*facts()) == []


@pytest.mark.parametrize(
    ("rule", "changed", "says"),
    [
        ("leak", {"e__contamination__test__suspicious": True}, "0 of 9"),
        ("worse than its base", {"e__splits__test__rows__fine-tuned__text_bits_per_byte": 0.9}, "lower learning_rate"),
        ("overfitting", {"t__validation__best_step": 20}, "step 20 of 80"),
        ("small gain", {"e__splits__test__gain__text": {"share": 0.05, "low": 0.01, "high": 0.1}}, "max_train_tokens"),
        ("uncertain gain", {"e__splits__test__gain__text__low": -0.1}, "evaluate.tokens"),
        ("copying wins", {"e__splits__test__rows__copy": {"bits_per_byte": 0.55}}, "sequence_length"),
        ("files", {"e__next_commits__accuracy__model": {"file@5": {"mean": 0.1}}}, "10%"),
        ("memory", {"t__memory__decisions": ["less"]}, "gradient_checkpointing"),
    ],
)  # fmt: skip
def test_each_rule_speaks_alone(rule: str, changed: dict[str, Any], says: str) -> None:
    said = hints(*facts(**changed))
    assert len(said) == 1
    assert says in said[0]
    assert rule in [one.name for one in RULES]


def test_what_was_not_measured_brings_no_hint() -> None:
    evaluation, training = facts(e__next_commits=None, t__validation=None)
    del evaluation["splits"]["test"]["gain"]
    for row in ("untuned base", "copy", "fine-tuned + cache"):
        del evaluation["splits"]["test"]["rows"][row]
    assert hints(evaluation, training) == []
