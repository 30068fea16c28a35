"""Does evidence help where it does not come from? Replayed on held-out repositories, against what one would assume.

Each repository in turn is held out: the newest 30 % of its evidence is to be foretold from what others had shown at
least a month before. What is compared is the probability that each arm gave to what happened, in bits (log-loss, the
less the better):

- **uniform**: every outcome alike;
- **defaults**: what ships with the code (stores/agent/context_types.py);
- **seeded**: the evidence of the other repositories, by option;
- **placebo**: the same evidence with its labels shuffled: it knows how often what happens, but not where;
- **archetype**: the evidence of repositories of the same archetype, drawn towards that of the others;
- **own history**: the older 70 % of the repository itself, which nobody has on the first day.

Outcomes of one repository are alike, so it is repositories that are drawn for the intervals (clustered bootstrap).
With fewer than five repositories too little can be held out. Then each block of a history is foretold from all before
it (prequentially, after Dawid 1984), which says something of its own future and nothing of other repositories.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.statistics import of_mean
from stores.agent.context_types import Choice, ContextType, Size
from stores.agent.records import ANY, Observation
from stores.agent.summary import QUANTILES

ARMS = ("uniform", "defaults", "placebo", "archetype", "own history", "seeded")
TEST_SHARE = 0.3
GAP_S = 30 * 86400
"""Between what is learnt from and what is foretold: fixes of one thing come in runs."""
MIN_TEST = 5
"""Pieces of evidence to foretell, below which a repository is not held out."""
MIN_UNITS = 5
"""Repositories (or blocks) below which an interval says little: with three, noise passed one time in twelve."""
BLOCKS = 12
FIRST_BLOCKS = 2
"""Of the blocks of one history, those that are only learnt from."""
SHRINKAGE = {"commit": 20.0, "repository": 5.0}
"""Pieces of evidence that the shipped default counts for; commits of one repository are alike, trees are not."""
PLACEBO_DRAWS = 10
SAMPLES = 4000
SEED = 17
LATER = "the later history of the same repositories"
HELD_OUT = "held-out repositories"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Seen = tuple[str, str, int, Observation]
"""(repository, option, time, outcome)."""


@dataclass(frozen=True)
class Sample:
    """One target's evidence of one repository, oldest first."""

    codes: Ints
    """Option and value of each piece in one number: option times the number of values, plus the value's place."""
    times: Ints

    def __len__(self) -> int:
        return len(self.codes)


@dataclass
class Table:
    """One target's evidence of all repositories. Everything else is made of counts of it, (options, values)."""

    context: ContextType
    target: str
    options: list[str]
    values: list[float] | list[str]
    """Every size or word that was seen, in order."""
    outcomes: Ints
    """For each value the outcome that it counts as: a size its bin, a word itself."""
    defaults: Floats
    """(options, outcomes): the shipped probabilities. Zero where an option cannot have the outcome."""
    samples: dict[str, Sample]
    archetypes: Mapping[str, str]

    @property
    def has_labels(self) -> bool:
        """True where options share their outcomes, so that evidence can be dealt among them anew."""
        return len(self.options) > 1 and bool((self.defaults == self.defaults[0]).all())

    def counts(self, sample: Sample, start: int = 0, end: int | None = None) -> Ints:
        """How often each value was seen for each option, (options, values), in a stretch of a sample."""
        shape = (len(self.options), len(self.values))
        return np.bincount(sample.codes[start:end], minlength=shape[0] * shape[1]).reshape(shape)

    def by_outcome(self, counts: Floats | Ints) -> Floats:
        """Counts of values as counts of outcomes, (options, outcomes)."""
        found = np.zeros(self.defaults.shape)
        np.add.at(found.T, self.outcomes, counts.T)
        return found


@dataclass
class Tried:
    """One unit of the bootstrap: a repository, or a stretch of one."""

    name: str
    tests: int
    bits: dict[str, float]
    covered: dict[str, float] = field(default_factory=dict)
    """Of sizes: the share that each seeded quantile covers. Of choices: how often the first one came."""


