"""Learning the weights of a repository from its own commits and docstrings, when enough of them are new."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.git import trees
from core.git.blobs import missing
from index import examples, fitting, gate
from index.code_index import CodeIndex
from index.examples import Answered
from index.search import Learned, Weights

COMMITS, SENTENCES = 88, 80
"""That are asked about."""
MANY_DOCUMENTS, FEWER_COMMITS = 10_000, 40
"""Of a repository with so many documents, fewer commits are asked about."""
TOGETHER = 8
MOST_FILES = 200
MANY_NEW = 200
"""Commits after which it is time to learn again."""


def is_due(index: CodeIndex) -> bool:
    """Whether nothing was learned yet, or many commits ago, or from a history that is gone."""
    if not index.commit:
        return False
    if not (known := index.learned):
        return True
    if missing(index.git_dir, [known.commit]):
        return True
    return trees.count_between(index.git_dir, known.commit, index.commit) >= MANY_NEW


def questions_of(index: CodeIndex) -> Iterator[Answered]:
    """The questions to a repository that are learned from: docstrings, then commits, the newest first."""
    shipped = Weights.shipped()
    commits = COMMITS if len(index.corpus()) < MANY_DOCUMENTS else FEWER_COMMITS
    for one in examples.answered(index, commits, SENTENCES, TOGETHER, fitting.LEARNED_FROM):
        yield examples.narrowed(one, shipped, MOST_FILES)


def learn(index: CodeIndex, was_asked: Callable[[int], None] = lambda _: None) -> Learned:
    """Learn from the questions of the commit that the index describes, and answer with what wins from now on.

    The same commit gives the same weights. `was_asked` is called with how many questions have been put.
    """
    found = []
    for one in questions_of(index):
        found.append(one)
        was_asked(len(found))
    weights, verdicts = gate.gated(found, Weights.shipped())
    learned = Learned(index.commit or "", len(found), weights, verdicts)
    index.keep(learned)
    return learned
