"""A whole seeding run outside the pipeline: collect, mine what is new, try it, merge it.

Safe to run twice, to kill, and to run while agents read and write.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.config import expand
from core.errors import UserError
from core.logs import log
from core.process import git_workers
from miners.github.collector import Collector
from miners.github.patience import ResumeLaterError
from miners.repository_miner import Mined, rules_of
from miners.seeder import Seeder, Seeding, seed_clone
from miners.settings import MiningSettings, SeedingSettings
from miners.tally import MiningTally
from stores.agent.records import StoreChange


@dataclass
class Pretraining:
    """What a run did."""

    seeding: Seeding
    collected: MiningTally
    """Of repositories, before any commit was read, and of requests to GitHub."""
    tally: MiningTally
    """Of commits and issues."""
    resume: ResumeLaterError | None = None
    """GitHub wanted a long pause; what had been mined by then is merged."""
    seconds: float = 0.0

    @property
    def failed(self) -> list[str]:
        """What could not be read, one sentence each."""
        return self.collected.failed + self.tally.failed

    def summary(self) -> str:
        """One line for a log: what was read, what changed, what it cost."""
        changes = "; ".join(f"{name}: {change}" for name, change in self.seeding.changes.items() if change)
        counts = self.collected.counts
        traffic = ", ".join(f"{counts[name]} {name}" for name in _TRAFFIC if name in counts)
        news = self.tally.counts["repositories"]
        parts = [
            f"{_number_read(self.tally)} repositories read, {news} with news, {len(self.failed)} failed",
            changes or "nothing new",
            *([traffic] if traffic else []),
            f"{self.seconds:.1f} s",
        ]
        return " | ".join(parts)


_TRAFFIC = ("requests to GitHub", "answers without change", "answers from the cache")


def pretrain(
    mining: MiningSettings,
    seeding: SeedingSettings,
    location: str,
    cache_dir: Path,
    code: str,
    *,
    from_scratch: bool = False,
) -> Pretraining:
    """Seed the stores at a folder or URL from all repositories that the settings name.

    `code` is a digest of the code that makes evidence; `from_scratch` reads all of each repository again.

    Raises UserError for wrong settings and where nothing can be read, AlreadyRunningError where another run is at
    work, StageError where the stores cannot be written or what is staged does not pass its checks: nothing is merged.
    """
    started = time.monotonic()
    tally, collector = MiningTally(), Collector(mining, cache_dir)
    rules, workers = rules_of(seeding, code), git_workers(mining.workers)
    resume: ResumeLaterError | None = None
    place = location if "://" in location else expand(location)
    with Seeder(place, cache_dir / "seeding") as seeder:

        def issues_since(github_id: int) -> str:
            return "" if from_scratch else seeder.issues_since(github_id, rules.digest)

        try:
            for found in collector.collect(issues_since):
                if clone := collector.opened(found):
                    staged = seed_clone(
                        seeder, clone, rules, tally, github=found, from_scratch=from_scratch, workers=workers
                    )
                    if staged:
                        log.info("%s", _sentence(*staged))
        except ResumeLaterError as error:
            resume = error
        if not _number_read(tally) and (failed := collector.tally.failed + tally.failed):
            raise UserError(f"no repository could be read: {failed[0]}", "check --repos and github_miner.repositories")
        done = seeder.merge("github")
    return Pretraining(done, collector.tally, tally, resume, time.monotonic() - started)


def _number_read(tally: MiningTally) -> int:
    return tally.counts["repositories"] + tally.counts["repositories without news"]


def _sentence(mined: Mined, changes: Mapping[str, StoreChange]) -> str:
    added = sum(change.evidence_added for change in changes.values())
    removed = sum(change.evidence_removed for change in changes.values())
    news = "no news" if mined.unchanged else f"{added:,} pieces of evidence added, {removed:,} removed"
    return f"{mined.state.name} ({mined.state.archetype}): {news}"
