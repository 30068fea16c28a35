"""Whether a model's code is worth showing: what was measured on commits that it had not seen."""

from __future__ import annotations

from pathlib import Path

from core.records.evaluation import CACHE, COPY, NEAREST, NEAREST_CODE, TUNED, Continuations, read_evaluation

EVALUATION = "evaluation.json"
"""Beside the model's folder: what the pipeline measured."""
NAMES = {COPY: "copying", NEAREST: "the nearest past edit", NEAREST_CODE: "the nearest code"}
EDIT_BASELINES = ((NEAREST, "line_similarity"), (NEAREST_CODE, "identifier_recall"))
"""What edits must be better than, and in what: as close in their lines, and naming more of what is needed."""


def no_sketch(model: Path) -> str:
    """Why the code of the model in a folder is not shown, as a sentence; "" where it is, or nothing was measured.

    It must be closer to the code that really came than the baseline is, beyond the interval over changes: sketches than
    copying, edits than the nearest past edit and the nearest code. Raises UserError where the file is damaged.
    """
    evaluation = model.parent / EVALUATION
    if not evaluation.is_file():
        return ""
    found = read_evaluation(evaluation)
    if found.written_edits:
        reasons = (_no_better(found.written_edits, name, metric) for name, metric in EDIT_BASELINES)
        return next((reason for reason in reasons if reason), "")
    return _no_better(found.continuations, COPY, "edit_similarity") if found.continuations else ""


def _no_better(measured: Continuations, baseline: str, metric: str) -> str:
    """Why the model's code is not shown; "" where it is better, or one of both was not measured."""
    rows = measured.rows
    shown = rows.get(TUNED + CACHE) or rows.get(TUNED)
    if not shown or baseline not in rows:
        return ""
    own, other = shown[metric], rows[baseline][metric]
    if own.mean is None or other.mean is None:
        return ""
    least = own.mean if own.low is None else own.low
    if least > other.mean:
        return ""
    what = "named no more of what was needed" if metric == "identifier_recall" else "was no closer to what came"
    return (
        f"on {measured.changes} held-out changes the model's code {what} "
        f"({own.mean:.2f} of 1, at least {least:.2f}) than {NAMES[baseline]} ({other.mean:.2f}); "
        "always_sketch shows it"
    )
