"""Each hint is given where it applies, and none where all is well; the documented thresholds hold."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from builders import PROJECT

from core.evaluation.hints import RULES, hints
from core.records.evaluation import BASE, CACHE, COPY, FREQUENCY, MODEL, RECENCY, TUNED, Evaluation
from core.records.training import TrainingSummary

SPLIT = {"changes_in_training": 0, "share_of_changes": 0, "share_of_tokens_in_seen_runs": 0, "run_tokens": 32}
GOOD: dict[str, Any] = {
    "e": {
        "width": 512,
        "precision": "fp32",
        "settings": {},
        "data": {"repository": "r", "splits": {}},
        "splits": {
            "test": {
                "rows": {
                    TUNED: {"bits_per_byte": 0.6, "text_bits_per_byte": 0.55},
                    BASE: {"bits_per_byte": 1.0, "text_bits_per_byte": 0.9},
                    COPY: {"bits_per_byte": 0.9},
                    TUNED + CACHE: {"bits_per_byte": 0.5},
                },
                "gain": {"all": {"share": 0.3}, "text": {"share": 0.3, "low": 0.2, "high": 0.4}},
            }
        },
        "contamination": {"test": {**SPLIT, "changes": 9, "suspicious": False}},
        "next_commits": {
            "commits": 9,
            "commits_with_a_known_file": 9,
            "accuracy": {
                name: {"file@5": {"mean": mean}} for name, mean in ((MODEL, 0.6), (FREQUENCY, 0.5), (RECENCY, 0.4))
            },
            "calibration": {"answers": 0, "bins": [], "expected_calibration_error": 0},
        },
    },
    "t": {"coverage": 0.1, "steps": 80, "validation": {"best": 2.0, "untuned": 2.5, "best_step": 80}},
}
TEST, GAIN = "e/splits/test", "e/splits/test/gain/text"


def records(changed: dict[str, Any]) -> tuple[Evaluation, TrainingSummary]:
    """Those of a good model; `changed` are values by path."""
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(GOOD))
    for path, value in changed.items():
        *parts, last = path.split("/")
        at = made
        for part in parts:
            at = at[part]
        at[last] = value
    return msgspec.convert(made["e"], Evaluation), msgspec.convert(made["t"], TrainingSummary)


def test_a_good_model_needs_no_hint() -> None:
    assert hints(*records({})) == []


@pytest.mark.parametrize(
    ("rule", "changed", "text"),
    [
        ("leak", {"e/contamination/test/suspicious": True}, "0 of 9"),
        ("worse than its base", {f"{TEST}/rows/{TUNED}/text_bits_per_byte": 0.9}, "lower learning_rate"),
        ("overfitting", {"t/validation/best_step": 20}, "step 20 of 80"),
        ("small gain", {GAIN: {"share": 0.05, "low": 0.01, "high": 0.1}}, "max_train_tokens"),
        ("uncertain gain", {f"{GAIN}/low": -0.1}, "evaluate.tokens"),
        ("copying wins", {f"{TEST}/rows/{COPY}": {"bits_per_byte": 0.55}}, "sequence_length"),
        ("files", {f"e/next_commits/accuracy/{MODEL}": {"file@5": {"mean": 0.1}}}, "10%"),
        ("memory", {"t/memory": {"decisions": ["less"]}}, "gradient_checkpointing"),
    ],
)
def test_each_rule_applies_alone(rule: str, changed: dict[str, Any], text: str) -> None:
    found = hints(*records(changed))
    assert len(found) == 1
    assert text in found[0]
    assert [one.name for one in RULES if one.text(*records(changed))] == [rule]


@pytest.mark.parametrize(
    ("changed", "applies"),
    [
        ({"t/validation/best_step": 48}, True),  # 60 % of 80 steps
        ({"t/validation/best_step": 49}, False),
        ({f"{GAIN}/share": 0.099}, True),
        ({f"{GAIN}/share": 0.1}, False),
        ({f"{GAIN}/share": 0.05, "t/coverage": 0.499}, True),
        ({f"{GAIN}/share": 0.05, "t/coverage": 0.5}, False),
        ({f"{GAIN}/low": 0.0}, True),
        ({f"{GAIN}/low": 0.001}, False),
        ({f"{TEST}/rows/{BASE}/text_bits_per_byte": 0.55}, True),
        ({f"{TEST}/rows/{BASE}/text_bits_per_byte": 0.56}, False),
        ({f"{TEST}/rows/{COPY}/bits_per_byte": 0.6}, False),
        ({f"e/next_commits/accuracy/{RECENCY}": {"file@5": {"mean": 0.6}}}, False),
    ],
    ids=str,
)
def test_the_documented_thresholds_hold(changed: dict[str, Any], applies: bool) -> None:
    assert bool(hints(*records(changed))) == applies


def test_the_documented_rules_are_those_of_the_code() -> None:
    page = (PROJECT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    table = page.partition("## Hints")[2].split("|---|---|\n")[1]
    assert re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.MULTILINE) == [(rule.name, rule.when) for rule in RULES]


def test_what_was_not_measured_brings_no_hint() -> None:
    rows = {TUNED: {"bits_per_byte": 0.6, "text_bits_per_byte": 0.55}}
    assert hints(*records({"e/next_commits": None, "t/validation": None, TEST: {"rows": rows}})) == []
