"""Stage 9: other repositories to learn from: their clones, and what GitHub knows of them. Off unless enabled.

    python github_miner.py --enabled --no-github --repositories ~/projects/other --output outputs/mined.jsonl

Writes mined.jsonl (core/records/mined.py): for each repository that is good enough its clone, brought up to date, and
the commit checked out there; from GitHub its stars, licence, topics, and the closed issues that name an error.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.errors import GitloreError
from core.files import atomic_write
from core.git import repositories
from core.git.names import by_folder, is_url
from core.logs import log
from miners.settings import MiningSettings


class GitHubMinerConfig(MiningSettings):
    """Which repositories are mined besides the one at hand, and what GitHub is asked for."""


def run(ctx: Context[GitHubMinerConfig]) -> None:
    """Write mined.jsonl; empty where mining is off."""
    with atomic_write(ctx.output("mined.jsonl")) as file:
        if not ctx.config.enabled:
            log.debug("github_miner is off; github_miner.enabled turns it on")
            return
        from miners.github.collector import Collector

        collector = Collector(ctx.config, ctx.cache_dir)
        with ctx.progress("mining", unit="repositories") as progress:
            for mined in collector.collect():
                if clone := collector.opened(mined):
                    mined.git_dir, mined.head = str(clone.git_dir), clone.head
                    file.write(msgspec.json.encode(mined) + b"\n")
                    ctx.count("repositories")
                progress.advance()
    ctx.counts.update(collector.tally.counts)
    ctx.drops.update(collector.tally.drops)


def sources(config: GitHubMinerConfig) -> dict[str, str]:
    """What is outside the outputs folder: the commits of local clones, and the day for what GitHub knows."""
    if not config.enabled:
        return {}
    places = list(by_folder(config.repositories).values())
    heads = "".join(f"{place} {_head(place)}\n" for place in places if not is_url(place))
    found = {"local clones": sha256(heads.encode()).hexdigest()}
    if config.github or any(map(is_url, places)):
        found["day"] = datetime.now(UTC).date().isoformat()
    return found


def _head(place: str) -> str:
    """Changes with the commits of a clone."""
    try:
        return repositories.state(place, ("head",)).refs
    except (GitloreError, OSError) as error:  # the stage reports it when it runs
        return str(error)


STAGE = Stage(
    name="github_miner",
    help="find other repositories to learn from: named clones, and with a token what GitHub knows (off unless enabled)",
    config=GitHubMinerConfig,
    run=run,
    outputs=("mined.jsonl",),
    flags={"output": "mined.jsonl"},
    reads=("named clones", "GitHub"),
    sources=sources,
    per_repository=True,
)

if __name__ == "__main__":
    stage_main(STAGE)
