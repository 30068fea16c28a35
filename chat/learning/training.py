"""A night's learning from use: weights and contexts, kept only where a replay of the history loses nothing by them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chat.learning import bandit, reranker
from chat.learning.bandit import Contexts
from chat.learning.policies import ARMS, DEFAULT
from chat.learning.replay import KINDS, Replayed, replayed
from chat.learning.use_log import Noted, UseLog
from core import statistics
from index import versions
from index.code_index import CodeIndex
from index.search import Weights
from index.versions import Tuned, Version

LEAST = 12
"""Judged answers that are newer than those learned from, and questions of the history; with fewer nothing changes."""
OLDER = 2 / 3
"""Of the judged answers, that are learned from when it is checked whether learning helps."""
MOST_LOSS = 0.02
"""Of mean reciprocal rank, in any kind of question of the history."""
SAMPLES, SEED = 1000, 31


@dataclass(frozen=True)
class Night:
    """What came of it."""

    verdicts: list[str]
    tuned: Tuned | None
    """Weights that are taken; None where those that there are stay."""
    contexts: Contexts


def learn(index: CodeIndex, log: UseLog) -> Night:
    """Learn from all that was judged, keep what passes, and say what was decided."""
    judged, asked = log.judged(), list(replayed(index))
    night = decided(judged, asked, index.base, time.time())
    kept = index.tuned
    if night.tuned:
        index.keep_tuned(versions.added(kept, night.tuned))
    elif max(history_losses(asked, index.base, index.taught).values(), default=0.0) > MOST_LOSS:
        index.keep_tuned(versions.withdrawn(kept))  # what was right once is not any longer
        night.verdicts.append("order: what was learned before is withdrawn, since newer questions lose by it")
    bandit.keep(index, versions.added(bandit.versions(index), night.contexts))
    return night


def in_use(index: CodeIndex) -> list[str]:
    """Why what was learned from use counts, a sentence each; nothing where none does."""
    tuned, contexts = versions.current(index.tuned), versions.current(bandit.versions(index))
    return [one.verdict for one in (tuned, contexts) if one]


def step_back(index: CodeIndex, what: str) -> str:
    """Withdraw the version of the "order" of places, or of the "context", that counts; a sentence."""
    kept: Sequence[Version] = index.tuned if what == "order" else bandit.versions(index)
    if not (newest := versions.current(kept)):
        return f"{what}: nothing was learned from use, so there is no step back"
    if what == "order":
        index.keep_tuned(versions.withdrawn(index.tuned))
    else:
        bandit.keep(index, versions.withdrawn(bandit.versions(index)))
    left = [one for one in kept if not one.withdrawn and one is not newest]
    now = left[-1].verdict if left else f"{what}: as it is without learning from use"
    return f"withdrawn: {newest.verdict}\nnow: {now}"


def decided(judged: Sequence[Noted], asked: Sequence[Replayed], base: Weights, at: float) -> Night:
    """What is learned from judged answers, the oldest first, and whether it may be used."""
    tuned, verdict = weights_of(judged, asked, base, at)
    contexts = bandit.learned(judged, losses_of(asked, base), at)
    return Night([verdict, contexts.verdict], tuned, contexts)


def weights_of(
    judged: Sequence[Noted], asked: Sequence[Replayed], base: Weights, at: float
) -> tuple[Tuned | None, str]:
    """Weights that hold what people opened later to be likelier, and lose nothing in the history; a sentence."""
    older, newer = judged[: round(OLDER * len(judged))], judged[round(OLDER * len(judged)) :]
    gain = gain_of(newer, base.documents, reranker.learned(older, base), base)
    if gain["n"] < LEAST or gain["low"] is None:
        return None, f"order: too few judged answers ({len(judged)}) to learn from"
    shown = f"{gain['mean']:+.3f} nats [{gain['low']:+.3f}, {gain['high']:+.3f}] on {gain['n']} newer answers"
    if gain["low"] <= 0:
        return None, f"order: as it was; learned weights: {shown}"
    documents = reranker.learned(judged, base)
    losses = history_losses(asked, base, Weights(base.files, documents, base.made_from))
    if not losses:
        return None, f"order: as it was; {shown}, but the history has too few questions to check it with"
    said = ", ".join(f"{-loss:+.3f} for {KINDS[kind]}" for kind, loss in losses.items())
    if max(losses.values()) > MOST_LOSS:
        return None, f"order: as it was; {shown}, but in the history mean reciprocal rank changes by {said}"
    verdict = f"order: learned from {len(judged)} judged answers; {shown}; in the history {said}"
    return Tuned(at=at, judged=len(judged), verdict=verdict, base=base.version, documents=documents), verdict


def gain_of(
    newer: Sequence[Noted], before: reranker.ByClass, after: reranker.ByClass, base: Weights
) -> Mapping[str, float]:
    """How much likelier weights make what was opened, over answers, with an interval."""
    gains = []
    for noted in newer:
        of_class = noted.found.of_class
        names = [name for name, weight in base.documents[of_class].items() if weight]
        old, new = (np.array([one[of_class].get(name, 0.0) for name in names]) for one in (before, after))
        if some := reranker.examples(noted, names):
            gains.append(sum(reranker.nats(one, old) - reranker.nats(one, new) for one in some))
    return statistics.of_mean(np.array(gains), samples=SAMPLES, seed=SEED)


def history_losses(asked: Sequence[Replayed], before: Weights, after: Weights) -> dict[str, float]:
    """By how much the mean reciprocal rank of what is shown falls, by kind of question; {} with too few questions."""
    found = {}
    for kind in KINDS:
        some = [one for one in asked if one.kind == kind]
        if len(some) < LEAST:
            return {}
        most = DEFAULT.places
        found[kind] = float(np.mean([one.rank(before, most) - one.rank(after, most) for one in some]))
    return found


def losses_of(asked: Sequence[Replayed], weights: Weights) -> dict[str, float] | None:
    """What each policy loses against the default in the kind of question where it loses most, by name; None with too
    few questions.
    """
    found: dict[str, float] = {}
    for kind in KINDS:
        some = [one for one in asked if one.kind == kind]
        if len(some) < LEAST:
            return None
        mrr = {arm.name: float(np.mean([one.rank(weights, arm.places) for one in some])) for arm in ARMS}
        for name, value in mrr.items():
            found[name] = max(found.get(name, -1.0), mrr[DEFAULT.name] - value)
    return found
