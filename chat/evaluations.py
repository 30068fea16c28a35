"""An evaluation in words: a table of mean reciprocal ranks, and what the weights are."""

from __future__ import annotations

from collections.abc import Iterator

from index.evaluation import INDEX, PRIOR, SHIPPED, SYMBOLS, Evaluation

SECONDS = 180.0
"""In which questions may be asked."""
_COLUMNS = {INDEX: "index", SHIPPED: "shipped", SYMBOLS: "BM25", PRIOR: "no question"}
KINDS = {"full": "commit messages", "masked": "the same without names", "docstring": "docstrings"}


def in_words(found: Evaluation) -> str:
    """What `chat.py --eval` prints."""
    return "\n".join(_lines(found))


def _lines(found: Evaluation) -> Iterator[str]:
    if not found.figures:
        yield f"too few questions: {found.asked} commits and docstrings are fit to be asked"
        return
    yield f"{found.asked:,} questions of commits and docstrings up to {found.commit[:9]}, whose answers are known."
    if not found.is_whole:
        yield f"Older commits were left out, since {SECONDS:.0f} seconds were over."
    yield "The older two thirds were learned from; of the newer third, the mean of 1/place of the first right answer:\n"
    yield f"{'':33}{'questions':>9}{''.join(f'{name:>13}' for name in _COLUMNS.values())}   index over BM25"
    for one in found.figures:
        cells = (f"{one.mrr[name]:13.3f}" if name in one.mrr else f"{'-':>13}" for name in _COLUMNS)
        interval = f" [{one.low:+.3f}, {one.high:+.3f}]" if one.low is not None else ""
        what = f"{KINDS[one.kind]}: {one.right}"
        yield f"{what:33}{one.questions:9,}{''.join(cells)}   {one.gain:+.3f}{interval}"
    yield ""
    yield from found.verdicts
