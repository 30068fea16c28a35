"""A whole seeding run outside the pipeline: collect, mine what is new, try it, merge it.

Safe to run twice, to kill, and to run beside reading and writing agents.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.config import expand
from core.errors import GitloreError, UserError
from core.logs import log
from core.process import git_workers
from core.records.mined import MinedRepository
from miners.clones import Clone
from miners.github.collector import Collector
from miners.github_client import ResumeLaterError
from miners.repository_miner import Tally, mine, rules_digest
from miners.seeder import Seeder, Seeding
from miners.settings import MiningSettings, SeedingSettings


@dataclass
class Pretraining:
    """What a run did."""

    seeding: Seeding
    tally: Tally
    counts: Counter[str]
    drops: Counter[str]
    failed: list[str] = field(default_factory=list)
    """Repositories that could not be read, one sentence each."""
    resume: ResumeLaterError | None = None
    """GitHub wanted a long pause; what had been mined by then is merged."""
    seconds: float = 0.0

    def summary(self) -> str:
        """One line for a log: what was looked at, what changed, what it cost."""
        seen = self.tally.counts["repositories"] + self.tally.counts["repositories without news"]
        changes = "; ".join(f"{name}: {change}" for name, change in self.seeding.changes.items() if change)
        traffic = ", ".join(f"{self.counts[name]} {name}" for name in _TRAFFIC if name in self.counts)
        parts = [
            f"{seen} repositories looked at, {self.tally.counts['repositories']} with news, {len(self.failed)} failed",
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
    anew: bool = False,
    source: str = "github",
    report: Callable[[str], None] = log.info,
) -> Pretraining:
    """Seed the stores at a folder or URL from all repositories that the settings name; `anew` reads all of each again.

    `code` is a digest of the code that makes evidence: what other code has read is read again.

    Raises UserError for wrong settings and where nothing can be read, AlreadyRunningError where another run is at
    work, StageError where the stores cannot be written or what is staged does not pass its checks: nothing is merged.
    """
    started = time.monotonic()
    tally, collector = Tally(), Collector(mining, cache_dir)
    rules = rules_digest(seeding, code)
    resume: ResumeLaterError | None = None
    place = location if "://" in location else expand(location)
    with Seeder(place, cache_dir / "seeding") as seeder:
        try:
            for found in collector.collect(lambda number: "" if anew else seeder.issues_since(number, rules)):
                if clone := collector.opened(found):
                    try:
                        report(
                            _read(
                                seeder,
                                clone,
                                found,
                                seeding,
                                rules,
                                tally,
                                anew=anew,
                                workers=git_workers(mining.workers),
                            )
                        )
                    except GitloreError as error:
                        collector.failed.append(f"{clone.name}: {error.message}")
                        collector.drops["repositories that cannot be read"] += 1
        except ResumeLaterError as error:
            resume = error
        if collector.failed and not (tally.counts["repositories"] or tally.counts["repositories without news"]):
            raise UserError(f"no repository could be read: {collector.failed[0]}", "check what is named")
        done = seeder.merge(source)
    return Pretraining(
        done, tally, collector.counts, collector.drops, collector.failed, resume, time.monotonic() - started
    )


def _read(
    seeder: Seeder,
    clone: Clone,
    found: MinedRepository,
    seeding: SeedingSettings,
    rules: str,
    tally: Tally,
    *,
    anew: bool,
    workers: int,
) -> str:
    last = None if anew else seeder.last(clone.key)
    with mine(clone, last, seeding, rules, tally, github=found, workers=workers, scratch=seeder.scratch) as mined:
        changes = seeder.stage(mined)
    added = sum(change.evidence_added for change in changes.values())
    removed = sum(change.evidence_removed for change in changes.values())
    news = "no news" if mined.unchanged else f"{added:,} pieces of evidence more, {removed:,} less"
    return f"{mined.state.name} ({mined.state.archetype}): {news}"
