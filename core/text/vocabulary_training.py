"""A vocabulary of a history's own: byte-level BPE, as large as its text can support."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from core.logs import log
from core.text.encoder import PRETOKEN
from core.text.grammar import MARKERS, NAMED_FIELDS, Marker, Pieces
from core.text.vocabulary import PAD, STANDALONE, UNK, Value, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MOST_ENTRIES = 50_257
"""What `auto` never exceeds: the seed's size, GPT-2's."""
OFTEN = 20
"""`auto` learns an entry only if it occurs this often in the text, so that a model has examples of each.
24 MB of Rust support some 16,000 entries: no more of them were met in the commits that followed."""
_LONGEST_VALUE = 120


class TrainingText:
    """The text of sequences, to be gone through once; remembers how often each value of an open field occurs."""

    def __init__(self, sequences: Iterable[Pieces]) -> None:
        self._sequences = sequences
        self._values: Counter[Value] = Counter()
        self.size = 0
        """Characters so far."""

    def __iter__(self) -> Iterator[str]:
        for pieces in self._sequences:
            self._values.update(_values_in(pieces))
            for piece in pieces:
                if type(piece) is not Marker:
                    self.size += len(piece)
                    yield piece

    def frequent_values(self, most: int, least: int) -> list[Value]:
        """The `most` frequent values that occurred at least `least` times, most frequent first."""
        often = sorted(self._values.items(), key=lambda item: (-item[1], item[0]))
        return [value for value, number in often[:most] if number >= least]


def train(text: TrainingText, vocab_size: int | None, most_values: int = 0, least: int = 1) -> Vocabulary:
    """A vocabulary trained on the text, with `vocab_size` entries in all, as far as the text has so many.

    None picks a size that the text can support. PAD is 0, UNK 1; the markers follow, then what was
    learned, then at most `most_values` values that occur at least `least` times.
    """
    from tokenizers import Tokenizer, pre_tokenizers, trainers

    tokenizer = untrained()
    own, alphabet = [PAD, UNK, *map(str, MARKERS)], pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=max(vocab_size or MOST_ENTRIES, len(own) + len(alphabet)),
        min_frequency=0 if vocab_size else OFTEN,
        special_tokens=own,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(text, trainer)
    values = text.frequent_values(most_values, least)
    parts = json.loads(tokenizer.to_str())
    kept = max((vocab_size or MOST_ENTRIES) - len(values), len(own) + len(alphabet))
    vocabulary = Vocabulary.with_markers(Tokenizer.from_str(json.dumps(_cut(parts, kept))), STANDALONE, values)
    if vocab_size is None:
        log.info(
            "vocab_size auto: %s entries, as many (up to %s) as occur %s times in %.1f million older characters",
            *(f"{vocabulary.size:,}", f"{MOST_ENTRIES:,}", OFTEN, text.size / 1e6),
        )
    elif vocabulary.size < vocab_size:
        log.info("vocab_size: the text has no more than %s entries to learn", f"{vocabulary.size:,}")
    return vocabulary


def untrained() -> Tokenizer:
    """Byte-level BPE without entries."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKEN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _values_in(pieces: Pieces) -> Iterator[Value]:
    for place, piece in itertools.pairwise(pieces):
        is_value = type(place) is Marker and place in NAMED_FIELDS and type(piece) is not Marker
        if is_value and len(piece) <= _LONGEST_VALUE and piece.isprintable():
            yield place, piece  # type: ignore[misc]


def _cut(parts: dict[str, Any], size: int) -> dict[str, Any]:
    """The tokenizer with the first `size` entries alone; entries follow one another in the order they were learned."""
    ids = parts["model"]["vocab"]
    parts["model"]["vocab"] = {token: id_ for token, id_ in ids.items() if id_ < size}
    parts["model"]["merges"] = [pair for pair in parts["model"]["merges"] if ids["".join(pair)] < size]
    return parts
