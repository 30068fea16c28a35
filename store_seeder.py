"""Stage 9: what the histories teach, put into the three stores that agents read.

    python store_seeder.py --commits outputs/commits.json --chunks outputs/chunks.jsonl --output outputs/seeding.json

Reads commits.json and chunks.jsonl of the repository at hand, and the clones that mined.jsonl names. Only what
foretells repositories that it does not come from gets in (miners/gate/replay.py); what agents report stays as it is.
Writes seeding.json: what was tried, what got in, and what did not, and why.
"""

from __future__ import annotations

from pathlib import Path

from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.files import write_json
from core.logs import log
from core.records.commit_files import read_history
from core.records.mined import read_mined
from miners.settings import GitHubMinerConfig, StoreSeederConfig


def run(ctx: Context[StoreSeederConfig]) -> None:
    """Seed the stores and write what came of it."""
    from miners.github.collector import Collector
    from miners.history_miner import mine_history
    from miners.repository_miner import Tally, mine, rules_digest
    from miners.seeder import Seeder, report

    config, tally = ctx.config, Tally()
    rules = rules_digest(config.filters, ctx.cache_dir)
    # What mined.jsonl names has been judged by stage 8.
    collector = Collector(GitHubMinerConfig(min_commits=0, has_readme=False), ctx.cache_dir)
    here = ""
    with Seeder(config.location, ctx.scratch) as seeder:
        head = read_history(ctx.input("commits.json"))
        if head.is_shallow or head.is_partial:
            log.warning("%s is a shallow or partial clone: its history is not learnt from", head.repository)
            ctx.drop("histories of shallow or partial clones")
        else:
            files = ctx.input("commits.json"), ctx.input("chunks.jsonl")
            with mine_history(*files, config.filters, rules, tally, seeder.last) as mined:
                seeder.stage(mined)
                here = mined.state.key
        with ctx.progress("reading clones", unit="repositories") as progress:
            for other in read_mined(ctx.input("mined.jsonl")):
                clone = collector.opened(other)
                if clone and clone.key != here:
                    with mine(
                        clone,
                        seeder.last(clone.key),
                        config.filters,
                        rules,
                        tally,
                        github=other,
                        scratch=seeder.scratch,
                    ) as mined:
                        seeder.stage(mined)
                progress.advance()
        done = seeder.merge("history:pipeline")
    write_json(ctx.output("seeding.json"), report(done, tally))
    for name, number in done.entries.items():
        ctx.count(f"entries in {name}", number)
    for what, number in tally.counts.items():
        ctx.count(what, number)
    for reason, number in (tally.drops + collector.drops).items():
        ctx.drop(reason, number)
    refused = [
        f"{name} ({target})" for name, some in done.verdicts.items() for target, one in some.items() if not one.passed
    ]
    ctx.drop("targets that did not pass their gate", len(refused))
    log.info(
        "stores in %s: %s", config.location, ", ".join(f"{name}: {change}" for name, change in done.changes.items())
    )


def stores(config: StoreSeederConfig) -> list[Path]:
    """The databases, where they are files."""
    from stores.agent.context_types import STORE_NAMES

    return [] if config.database else [Path(config.location) / f"{name}.db" for name in STORE_NAMES]


STAGE = Stage(
    name="store_seeder",
    help="teach the agents' stores what the histories show, as far as it holds elsewhere",
    config=StoreSeederConfig,
    run=run,
    inputs=("commits.json", "chunks.jsonl", "mined.jsonl"),
    outputs=("seeding.json",),
    flags={"commits": "commits.json", "chunks": "chunks.jsonl", "mined": "mined.jsonl", "output": "seeding.json"},
    libraries=("SQLAlchemy", "scipy", "numpy"),
    side_files=stores,
    per_repository=True,
)

if __name__ == "__main__":
    stage_main(STAGE)
