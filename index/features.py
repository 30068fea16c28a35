"""What speaks for each file and each symbol of an index, as numbers between 0 and about 7.

Files have what the ranking of changed files knows of them, and `s` the best of their symbols, `v` vectors. Symbols have
`f` their file's share, `w` words of their own code, `i` names in it, `h` words of their name and docstring, `n` their
name, `v` vectors, `k` their kind and size. They know the question, the texts and ancestors of the commit alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.ranking import features as of_files
from core.ranking.features import Features, share
from core.ranking.history import Floats, Ints
from core.ranking.matching import rank_scores, relative
from core.ranking.query import Query
from core.ranking.symbols import FUNCTIONS, TYPES
from core.ranking.terms import IDENTIFIER, parts, words
from index.corpus import Corpus
from index.texts import Symbol
from index.tree import Tree

MOST_BY_WORDS, MOST_BY_HEAD, MOST_BY_VECTOR, MOST_FILES = 200, 60, 60, 10
"""Documents that may be answers: the best ones by their words, their heads, their vectors; all of the best files."""
_SPEAKS_OF = {
    "test": ("k_test", "k_in_test", "k_is_test"),
    "doc": ("k_docs", "k_in_docs"),
    "document": ("k_docs", "k_in_docs"),
    "readm": ("k_docs", "k_in_docs"),
    "changelog": ("k_changelog", "k_in_changelog"),
    "exampl": ("k_aux", "k_in_aux"),
}
"""Kinds that count neither for nor against an answer where the question has the word."""
_FILE_KINDS = ("k_test", "k_changelog", "k_docs", "k_aux", "k_settings", "k_init", "k_root")


@dataclass(frozen=True)
class Asked:
    """A question, and what every document of a corpus has for it."""

    corpus: Corpus
    query: Query
    vector: Floats | None = None
    """Cosine of every document's vector with the question's; None without a table of vectors."""

    @cached_property
    def title(self) -> list[str]:
        """Words of the first line."""
        return words(self.query.title)

    @cached_property
    def everything(self) -> list[str]:
        """Words of the whole question."""
        return [*self.title, *words(self.query.body)]

    @cached_property
    def by_words(self) -> Floats:
        """BM25 of the documents' words: the baseline."""
        return self.corpus.words.find(self.everything).scores(self.everything)

    @cached_property
    def by_title(self) -> Floats:
        """The same for the first line."""
        return self.corpus.words.find(self.title).scores(self.title)

    @cached_property
    def by_head(self) -> Floats:
        """BM25 of the words of names and docstrings."""
        return self.corpus.heads.find(self.everything).scores(self.everything)

    @cached_property
    def by_names(self) -> Floats:
        """BM25 of names as they are spelled."""
        spelled = IDENTIFIER.findall(self.query.text)
        return self.corpus.names.find(spelled).scores(spelled)

    @property
    def is_known(self) -> bool:
        """Any word of the question is in a text, or names a symbol or a file."""
        return len(self.corpus) > 0 and bool(self.by_words.any() or self.by_head.any())

    def best_of_file(self, scores: Floats) -> Floats:
        """Of each file, the score of its best document."""
        return np.maximum.reduceat(scores, self.corpus.starts[:-1]) if len(scores) else scores


def of_tree(tree: Tree, asked: Asked) -> Features:
    """What speaks for each file."""
    by_text, _ = of_files.of_text(tree, asked.query)
    best, heads = asked.best_of_file(asked.by_words), asked.best_of_file(asked.by_head)
    found = {
        **of_files.of_history(tree),
        **of_files.of_kinds(tree),
        **by_text,
        "s_words": relative(best),
        "s_words_rank": rank_scores(best),
        "s_title": relative(asked.best_of_file(asked.by_title)),
        "s_head": relative(heads),
        "s_head_rank": rank_scores(heads),
    }
    if asked.vector is not None:
        nearest = asked.best_of_file(asked.vector)
        found |= {"v_best": nearest.clip(0), "v_rank": rank_scores(nearest - nearest.min(initial=0) + 1e-6)}
    else:
        found |= dict.fromkeys(("v_best", "v_rank"), np.zeros(len(tree)))
    return _without_what_is_asked_for(found, asked)


def candidates(asked: Asked, shares: Floats) -> Ints:
    """Documents that may be answers, in rising order; `shares` are those of the files."""
    corpus = asked.corpus
    chosen = [_best(asked.by_words, MOST_BY_WORDS), _best(asked.by_head, MOST_BY_HEAD)]
    if asked.vector is not None:
        chosen.append(_best(asked.vector, MOST_BY_VECTOR))
    first = np.argsort(-shares, kind="stable")[:MOST_FILES].tolist()
    chosen += [np.arange(corpus.starts[file], corpus.starts[file + 1], dtype=np.int32) for file in first]
    return np.unique(np.concatenate(chosen))


