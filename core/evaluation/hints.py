"""What to try next where a figure is poor: each hint is a rule that is written down here, with its threshold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.records.evaluation import BASE, CACHE, COPY, FREQUENCY, MODEL, RECENCY, TUNED, Evaluation, Saving
from core.records.training import TrainingSummary

SMALL_GAIN = 0.1
LITTLE_READ = 0.5
EARLY_BEST = 0.6


@dataclass(frozen=True)
class Hint:
    """A rule: `text` gives the hint where it applies, "" where it does not."""

    name: str
    when: str
    """The condition in words, as docs/evaluation.md lists it."""
    text: Callable[[Evaluation, TrainingSummary], str]


def hints(evaluation: Evaluation, training: TrainingSummary) -> list[str]:
    """All hints that apply, in the order of the rules."""
    return [text for rule in RULES if (text := rule.text(evaluation, training))]


def _bits(evaluation: Evaluation, name: str) -> float | None:
    row = evaluation.test.rows.get(name)
    return row.bits_per_byte if row else None


def _text_bits(evaluation: Evaluation, name: str) -> float | None:
    row = evaluation.test.rows.get(name)
    return row.text_bits_per_byte if row else None


def _saving(evaluation: Evaluation) -> Saving | None:
    return evaluation.test.gain.text if evaluation.test.gain else None


def _leak(evaluation: Evaluation, _training: TrainingSummary) -> str:
    found = evaluation.contamination["test"]
    if not found.suspicious:
        return ""
    return (
        f"The training text holds the whole code of {found.changes_in_training} of {found.changes} test changes: set "
        "dataset_builder.duplicates: drop, and find out how they got there."
    )


def _worse(evaluation: Evaluation, _training: TrainingSummary) -> str:
    tuned, base = _text_bits(evaluation, TUNED), _text_bits(evaluation, BASE)
    if tuned is None or base is None or tuned < base:
        return ""
    return "The fine-tuned model is not better than its base: lower learning_rate (by a factor of ten for method full)."


def _overfitting(_evaluation: Evaluation, training: TrainingSummary) -> str:
    found = training.validation
    if not found or not found.best_step or found.best_step > EARLY_BEST * training.steps:
        return ""
    return (
        f"The best validation was at step {found.best_step} of {training.steps}: lower learning_rate or epochs, "
        "or set early_stopping: 2."
    )


def _small_gain(evaluation: Evaluation, training: TrainingSummary) -> str:
    saving = _saving(evaluation)
    if saving is None or saving.share >= SMALL_GAIN or training.coverage >= LITTLE_READ:
        return ""
    return (
        f"Fine-tuning saves {saving.share:.1%} of the bits after reading {training.coverage:.1%} of the training "
        "split: raise model_training.max_train_tokens (or max_minutes)."
    )


def _uncertain(evaluation: Evaluation, _training: TrainingSummary) -> str:
    saving = _saving(evaluation)
    if saving is None or saving.low is None or saving.low > 0:
        return ""
    return (
        f"The interval of the gain reaches down to {saving.low:.1%}, so it may be chance: score more tokens "
        "(evaluate.tokens: 0 takes all)."
    )


def _copying(evaluation: Evaluation, _training: TrainingSummary) -> str:
    tuned, copy, cached = (_bits(evaluation, name) for name in (TUNED, COPY, TUNED + CACHE))
    if tuned is None or copy is None or copy >= tuned:
        return ""
    with_cache = f" With the cache it needs {cached:.2f}." if cached is not None else ""
    return (
        f"Copying from the whole history needs {copy:.2f} bits per byte, the model {tuned:.2f} with "
        f"{evaluation.width} tokens in view: raise sequence_length, so that it sees more of what recurs.{with_cache}"
    )


def _files(evaluation: Evaluation, _training: TrainingSummary) -> str:
    found = evaluation.next_commits
    if not found or not found.commits:
        return ""
    model, frequency, recency = (found.accuracy[name]["file@5"].mean or 0.0 for name in (MODEL, FREQUENCY, RECENCY))
    if model >= max(frequency, recency):
        return ""
    return (
        f"One of the model's five files is right for {model:.0%} of the commits, one of the five most frequent for "
        f"{frequency:.0%}, one of the five most recent for {recency:.0%}: train on more tokens, and word tasks like "
        "the repository's commit messages."
    )


def _memory(_evaluation: Evaluation, training: TrainingSummary) -> str:
    if not training.memory.decisions:
        return ""
    return (
        f"The requested batch and width did not fit into memory ({len(training.memory.decisions)} steps down): set "
        "gradient_checkpointing: true or method: qlora, or choose a smaller base model."
    )


RULES = (
    Hint("leak", "the training text holds the code of more than 2 % of the test's changes", _leak),
    Hint("worse than its base", "the fine-tuned model needs at least the base's bits", _worse),
    Hint("overfitting", "the best validation was within the first 60 % of the steps", _overfitting),
    Hint("small gain", "less than 10 % gain with under half of the training split read", _small_gain),
    Hint("uncertain gain", "the gain's interval is not above zero", _uncertain),
    Hint("copying wins", "copying needs fewer bits than the model", _copying),
    Hint("files", "frequency or recency names files better than the model", _files),
    Hint("memory", "the requested batch or width did not fit into memory", _memory),
)
