"""What to try next where a figure is poor: each hint is a rule that is written down here, with what made it speak."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Facts:
    """What evaluation.json and training_logs/training.json say."""

    evaluation: Mapping[str, Any]
    training: Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """`says` gives the hint where the rule applies, else ""."""

    name: str
    when: str
    """In words, for the documentation."""
    says: Callable[[Facts], str]


def hints(evaluation: Mapping[str, Any], training: Mapping[str, Any]) -> list[str]:
    """What all rules say, in their order."""
    facts = Facts(evaluation, training)
    return [said for rule in RULES if (said := rule.says(facts))]


def _row(facts: Facts, name: str, key: str = "text_bits_per_byte") -> float | None:
    value = facts.evaluation["splits"]["test"]["rows"].get(name, {}).get(key)
    return None if value is None else float(value)


def _small_gain(facts: Facts) -> str:
    gain = facts.evaluation["splits"]["test"].get("gain")
    if gain is None or gain["text"]["share"] >= 0.1 or facts.training["coverage"] >= 0.5:
        return ""
    read = facts.training["coverage"]
    return (
        f"Fine-tuning saves {gain['text']['share']:.1%} of the bits, having read {read:.1%} of the "
        "training split: raise model_training.max_train_tokens (or max_minutes)."
    )


def _uncertain(facts: Facts) -> str:
    gain = facts.evaluation["splits"]["test"].get("gain")
    if gain is None or gain["text"]["low"] is None or gain["text"]["low"] > 0:
        return ""
    return (
        f"The interval of the gain reaches down to {gain['text']['low']:.1%}, so it may be chance: score more tokens "
        "(evaluate.tokens: 0 takes all)."
    )


def _overfitting(facts: Facts) -> str:
    found = facts.training.get("validation")
    if not found or not found["best_step"] or found["best_step"] > 0.6 * facts.training["steps"]:
        return ""
    steps = facts.training["steps"]
    return (
        f"The best validation was at step {found['best_step']} of {steps}: lower learning_rate or epochs, "
        "or set early_stopping: 2."
    )


def _worse(facts: Facts) -> str:
    tuned, base = _row(facts, "fine-tuned"), _row(facts, "untuned base")
    if tuned is None or base is None or tuned < base:
        return ""
    return "The fine-tuned model is no better than its base: lower learning_rate (by ten for method full)."


def _copying(facts: Facts) -> str:
    tuned, copy = _row(facts, "fine-tuned", "bits_per_byte"), _row(facts, "copy", "bits_per_byte")
    cached = _row(facts, "fine-tuned + cache", "bits_per_byte")
    if tuned is None or copy is None or copy >= tuned:
        return ""
    beside = f" With the cache it needs {cached:.2f}." if cached is not None else ""
    return (
        f"Copying from the whole history needs {copy:.2f} bits per byte, the model {tuned:.2f} in "
        f"{facts.evaluation['width']} tokens: raise sequence_length, so that it sees more of what repeats.{beside}"
    )


def _leak(facts: Facts) -> str:
    found = facts.evaluation["contamination"]["test"]
    if not found["suspicious"]:
        return ""
    return (
        f"{found['changes_in_training']} of {found['changes']} changes of the test stand whole in the training text: "
        "set dataset_builder.duplicates: drop, and look for what put them there."
    )


def _files(facts: Facts) -> str:
    found = facts.evaluation["next_commits"]
    if not found or not found["commits"]:
        return ""
    best = {name: row["file@5"]["mean"] for name, row in found["accuracy"].items()}
    if best["model"] >= max(best["frequency"], best["recency"]):
        return ""
    return (
        f"The model names a file that is changed in its five answers for {best['model']:.0%} of the commits, the most "
        f"frequent files for {best['frequency']:.0%}, the last ones for {best['recency']:.0%}: train on more "
        "tokens, and write tasks as the repository's commit messages are written."
    )


def _memory(facts: Facts) -> str:
    decisions = facts.training["memory"]["decisions"]
    if not decisions:
        return ""
    return (
        f"Memory did not suffice for what was asked ({len(decisions)} steps down): take gradient_checkpointing: true, "
        "method: qlora, or a smaller base model."
    )


RULES = (
    Rule("leak", "more than 2 % of the test's changes stand whole in training", _leak),
    Rule("worse than its base", "the fine-tuned model needs at least the base's bits", _worse),
    Rule("overfitting", "the best validation came before 60 % of the steps", _overfitting),
    Rule("small gain", "less than 10 % gain with under half of the training split read", _small_gain),
    Rule("uncertain gain", "the gain's interval includes zero", _uncertain),
    Rule("copying wins", "the copy predictor needs fewer bits than the model", _copying),
    Rule("files", "frequency or recency names files better than the model", _files),
    Rule("memory", "the memory plan had to step down", _memory),
)
