"""What is kept of a text: its symbols, and the words and names of each, as numbers.

A text is a blob read in one language. Its rows are parted among documents: each belongs to the innermost symbol that
may be an answer, or, outside of these, to the file itself, which is the last document. All comes from the bytes and the
kind of the path alone, so that it is the same whenever it is read.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from core.chunking import parsing
from core.chunking.encodings import alone
from core.chunking.filters import FileFilters
from core.chunking.outline import Outline, Owner
from core.code.content import language_in, may_differ
from core.code.languages import LANGUAGES, file_kind, file_type, language_of
from core.git.encodings import LEAST_CONFIDENCE, is_binary
from core.ranking.symbols import FUNCTIONS, KINDS
from core.ranking.terms import IDENTIFIER
from core.text.secrets import find
from index.assignments import Constant, constants
from index.spellings import Numbers, Parted, Spelled

MAX_BYTES = 1_000_000
"""Of a file; a larger one is data."""
MAX_DATA_BYTES = 100_000
"""Of a file that is neither code nor documentation."""
MAX_LINE_BYTES = 10_000
MAX_DOC = 300
"""Characters of a docstring's first sentence."""
LARGE, BINARY, DATA = "files that are too large", "binary files", "data files"
LONG_LINES, GENERATED, MISSING = "files with very long lines", "generated files", "files with missing objects"
_ANSWERS = KINDS | {"section", "table"}
_SENTENCE = re.compile(r"\A(.+?[.!?:])(?:\s|\Z)|\A(.+?)(?:\n\s*\n|\Z)", re.DOTALL)
_FILTERS = FileFilters(max_line_bytes=MAX_LINE_BYTES)


