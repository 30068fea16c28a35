"""What followed the longest context that occurred before, over a long history: the rule of `copying.guesses`.

`guesses` looks at all tokens at once, which suits a split that is scored. Here one token is asked for at a time: the
history is in segments, sorted once, and what is being written is the newest part of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.scoring.copying import ORDERS
from core.scoring.segments import CONTEXT_TOKENS, Segment, as_read


@dataclass(frozen=True)
class ContextIndex:
    """A history in segments, oldest first; ids take `size` bytes."""

    size: int
    segments: tuple[Segment, ...] = ()

    def extended(self, ids: NDArray[Any]) -> ContextIndex:
        """It with ids (1-D) behind it, as one more segment in memory."""
        if not len(ids):
            return self
        lead = self.last(CONTEXT_TOKENS)
        made = Segment.of(np.concatenate([lead, ids]), len(lead), self.size)
        return ContextIndex(self.size, (*self.segments, made))

    def last(self, count: int) -> NDArray[np.int64]:
        """The last tokens, at most `count` and those of the last segment."""
        found = self.segments[-1].backward[:count] if self.segments else np.empty(0)
        return found[::-1].astype(np.int64)

    def newest(self, count: int) -> NDArray[np.int64]:
        """The last tokens of the history (1-D), at most `count`."""
        parts: list[NDArray[np.int64]] = []
        for segment in reversed(self.segments):
            parts.append(segment.backward[: min(segment.tokens, count)][::-1].astype(np.int64))
            count -= len(parts[-1])
        return np.concatenate([np.empty(0, np.int64), *reversed(parts)])

    def copier(self, ids: Sequence[int] = ()) -> Copier:
        """What copies in a text that goes on where the history ends, and begins with these ids."""
        made = Copier(self)
        for id_ in (*self.last(CONTEXT_TOKENS).tolist(), *ids):
            made.read(id_)
        return made


@dataclass
class Copier:
    """A text that grows, and what would follow if it went on as the last time, in a history or in itself."""

    index: ContextIndex
    _ids: NDArray[np.int64] = field(default_factory=lambda: np.empty(256, np.int64), init=False)
    _runs: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64), init=False)
    """For each token how many tokens up to it equal the last ones; of the last token itself, nothing."""
    _length: int = field(default=0, init=False)

    def read(self, id_: int) -> None:
        """The next token of the text."""
        here = self._length
        if here == len(self._ids):
            self._ids, self._runs = (np.concatenate([one, np.zeros_like(one)]) for one in (self._ids, self._runs))
        same = self._ids[:here] == id_
        self._runs[1:here] = self._runs[: max(here - 1, 0)] + 1
        self._runs[: min(here, 1)] = 1
        self._runs[:here] *= same
        self._ids[here] = id_
        self._length += 1

    def guess(self) -> tuple[int, int]:
        """(the guess, the length of the context behind it as a number into ORDERS); both -1 where there is none."""
        runs = self._runs[: max(self._length - 1, 0)]
        own = min(int(runs.max(initial=0)), CONTEXT_TOKENS)
        context = as_read(self._ids[: self._length], self.index.size)
        longest, found = own, None
        for segment in reversed(self.index.segments) if own < CONTEXT_TOKENS else ():
            length = segment.longest(context)
            if _order(length) > _order(longest):
                longest, found = length, segment
            if longest >= CONTEXT_TOKENS:
                break
        order = _order(longest)
        if order < 0:
            return -1, -1
        if found is None:
            return int(self._ids[np.flatnonzero(runs >= ORDERS[order])[-1] + 1]), order
        return found.following(context[: ORDERS[order] * self.index.size]), order


def _order(length: int) -> int:
    """The number of the longest n-gram of ORDERS that is in so many tokens; -1 for none."""
    return bisect_right(ORDERS, length) - 1
