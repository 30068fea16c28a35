"""Letting a model write an edit of given code, held so that it always applies.

What a hunk keeps and removes are lines of the code, behind those of the hunk before: the model only chooses which. What
it adds is free, in whole lines.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from core.prediction.copying import Mix
from core.prediction.reading import Reading
from core.prediction.writing import Sampling, text_mask
from core.text.grammar import ADDED, CODE_END, KEPT, REMOVED, Marker
from core.text.vocabulary import Vocabulary

MOST_QUOTED = 12
"""Lines that a hunk may keep or remove in a row; more take several hunks."""
MOST_QUOTED_CHARACTERS, MOST_QUOTED_TOKENS = 1000, 256
"""Of what is quoted at once. A quotation is not ended within a line, so a longer line is never quoted."""


@dataclass(frozen=True)
class Replacement:
    """Lines of the code, from `first` to before `end`, become `added`."""

    first: int
    end: int
    added: str


class _Node:
    """A place in the tree of what may be quoted; `range` is (first, end) of its lines where a quotation may end."""

    __slots__ = ("children", "range")

    def __init__(self) -> None:
        self.children: dict[int, _Node] = {}
        self.range: tuple[int, int] | None = None


@dataclass
class EditWriter:
    """Writes hunks from a place behind the present code. `lines` may be kept or removed; they have their ends."""

    reading: Reading
    vocabulary: Vocabulary
    lines: Sequence[str]
    sampling: Sampling = field(default_factory=Sampling)
    mix: Mix | None = None
    """What may be copied; it has read what `reading` has of this commit."""
    replacements: list[Replacement] = field(default_factory=list, init=False)
    """What the hunks so far do."""
    log_probability: float = field(default=0.0, init=False)
    """Of everything that was chosen, by the model's own probabilities (in nats)."""

    def __post_init__(self) -> None:
        self._choose = self.sampling.chooser()
        self._text_ids = text_mask(self.vocabulary, self.reading.logits.shape[-1])
        self._left = 0
        self._tokens: dict[int, list[list[int]]] = {}

    def write(self, most_text: int) -> Iterator[int]:
        """The ids, one by one, up to <CODE_END>; about `most_text` of them are text. There is always a hunk."""
        self._left, cursor = most_text, 0
        marker = yield from self._marker([ADDED, *([KEPT, REMOVED] if self._may_quote(0) else [])])
        while marker != CODE_END:
            starts = range(cursor, len(self.lines))
            if marker == KEPT:
                (_, cursor), marker = yield from self._quotation(starts, ADDED, REMOVED)
                starts = range(cursor, cursor + 1)
            first = end = cursor
            if marker == REMOVED:
                (first, end), marker = yield from self._quotation(starts, CODE_END, ADDED, KEPT, REMOVED)
            added = ""
            if marker == ADDED:
                added, marker = yield from self._addition(end)
            self.replacements.append(Replacement(first, end, added))
            cursor = end

    def _marker(self, markers: Sequence[Marker]) -> Generator[int, None, Marker]:
        ids = {self.vocabulary.markers[marker]: marker for marker in markers}
        chosen = yield from self._one(list(ids))
        return ids[chosen]

    def _quotation(self, starts: range, *closing: Marker) -> Generator[int, None, tuple[tuple[int, int], Marker]]:
        """Lines that begin at one of the `starts`, and the marker behind them; the first of `closing` always fits."""
        node = self._tree(starts)
        while True:
            markers: dict[int, Marker] = {}
            if node.range:
                able = {KEPT: self._may_quote(node.range[1])}
                # Behind kept lines, those that go are the next ones.
                able[REMOVED] = able[KEPT] if KEPT in closing else bool(self._runs(node.range[1]))
                allowed = [marker for marker in closing if able.get(marker, True)]
                allowed = allowed if self._left > 0 else allowed[:1]
                markers = {self.vocabulary.markers[marker]: marker for marker in allowed}
            inner = list(node.children) if self._left > 0 or not markers else []
            chosen = yield from self._one([*markers, *inner])
            if chosen in markers:
                assert node.range
                return node.range, markers[chosen]
            node, self._left = node.children[chosen], self._left - 1

    def _addition(self, end: int) -> Generator[int, None, tuple[str, Marker]]:
        """Free text in whole lines, and the marker behind it."""
        written: list[int] = []
        markers = {self.vocabulary.markers[marker]: marker for marker in (CODE_END, KEPT, REMOVED)}
        if not self._may_quote(end):
            markers = {self.vocabulary.markers[CODE_END]: CODE_END}
        line_end = self.vocabulary.encode([["\n"]])[0]
        while True:
            text = self.vocabulary.decode(written)
            whole = text.endswith("\n")
            if self._left <= 0 and not whole:
                yield from self._given(line_end)
                text, whole = text + "\n", True
            if self._left <= 0:
                yield from self._given([self.vocabulary.markers[CODE_END]], feed=False)
                return text, CODE_END
            chosen = yield from self._one(list(markers) if whole else [], text=True)
            if chosen in markers:
                return text, markers[chosen]
            written.append(chosen)
            self._left -= 1

    def _one(self, ids: list[int], *, text: bool = False) -> Generator[int, None, int]:
        """One of the ids, or of all ids of text, as the model chooses."""
        logits = self.reading.logits[0]
        allowed = logits + self._text_ids.to(logits.device) if text else torch.full_like(logits, -math.inf)
        allowed[ids] = logits[ids]
        chosen = self._choose(self.mix.of(allowed) if self.mix else allowed)
        self.log_probability += float(logits.log_softmax(dim=-1)[chosen])
        yield from self._given([chosen], feed=chosen != self.vocabulary.markers[CODE_END])
        return chosen

    def _given(self, ids: Sequence[int], *, feed: bool = True) -> Iterator[int]:
        for id_ in ids:
            yield id_
            if feed:
                self.reading.feed([id_])
                if self.mix:
                    self.mix.read([id_])

    def _tree(self, starts: range) -> _Node:
        """What may be quoted; of equal lines the first are meant, as where an edit is applied."""
        root = _Node()
        for start in starts:
            for number, ids in enumerate(self._runs(start), start=1):
                node = root
                for id_ in ids:
                    node = node.children.setdefault(id_, _Node())
                node.range = node.range or (start, start + number)
        return root

    def _may_quote(self, start: int) -> bool:
        """Whether a line from `start` on is short enough to be quoted."""
        return any(self._runs(place) for place in range(start, len(self.lines)))

    def _runs(self, start: int) -> list[list[int]]:
        """The ids of the lines from `start` on: of the first, of the first two, …, as long as they are short enough."""
        if start not in self._tokens:
            sizes = itertools.accumulate(map(len, self.lines[start : start + MOST_QUOTED]))
            count = sum(size <= MOST_QUOTED_CHARACTERS for size in sizes)
            texts = [["".join(self.lines[start:end])] for end in range(start + 1, start + count + 1)]
            encoded = self.vocabulary.encode(texts)
            self._tokens[start] = list(itertools.takewhile(lambda ids: len(ids) <= MOST_QUOTED_TOKENS, encoded))
        return self._tokens[start]


def replaced(lines: Sequence[str], replacements: Sequence[Replacement]) -> list[str]:
    """The lines after an edit; those that are added may be several in one text."""
    made: list[str] = []
    cursor = 0
    for one in replacements:
        made += lines[cursor : one.first]
        if one.added and made and not made[-1].endswith("\n"):  # behind a last line without an end
            made[-1] += "\n"
            made.append(one.added.removesuffix("\n"))
        elif one.added:
            made.append(one.added)
        cursor = one.end
    return [*made, *lines[cursor:]]
