"""Which functions and types of the ranked files a task most likely touches.

The files are parsed as they are at the commit. A conditional logit over their symbols: `f` the file's rank, `c` words
of the symbol's own code, `i` its identifiers, `n` its name, `t` tracebacks, `k` its kind and size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.chunking import parsing
from core.chunking.outline import Outline, Owner
from core.code.content import language_in
from core.code.languages import LANGUAGES
from core.ranking.contents import MAX_BYTES
from core.ranking.facts import ordered
from core.ranking.features import Features, share
from core.ranking.history import Floats
from core.ranking.matching import Documents, rank_scores, relative
from core.ranking.query import Query
from core.ranking.terms import IDENTIFIER, Counts, Terms, number, pack, part_numbers, parts, words

MAX_FILES = 10
"""Files that are parsed."""
FUNCTIONS = frozenset(("function", "macro"))
TYPES = frozenset(("class", "struct", "enum", "trait", "interface", "impl", "type"))
KINDS = FUNCTIONS | TYPES | {"constant"}
_STARTING = frozenset(("__init__", "new", "main", "constructor", "init"))
_FILE = ("f_share", "f_rank", "f_first", "f_alone")
_KIND = (
    *("k_function", "k_type", "k_constant", "k_test", "k_dunder", "k_private", "k_start", "k_lines", "k_part"),
    *("k_depth", "k_early", "k_late"),
)
_TEXT = (
    *("c_title", "c_title_rank", "c_all", "c_all_rank", "c_file", "i_all", "i_title", "n_title", "n_cover", "n_all"),
    *("n_exact", "n_named", "n_code", "n_owner", "n_owner_named", "n_member", "t_line", "t_name"),
)
FEATURES = (*_FILE, *_KIND, *_TEXT)
FREE = frozenset((*_KIND, "f_first", "f_alone"))
"""Features that may speak against a symbol, too."""


@dataclass(frozen=True)
class Symbol:
    """A symbol of a ranked file. Lines are 1-based, both included."""

    path: str
    name: str
    """Qualified: from the outermost symbol of the file inwards."""
    kind: str
    lines: tuple[int, int]
    code: str
    """Its own lines, without those of symbols inside it."""
    is_test: bool
    """It is a test, or inside one: helpers of tests are no answer either."""
    depth: int

    @cached_property
    def parts(self) -> list[str]:
        """Names from the outermost symbol inwards."""
        return IDENTIFIER.findall(self.name)

    @property
    def last(self) -> str:
        """The symbol's own name."""
        return self.parts[-1] if self.parts else ""

    @cached_property
    def terms(self) -> tuple[tuple[Terms, Counts], tuple[Terms, Counts]]:
        """The words of its code, and its identifiers."""
        names: Counter[int] = Counter()
        found: Counter[int] = Counter()
        for identifier, count in Counter(IDENTIFIER.findall(self.code)).items():
            names[number(identifier)] += count
            for part in part_numbers(identifier):
                found[part] += count
        return pack(found), pack(names)


@dataclass(frozen=True)
class RankedSymbol:
    """An answer; shares of all symbols of the ranked files add up to one."""

    name: str
    kind: str
    path: str
    lines: tuple[int, int]
    share: float
    reason: str = ""


def read(path: str, source: bytes | None) -> list[Symbol]:
    """The symbols of a file that may be an answer: functions, types and constants outside of functions.

    Empty where there is no grammar for the file, or nothing in it that the grammar can read.
    """
    if not source or len(source) > MAX_BYTES or not LANGUAGES[language := language_in(path, source)].has_symbols:
        return []
    if (outline := parsing.outline(source, language, path)) is None:
        return []
    found: list[Symbol] = []
    inner: set[Owner] = set()
    for owner in outline.owners():
        parent, kind = outline.parent(owner), outline.symbol(owner).kind
        if parent in inner or (parent and outline.symbol(parent).kind in FUNCTIONS | {"constant"}):
            inner.add(owner)
        elif kind in KINDS:
            found.append(_symbol(path, outline, owner))
    return found


