"""Does evidence help where it does not come from? Replayed on held-out repositories, against what one would assume.

Each repository in turn is held out: the newest 30 % of its evidence is to be foretold from what others had shown at
least a month before. What is compared is the probability that each arm gave to what happened, in bits (log-loss, the
less the better):

- **uniform**: every outcome alike;
- **defaults**: what ships with the code (stores/context_types.py);
- **seeded**: the evidence of the other repositories, by option;
- **placebo**: the same evidence with its labels shuffled: it knows how often what happens, but not where;
- **archetype**: seeded, with repositories of the same archetype counting for more;
- **own history**: the older 70 % of the repository itself, which nobody has on the first day.

Outcomes of one repository are alike, so it is repositories that are drawn for the intervals (clustered bootstrap).
With fewer than three repositories nothing can be held out. Then each block of a history is foretold from all before it
(prequentially, after Dawid 1984), which says something of its own future and nothing of other repositories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import of_mean
from stores.context_types import Choice, ContextType, Size
from stores.records import ANY, Outcome
from stores.summary import QUANTILES

ARMS = ("uniform", "defaults", "placebo", "archetype", "own history", "seeded")
TEST_SHARE = 0.3
GAP_S = 30 * 86400
"""Between what is learnt from and what is foretold: fixes of one thing come in runs."""
MIN_TEST = 5
"""Pieces of evidence to foretell, below which a repository is not held out."""
MIN_REPOSITORIES = 3
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
Seen = tuple[str, str, int, Outcome]
"""(repository, option, time, outcome)."""


@dataclass(frozen=True)
class Sample:
    """One target's evidence of one repository, oldest first: option and outcome of each piece as numbers."""

    options: Ints
    outcomes: Ints
    values: Floats
    """Sizes as they are; zero for choices."""
    times: Ints

    def part(self, chosen: NDArray[np.bool_] | slice) -> Sample:
        """Some of it."""
        return Sample(self.options[chosen], self.outcomes[chosen], self.values[chosen], self.times[chosen])

    def __len__(self) -> int:
        return len(self.options)


@dataclass
class Table:
    """One target's evidence of all repositories."""

    context: ContextType
    target: str
    options: list[str]
    words: list[list[str]]
    """What may come out, for each option."""
    samples: dict[str, Sample]
    archetypes: Mapping[str, str]

    @property
    def defaults(self) -> list[Floats]:
        """The shipped probabilities, for each option."""
        return [np.array(self.context.default(self.target, words)) for words in self.words]


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

    def gain_over(self, arm: str, of: str = "seeded") -> dict[str, Any]:
        """Bits that an arm saves: {"mean", "low", "high", "n"}; low and high bound 95 % of the drawn means."""
        saved = np.array([one.bits[arm] - one.bits[of] for one in self.tried])
        return of_mean(saved, samples=SAMPLES, seed=SEED)

    @property
    def passed(self) -> bool:
        """Better than the shipped defaults and than the placebo, with intervals that exclude zero."""
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
    """The evidence of a context type by target; a target that an outcome lacks is not counted for it."""
    rows: dict[str, dict[str, list[tuple[str, int, int | float | str]]]] = {name: {} for name in context.targets}
    for repository, option, at, outcome in seen:
        for target, by_repository in rows.items():
            if target in outcome:
                by_repository.setdefault(repository, []).append((option, at, outcome[target]))
    return [_table(context, target, rows[target], archetypes) for target in context.targets]


def _table(
    context: ContextType,
    target: str,
    rows: Mapping[str, Sequence[tuple[str, int, int | float | str]]],
    archetypes: Mapping[str, str],
) -> Table:
    kind = context.targets[target]
    options = sorted({option for some in rows.values() for option, _, _ in some})
    number = {option: index for index, option in enumerate(options)}
    if isinstance(kind, Size):
        words = [kind.bins for _ in options]
    elif kind.words:
        words = [list(kind.words) for _ in options]
    else:
        found: dict[str, set[str]] = {}
        for some in rows.values():
            for option, _, value in some:
                found.setdefault(_question(option), set()).add(str(value))
        words = [sorted(found[_question(option)]) for option in options]
    places = [{word: index for index, word in enumerate(one)} for one in words]
    samples = {}
    for repository, some in rows.items():
        ordered = sorted(some, key=lambda row: row[1])
        known = [
            (
                number[option],
                _place(kind, places[number[option]], value),
                float(value) if isinstance(kind, Size) else 0.0,
                at,
            )
            for option, at, value in ordered
        ]
        columns = list(zip(*[row for row in known if row[1] >= 0], strict=True)) or [(), (), (), ()]
        samples[repository] = Sample(
            np.array(columns[0], np.int64),
            np.array(columns[1], np.int64),
            np.array(columns[2], np.float64),
            np.array(columns[3], np.int64),
        )
    return Table(context, target, options, words, samples, archetypes)


def _question(option: str) -> str:
    """What options of an open choice have in common: "rust/tests" and "python/tests" may have the same answers."""
    return option.rpartition("/")[2]


def _place(kind: Size | Choice, places: Mapping[str, int], value: float | str) -> int:
    return kind.bin_of(value) if isinstance(kind, Size) else places.get(str(value), -1)


