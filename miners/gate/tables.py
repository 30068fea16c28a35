"""Evidence as tables of counts: one table for each target of a context type, one sample in it for each repository."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stores.agent.context_types import ContextType, Size
from stores.agent.records import Observation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Seen = tuple[str, str, int, Observation]
"""(repository, option, time, outcome)."""


@dataclass(frozen=True)
class Sample:
    """One target's evidence of one repository, oldest first."""

    codes: Ints
    """Option and value of each piece in one number: option times the number of values, plus the value's index.

    One number a piece, since counting a stretch of a history is then one `bincount`.
    """
    times: Ints

    def __len__(self) -> int:
        return len(self.codes)


@dataclass
class Table:
    """One target's evidence of all repositories. The replay needs nothing but counts of it, (options, values)."""

    context: ContextType
    target: str
    options: list[str]
    values: list[float] | list[str]
    """Every size or word that was seen, in order."""
    outcomes: Ints
    """For each value the index of its outcome: a size counts as its bin, a word as itself."""
    defaults: Floats
    """(options, outcomes): the shipped probabilities. Zero where an option cannot have the outcome."""
    samples: dict[str, Sample]
    archetypes: Mapping[str, str]

    @property
    def has_labels(self) -> bool:
        """True where options share their outcomes, so that shuffling the labels of evidence makes sense."""
        return len(self.options) > 1 and bool((self.defaults == self.defaults[0]).all())

    def counts(self, sample: Sample, start: int = 0, end: int | None = None) -> Ints:
        """How often each value was seen for each option, (options, values), in a stretch of a sample."""
        shape = (len(self.options), len(self.values))
        return np.bincount(sample.codes[start:end], minlength=shape[0] * shape[1]).reshape(shape)

    def total(self, counts: Iterable[Ints]) -> Ints:
        """The sum of several counts; zeros for none."""
        total = np.zeros((len(self.options), len(self.values)), np.int64)
        for one in counts:
            total += one
        return total

    def by_outcome(self, counts: Floats | Ints) -> Floats:
        """Counts of values as counts of outcomes, (options, outcomes)."""
        found = np.zeros(self.defaults.shape)
        np.add.at(found.T, self.outcomes, counts.T)
        return found


def tables(context: ContextType, seen: Iterable[Seen], archetypes: Mapping[str, str]) -> list[Table]:
    """The evidence of a context type by target; an outcome that lacks a target does not count for it.

    `archetypes` are those of the repositories by key.
    """
    columns = {target: _Columns() for target in context.targets}
    for repository, option, at, outcome in seen:
        for target, column in columns.items():
            if target in outcome:
                column.add(repository, option, at, outcome[target])
    return [_table(context, target, columns[target], archetypes) for target in context.targets]


class _Columns:
    """Evidence as it comes, in a few bytes for each piece: a store may hold millions."""

    def __init__(self) -> None:
        self.options: dict[str, int] = {}
        self.values: dict[int | float | str, int] = {}
        self.rows: dict[str, tuple[array[int], array[int], array[int]]] = {}

    def add(self, repository: str, option: str, at: int, value: float | str) -> None:
        options, values, times = self.rows.setdefault(repository, (array("i"), array("i"), array("q")))
        options.append(self.options.setdefault(option, len(self.options)))
        values.append(self.values.setdefault(value, len(self.values)))
        times.append(at)


def _table(context: ContextType, target: str, columns: _Columns, archetypes: Mapping[str, str]) -> Table:
    options, values, outcomes, defaults = _axes(context, target, columns)
    option_index, value_index = _reindexed(columns.options, options), _reindexed(columns.values, values)
    # A word that the context type does not know (any more) has no column, so its evidence does not count.
    known = [index for word, index in columns.values.items() if word in set(values)]
    samples = {}
    for repository, row in columns.rows.items():
        option, value, times = (np.frombuffer(column, dtype=column.typecode).astype(np.int64) for column in row)
        fits = np.isin(value, known)
        order = np.argsort(times[fits], kind="stable")
        codes = option_index[option[fits]] * len(values) + value_index[value[fits]]
        samples[repository] = Sample(codes[order], times[fits][order])
    return Table(context, target, options, values, outcomes, defaults, samples, archetypes)


def _axes(context: ContextType, target: str, columns: _Columns) -> tuple[list[str], list[Any], Ints, Floats]:
    """(options, values, the outcome of each value, the defaults) of a table."""
    kind, options = context.targets[target], sorted(columns.options)
    if isinstance(kind, Size):
        sizes = sorted(columns.values, key=float)
        bins = np.array([kind.bin_of(size) for size in sizes], np.int64)
        return options, sizes, bins, _repeated(context.default(target), len(options))
    if kind.words:
        words = list(kind.words)
        return options, words, np.arange(len(words)), _repeated(context.default(target), len(options))
    words = sorted(map(str, columns.values))
    return options, words, np.arange(len(words)), _open_defaults(context, target, columns, options, words)


def _repeated(default: Sequence[float], number: int) -> Floats:
    return np.tile(default, (number, 1)) if number else np.zeros((0, len(default)))


def _open_defaults(
    context: ContextType, target: str, columns: _Columns, options: Sequence[str], words: Sequence[str]
) -> Floats:
    """The defaults of an open choice: an option can have the answers that were ever given to its question."""
    answers: dict[str, set[str]] = {}
    names, values = list(columns.options), list(columns.values)
    for option, value, _ in columns.rows.values():
        for number, answer in set(zip(option, value, strict=True)):
            answers.setdefault(_question(names[number]), set()).add(str(values[answer]))
    default = np.zeros((len(options), len(words)))
    for row, name in enumerate(options):
        own = sorted(answers[_question(name)])
        for word, share in zip(own, context.default(target, own), strict=True):
            default[row, words.index(word)] = share
    return default


def _question(option: str) -> str:
    """What options of an open choice share: "rust/tests" and "python/tests" may have the same answers."""
    return option.rpartition("/")[2]


def _reindexed(seen: Mapping[Any, int], ordered: Sequence[Any]) -> Ints:
    """For each number given in order of appearance, the index in `ordered`; 0 for what is not in it."""
    indices = {word: index for index, word in enumerate(ordered)}
    return np.array([indices.get(word, 0) for word in seen], np.int64)
