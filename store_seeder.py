"""Stage 10: what histories show, put into the three stores that agents read.

    python store_seeder.py --commits outputs/commits.json --mined outputs/mined.jsonl --output outputs/seeding.json

Reads commits.json of the repository at hand, and the clones that mined.jsonl names. Only what predicts repositories
that it does not come from gets in (miners/gate/replay.py); what agents report stays as it is. A clone that cannot be
read does not stop the others. Writes seeding.json: what was seen and tried, what got in, and what failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.engine import fingerprint
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import UserError
from core.files import write_json
from core.logs import log
from core.records.commit_files import read_history
from core.records.mined import MinedRepository, read_mined
from miners.settings import SeedingSettings

if TYPE_CHECKING:
    from miners.repository_miner import EvidenceRules
    from miners.seeder import Seeder, Seeding
    from miners.tally import MiningTally


class StoreSeederConfig(SeedingSettings):
    """Which commits become evidence, and where the stores are."""


def run(ctx: Context[StoreSeederConfig]) -> None:
    """Seed the stores and write what came of it."""
    from miners.repository_miner import rules_of
    from miners.seeder import Seeder, report
    from miners.tally import MiningTally

    tally = MiningTally()
    rules = rules_of(ctx.config, fingerprint.module_digest("miners.repository_miner", ctx.cache_dir))
    with Seeder(ctx.config.location, ctx.scratch) as seeder:
        own = seed_own(ctx, seeder, rules, tally)
        with ctx.progress("reading clones", unit="repositories") as progress:
            for mined in read_mined(ctx.input("mined.jsonl")):
                seed_other(mined, seeder, rules, tally, own)
                progress.advance()
        done = seeder.merge("history:pipeline")
    write_json(ctx.output("seeding.json"), msgspec.to_builtins(report(done, tally)))
    add_figures(ctx, done, tally)
    changes = ", ".join(f"{name}: {change}" for name, change in done.changes.items())
    log.info("stores in %s: %s", ctx.config.location, changes)


def seed_own(ctx: Context[StoreSeederConfig], seeder: Seeder, rules: EvidenceRules, tally: MiningTally) -> str:
    """Stage the evidence of the repository at hand; gives its key. What fails here fails the stage."""
    from miners.histories import ScrapedHistory
    from miners.repository_miner import mine

    head = read_history(ctx.input("commits.json"))
    if head.is_shallow or head.is_partial:
        log.warning("%s is a shallow or partial clone: its history is not learned from", head.repository)
        ctx.drop("histories of shallow or partial clones")
        return ""
    history = ScrapedHistory(ctx.input("commits.json"))
    seeder.stage(seeder.gather(mine(history, seeder.last(history.key), rules, tally)))
    return history.key


def seed_other(mined: MinedRepository, seeder: Seeder, rules: EvidenceRules, tally: MiningTally, own: str) -> None:
    """Stage the evidence of a repository that github_miner has judged and brought up to date, unless it is our own."""
    from miners.clones import opened_clone
    from miners.seeder import seed_clone

    clone = None
    with tally.reading(mined.full_name or mined.location):
        if not mined.head:
            raise UserError("its line in mined.jsonl has no head", "make it again: python github_miner.py")
        clone = opened_clone(mined.location, Path(mined.git_dir), mined.head)
    if clone and clone.key != own:
        seed_clone(seeder, clone, rules, tally, github=mined)


def add_figures(ctx: Context[StoreSeederConfig], done: Seeding, tally: MiningTally) -> None:
    """For the summary table."""
    ctx.counts.update({f"entries in {name}": number for name, number in done.entries.items()})
    ctx.counts.update(tally.counts)
    ctx.drops.update(tally.drops)
    verdicts = [one for targets in done.verdicts.values() for one in targets.values()]
    ctx.drop("targets that did not pass their gate", sum(not one.passed for one in verdicts))


def stores(config: StoreSeederConfig) -> list[Path]:
    """The databases, where they are files."""
    from stores.agent.context_types import STORE_NAMES

    return [] if config.database else [Path(config.location) / f"{name}.db" for name in STORE_NAMES]


STAGE = Stage(
    name="store_seeder",
    help="seed the agents' stores with what histories show, as far as it predicts other repositories",
    config=StoreSeederConfig,
    run=run,
    inputs=("commits.json", "mined.jsonl"),
    outputs=("seeding.json",),
    flags={"commits": "commits.json", "mined": "mined.jsonl", "output": "seeding.json"},
    libraries=("SQLAlchemy", "scipy", "numpy"),
    side_files=stores,
    per_repository=True,
)

if __name__ == "__main__":
    stage_main(STAGE)
