"""Choosing how much an answer shows, by what helped in a repository: Thompson sampling over a few policies.

The default is held to be better until votes say otherwise, and a policy that replayed history finds worse is never
tried. How often each is chosen changes once a night, so that every answer names a version, and one step leads back.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from chat.learning.policies import ARMS, DEFAULT, Policy
from chat.learning.use_log import Noted
from chat.subjects import OF_PLACES
from index.code_index import CodeIndex
from index.versions import Version, current

NOTE = "contexts"
"""What the versions are kept under, with the index."""
PRIOR_OF_DEFAULT, PRIOR = (28.0, 12.0), (22.0, 18.0)
"""Votes for and against, as if there had been so many before the first: of the default, and of each other policy."""
DRAWS, SEED = 10_000, 29
MOST_LOSS = 0.02
"""Of mean reciprocal rank in replayed history, by which a policy may be below the default."""


class Arm(msgspec.Struct, frozen=True):
    """A policy, what people said of it, and how often it is chosen."""

    policy: Policy
    useful: int
    useless: int
    loss: float | None
    """Of mean reciprocal rank against the default, in replayed history; None where that is too short."""
    chance: float


class Contexts(Version, frozen=True, kw_only=True):
    """How often each policy is chosen."""

    arms: list[Arm]

    @property
    def name(self) -> str:
        """A name for it: others have another one."""
        return hashlib.sha256(msgspec.json.encode(self.arms)).hexdigest()[:12]


class Choice(msgspec.Struct, frozen=True):
    """The policy of an answer, the chance of its being chosen, and by which version."""

    policy: Policy = DEFAULT
    chance: float = 1.0
    version: str = "default"


_decoder = msgspec.json.Decoder(list[Contexts])


def versions(index: CodeIndex) -> list[Contexts]:
    """What was learned about contexts in a repository, the newest last."""
    return _decoder.decode(index.note(NOTE) or "[]")


def keep(index: CodeIndex, found: Sequence[Contexts]) -> None:
    """Choose by the current one of these from now on."""
    index.keep_note(NOTE, msgspec.json.encode(found).decode())


def chosen(index: CodeIndex, draw: random.Random) -> Choice:
    """A policy for the next answer about a repository; the default while nothing was learned."""
    found = current(versions(index))
    if found is None:
        return Choice()
    (arm,) = draw.choices(found.arms, [one.chance for one in found.arms])
    return Choice(arm.policy, arm.chance, found.name)


def favourite(index: CodeIndex) -> Policy:
    """The policy that is chosen most often; the default while nothing was learned."""
    found = current(versions(index))
    return max(found.arms, key=lambda arm: arm.chance).policy if found else DEFAULT


def learned(judged: Sequence[Noted], losses: Mapping[str, float] | None, at: float) -> Contexts:
    """From all votes, and what each policy loses in replayed history by its name; None where that is too short, so that
    nothing but the default is tried.
    """
    votes = {one.name: [0, 0] for one in ARMS}
    for answer in judged:
        if answer.useful is not None and answer.kind in OF_PLACES and answer.arm in votes:
            votes[answer.arm][not answer.useful] += 1
    lost = {one.name: 0.0 if one == DEFAULT else None if losses is None else losses[one.name] for one in ARMS}
    tried = [one for one in ARMS if (loss := lost[one.name]) is not None and loss <= MOST_LOSS]
    shares = dict(zip((one.name for one in tried), chances([votes[one.name] for one in tried]), strict=True))
    arms = []
    for one in ARMS:
        useful, useless = votes[one.name]
        arms.append(Arm(one, useful, useless, lost[one.name], shares.get(one.name, 0.0)))
    number = sum(map(sum, votes.values()))
    favourite = max(arms, key=lambda arm: arm.chance)
    verdict = f"context: {favourite.policy.name} in {favourite.chance:.0%} of answers, by {number:,} votes"
    return Contexts(at=at, judged=number, verdict=verdict, arms=arms)


def chances(votes: Sequence[Sequence[int]]) -> list[float]:
    """How often each policy has the best of draws from what is believed of it; the first is the default."""
    draw = np.random.default_rng(SEED)
    priors = [PRIOR_OF_DEFAULT, *[PRIOR] * (len(votes) - 1)]
    drawn = [
        draw.beta(good + useful, bad + useless, DRAWS)
        for (good, bad), (useful, useless) in zip(priors, votes, strict=True)
    ]
    found: list[float] = (np.bincount(np.argmax(drawn, axis=0), minlength=len(votes)) / DRAWS).tolist()
    return found
