"""How well questions with known answers are answered: where these stand, by what ranked them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from core import statistics
from index import gate, learning
from index.code_index import CodeIndex
from index.examples import Answered
from index.search import Weights, weighted

AT = 5
INDEX, SHIPPED, SYMBOLS = "index", "shipped weights", "BM25 over symbols"
PRIOR, HITS = "without a question", "files of the hits"
SAMPLES, SEED = 1000, 17


class Places(msgspec.Struct, frozen=True):
    """Where the first right answer of a question stands, from 1, by what ranked them."""

    kind: str
    of_class: str
    files: dict[str, float]
    documents: dict[str, float]
    """Empty where no symbol is right."""


class Figures(msgspec.Struct, frozen=True):
    """How one kind of question is answered."""

    kind: str
    right: str
    """What had to be found: files or symbols."""
    questions: int
    mrr: dict[str, float]
    """Mean reciprocal rank of the first right answer, by what ranked them."""
    error: float
    """Standard error of that of the index."""
    among_first: dict[str, float]
    """Part of the questions with a right answer among the first five."""
    gain: float
    """Of the index over BM25, in mean reciprocal rank, with a 95 % interval over questions."""
    low: float | None
    high: float | None


def places(one: Answered, weights: Weights, shipped: Weights | None = None) -> Places:
    """The places of a question's answers; also by the `shipped` weights where they are given."""
    of_files = weighted(one.files, weights.files[one.of_class])
    of_documents = weighted(one.documents, weights.documents[one.of_class])
    by_hits = np.full(len(of_files), -np.inf)
    np.maximum.at(by_hits, one.document_files, of_documents)
    files, documents = {INDEX: one.file_place(of_files)}, {INDEX: one.document_place(of_documents)}
    if shipped:
        files[SHIPPED] = one.file_place(weighted(one.files, shipped.files[one.of_class]))
        documents[SHIPPED] = one.document_place(weighted(one.documents, shipped.documents[one.of_class]))
    files |= {
        SYMBOLS: one.file_place(one.baseline),
        HITS: one.file_place(by_hits),
        PRIOR: one.file_place(one.files["a_100"]),
    }
    documents = {} if one.baseline_place is None else {**documents, SYMBOLS: one.baseline_place}
    return Places(one.kind, one.of_class, files, documents)


def figures(some: Sequence[Places]) -> list[Figures]:
    """For each kind of question in turn: of files, then of symbols; nothing where no question has a right answer."""
    found = []
    for kind in dict.fromkeys(one.kind for one in some):
        own = [one for one in some if one.kind == kind]
        for right, ranked in (
            ("files", [one.files for one in own]),
            ("symbols", [one.documents for one in own if one.documents]),
        ):
            if ranked:
                found.append(_figures(kind, right, ranked))
    return found


def _figures(kind: str, right: str, ranked: Sequence[Mapping[str, float]]) -> Figures:
    ranks = {name: 1 / np.array([one[name] for one in ranked]) for name in ranked[0]}
    gain = statistics.of_mean(ranks[INDEX] - ranks[SYMBOLS], samples=SAMPLES, seed=SEED)
    return Figures(
        kind,
        right,
        len(ranked),
        {name: float(values.mean()) for name, values in ranks.items()},
        float(ranks[INDEX].std() / len(ranked) ** 0.5),
        {name: float((values >= 1 / AT).mean()) for name, values in ranks.items()},
        gain["mean"],
        gain["low"],
        gain["high"],
    )


class Evaluation(msgspec.Struct, frozen=True):
    """How well an index answers questions that its repository's own weights know nothing of."""

    commit: str
    asked: int
    """Questions in all; older ones are learned from."""
    is_whole: bool
    """All were asked; False where the time ended before."""
    figures: list[Figures]
    """Of the newer third."""
    verdicts: list[str]
    """What the older questions make of the weights, for files and for symbols."""


def evaluated(index: CodeIndex, seconds: float, was_asked: Callable[[int], None] = lambda _: None) -> Evaluation:
    """Ask what `learning.learn` asks, for so many seconds at most, and answer the newer third with what the older ones
    teach. `was_asked` is called with how many questions have been put.
    """
    deadline, shipped, found, is_whole = time.monotonic() + seconds, Weights.shipped(), [], True
    for one in learning.questions_of(index):
        found.append(one)
        was_asked(len(found))
        if time.monotonic() > deadline:
            is_whole = False
            break
    newer, verdicts = held_out(found, shipped)
    return Evaluation(index.commit or "", len(found), is_whole, figures(newer), verdicts)


def held_out(questions: Sequence[Answered], shipped: Weights) -> tuple[list[Places], list[str]]:
    """Of questions, the newest first, the newer third, answered with what the older ones teach; and what that is.

    Nothing of the newer third is known to the weights, nor to what chose between them.
    """
    newer = gate.newer(questions)
    weights, verdicts = gate.gated([one for one in questions if one.name not in newer], shipped)
    return [places(one, weights, shipped) for one in questions if one.name in newer], verdicts
