"""Does evidence help where it does not come from? Replayed on held-out repositories, against what one would assume.

Each repository in turn is held out: the newest 30 % of its evidence is predicted from what the others had shown at
least a month before. The score is the probability that each arm gave to what happened, in bits (log-loss, lower is
better):

- **uniform**: every outcome alike;
- **defaults**: what ships with the code (stores/agent/context_types.py);
- **seeded**: the evidence of the other repositories, by option;
- **placebo**: the same evidence with shuffled labels;
- **archetype**: the evidence of repositories of the same archetype, drawn towards that of the others;
- **own history**: the older 70 % of the repository itself, which nobody has on the first day.

Seeds must beat two opponents, since each alone is too weak. The defaults may simply be far off, so that any count
of real outcomes beats them. The placebo controls for that: it keeps the overall frequencies of the outcomes and
loses which option they belong to, so only real information about the option can beat it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from miners.gate.tables import Floats, Ints, Table
from miners.gate.verdicts import MIN_UNITS, SEED, Tried, Verdict
from stores.agent.context_types import Size
from stores.agent.records import ANY
from stores.agent.summary import QUANTILES

TEST_SHARE = 0.3
GAP_S = 30 * 86400
"""Left between training and test: a problem is often fixed in several commits within days, here and elsewhere."""
MIN_TEST = 5
"""Pieces of evidence to predict, below which a repository is not held out: its mean would be mostly noise."""
BLOCKS = 12
FIRST_BLOCKS = 2
"""Of the blocks of one history, those that are only learned from: before them there is too little to predict from."""
SHRINKAGE = {"commit": 20.0, "repository": 5.0}
"""Pieces of evidence that the shipped default weighs as much as. Commits of one repository are alike, so it takes
more of them to outweigh a default than it takes trees, of which each repository gives one."""
PLACEBO_DRAWS = 10
LATER = "the later history of the same repositories"
HELD_OUT = "held-out repositories"


def replay(table: Table, *, hold_out: bool = False) -> Verdict:
    """Hold out every repository that has enough evidence, and predict it.

    With fewer than five of them the interval over repositories means nothing: noise would pass. Unless `hold_out`,
    each history then predicts its own future instead, block by block from all before it (prequentially, after Dawid
    1984). There are enough blocks for an interval, but it is about the future of these histories and not about
    other repositories; the verdict's method names which it was.
    """
    tried = [one for name in sorted(table.samples) if (one := _held_out(table, name))]
    if len(tried) < MIN_UNITS and not hold_out:
        later = [one for name in sorted(table.samples) for one in _later(table, name)]
        used = {one.name.partition("#")[0] for one in later}
        return Verdict(table.context.name, table.target, LATER, later, len(table.samples) - len(used))
    return Verdict(table.context.name, table.target, HELD_OUT, tried, len(table.samples) - len(tried))


def _held_out(table: Table, name: str) -> Tried | None:
    """The newest evidence of one repository, predicted from the others; None where there is too little of either."""
    own = table.samples[name]
    whole = table.context.unit == "repository"  # one tree a repository: there is no older part to learn from
    cut = 0 if whole else int(len(own) * (1 - TEST_SHARE))
    if len(own) - cut < (1 if whole else MIN_TEST):
        return None
    # What others did later could give the answer away, for instance a fix that both projects needed.
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
    """The blocks of one history, each predicted from all before it; none where the blocks would be too small."""
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
    """Score every arm on `test`. All are counts (options, values): `training` by repository, `older` its own past."""
    pooled = table.total(training.values())
    archetype = table.archetypes.get(name, ANY)
    alike = table.total(
        counts for other, counts in training.items() if archetype != ANY and table.archetypes.get(other) == archetype
    )
    seeded = _learn(table, table.by_outcome(pooled), table.defaults)
    # What its own archetype is drawn towards is the rest alone, so that no piece of evidence counts twice.
    others = _learn(table, table.by_outcome(pooled - alike), table.defaults)
    possible = table.defaults > 0
    arms = {
        "uniform": possible / possible.sum(axis=1, keepdims=True),
        "defaults": table.defaults,
        "seeded": seeded,
        "archetype": _learn(table, table.by_outcome(alike), others),
        "own history": _learn(table, table.by_outcome(older), table.defaults),
    }
    happened = table.by_outcome(test)
    bits = {arm: _bits(known, happened) for arm, known in arms.items()}
    bits["placebo"] = float(np.mean([_bits(known, happened) for known in _placebos(table, pooled, seeded)]))
    return Tried(name, int(test.sum()), bits, _covered(table, pooled, seeded, test))


def _learn(table: Table, counts: Floats, general: Floats) -> Floats:
    """Probabilities (options, outcomes) from counts, drawn towards `general` where there are few.

    An option that was never seen stays at `general`, as it does for an agent that asks the store.
    """
    weight = SHRINKAGE[table.context.unit]
    learned: Floats = (counts + weight * general) / (counts.sum(axis=1, keepdims=True) + weight)
    return learned


def _placebos(table: Table, pooled: Ints, seeded: Floats) -> Iterator[Floats]:
    """The evidence with shuffled labels: those of the options where they share outcomes, or else of the outcomes.

    Options shuffled at random each get the shares of all together, in expectation. That expectation is the placebo:
    it is the best that knows nothing of the option, and a single shuffle, which is noisier, would be easier to beat.
    Where every option has outcomes of its own, there is nothing to exchange between options; their probabilities are
    then permuted within each option, which is a weak control: base rates alone beat it.
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
    """Mean surprise at what happened, counts (options, outcomes). Shrinkage keeps every probability above zero."""
    seen = happened > 0
    return float(-(happened[seen] * np.log2(known[seen])).sum() / happened.sum())


def _covered(table: Table, pooled: Ints, seeded: Floats, test: Ints) -> dict[str, float]:
    """Whether what the entries promise holds: how much of `test` each seeded quantile, or the first choice, covers."""
    if not isinstance(table.context.targets[table.target], Size):
        first = seeded.argmax(axis=1)
        return {"first choice": float(test[np.arange(len(first)), first].sum() / test.sum())}
    # An option that was never seen has no quantile of its own: it is judged by that of all together.
    counts = np.where(pooled.any(axis=1, keepdims=True), pooled, pooled.sum(axis=0, keepdims=True))
    below = counts.cumsum(axis=1)
    found = {}
    for name, share in QUANTILES.items():
        caps = (below >= share * below[:, -1:]).argmax(axis=1)
        within = np.arange(test.shape[1]) <= caps[:, None]
        found[name] = float(test[within].sum() / test.sum())
    return found