class Symbol(msgspec.Struct, frozen=True, array_like=True):
    """A symbol that may be an answer. Lines count from 1, both included, with decorators and leading comments."""

    name: str
    kind: str
    first: int
    last: int
    doc: str
    is_test: bool

    @property
    def last_name(self) -> str:
        """Its own name, without those of what is around it."""
        return self.names[-1] if self.names else self.name

    @property
    def above(self) -> str:
        """The name of what is around it, "" for none."""
        return self.names[-2] if len(self.names) > 1 else ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names from the outermost symbol inwards."""
        return _names_in(self.name)


@functools.lru_cache(maxsize=1 << 16)
def _names_in(qualified_name: str) -> tuple[str, ...]:
    return tuple(IDENTIFIER.findall(qualified_name))


class Counts(msgspec.Struct, frozen=True, array_like=True):
    """How often terms occur in each of some documents."""

    terms: bytes
    """Every term once, in rising order; 32-bit."""
    sizes: bytes
    """Terms of each document; 32-bit."""
    places: bytes
    """Of each document in turn, the places of its terms in `terms`; 16-bit, or 32-bit where there are more."""
    counts: bytes
    """The same of how often each occurs, at most 255; 8-bit."""

    @property
    def width(self) -> type[np.generic]:
        """Of `places`."""
        return np.uint16 if len(self.terms) <= 4 << 16 else np.uint32

    @classmethod
    def of(cls, found: Parted[int]) -> Counts:
        """From how often terms occur."""
        sizes = np.bincount(found.rows, minlength=found.documents).astype(np.uint32)
        counts = found.counts.clip(0, 255).astype(np.uint8)
        empty = cls(np.array(found.every, np.uint32).tobytes(), sizes.tobytes(), b"", counts.tobytes())
        return msgspec.structs.replace(empty, places=found.places.astype(empty.width).tobytes())

    def arrays(self) -> tuple[Numbers, Numbers, Numbers]:
        """(sizes, terms, counts) of the documents, one after the other."""
        terms = np.frombuffer(self.terms, np.uint32)
        found = terms[np.frombuffer(self.places, self.width)]
        return np.frombuffer(self.sizes, np.uint32), found, np.frombuffer(self.counts, np.uint8)


class Text(msgspec.Struct, frozen=True, array_like=True):
    """A text. Documents are its symbols, in the order of the file, and what is left of it."""

    reason: str
    """Why it is left out; "" where it is not, and then the rest is filled."""
    lines: int = 0
    symbols: tuple[Symbol, ...] = ()
    words: Counts = Counts(b"", b"", b"", b"")
    """Stems of the parts of identifiers and other words."""
    names: Counts = Counts(b"", b"", b"", b"")
    """Identifiers and other words as they are spelled."""


class Parsed(NamedTuple):
    """A text that was read."""

    reason: str
    lines: int
    symbols: tuple[Symbol, ...]
    names: Parted[int]
    """How often each identifier occurs in each document."""
    words: Parted[str]
    """The same of the words that identifiers are made of."""

    @classmethod
    def left_out(cls, reason: str) -> Parsed:
        """One that is left out."""
        nothing = Spelled([], [], [], [])
        return cls(reason, 0, (), nothing.numbered(), nothing.words())


@functools.lru_cache(maxsize=1 << 16)
def kind_of(path: str) -> str:
    """All that a path says of how its text is read; the text of a blob is the same at all paths of one kind."""
    return f"{language_of(path)} {file_kind(path)} {file_type(path) if may_differ(path) else ''}"


@functools.lru_cache(maxsize=1 << 16)
def left_out(path: str) -> str | None:
    """Why a file is left out by its path: vendored, minified, generated and lock files; None where it is not."""
    return _FILTERS.path_reason(path)


def parsed(source: bytes, path: str) -> Parsed:
    """What is in a blob at a path; with a reason where it is left out."""
    if encoding := alone(source, LEAST_CONFIDENCE).encoding:
        source = encoding.to_utf8(source)
    if reason := _reason(source, path):
        return Parsed.left_out(reason)
    source = masked(source)
    language = language_in(path, source)
    found = parsing.outline(source, language, "") if LANGUAGES[language].has_symbols else None
    outline = Outline(source) if found is None else found
    symbols, runs = _documents(outline, constants(outline) if language == "python" else ())
    spelled = Spelled.of(outline.code(one).decode("utf-8", "replace") for one in runs)
    return Parsed("", len(outline), tuple(symbols), spelled.numbered(), spelled.words())


def text_of(found: Parsed) -> Text:
    """What is kept of it."""
    if found.reason:
        return Text(found.reason)
    return Text("", found.lines, found.symbols, Counts.of(found.words.stems()), Counts.of(found.names))


def _reason(source: bytes, path: str) -> str:
    if is_binary(source):
        return BINARY
    if len(source) > MAX_DATA_BYTES and file_kind(path) not in ("code", "documentation"):
        return DATA
    if _FILTERS.is_generated(source):
        return GENERATED
    if len(source) > MAX_LINE_BYTES and max(map(len, source.split(b"\n"))) > MAX_LINE_BYTES:
        return LONG_LINES
    return ""


def masked(source: bytes) -> bytes:
    """A text with blanks in the place of credentials, line by line what it was."""
    text = source.decode("utf-8", "replace")
    if not (secrets := find(text)):
        return source
    pieces, last = [], 0
    for start, end, _ in secrets:
        pieces += [text[last:start], re.sub(r"[^\n]", " ", text[start:end])]
        last = end
    return "".join([*pieces, text[last:]]).encode()


def first_sentence(doc: str) -> str:
    """The first sentence of a docstring or doc comment, in one line."""
    match = _SENTENCE.match(doc.strip())
    return " ".join((match[1] or match[2]).split())[:MAX_DOC] if match else ""


def _documents(outline: Outline, of_module: Sequence[Constant]) -> tuple[list[Symbol], list[list[tuple[int, int]]]]:
    """The symbols that may be answers, in the order of the file, and the runs of rows of each document.

    `of_module` are constants outside of all symbols of the outline.
    """
    own, within = _symbols(outline)
    found: list[tuple[Owner | Constant, Symbol]] = [*own.items(), *((one, _constant(one)) for one in of_module)]
    found.sort(key=lambda pair: pair[1].first)
    places: dict[Owner | Constant, int] = {one: place for place, (one, _) in enumerate(found)}
    runs: list[list[tuple[int, int]]] = [[] for _ in range(len(found) + 1)]
    for around, rows in outline.owned(0, len(outline)):
        if around is not None:
            document = within[around]
            runs[-1 if document is None else places[document]].append((rows.start, rows.stop - 1))
            continue
        start = rows.start
        for one in (one for one in of_module if one.first in rows):
            runs[places[one]].append((one.first, one.last))
            if start < one.first:
                runs[-1].append((start, one.first - 1))
            start = one.last + 1
        if start < rows.stop:
            runs[-1].append((start, rows.stop - 1))
    return [symbol for _, symbol in found], runs


def _symbols(outline: Outline) -> tuple[dict[Owner, Symbol], dict[Owner, Owner | None]]:
    """The symbols of an outline that may be answers; and of every symbol the one whose document it belongs to."""
    symbols: dict[Owner, Symbol] = {}
    within: dict[Owner, Owner | None] = {}
    closed: set[Owner] = set()
    for owner in outline.owners():
        parent, found = outline.parent(owner), outline.symbol(owner)
        if parent in closed:
            closed.add(owner)
        if owner in closed or found.kind not in _ANSWERS:
            within[owner] = within[parent] if parent is not None else None
            continue
        if found.kind in FUNCTIONS or found.kind == "constant":
            closed.add(owner)  # what is inside is a detail of it
        first, last = outline.rows(owner)
        doc = first_sentence(found.doc)
        symbols[owner] = Symbol(found.qualified_name, found.kind, first + 1, last + 1, doc, found.is_test)
        within[owner] = owner
    return symbols, within


def _constant(one: Constant) -> Symbol:
    return Symbol(one.name, "constant", one.first + 1, one.last + 1, first_sentence(one.doc), is_test=False)
