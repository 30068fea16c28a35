"""Do seeded stores help on a repository that they have never seen? The replay, on clones or on existing stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from core.errors import UserError
from core.git.names import by_folder
from core.progress import Progress
from miners import clones
from miners.clones import Clone
from miners.gate import rule_quality
from miners.gate.replay import HELD_OUT
from miners.gate.rule_quality import KnownFixes, Labelled
from miners.gate.verdicts import Verdict
from miners.repository_miner import EvidenceRules
from miners.seeder import STORES, Seeder, seed_clone, try_out
from miners.tally import MiningTally

Verdicts = dict[str, dict[str, Verdict]]
"""By context type and target."""


@dataclass
class StoresEvaluation:
    """What was replayed, and how it did."""

    repositories: list[str]
    verdicts: Verdicts
    tally: MiningTally = field(default_factory=MiningTally)
    rules: dict[str, tuple[KnownFixes, Labelled]] = field(default_factory=dict)
    """How well fixes were found, by repository; only where known fixes were held out."""

    def as_dict(self) -> dict[str, Any]:
        """evaluation.json."""
        methods = {one.method for some in self.verdicts.values() for one in some.values() if one.tried}
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "repositories": self.repositories,
            "commits": self.tally.counts["commits"],
            "held_out": HELD_OUT in methods,
            "targets": {
                name: {target: _with_units(one) for target, one in some.items()} for name, some in self.verdicts.items()
            },
            "seen": dict(self.tally.counts),
            "left out": dict(self.tally.drops),
            "failed": self.tally.failed,
            "rules": list(rule_quality.as_rows(self.rules)),
        }


def _with_units(one: Verdict) -> dict[str, Any]:
    figures: dict[str, Any] = msgspec.to_builtins(one.figures())
    return {**figures, "by unit": {tried.name: tried.bits for tried in one.tried}}


def of_stores(location: str) -> StoresEvaluation:
    """Replay the evidence of the stores at a folder or URL."""
    verdicts: Verdicts = {}
    names: list[str] = []
    for kind in STORES:
        with kind(location, create=False) as store:
            names = names or [state.name for state in store.evidence.states().values()]
            verdicts.update(try_out(store, hold_out=len(names) > 1))
    return StoresEvaluation(names, verdicts)


def of_clones(
    repos: Sequence[str], rules: EvidenceRules, cache_dir: Path, known: frozenset[str] = frozenset()
) -> StoresEvaluation:
    """Replay clones, mined into stores that are gone afterwards.

    `known` are commits that fix a bug: their evidence is held out, and the rules that find fixes are measured on
    them. Raises UserError where no clone can be read.
    """
    done = StoresEvaluation([], {})
    places = list(by_folder(repos).values())
    keys: set[str] = set()
    with TemporaryDirectory(prefix="gitlore-") as folder, Seeder(Path(folder) / "stores", Path(folder)) as seeder:
        with Progress("mining", len(places), "repositories") as progress:
            for place in places:
                clone = _opened(place, cache_dir, done.tally)
                if clone and clone.key not in keys:
                    keys.add(clone.key)
                    _mine(clone, seeder, rules, known, done)
                progress.advance()
        if not done.repositories:
            raise UserError(
                f"no repository could be read: {done.tally.failed[0]}", "check --repos and github_miner.repositories"
            )
        for store in seeder.staged:
            done.verdicts.update(try_out(store, hold_out=len(done.repositories) > 1))
    return done


def _opened(place: str, cache_dir: Path, tally: MiningTally) -> Clone | None:
    with tally.reading(place):
        return clones.open_clone(place, cache_dir)
    return None


def _mine(clone: Clone, seeder: Seeder, rules: EvidenceRules, known: frozenset[str], done: StoresEvaluation) -> None:
    staged = seed_clone(seeder, clone, rules, done.tally, from_scratch=True, without=known)
    if staged is None:
        return
    done.repositories.append(clone.name)
    if known:
        with done.tally.reading(clone.name):
            done.rules[clone.name] = rule_quality.measure(clone, staged[0].state.facts["dialect"], known)