@dataclass
class Verdict:
    """How one target did."""

    context_type: str
    target: str
    method: str
    tried: list[Tried]
    left_out: int = 0
    """Repositories with too little evidence to be held out."""
    _gains: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict, repr=False)
    """Gains that have been asked for: each takes thousands of draws."""

    def gain_over(self, arm: str, of: str = "seeded") -> dict[str, Any]:
        """Bits that an arm saves: {"mean", "low", "high", "n"}; low and high bound 95 % of the drawn means."""
        if (arm, of) not in self._gains:
            saved = np.array([one.bits[arm] - one.bits[of] for one in self.tried])
            self._gains[arm, of] = of_mean(saved, samples=SAMPLES, seed=SEED)
        return self._gains[arm, of]

    @property
    def passed(self) -> bool:
        """Better than the shipped defaults and than the placebo, with intervals that exclude zero."""
        if len(self.tried) < MIN_UNITS:
            return False
        gains = [self.gain_over(arm) for arm in ("defaults", "placebo")]
        return all(gain["low"] is not None and gain["low"] > 0 for gain in gains)

    @property
    def by_archetype(self) -> bool:
        """Evidence of the same archetype foretells better than that of all."""
        gain = self.gain_over("seeded", of="archetype")
        return self.passed and gain["low"] is not None and bool(gain["low"] > 0)

    @property
    def losers(self) -> list[str]:
        """Repositories that would have been better off with the defaults or the placebo."""
        return [one.name for one in self.tried if one.bits["seeded"] >= min(one.bits["defaults"], one.bits["placebo"])]

    def mean(self, arm: str) -> float:
        """Bits of an arm, each unit counting once."""
        return float(np.mean([one.bits[arm] for one in self.tried])) if self.tried else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For the gate column, JSON-ready."""
        return {
            "passed": self.passed,
            "method": self.method,
            "units": len(self.tried),
            "tests": sum(one.tests for one in self.tried),
            "bits": {arm: round(self.mean(arm), 4) for arm in ARMS},
            "gain over defaults": _rounded(self.gain_over("defaults")),
            "gain over placebo": _rounded(self.gain_over("placebo")),
            "by archetype": self.by_archetype,
            "covered": self.coverage(),
            "losers": self.losers,
        }

    def coverage(self) -> dict[str, float]:
        """Mean over units of what was covered."""
        names = dict.fromkeys(name for one in self.tried for name in one.covered)
        return {name: round(float(np.mean([one.covered[name] for one in self.tried])), 4) for name in names}


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
    """Evidence as it comes, in a few bytes for each piece."""

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
    kind = context.targets[target]
    options, values, outcomes, defaults = _outcomes(context, target, columns)
    option_places, value_places = _places(columns.options, options), _places(columns.values, values)
    known = set(values)
    samples = {}
    for repository, row in columns.rows.items():
        option, value, times = (np.frombuffer(column, dtype=column.typecode).astype(np.int64) for column in row)
        fits = np.isin(value, [place for word, place in columns.values.items() if word in known])
        order = np.argsort(times[fits], kind="stable")
        codes = option_places[option[fits]] * len(values) + value_places[value[fits]]
        samples[repository] = Sample(codes[order], times[fits][order])
    assert isinstance(kind, Size | Choice)
    return Table(context, target, options, values, outcomes, defaults, samples, archetypes)


def _outcomes(context: ContextType, target: str, columns: _Columns) -> tuple[list[str], list[Any], Ints, Floats]:
    """(options, values, the outcome of each value, the default of each option)."""
    kind, options = context.targets[target], sorted(columns.options)
    if isinstance(kind, Size):
        sizes = sorted(columns.values, key=float)
        bins = np.array([kind.bin_of(size) for size in sizes], np.int64)
        return options, sizes, bins, np.tile(context.default(target), (max(len(options), 1), 1))[: len(options)]
    if kind.words:
        words = list(kind.words)
        default = np.tile(context.default(target), (max(len(options), 1), 1))[: len(options)]
        return options, words, np.arange(len(words)), default
    words = sorted(map(str, columns.values))
    asked = _words_by_question(columns)
    default = np.zeros((len(options), len(words)))
    for row, option in enumerate(options):
        own = asked[_question(option)]
        for word, share in zip(own, context.default(target, own), strict=True):
            default[row, words.index(word)] = share
    return options, words, np.arange(len(words)), default


def _words_by_question(columns: _Columns) -> dict[str, list[str]]:
    options, values = list(columns.options), list(columns.values)
    found: dict[str, set[str]] = {}
    for option, value, _ in columns.rows.values():
        for pair in set(zip(option, value, strict=True)):
            found.setdefault(_question(options[pair[0]]), set()).add(str(values[pair[1]]))
    return {question: sorted(words) for question, words in found.items()}


def _places(seen: Mapping[Any, int], ordered: Sequence[Any]) -> Ints:
    """For each number that was given as things came, the place in order; 0 for what is not in it."""
    places = {word: place for place, word in enumerate(ordered)}
    return np.array([places.get(word, 0) for word in seen], np.int64)


def _question(option: str) -> str:
    """What options of an open choice have in common: "rust/tests" and "python/tests" may have the same answers."""
    return option.rpartition("/")[2]


def replay(table: Table, *, hold_out: bool = False) -> Verdict:
    """Hold out what can be held out, and foretell it.

    Where that is fewer than five repositories, each history foretells its own future instead, unless `hold_out`.
    """
    tried = [one for name in sorted(table.samples) if (one := _held_out(table, name))]
    if len(tried) < MIN_UNITS and not hold_out:
        later = [one for name in sorted(table.samples) for one in _later(table, name)]
        used = {one.name.partition("#")[0] for one in later}
        return Verdict(table.context.name, table.target, LATER, later, len(table.samples) - len(used))
    return Verdict(table.context.name, table.target, HELD_OUT, tried, len(table.samples) - len(tried))


def _held_out(table: Table, name: str) -> Tried | None:
    own = table.samples[name]
    whole = table.context.unit == "repository"
    cut = 0 if whole else int(len(own) * (1 - TEST_SHARE))
    if len(own) - cut < (1 if whole else MIN_TEST):
        return None
    until = None if whole else int(own.times[cut]) - GAP_S
    training = {
        other: table.counts(sample, end=None if until is None else int(np.searchsorted(sample.times, until)))
        for other, sample in table.samples.items()
        if other != name
    }
    if not any(counts.any() for counts in training.values()):
        return None
    return _try(table, name, training, table.counts(own, cut), table.counts(own, 0, cut))


def _later(table: Table, name: str) -> list[Tried]:
    own = table.samples[name]
    if table.context.unit == "repository" or len(own) < BLOCKS * MIN_TEST:
        return []
    edges = np.linspace(0, len(own), BLOCKS + 1).astype(int)
    tried = []
    for number in range(FIRST_BLOCKS, BLOCKS):
        older, block = table.counts(own, 0, edges[number]), table.counts(own, edges[number], edges[number + 1])
        tried.append(_try(table, f"{name}#{number + 1}", {name: older}, block, older))
    return tried


def _try(table: Table, name: str, training: Mapping[str, Ints], test: Ints, older: Ints) -> Tried:
    """`training` is what others showed, `test` what is to be foretold, `older` the repository's own past: counts."""
    pooled = _sum(table, training.values())
    archetype = table.archetypes.get(name, ANY)
    alike = [
        counts for other, counts in training.items() if archetype != ANY and table.archetypes.get(other) == archetype
    ]
    seeded = _learn(table, table.by_outcome(pooled), table.defaults)
    # No piece of evidence counts twice: what is not of the archetype is what its own is drawn towards.
    others = table.by_outcome(pooled - _sum(table, alike))
    possible = table.defaults > 0
    arms = {
        "uniform": possible / possible.sum(axis=1, keepdims=True),
        "defaults": table.defaults,
        "seeded": seeded,
        "archetype": _learn(table, table.by_outcome(_sum(table, alike)), _learn(table, others, table.defaults)),
        "own history": _learn(table, table.by_outcome(older), table.defaults),
    }
    happened = table.by_outcome(test)
    bits = {arm: _bits(known, happened) for arm, known in arms.items()}
    bits["placebo"] = float(np.mean([_bits(known, happened) for known in _placebos(table, pooled, seeded)]))
    return Tried(name, int(test.sum()), bits, _covered(table, pooled, seeded, test))


