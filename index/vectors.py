"""Static vectors of documents: the mean of their words' vectors, from the table that the wheel of wordllama brings.

The two files of the wheel are read by us; its code is never run, and nothing is downloaded. Without the wheel there are
no vectors, and questions are matched by their words alone.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.ranking.history import Floats
from index.spellings import MOST_CELLS, Parted, Spelled

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME = "wordllama 256"
"""What vectors of this kind are stored under."""
WIDTH = 256
Vectors = NDArray[np.float16]
_AT_ONCE = 8192
"""Documents that are compared with a question at once."""
_NOTHING = 0
"""The row of words that say nothing."""
_WORD_START = "\N{LOWER ONE EIGHTH BLOCK}"
_TABLE, _TOKENIZER = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"
_EVERYWHERE = frozenset(
    (
        *("a", "an", "and", "are", "as", "assert", "async", "at", "await", "be", "bool", "by", "case", "catch"),
        *("class", "const", "continue", "def", "default", "del", "do", "elif", "else", "end", "enum", "except"),
        *("export", "extends", "extern", "false", "final", "finally", "fn", "for", "from", "func", "function", "if"),
        *("impl", "import", "in", "int", "is", "it", "lambda", "let", "match", "mod", "mut", "namespace", "new", "nil"),
        *("none", "not", "null", "of", "on", "or", "package", "pass", "private", "protected", "pub", "public", "raise"),
        *("return", "self", "static", "str", "string", "struct", "super", "switch", "that", "the", "this", "throw"),
        *("to", "trait", "true", "try", "type", "typedef", "undefined", "unsigned", "use", "using", "val", "var"),
        *("void", "where", "while", "with", "yield"),
    )
)
"""Words of every program, which say nothing of what one is about."""


class Table:
    """Vectors of words."""

    def __init__(self, folder: Path) -> None:
        """From the folder of the package. Nothing is read before it is needed."""
        self._folder = folder
        self._rows: dict[str, int] = {}
        self._known = np.zeros((1024, WIDTH), np.float16)

    @cached_property
    def _pieces(self) -> Vectors:
        from safetensors.numpy import load_file

        found: Vectors = load_file(self._folder / _TABLE)["embedding.weight"]
        return found

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self._folder / _TOKENIZER))

    def of_documents(self, words: Parted[str]) -> Vectors:
        """Vectors of documents, given how often each word occurs in them; shape (documents, WIDTH).

        Of unit length; zeros for a document without words that say anything.
        """
        rows = self._rows_of(words.every)
        vectors = self._known[rows].astype(np.float32)
        found: Floats = np.zeros((words.documents, WIDTH), np.float32)
        most = max(MOST_CELLS // max(len(words.every), 1), 1)
        for start in range(0, words.documents, most):
            first, end = np.searchsorted(words.rows, (start, start + most))
            weights = np.zeros((min(most, words.documents - start), len(words.every)), np.float32)
            counts = words.counts[first:end]
            weights[words.rows[first:end] - start, words.places[first:end]] = counts / (counts + 1)
            found[start : start + most] = weights @ vectors
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        result: Vectors = found.astype(np.float16)
        return result

    def of_question(self, question: str) -> Floats:
        """The vector of a question."""
        return self.of_documents(Spelled.of([question]).words())[0]

    def _rows_of(self, words: Sequence[str]) -> list[int]:
        for word in words:
            if word not in self._rows:
                self._rows[word] = self._added(word)
        return [self._rows[word] for word in words]

    def _added(self, word: str) -> int:
        if word in _EVERYWHERE:
            return _NOTHING
        row = len(self._rows) + 1
        if row >= len(self._known):
            self._known = np.concatenate([self._known, np.zeros_like(self._known)])
        whole = self._tokenizer.token_to_id(f"{_WORD_START}{word}")  # what encoding gives, without its cost
        if whole is not None:
            self._known[row] = self._pieces[whole]
        elif pieces := self._tokenizer.encode(word, add_special_tokens=False).ids:
            self._known[row] = self._pieces[pieces].astype(np.float32).sum(axis=0) / len(pieces)
        return row


@functools.cache
def installed() -> Table | None:
    """The table of the wheel; None where it is not installed."""
    found = importlib.util.find_spec("wordllama")
    folders = [Path(place) for place in found.submodule_search_locations or ()] if found else []
    folder = next((one for one in folders if (one / _TABLE).is_file() and (one / _TOKENIZER).is_file()), None)
    return Table(folder) if folder else None


class Centred:
    """Vectors of documents, with what their mean takes away from each: words that are everywhere."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._mean = vectors.mean(axis=0, dtype=np.float32) if len(vectors) else np.zeros(WIDTH, np.float32)
        self._inverse = np.zeros(len(vectors), np.float32)
        """Of each vector's length without the mean; 0 for one that says nothing."""
        for place, some in self._parts():
            lengths = np.linalg.norm(some - self._mean, axis=1)
            self._inverse[place] = some.any(axis=1) / np.maximum(lengths, 1e-9)

    def cosines(self, question: Floats) -> Floats:
        """How like a question each document is; 0 for one without words."""
        asked = question.astype(np.float32) - self._mean
        asked /= max(float(np.linalg.norm(asked)), 1e-9)
        found = np.zeros(len(self._vectors))
        for place, some in self._parts():
            found[place] = (some @ asked - self._mean @ asked) * self._inverse[place]
        return found

    def _parts(self) -> Iterator[tuple[slice, Any]]:
        """Some at once, since all in single precision would take twice as much memory."""
        for start in range(0, len(self._vectors), _AT_ONCE):
            place = slice(start, start + _AT_ONCE)
            yield place, self._vectors[place].astype(np.float32)