def _symbol(path: str, outline: Outline, owner: Owner) -> Symbol:
    symbol, (first, last) = outline.symbol(owner), outline.rows(owner)
    runs = [(first, last)] if symbol.kind in FUNCTIONS else outline.own_runs(owner)
    code = outline.code(runs).decode("utf-8", "replace")
    is_test, depth, above = symbol.is_test, 0, outline.parent(owner)
    while above is not None:
        is_test, depth, above = is_test or outline.symbol(above).is_test, depth + 1, outline.parent(above)
    return Symbol(path, symbol.qualified_name, symbol.kind, (first + 1, last + 1), code, is_test, depth)


def rank(
    query: Query, files: Mapping[str, float], parsed: Mapping[str, Sequence[Symbol]], *, top: int = 5
) -> list[RankedSymbol]:
    """The symbols that a task most likely touches; [] without one. `files` have their shares, `parsed` what is in them.

    Without the words of a task the order was no better than that of the files and of the symbols' sizes.
    """
    found = candidates(files, parsed)
    if not found or not query.title:
        return []
    return [
        RankedSymbol(one.name, one.kind, one.path, one.lines, share_, _reason(query, one))
        for place, share_ in ordered("symbol", features(query, files, found))[:top]
        for one in [found[place]]
    ]


def candidates(files: Mapping[str, float], parsed: Mapping[str, Sequence[Symbol]]) -> list[Symbol]:
    """All symbols of the first files, in their order."""
    return [symbol for path in list(files)[:MAX_FILES] for symbol in parsed.get(path, ())]


def _reason(query: Query, symbol: Symbol) -> str:
    if any(_is_frame(frame, symbol) for frame in query.lines):
        return "the traceback goes through it"
    spelled = {name.lower() for name in IDENTIFIER.findall(query.text)}
    if len(symbol.last) > 2 and symbol.last.lower() in spelled:
        return "the task names it"
    asked = {part: name for name in IDENTIFIER.findall(query.text) for part in parts(name)}
    if named := _spelled(asked, parts(symbol.last)):
        return f"its name has {named}"
    shared = _spelled(asked, words(symbol.code))
    return f"its code has {shared}" if shared else ""


def _spelled(asked: Mapping[str, str], held: Sequence[str]) -> str:
    """The first three words of a task that are held."""
    found = set(held)
    return ", ".join(list(dict.fromkeys(name for part, name in asked.items() if part in found))[:3])


def features(query: Query, files: Mapping[str, float], symbols: Sequence[Symbol]) -> Features:
    """What speaks for each symbol."""
    return _files(files, symbols) | _kinds(symbols) | _contents(query, symbols) | _names(query, symbols)


def _files(files: Mapping[str, float], symbols: Sequence[Symbol]) -> Features:
    ranks = {path: rank for rank, path in enumerate(files)}
    rank = np.array([ranks[symbol.path] for symbol in symbols], np.float64)
    counts = np.bincount(rank.astype(int))[rank.astype(int)]
    return {
        "f_share": share(np.array([files[symbol.path] for symbol in symbols])),
        "f_rank": 1 / (1 + rank),
        "f_first": (rank == rank.min()).astype(float),
        "f_alone": -np.log(counts),
    }