def replay(table: Table) -> Verdict:
    """Hold out what can be held out, and foretell it."""
    if len(table.samples) >= MIN_REPOSITORIES:
        tried = [one for name in sorted(table.samples) if (one := _held_out(table, name))]
        left_out = len(table.samples) - len(tried)
        return Verdict(table.context.name, table.target, HELD_OUT, tried, left_out)
    later = [one for name in sorted(table.samples) for one in _later(table, name)]
    return Verdict(table.context.name, table.target, LATER, later)


def _held_out(table: Table, name: str) -> Tried | None:
    own = table.samples[name]
    others = {other: sample for other, sample in table.samples.items() if other != name}
    if table.context.unit == "repository":
        older, test = own.part(slice(0, 0)), own
        training = others
    else:
        cut = int(len(own) * (1 - TEST_SHARE))
        older, test = own.part(slice(0, cut)), own.part(slice(cut, None))
        if len(test) < MIN_TEST:
            return None
        until = int(test.times[0]) - GAP_S
        training = {other: sample.part(sample.times < until) for other, sample in others.items()}
    if not len(test) or not any(map(len, training.values())):
        return None
    return _try(table, name, training, test, older, table.archetypes.get(name, ANY))


def _later(table: Table, name: str) -> list[Tried]:
    own = table.samples[name]
    if table.context.unit == "repository":
        return []
    if len(own) < BLOCKS * MIN_TEST:
        return []
    edges = np.linspace(0, len(own), BLOCKS + 1).astype(int)
    tried = []
    for number in range(FIRST_BLOCKS, BLOCKS):
        older, block = own.part(slice(0, edges[number])), own.part(slice(edges[number], edges[number + 1]))
        tried.append(_try(table, f"{name}#{number + 1}", {name: older}, block, older, ANY))
    return tried


def _try(table: Table, name: str, training: Mapping[str, Sample], test: Sample, older: Sample, archetype: str) -> Tried:
    rng = np.random.default_rng(SEED)
    pooled = _join(training.values())
    alike = _join(
        sample for other, sample in training.items() if archetype != ANY and table.archetypes.get(other) == archetype
    )
    seeded = _learn(table, pooled)
    arms = {
        "uniform": [np.full(len(words), 1 / len(words)) for words in table.words],
        "defaults": table.defaults,
        "seeded": seeded,
        "archetype": _learn(table, alike, seeded),
        "own history": _learn(table, older),
    }
    bits = {arm: _bits(known, test) for arm, known in arms.items()}
    bits["placebo"] = float(np.mean([_bits(_placebo(table, pooled, seeded, rng), test) for _ in range(PLACEBO_DRAWS)]))
    return Tried(name, len(test), bits, _covered(table, pooled, seeded, test))


def _learn(table: Table, sample: Sample, general: Sequence[Floats] | None = None) -> list[Floats]:
    """Probabilities for each option; `general` is what they are drawn towards, the shipped defaults unless given.

    What was never seen of an option stays at the default, as it does for who asks the store.
    """
    weight = SHRINKAGE[table.context.unit]
    found = []
    for option, base in enumerate(general or table.defaults):
        mine = sample.outcomes[sample.options == option]
        counts = np.bincount(mine, minlength=len(base))
        found.append((counts + weight * base) / (len(mine) + weight))
    return found


def _placebo(table: Table, sample: Sample, seeded: Sequence[Floats], rng: np.random.Generator) -> list[Floats]:
    """The evidence with shuffled labels: of options where there are several of the same kind, else of outcomes."""
    if len(table.options) > 1 and len({tuple(words) for words in table.words}) == 1:
        shuffled = Sample(rng.permutation(sample.options), sample.outcomes, sample.values, sample.times)
        return _learn(table, shuffled)
    return [rng.permutation(one) for one in seeded]


def _bits(known: Sequence[Floats], test: Sample) -> float:
    width = max(map(len, known))
    matrix = np.ones((len(known), width))
    for option, one in enumerate(known):
        matrix[option, : len(one)] = one
    return float(-np.log2(matrix[test.options, test.outcomes]).mean())


def _covered(table: Table, pooled: Sample, seeded: Sequence[Floats], test: Sample) -> dict[str, float]:
    if not isinstance(table.context.targets[table.target], Size):
        first = np.array([int(one.argmax()) for one in seeded])
        return {"first choice": float((first[test.options] == test.outcomes).mean())}
    found = {}
    for name, share in QUANTILES.items():
        caps = np.zeros(len(table.options))
        for option in range(len(table.options)):
            values = pooled.values[pooled.options == option]
            values = values if len(values) else pooled.values
            caps[option] = np.quantile(values, share, method="inverted_cdf")
        found[name] = float((test.values <= caps[test.options]).mean())
    return found


def _join(samples: Iterable[Sample]) -> Sample:
    parts = list(samples)
    if not parts:
        none = np.zeros(0, np.int64)
        return Sample(none, none, none.astype(np.float64), none)
    return Sample(
        np.concatenate([one.options for one in parts]),
        np.concatenate([one.outcomes for one in parts]),
        np.concatenate([one.values for one in parts]),
        np.concatenate([one.times for one in parts]),
    )


def _rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}
