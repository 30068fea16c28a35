"""How well what an answer says beside files is ranked for past commits, beside the rules that it must beat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.code.change_types import CHANGE_TYPES
from core.evaluation.comparisons import comparison
from core.git.commands import run
from core.ranking import authors, change_types, facts, symbols
from core.ranking.fact_examples import DIFF_OPTIONS, Named, old_lines, touched
from core.ranking.features import Similar
from core.ranking.history import Floats
from core.ranking.query import Query
from core.ranking.terms import words
from core.records.rankings import RANKER, Comparison, Fact

if TYPE_CHECKING:
    from core.prediction.files import FileAsker
    from core.ranking.examples import Case
    from core.ranking.ranker import Ranker
    from core.ranking.snapshot import Snapshot

HITS: dict[Fact, tuple[int, int]] = {"symbol": (1, 5), "change_type": (1, 3), "author": (1, 3)}
LAST, MOST = "last author", "most frequent author"
COMMONEST = "commonest type"
BY_WORDS = "files' order, then BM25"
NEVER = 10_000
"""The place of what is not among the answers."""
Places = dict[str, int]
"""By who answers: how many answers stand before the first right one."""


def results(asker: FileAsker, case: Case, ranker: Ranker, counts: change_types.Counts) -> Iterator[tuple[Fact, Places]]:
    """A commit, asked of its parent by its title; of each fact only where it has a known answer.

    `counts` are the change types of commits; a question sees those of ancestors alone.
    """
    if not case.title:
        return
    snapshot = asker.snapshot(case.parent)
    if not len(snapshot.past):
        return
    similar = Similar.to(snapshot, words(case.title))
    ranked = ranker.rank(snapshot, case.title, top=symbols.MAX_FILES).files
    files = {file.name: file.share for file in ranked}
    yield "author", _of_author(snapshot, case, similar, files)
    types = set(CHANGE_TYPES).intersection(counts.get(case.hash, ()))
    if types and (parts := change_types.known(snapshot.past, counts)).any():
        yield "change_type", _of_types(snapshot, case, similar, files, parts, types)
    right, parsed = changed_symbols(asker, case)
    if right:
        parsed |= asker.parsed(snapshot, [path for path in files if path not in parsed])
        yield "symbol", _of_symbols(case, files, parsed, right)


def changed_symbols(asker: FileAsker, case: Case) -> tuple[set[Named], dict[str, list[symbols.Symbol]]]:
    """(the symbols that a commit touched, those of its files), as its parent has them."""
    diff = run(asker.git_dir, "diff", *DIFF_OPTIONS, case.parent, case.hash).decode("utf-8", "replace")
    parsed = asker.parsed(asker.snapshot(case.parent), sorted(case.changed))
    return touched(old_lines(diff), parsed), parsed


def _of_author(snapshot: Snapshot, case: Case, similar: Similar, files: Mapping[str, float]) -> Places:
    names, numbers = authors.candidates(snapshot.past)
    right = np.array([name == (case.author if case.author in names else authors.NEW) for name in names])
    features = authors.features(snapshot, case.title, similar, files)
    last = np.full(len(names), -1.0)
    last[numbers] = np.arange(len(numbers))
    often = np.bincount(numbers, minlength=len(names)).astype(np.float64)
    return {RANKER: _ours("author", features, right), LAST: _place(last, right), MOST: _place(often, right)}


def _of_types(
    snapshot: Snapshot,
    case: Case,
    similar: Similar,
    files: Mapping[str, float],
    parts: Floats,
    known: set[str],
) -> Places:
    right = np.array([name in known for name in CHANGE_TYPES])
    features = change_types.features(snapshot, case.title, similar, files, parts)
    return {RANKER: _ours("change_type", features, right), COMMONEST: _place(parts.sum(axis=0), right)}


def _of_symbols(
    case: Case, files: Mapping[str, float], parsed: Mapping[str, Sequence[symbols.Symbol]], right: set[Named]
) -> Places:
    found = symbols.candidates(files, parsed)
    true = np.array([(one.path, one.name) in right for one in found], np.bool_)
    if not true.any():
        return {RANKER: NEVER, BY_WORDS: NEVER}
    features = symbols.features(Query(case.title), files, found)
    return {
        RANKER: _ours("symbol", features, true),
        BY_WORDS: _place(features["f_rank"] * 1e6 + features["c_all"], true),
    }


def _ours(fact: Fact, features: Mapping[str, Floats], right: Floats) -> int:
    return next(place for place, (number, _) in enumerate(facts.ordered(fact, features)) if right[number])


def _place(scores: Floats, right: Floats) -> int:
    return int(np.argmax(right[np.argsort(-scores, kind="stable")]))


def tables(found: Sequence[tuple[Fact, Places]], *, samples: int, seed: int) -> dict[Fact, Comparison]:
    """A table of each fact that had an answer."""
    return {
        fact: comparison(some, hits, samples=samples, seed=seed)
        for fact, hits in HITS.items()
        if (some := [places for name, places in found if name == fact])
    }
