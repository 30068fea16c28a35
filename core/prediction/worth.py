"""Whether a model's code is worth showing: what was measured on commits that it had not seen."""

from __future__ import annotations

from pathlib import Path

from core.records.evaluation import CACHE, COPY, TUNED, read_evaluation

EVALUATION = "evaluation.json"
"""Beside the model's folder: what the pipeline measured."""
METRIC = "edit_similarity"


def no_sketch(model: Path) -> str:
    """Why the code of the model in a folder is not shown, as a sentence; "" where it is, or nothing was measured.

    It must be closer to the code that really came than copying is, beyond the interval over changes. Raises UserError
    where the file is damaged.
    """
    evaluation = model.parent / EVALUATION
    if not evaluation.is_file():
        return ""
    measured = read_evaluation(evaluation).continuations
    rows = measured.rows if measured else {}
    if measured is None or not {COPY, TUNED} <= rows.keys():
        return ""
    own, copied = rows.get(TUNED + CACHE, rows[TUNED])[METRIC], rows[COPY][METRIC]
    if own.mean is None or copied.mean is None:
        return ""
    least = own.mean if own.low is None else own.low
    if least > copied.mean:
        return ""
    return (
        f"on {measured.changes} held-out changes the model's code was no closer to the code that came "
        f"({own.mean:.2f} of 1, at least {least:.2f}) than copying ({copied.mean:.2f}); always_sketch shows it"
    )
