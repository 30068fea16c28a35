"""Where the right answers of questions stand, by what ranked them."""

from __future__ import annotations

import msgspec
import numpy as np

from index.examples import Answered
from index.search import Weights, weighted


class Places(msgspec.Struct, frozen=True):
    """Where the first right answer of a question stands, from 1, by what ranked them."""

    kind: str
    of_class: str
    files: dict[str, float]
    documents: dict[str, float]


INDEX, SYMBOLS, PRIOR, HITS = "index", "BM25 over symbols", "without a question", "files of the hits"


def places(one: Answered, weights: Weights) -> Places:
    """The places of a question's answers."""
    of_files = weighted(one.files, weights.files[one.of_class])
    of_documents = weighted(one.documents, weights.documents[one.of_class])
    by_hits = np.full(len(of_files), -np.inf)
    np.maximum.at(by_hits, one.document_files, of_documents)
    files = {
        INDEX: one.file_place(of_files),
        SYMBOLS: one.file_place(one.baseline),
        HITS: one.file_place(by_hits),
        PRIOR: one.file_place(one.files["a_100"]),
    }
    documents = {}
    if one.baseline_place is not None:
        documents = {INDEX: one.document_place(of_documents), SYMBOLS: one.baseline_place}
    return Places(one.kind, one.of_class, files, documents)
