"""A vocabulary of a history's own: byte-level BPE, and how many entries the text can support."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from core.commit_grammar import MARKERS, NAMED_FIELDS, Marker, Pieces
from core.logs import log
from core.vocabulary import PAD, STANDALONE, UNK, Value, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MOST_ENTRIES = 50_257
"""What `auto` starts from: the seed's size, GPT-2's."""
OFTEN, SHARE_OFTEN = 20, 0.80
"""`auto` takes the largest size at which this share of the learnt entries occurs this often in the text that
they were learnt from, so that a model has examples of each: the idea of Gowda and May 2020 (arXiv 2004.02334),
whose 100 and 0.95 would cost a fifth in length here. 30 million characters of Rust give some 16,000 entries."""
_STEP = 256
_SAMPLE_BYTES = 16_000_000
_LONGEST_VALUE = 120

# An identifier with the one sign before it (.name, (name, blank); digits by threes; a run of operators
# with the line break and the indentation that follow; indentation; blanks. Nothing of these is cut.
PRETOKEN = (
    r"[^\r\n\p{L}\p{N}_]?[\p{L}_][\p{L}\p{N}_]*| ?\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}_]+(?:\r?\n[\r\n]*[ \t]*)?|\r?\n[\r\n]*[ \t]*|[ \t]+(?!\S)|\s+"
)


class TrainingText:
    """The text of sequences, to be gone through once; remembers what decides over size and values."""

    def __init__(self, sequences: Iterable[Pieces]) -> None:
        self._sequences = sequences
        self._values: Counter[Value] = Counter()
        self._every = 1
        self._texts = 0
        self._sample_size = 0
        self.sample: list[str] = []
        """Texts spread evenly over all, at most about _SAMPLE_BYTES long together."""
        self.size = 0
        """Characters in all."""

    def __iter__(self) -> Iterator[str]:
        for pieces in self._sequences:
            self._values.update(_values_in(pieces))
            for piece in pieces:
                if type(piece) is not Marker:
                    self._note(piece)
                    yield piece

    def read(self) -> TrainingText:
        """Go through it all, for the values alone."""
        for pieces in self._sequences:
            self._values.update(_values_in(pieces))
        return self

    def frequent_values(self, most: int, least: int) -> list[Value]:
        """The `most` frequent values of open fields that occur `least` times, most frequent first."""
        often = sorted(self._values.items(), key=lambda item: (-item[1], item[0]))
        return [value for value, number in often[:most] if number >= least]

    def _note(self, text: str) -> None:
        self.size += len(text)
        if self._texts % self._every == 0:
            self.sample.append(text)
            self._sample_size += len(text)
            if self._sample_size > _SAMPLE_BYTES:
                del self.sample[1::2]
                self._every *= 2
                self._sample_size = sum(map(len, self.sample))
        self._texts += 1


def train(text: TrainingText, vocab_size: int | None, most_values: int = 0, least: int = 1) -> Vocabulary:
    """A vocabulary trained on the text, with `vocab_size` entries in all, as far as the text has so many.

    None picks a size that the text can support. PAD is 0, UNK 1; the markers follow, then what was
    learnt, then at most `most_values` values that occur at `least` so often.
    """
    from tokenizers import Tokenizer, pre_tokenizers, trainers

    tokenizer = untrained()
    own, alphabet = [PAD, UNK, *map(str, MARKERS)], pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=max(vocab_size or MOST_ENTRIES, len(own) + len(alphabet)),
        special_tokens=own,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(text, trainer)
    values = text.frequent_values(most_values, least)
    parts = json.loads(tokenizer.to_str())
    if vocab_size is None:
        size, sentence = supported_size(tokenizer, parts, text)
        log.info("vocab_size auto: %s", sentence)
    else:
        size = max(vocab_size - len(values), len(own) + len(alphabet))
    return Vocabulary.with_markers(Tokenizer.from_str(json.dumps(_cut(parts, size))), STANDALONE, values)


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


def supported_size(tokenizer: Tokenizer, parts: dict[str, Any], text: TrainingText) -> tuple[int, str]:
    """(entries that the text can support, a sentence that says why).

    Entries were learnt in the order of their ids. Without the last, each of its occurrences is one of
    the two that it was merged from: so one pass over the text gives the counts at every size.
    """
    import numpy as np

    total = len(parts["model"]["vocab"])
    counts = np.zeros(total, dtype=np.int64)
    for start in range(0, len(text.sample), 1000):
        for encoding in tokenizer.encode_batch_fast(text.sample[start : start + 1000], add_special_tokens=False):
            np.add.at(counts, encoding.ids, 1)
    share = sum(map(len, text.sample)) / max(text.size, 1)
    ids, merges = parts["model"]["vocab"], parts["model"]["merges"]
    made = [ids[left + right] for left, right in merges]
    first = min(made, default=total)
    by_result = {result: number for number, result in reversed(list(enumerate(made)))}
    size = total
    while size > first:
        often = float(np.mean(counts[first:size] >= OFTEN * share))
        if often >= SHARE_OFTEN:
            break
        smaller = max(size - _STEP, first)
        for entry in range(size - 1, smaller - 1, -1):
            left, right = merges[by_result[entry]]
            counts[ids[left]] += counts[entry]
            counts[ids[right]] += counts[entry]
        size = smaller
    return size, (
        f"{size:,} entries, the most of {total:,} at which {SHARE_OFTEN:.0%} of those learnt "
        f"occur at least {OFTEN} times in {text.size / 1e6:,.1f} million characters"
    )


def _values_in(pieces: Pieces) -> Iterator[Value]:
    for place, piece in itertools.pairwise(pieces):
        is_value = type(place) is Marker and place in NAMED_FIELDS and type(piece) is not Marker
        if is_value and len(piece) <= _LONGEST_VALUE and piece.isprintable():
            yield place, piece  # type: ignore[misc]


def _cut(parts: dict[str, Any], size: int) -> dict[str, Any]:
    """The tokenizer with the first `size` entries alone."""
    ids = parts["model"]["vocab"]
    parts["model"]["vocab"] = {token: id_ for token, id_ in ids.items() if id_ < size}
    parts["model"]["merges"] = [pair for pair in parts["model"]["merges"] if ids["".join(pair)] < size]
    return parts
