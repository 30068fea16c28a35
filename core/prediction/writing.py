"""Letting a model write the rest of a commit, held to the grammar, so that what it writes always parses.

At each step only what the grammar allows can come: text, or some markers. Budgets bound the text and all ids together;
when one is spent, what is open is closed. Paths are held to a tree of known ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch

from core.prediction.copying import Mix
from core.prediction.reading import Reading
from core.prediction.search import PathChances, PathTree, options
from core.text.grammar import (
    ADDED,
    AFTER,
    BEFORE,
    CHANGES,
    CODE_END,
    CODE_START,
    COMMIT_END,
    FILE_END,
    FILE_START,
    KEPT,
    KINDS,
    REMOVED,
    SYMBOL,
    CodeView,
    Marker,
)
from core.text.vocabulary import Vocabulary

MOST_SYMBOL_TOKENS = 32
LEAST_TEMPERATURE = 1e-3
"""Below, logits would overflow; the likeliest is taken then, as it would be."""

_NEXT: dict[str, dict[Marker, str]] = {
    "change": dict.fromkeys(CHANGES.values(), "kind"),
    "kind": dict.fromkeys(KINDS.values(), "symbol?"),
    "symbol?": {SYMBOL: "symbol", CODE_START: "code"},
    "symbol": {CODE_START: "code"},
    "code": {CODE_END: "next change"},
    "sides": {BEFORE: "before", AFTER: "after", CODE_END: "next change"},
    "before": {AFTER: "after", CODE_END: "next change"},
    "after": {CODE_END: "next change"},
    "hunks": {BEFORE: "present", KEPT: "kept", REMOVED: "removed", ADDED: "added", CODE_END: "next change"},
    "present": {KEPT: "kept", REMOVED: "removed", ADDED: "added", CODE_END: "next change"},
    "kept": {REMOVED: "removed", ADDED: "added"},
    "removed": {ADDED: "added", KEPT: "kept", REMOVED: "removed", CODE_END: "next change"},
    "added": {KEPT: "kept", REMOVED: "removed", CODE_END: "next change"},
    "next change": {**dict.fromkeys(CHANGES.values(), "kind"), FILE_END: "next file"},
    "next file": {FILE_START: "path", COMMIT_END: "done"},
}
"""By state: the markers that may come, and the state that each leads to."""
_CODE = {"before_after": "sides", "edit": "hunks"}
"""The state behind <CODE_START>, by view, where it is not "code"."""
_TEXT = frozenset(("symbol", "code", "before", "after", "present", "kept", "removed", "added"))
"""States in which text may come."""
_NAMED = frozenset(("symbol", "removed", "added"))
"""States in which some text must come: a symbol has a name, and a hunk changes something."""
_CLOSING = {
    "symbol": CODE_START,
    **dict.fromkeys(("code", "sides", "before", "after", "hunks", "present", "removed", "added"), CODE_END),
    "kept": ADDED,
    "next change": FILE_END,
    "next file": COMMIT_END,
}
"""What a spent budget leaves. "change", "kind" and "symbol?" cost no text, so there the model still chooses."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. `temperature` or `top_p` 0 takes the likeliest; a `seed` has 64 bits."""

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def chooser(self) -> Callable[[torch.Tensor], int]:
        """A function that chooses an id, given logits (vocabulary,) with -inf for what must not come."""
        if not self.temperature >= LEAST_TEMPERATURE:  # nan, too
            return lambda logits: int(logits.argmax())
        draw = torch.Generator().manual_seed(self.seed)

        def choose(logits: torch.Tensor) -> int:
            chances, order = (logits.cpu() / self.temperature).softmax(dim=-1).sort(descending=True)
            dropped = chances.cumsum(dim=0) - chances >= self.top_p
            dropped[0] = False  # also where top_p is 0, or too small for a float32
            chances[dropped] = 0
            return int(order[torch.multinomial(chances, 1, generator=draw)])

        return choose