def _learn(table: Table, counts: Floats, general: Floats) -> Floats:
    """Probabilities (options, outcomes) of counts; `general` is what they are drawn towards.

    What was never seen of an option stays at the default, as it does for who asks the store.
    """
    weight = SHRINKAGE[table.context.unit]
    learnt: Floats = (counts + weight * general) / (counts.sum(axis=1, keepdims=True) + weight)
    return learnt


def _placebos(table: Table, pooled: Ints, seeded: Floats) -> Iterator[Floats]:
    """The evidence with its labels shuffled: those of options where they share outcomes, else those of outcomes.

    Options dealt at random give each option the shares of all together, in expectation. That is what is taken: no
    single shuffling does better.
    """
    if table.has_labels:
        shares = pooled.sum(axis=0) / pooled.sum()
        yield _learn(table, table.by_outcome(np.outer(pooled.sum(axis=1), shares)), table.defaults)
        return
    draw = np.random.default_rng(SEED)
    for _ in range(PLACEBO_DRAWS):
        shuffled = np.zeros_like(seeded)
        for row, possible in enumerate(table.defaults > 0):
            shuffled[row, possible] = draw.permutation(seeded[row, possible])
        yield shuffled


def _bits(known: Floats, happened: Floats) -> float:
    """Mean surprise at what happened, counts (options, outcomes)."""
    seen = happened > 0
    return float(-(happened[seen] * np.log2(known[seen])).sum() / happened.sum())


def _covered(table: Table, pooled: Ints, seeded: Floats, test: Ints) -> dict[str, float]:
    if not isinstance(table.context.targets[table.target], Size):
        first = seeded.argmax(axis=1)
        return {"first choice": float(test[np.arange(len(first)), first].sum() / test.sum())}
    # What was never seen of an option is judged by all together.
    counts = np.where(pooled.any(axis=1, keepdims=True), pooled, pooled.sum(axis=0, keepdims=True))
    below = counts.cumsum(axis=1)
    found = {}
    for name, share in QUANTILES.items():
        caps = (below >= share * below[:, -1:]).argmax(axis=1)
        within = np.arange(test.shape[1]) <= caps[:, None]
        found[name] = float(test[within].sum() / test.sum())
    return found


def _sum(table: Table, counts: Iterable[Ints]) -> Ints:
    total = np.zeros((len(table.options), len(table.values)), np.int64)
    for one in counts:
        total += one
    return total


def _rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}
