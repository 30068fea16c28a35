"""Ranking what an index holds for a question in words: first files, then the symbols of all files.

Both are conditional logits over the features of `features`, with weights of their own for every class of question. They
were learned from commits and docstrings of other repositories (`benchmarks/code_search.py` makes them again).
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from core.ranking.features import Features
from core.ranking.history import Floats, Ints, Past
from core.ranking.model import softmax
from core.ranking.query import Query
from core.ranking.terms import IDENTIFIER, number
from index import features
from index.corpus import Corpus
from index.features import Asked
from index.hits import Hit
from index.tree import Tree
from index.vectors import Table

SHIPPED = Path(__file__).with_name("weights.json")
Class = Literal["named", "plain"]
CLASSES: tuple[Class, ...] = ("named", "plain")
_CODE_LIKE = re.compile(r"_|[a-z][A-Z]|[A-Z]{2,}[a-z]")


class Weights(msgspec.Struct, frozen=True):
    """Of each feature, by class of question."""

    files: dict[str, dict[str, float]]
    documents: dict[str, dict[str, float]]
    made_from: list[str]
    """Repositories that they were learned from."""

    @property
    def version(self) -> str:
        """A name for them: others have another one."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:12]

    @classmethod
    def shipped(cls) -> Weights:
        """Those that come with the program."""
        return _shipped()


class Learned(msgspec.Struct, frozen=True):
    """Weights for one repository, learned from its own questions or found to be no better than those that it had."""

    commit: str
    """The newest that was asked about."""
    questions: int
    weights: Weights
    verdicts: list[str]
    """What was chosen for files and for symbols, and why."""


@functools.cache
def _shipped() -> Weights:
    return msgspec.json.decode(SHIPPED.read_bytes(), type=Weights)


@dataclass(frozen=True)
class Searcher:
    """The documents of a commit, with what is known of its past and of words."""

    corpus: Corpus
    past: Past
    table: Table | None = None

    @cached_property
    def tree(self) -> Tree:
        """The files as a ranking of files sees them."""
        return Tree.grown(self.corpus, self.past)

    def asked(self, question: str) -> Asked:
        """A question with what every document has for it."""
        vectors = self.corpus.vectors
        vector = vectors.cosines(self.table.of_question(question)) if self.table and vectors else None
        return Asked(self.corpus, Query(question), vector)

    def class_of(self, query: Query) -> Class:
        """Whether a question names code: a path, or what only code is called and the index knows."""
        if query.paths:
            return "named"
        spelled = {*query.names, *(name for name in IDENTIFIER.findall(query.text) if _CODE_LIKE.search(name))}
        terms = self.corpus.names.terms
        wanted = np.array([number(name) for name in spelled], np.uint32)
        places = np.searchsorted(terms, wanted)
        is_known = bool(len(terms)) and bool((terms[np.minimum(places, len(terms) - 1)] == wanted).any())
        return "named" if is_known else "plain"

    def of_files(self, asked: Asked) -> Features:
        """What speaks for each file."""
        return features.of_tree(self.tree, asked)

    def shares(self, asked: Asked, of_files: Features, weights: Weights) -> Floats:
        """Shares of the files."""
        return softmax(weighted(of_files, weights.files[self.class_of(asked.query)]))

    def documents(self, asked: Asked, shares: Floats) -> tuple[Ints, Features]:
        """Documents that may be answers, and what speaks for each."""
        at = features.candidates(asked, shares)
        return at, features.of_documents(self.tree, asked, shares, at)

    def search(self, question: str, count: int, weights: Weights) -> list[Hit]:
        """The best symbols and files for a question, the best first; scores are shares of all candidates."""
        asked = self.asked(question)
        if not asked.is_known:
            return []
        shares = self.shares(asked, self.of_files(asked), Weights.shipped())  # own ones know the files of commits
        at, found = self.documents(asked, shares)
        return self._hits(at, found, weights.documents, self.class_of(asked.query), count)

    def search_files(self, question: str, count: int, weights: Weights) -> list[Hit]:
        """The same of whole files, by all that is in them."""
        asked = self.asked(question)
        if not asked.is_known:
            return []
        whole = (self.corpus.starts[1:] - 1).astype(np.int32)
        return self._hits(whole, self.of_files(asked), weights.files, self.class_of(asked.query), count)

    def _hits(
        self, at: Ints, found: Features, by_class: Mapping[str, Mapping[str, float]], of_class: Class, count: int
    ) -> list[Hit]:
        """The best of some documents, with what speaks for each."""
        weights = by_class[of_class]
        scores = softmax(weighted(found, weights))
        return [
            replace(
                self.corpus.hit(int(at[place])),
                score=float(scores[place]),
                share=float(scores[place]),
                of_class=of_class,
                features={name: float(found[name][place] * weight) for name, weight in weights.items() if weight},
            )
            for place in np.argsort(-scores, kind="stable")[:count].tolist()
        ]


def weighted(found: Features, weights: Mapping[str, float]) -> Floats:
    """Weighted sums of features."""
    columns = [weight * found[name] for name, weight in weights.items() if weight]
    return np.sum(columns, axis=0) if columns else np.zeros(len(next(iter(found.values()))))