@dataclass
class Writer:
    """Writes the rest of a commit from a place where a change must come, behind the head of a file."""

    reading: Reading
    vocabulary: Vocabulary
    tree: PathTree
    view: CodeView = "new"
    sampling: Sampling = field(default_factory=Sampling)
    mix: Mix | None = None
    """What copies while it writes; it has read what the model has read of the commit."""

    def write(self, most_text: int, most_ids: int, *, first: Sequence[Marker] = ()) -> Iterator[int]:
        """The ids, one by one, up to <COMMIT_END>. `first` are markers that are given, such as the change type.

        At most `most_text` of the ids are text in symbols and code. After `most_ids` of any kind the model begins no
        further change or file, and writes only what the grammar needs to close the commit.
        """
        choose = self.sampling.chooser()
        state, in_text, given, count = "change", 0, list(first), 0
        text_ids = text_mask(self.vocabulary, self.reading.logits.shape[-1])
        while state != "done":
            if state == "path":
                for id_ in self._path(choose):
                    yield id_
                    self._feed(id_)
                    count += 1
                state = "change"
                continue
            if count >= most_ids and state != "symbol":  # its text is bounded by itself
                most_text = 0
            ids = {self.vocabulary.markers[marker]: marker for marker in self._markers(state, most_text, in_text)}
            if given:
                id_ = self.vocabulary.markers[given.pop(0)]
            else:
                must_write = state in _NAMED and not in_text
                may_write = must_write or (state in _TEXT and self._has_room(state, in_text, most_text))
                id_ = self._chosen(list(ids), text_ids if may_write else None, choose)
            if id_ in ids:
                state, in_text = self._after(state, ids[id_]), 0
            else:
                most_text, in_text = most_text - 1, in_text + 1
            yield id_
            count += 1
            if state != "done":
                self._feed(id_)

    def _feed(self, id_: int) -> None:
        self.reading.feed([id_])
        if self.mix:
            self.mix.read([id_])

    def _markers(self, state: str, most_text: int, in_text: int) -> list[Marker]:
        if state in _NAMED and not in_text:
            return []
        if most_text <= 0 and state in _CLOSING:
            return [_CLOSING[state]]
        found = list(_NEXT[state])
        if state == "next file" and not self.tree.root.children:
            found.remove(FILE_START)
        if state == "symbol?" and most_text <= 0:
            found.remove(SYMBOL)
        return found

    def _has_room(self, state: str, in_text: int, most_text: int) -> bool:
        if state == "kept":  # what follows needs some text
            return most_text > 1
        return most_text > 0 and (state != "symbol" or in_text < MOST_SYMBOL_TOKENS)

    def _after(self, state: str, marker: Marker) -> str:
        following = _NEXT[state][marker]
        return _CODE.get(self.view, following) if following == "code" else following

    def _chosen(self, markers: list[int], text: torch.Tensor | None, choose: Callable[[torch.Tensor], int]) -> int:
        logits = self.reading.logits[0]
        allowed = torch.full_like(logits, -math.inf) if text is None else logits + text.to(logits.device)
        allowed[markers] = logits[markers]
        return choose(self.mix.of(allowed) if self.mix else allowed)

    def _path(self, choose: Callable[[torch.Tensor], int]) -> Iterator[int]:
        """A known path and what follows from it, behind <FILE_START>. Each id is to be fed before the next is asked."""
        chances = PathChances(self.vocabulary)
        node, length = self.tree.root, 1
        while True:
            ids, logs = options(chances.of(self.reading.logits), 0, node)
            number = choose(logs)
            if number == len(ids):
                yield from node.head[length:]
                return
            node, length = node.children[ids[number]], length + 1
            yield ids[number]


def text_mask(vocabulary: Vocabulary, size: int) -> torch.Tensor:
    """0 for ids of text, -inf for all others of `size`: our own tokens, the base model's own markup, spare rows."""
    mask = torch.full((size,), -math.inf)
    special = {id_ for id_, token in vocabulary.tokenizer.get_added_tokens_decoder().items() if token.special}
    known = vocabulary.tokenizer.get_vocab(with_added_tokens=True).values()
    mask[[id_ for id_ in known if id_ not in special and id_ < size]] = 0
    mask[[id_ for id_ in vocabulary.own_ids if id_ < size]] = -math.inf
    return mask
