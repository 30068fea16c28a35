"""Commits as questions to the chat, each at a commit that does not know it: which places it finds, and the right ones.

What becomes of their order with other weights, or other numbers of places, is computed from what is noted here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from chat.citations import Citations
from chat.learning.places import Candidates
from chat.questions import read
from chat.subjects import Subjects
from core.git.blobs import BlobReader
from core.ranking.history import Mask
from index import examples, questions
from index.code_index import CodeIndex
from index.hits import FILE, Hit
from index.questions import Task
from index.search import Weights

COMMITS, TOGETHER = 60, 10
"""That are asked about, and of one index."""
KINDS = {"full": "commit messages", "masked": "the same without names"}


@dataclass(frozen=True)
class Replayed:
    """A question with the places that the chat finds for it."""

    name: str
    """Of the commit."""
    kind: str
    found: Candidates
    right: Mask
    places: tuple[tuple[str, str], ...] = ()
    """Path and symbol of each."""

    def order(self, weights: Weights) -> list[int]:
        """The places, the best first."""
        scores = self.found.scores(weights)
        found: list[int] = np.argsort(-scores, kind="stable").tolist()
        return found

    def rank(self, weights: Weights, most: int | None = None) -> float:
        """One through the place of the first right one among so many; 0 where none is."""
        for number, place in enumerate(self.order(weights)[:most], start=1):
            if self.right[place]:
                return 1 / number
        return 0.0


def replayed(index: CodeIndex, most: int = COMMITS, together: int = TOGETHER) -> Iterator[Replayed]:
    """Questions of the newest commits, the newest first, put to a copy of an index with the weights that it has."""
    if not (tip := index.commit):
        return
    asked = questions.tasks(index.git_dir, tip, most)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        copy = stack.enter_context(index.copied(folder))
        citations = stack.enter_context(Citations(index.git_dir))
        reader = stack.enter_context(BlobReader(index.git_dir))
        subjects = Subjects(index.git_dir, copy, citations)
        for start in range(0, len(asked), together):
            some = asked[start : start + together]
            copy.update(some[-1].parent)
            for task in some:
                right = _right(copy, reader, task)
                for kind, text in (("full", task.message), ("masked", task.masked)):
                    if right and (one := _replayed(subjects, kind, text, task.hash, right)):
                        yield one


def _right(index: CodeIndex, reader: BlobReader, task: Task) -> Mapping[str, set[str]]:
    """By path, the symbols that a commit changed; none where it changed what is outside of them."""
    files = {file.path: file for file in index.corpus().files}
    found = {}
    for path in task.files & files.keys():
        places = examples.changed_symbols(index.git_dir, reader, task, files[path])
        found[path] = {files[path].text.symbols[place].name for place in places}
    return found


def _replayed(subjects: Subjects, kind: str, text: str, name: str, right: Mapping[str, set[str]]) -> Replayed | None:
    asked = replace(read(text), kind="where")
    if not asked.words:
        return None
    hits, _ = subjects.of(asked, subjects.index.commit or "")
    found = Candidates.of(hits, subjects.index.weights)
    if found is None:
        return None
    mask = np.array([_is_right(hit, right) for hit in hits])
    return Replayed(name, kind, found, mask, tuple((hit.path, hit.symbol) for hit in hits))


def _is_right(hit: Hit, right: Mapping[str, set[str]]) -> bool:
    names = right.get(hit.path)
    if names is None:
        return False
    return not names if hit.kind == FILE else hit.symbol in names