def _kinds(symbols: Sequence[Symbol]) -> Features:
    lengths = np.array([symbol.lines[1] - symbol.lines[0] + 1 for symbol in symbols], np.float64)
    ends: dict[str, int] = {}
    for symbol in symbols:
        ends[symbol.path] = max(ends.get(symbol.path, 1), symbol.lines[1])
    whole = np.array([ends[symbol.path] for symbol in symbols], np.float64)
    starts = np.array([symbol.lines[0] for symbol in symbols], np.float64)

    def flags(values: Sequence[bool]) -> Floats:
        return np.array(values, np.float64)

    return {
        "k_function": flags([symbol.kind in FUNCTIONS for symbol in symbols]),
        "k_type": flags([symbol.kind in TYPES for symbol in symbols]),
        "k_constant": flags([symbol.kind == "constant" for symbol in symbols]),
        "k_test": flags([symbol.is_test for symbol in symbols]),
        "k_dunder": flags([symbol.last.startswith("__") for symbol in symbols]),
        "k_private": flags([symbol.last.startswith("_") and not symbol.last.startswith("__") for symbol in symbols]),
        "k_start": flags([symbol.last in _STARTING for symbol in symbols]),
        "k_lines": np.log([max(symbol.code.count("\n"), 1) for symbol in symbols]),
        "k_part": lengths / whole,
        "k_depth": np.array([symbol.depth for symbol in symbols], np.float64).clip(0, 3),
        "k_early": 1 - starts / whole,
        "k_late": (starts / whole > 0.9).astype(float),
    }


def _contents(query: Query, symbols: Sequence[Symbol]) -> Features:
    title = words(query.title)
    everything = [*title, *words(query.body)]
    held = Documents.of([symbol.terms[0] for symbol in symbols]).find(everything)
    names = Documents.of([symbol.terms[1] for symbol in symbols])
    spelled = IDENTIFIER.findall(query.text)
    found_names = names.find(spelled)
    by_title, by_all = held.scores(title), held.scores(everything)
    files: dict[str, int] = {}
    file = np.array([files.setdefault(symbol.path, len(files)) for symbol in symbols])
    best = np.zeros(len(files))
    np.maximum.at(best, file, by_all)
    return {
        "c_title": relative(by_title),
        "c_title_rank": rank_scores(by_title),
        "c_all": relative(by_all),
        "c_all_rank": rank_scores(by_all),
        "c_file": by_all / np.maximum(best[file], 1e-9),
        "i_all": relative(found_names.scores(spelled)),
        "i_title": relative(found_names.scores(IDENTIFIER.findall(query.title))),
    }


def _names(query: Query, symbols: Sequence[Symbol]) -> Features:
    title, body = set(words(query.title)), set(words(query.body))
    spelled = {name for name in IDENTIFIER.findall(query.title) if len(name) > 2}
    lowered = {name.lower() for name in spelled}
    named, code = set(query.names), set(IDENTIFIER.findall(f"{query.code}\n{query.errors}"))
    members = set(query.members)
    own = [set(parts(symbol.last)) for symbol in symbols]
    above = [symbol.parts[-2] if len(symbol.parts) > 1 else "" for symbol in symbols]

    def column(values: Sequence[float]) -> Floats:
        return np.array(values, np.float64)

    return {
        "n_title": column([len(one & title) / max(len(one), 1) for one in own]),
        "n_cover": column([len(one & title) / max(len(title), 1) for one in own]),
        "n_all": column([len(one & (title | body)) / max(len(one), 1) for one in own]),
        "n_exact": column([symbol.last in spelled or symbol.last.lower() in lowered for symbol in symbols]),
        "n_named": column([symbol.last in named for symbol in symbols]),
        "n_code": column([symbol.last in code for symbol in symbols]),
        "n_owner": column([name in spelled for name in above]),
        "n_owner_named": column([name in named for name in above]),
        "n_member": column([(name, symbol.last) in members for name, symbol in zip(above, symbols, strict=True)]),
        "t_line": column([any(_is_frame(frame, symbol) for frame in query.lines) for symbol in symbols]),
        "t_name": column([any(symbol.last == frame[2] for frame in query.lines) for symbol in symbols]),
    }


def _is_frame(frame: tuple[str, int, str], symbol: Symbol) -> bool:
    path, line, function = frame
    same = path.rpartition("/")[2] == symbol.path.rpartition("/")[2]
    inside = symbol.lines[0] <= line <= symbol.lines[1] and symbol.kind in FUNCTIONS
    return same and inside and (not function or function == symbol.last)
