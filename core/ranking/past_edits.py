"""What somebody did the last time: for an edit, the past one that is most like it, and the code that is.

Edits are compared by what is known before them: the message, the path and the symbol.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.ranking.matching import Documents
from core.ranking.terms import Counts, Terms, counted, words
from core.text.edits import NO_PAST, Edit, as_past, edits
from core.text.grammar import COMMIT_END, FILE_END, GrammarError, Marker, parse
from core.text.hunks import HunkError, apply
from core.text.stream import Range
from core.text.vocabulary import Vocabulary

Ids = NDArray[np.int64]
MOST_CODES = 2_000
"""Symbols, those changed last, whose code is compared."""


@dataclass(frozen=True)
class PastEdits:
    """The edits of a history (ids, 1-D), oldest first."""

    ids: Ids
    vocabulary: Vocabulary
    edits: Sequence[Edit]

    @classmethod
    def of(cls, streams: Iterable[Ids], vocabulary: Vocabulary) -> PastEdits:
        """Of streams that follow each other in time."""
        ids = np.concatenate([np.empty(0, np.int64), *streams])
        return cls(ids, vocabulary, edits(ids, vocabulary.markers))

    def before(self, position: int) -> Ids:
        """What is shown before the edit at a position of the history: the nearest one of an earlier commit, or nothing.

        It is as `as_past` makes it.
        """
        edit = self.nearest(position)
        return NO_PAST if edit is None else as_past(self.ids, edit)

    def like(self, ids: Ids, edit: Edit) -> Ids:
        """The same before an edit of other ids, which come after the history."""
        question = words(about(ids, edit, self.vocabulary))
        best = _best(self._documents, question)
        return NO_PAST if best is None else as_past(self.ids, self.edits[best])

    def nearest(self, position: int) -> Edit | None:
        """The edit of an earlier commit most like the one at a position (BM25); None where none shares a word."""
        number = self._number_at(position)
        known = np.arange(len(self.edits)) < self._known_before(number)
        best = _best(self._documents, self._questions[number], known)
        return None if best is None else self.edits[best]

    def nearest_code(self, position: int) -> str:
        """The code of another symbol that is most like what an edit is about (BM25); "" where there is none.

        A symbol's code is what its last edit in an earlier commit left.
        """
        number, last = self._number_at(position), dict[int, int]()
        for place in range(self._known_before(number)):
            last[self._symbols[place]] = place
        last.pop(self._symbols[number], None)
        places = sorted(last.values())[-MOST_CODES:]
        best = _best(Documents.of([self._code(place)[1] for place in places]), self._questions[number])
        return "" if best is None else self._code(places[best])[0]

    def _number_at(self, position: int) -> int:
        return int(np.searchsorted(self._firsts, position))

    def _known_before(self, number: int) -> int:
        """How many edits belong to earlier commits than this one."""
        return int(np.searchsorted(self._commits, self.edits[number].commit[0]))

    def _code(self, place: int) -> tuple[str, tuple[Terms, Counts]]:
        """What an edit left, and its words."""
        if place not in self._codes:
            code = code_after(self.ids, self.edits[place], self.vocabulary)
            self._codes[place] = code, counted(words(code))
        return self._codes[place]

    @cached_property
    def _codes(self) -> dict[int, tuple[str, tuple[Terms, Counts]]]:
        return {}

    @cached_property
    def _firsts(self) -> Ids:
        return np.array([edit.hunks[0] for edit in self.edits], np.int64)

    @cached_property
    def _commits(self) -> Ids:
        return np.array([edit.commit[0] for edit in self.edits], np.int64)

    @cached_property
    def _questions(self) -> list[list[str]]:
        """Stems of message, path and symbol of each edit."""
        spans = list(dict.fromkeys(span for edit in self.edits for span in _about(edit)))
        found = dict(zip(spans, map(words, texts(self.ids, spans, self.vocabulary)), strict=True))
        return [[word for span in _about(edit) for word in found[span]] for edit in self.edits]

    @cached_property
    def _documents(self) -> Documents:
        return Documents.of([counted(question) for question in self._questions])

    @cached_property
    def _symbols(self) -> list[int]:
        """A number for what each edit changes: a symbol of a file."""
        numbers: dict[bytes, int] = {}
        # Behind the marker of the type come those of the kind and of the symbol, and its name.
        spans = (((edit.file, (edit.about[0] + 1, edit.about[1]))) for edit in self.edits)
        names = (b"".join(self.ids[slice(*span)].tobytes() for span in both) for both in spans)
        return [numbers.setdefault(name, len(numbers)) for name in names]


def about(ids: Ids, edit: Edit, vocabulary: Vocabulary) -> str:
    """Message, path and symbol as text."""
    return " ".join(texts(ids, _about(edit), vocabulary))


def texts(ids: Ids, spans: Sequence[Range], vocabulary: Vocabulary) -> list[str]:
    """The text of some stretches of a history, without markers; fields are joined by spaces."""
    found = vocabulary.all_pieces(ids[slice(*span)].tolist() for span in spans)
    return [" ".join(piece for piece in pieces if not isinstance(piece, Marker)) for pieces in found]


def code_after(ids: Ids, edit: Edit, vocabulary: Vocabulary) -> str:
    """The code that an edit leaves, without what was masked in it; "" where its hunks do not apply."""
    spans = (edit.commit, edit.file, (edit.about[0], edit.hunks[1]))
    pieces = [piece for span in spans for piece in vocabulary.pieces(ids[slice(*span)].tolist())]
    try:
        (commit,) = parse([*pieces, FILE_END, COMMIT_END])
        (change,) = commit.files[0].changes
        return "".join(piece for piece in apply(change.before, change.edit) if not isinstance(piece, Marker))
    except (GrammarError, HunkError):  # the history begins or ends within it
        return ""


def _about(edit: Edit) -> tuple[Range, Range, Range]:
    return edit.commit, edit.file, edit.about


def _best(documents: Documents, question: Sequence[str], allowed: NDArray[np.bool_] | bool = True) -> int | None:
    scores = np.where(allowed, documents.find(question).scores(question), 0.0)
    best = int(scores.argmax()) if len(scores) else 0
    return best if len(scores) and scores[best] > 0 else None