def _best(scores: Floats, most: int) -> Ints:
    """Numbers of the best documents that have any score; of equal ones the first."""
    if len(scores) > most:
        least = np.partition(scores, -most)[-most]
        found = np.flatnonzero(scores >= max(least, 1e-9))
        found = found[np.argsort(-scores[found], kind="stable")[:most]]
    else:
        found = np.flatnonzero(scores > 0)
    return found.astype(np.int32)


def of_documents(tree: Tree, asked: Asked, shares: Floats, at: Ints) -> Features:
    """What speaks for each of some documents."""
    corpus = asked.corpus
    symbols = [corpus.symbol(place) for place in at.tolist()]
    files = corpus.file_of[at]
    own = _own_scores(asked)
    found = {name: scores[at] for name, scores in own.items()}
    found |= of_shares(shares, files)
    found |= {
        "f_words": (asked.by_words / np.maximum(asked.best_of_file(asked.by_words)[corpus.file_of], 1e-9))[at],
    }
    found |= _names(asked.query, asked.title, asked.everything, symbols)
    found |= _kinds(corpus, symbols, at)
    kinds = tree.kinds[files]
    found |= {f"k_in_{name[2:]}": kinds[:, column] for column, name in enumerate(_FILE_KINDS)}
    return _without_what_is_asked_for(found, asked)


def _without_what_is_asked_for(found: Features, asked: Asked) -> Features:
    named = {name for word in asked.everything for name in _SPEAKS_OF.get(word, ())}
    return {name: np.zeros(len(values)) if name in named else values for name, values in found.items()}


def of_shares(shares: Floats, files: Ints) -> Features:
    """What documents have from the shares of their files."""
    ranks = np.empty(len(shares))
    ranks[np.argsort(-shares, kind="stable")] = np.arange(len(shares))
    return {"f_share": share(shares)[files], "f_rank": 1 / (1 + ranks[files])}


def _own_scores(asked: Asked) -> Features:
    by_title_names = [name for name in IDENTIFIER.findall(asked.query.title) if len(name) > 2]
    names = asked.corpus.names.find(by_title_names)
    found = {
        "w_title": relative(asked.by_title),
        "w_title_rank": rank_scores(asked.by_title),
        "w_all": relative(asked.by_words),
        "w_all_rank": rank_scores(asked.by_words),
        "h_all": relative(asked.by_head),
        "h_all_rank": rank_scores(asked.by_head),
        "i_all": relative(asked.by_names),
        "i_all_rank": rank_scores(asked.by_names),
        "i_title": relative(names.scores(by_title_names)),
    }
    nothing = np.zeros(len(asked.corpus))
    near = asked.vector
    found["v_cosine"] = nothing if near is None else near.clip(0)
    found["v_rank"] = nothing if near is None else rank_scores(near - near.min(initial=0) + 1e-6)
    return found


def _names(query: Query, title: Sequence[str], everything: Sequence[str], symbols: Sequence[Symbol | None]) -> Features:
    spelled = {name for name in IDENTIFIER.findall(query.text) if len(name) > 2}
    lowered = {name.lower() for name in spelled}
    named, members = set(query.names), set(query.members)
    asked, whole = set(title), set(everything)
    rows = []
    for symbol in symbols:
        if symbol is None:
            rows.append((0.0,) * 7)
            continue
        last, above = symbol.last_name, symbol.above
        own = set(parts(last))
        rows.append(
            (
                len(own & asked) / max(len(own), 1),
                len(own & asked) / max(len(asked), 1),
                len(own & whole) / max(len(own), 1),
                float(last in spelled or last.lower() in lowered),
                float(last in named),
                float(above in spelled),
                float((above, last) in members),
            )
        )
    columns = np.array(rows, np.float64).reshape(-1, 7).T
    names = ("n_title", "n_cover", "n_all", "n_exact", "n_named", "n_owner", "n_member")
    return dict(zip(names, columns, strict=True))


def _kinds(corpus: Corpus, symbols: Sequence[Symbol | None], at: Ints) -> Features:
    rows = []
    for place, symbol in zip(at.tolist(), symbols, strict=True):
        if symbol is None:
            lines = corpus.files[int(corpus.file_of[place])].text.lines
            rows.append((0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, np.log1p(lines), 0.0, 0.0))
            continue
        name = symbol.last_name
        rows.append(
            (
                float(symbol.kind in FUNCTIONS),
                float(symbol.kind in TYPES),
                float(symbol.kind in ("section", "table")),
                0.0,
                float(symbol.is_test),
                float(name.startswith("__")),
                float(name.startswith("_") and not name.startswith("__")),
                np.log1p(symbol.last - symbol.first),
                float(symbol.last - symbol.first < 3),
                float(bool(symbol.doc)),
            )
        )
    names = (
        *("k_function", "k_type", "k_part", "k_file", "k_is_test", "k_dunder", "k_private"),
        *("k_lines", "k_short", "k_has_doc"),
    )
    return dict(zip(names, np.array(rows, np.float64).reshape(-1, len(names)).T, strict=True))
