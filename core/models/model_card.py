"""The model card: how a model was trained, how good it is, what it has read."""

from __future__ import annotations

from core.models.model_folder import ModelInfo
from core.records.evaluation import TUNED, EvaluatedData, Evaluation, Figures, Saving
from core.records.training import TrainingSummary
from core.visible import visible

CARD = "model_card.md"
_TEXT = """---
base_model: {base_model}
library_name: {library}
tags: [gitlore, git-history]
gitlore_model: {identity}
---

# A model of one repository's history

It continues a history written in Gitlore's commit grammar. Ask it what comes next with

    python predict.py --model outputs/model --repo PATH

## How it was trained

{training}

## How good it is

{figures}

## What it has read

{data}

## Licence

The weights are derived from the repository and from the base model: share them only under the licences of both.
`trained_on.json` holds some of the repository's text as token ids, `gitlore.json` every setting.
"""
_NOT_MEASURED = "`python evaluate.py` measures it on the test split, compared with baselines."


def card(info: ModelInfo, evaluation: Evaluation | None) -> str:
    """The card as Markdown; without figures where the model was not evaluated."""
    text = _TEXT.format(
        base_model=info.base_model,
        identity=info.identity,
        library="peft" if info.is_adapter else "transformers",
        training=_training(info.method, info.training),
        figures=_figures(evaluation) if evaluation else _NOT_MEASURED,
        data=_data(evaluation.data) if evaluation else "See dataset_stats.json.",
    )
    return visible(text)


def is_card_of(text: str, info: ModelInfo) -> bool:
    """Whether a card was made for this very model."""
    return f"\ngitlore_model: {info.identity}\n" in text


def _training(method: str, done: TrainingSummary | None) -> str:
    if done is None:
        return f"By Gitlore, method {method}."
    text = (
        f"By Gitlore, method {method}, on {done.trained_tokens:,} tokens in {done.steps:,} steps of blocks of "
        f"{done.sequence_length} tokens, in {done.precision or 'unknown'} precision: {done.coverage:.1%} of the "
        "training split's blocks."
    )
    if done.validation is None:
        return f"{text} It was not validated during training."
    return (
        f"{text} Validation loss {done.validation.best:.3f} nats per token, {done.validation.untuned:.3f} before "
        "training; the same blocks chose which step's model was kept."
    )


def _figures(evaluation: Evaluation) -> str:
    table = evaluation.test
    lines = ["| test split | bits per byte | of text only | token accuracy |", "|---|---|---|---|"]
    lines += [_line(name, row) for name, row in table.rows.items()]
    saved = f"{_saved(table.gain.text)}\n\n" if table.gain else ""
    notes = (
        f"All rows are on the same {table.rows[TUNED].tokens:,} tokens, in blocks of {evaluation.width}. The splits "
        "follow time: the test split is newer than everything that the model was trained on."
    )
    return "\n".join(lines) + "\n\n" + saved + " ".join([notes, *evaluation.warnings])


def _line(name: str, row: Figures) -> str:
    text = f"{row.text_bits_per_byte:.3f}" if row.text_bits_per_byte is not None else ""
    accuracy = f"{row.token_accuracy:.1%}" if row.token_accuracy is not None else ""
    return f"| {name} | {row.bits_per_byte:.3f} | {text} | {accuracy} |"


def _saved(saving: Saving) -> str:
    between = f" (95 % interval over commits: {saving.interval})" if saving.interval else ""
    return f"Fine-tuning saves {saving.share:.1%} of the bits of text{between}."


def _data(data: EvaluatedData) -> str:
    lines = ["| split | commits | tokens | from | to |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {one.commits:,} | {one.tokens:,} | {(one.date_range.first or '')[:10]} | "
        f"{(one.date_range.last or '')[:10]} |"
        for name, one in data.splits.items()
    ]
    return f"Repository: {data.repository}\n\n" + "\n".join(lines)
