"""Runs that are killed: does a plain rerun make what an undisturbed run makes?

    python -m benchmarks.killed_runs REPO [--kills 25] [--seed 0] [--stage NAME]...

Each run has a folder of its own and is killed (SIGKILL, the program alone) at a random moment, then started again.
commits.json (but for the time in its head) and chunks.jsonl must have the same bytes as those of a run that nothing
disturbed, and the three stores the same content and no problems. Exits with 1 where they have not.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import click

from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import StageError
from stores import FailureStore, PatternStore, VVectorStore
from stores.agent.store import Store

PROGRAM = Path(__file__).resolve().parents[1] / "pipeline.py"
STAGES = ("git_scraper", "semantic_chunker", "github_miner", "store_seeder")
STORES: tuple[type[Store[Any]], ...] = (VVectorStore, PatternStore, FailureStore)
FILES = ("commits.json", "chunks.jsonl")
_TIME = re.compile(rb'"scrape_timestamp":"[^"]*"')
_RUNNING = re.compile(r"^(\w+): running", re.MULTILINE)


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("repo", type=click.Path(exists=True, file_okay=False, resolve_path=True))
@click.option("--kills", default=25, type=click.IntRange(1), show_default=True, help="How many runs to kill.")
@click.option("--seed", default=0, show_default=True, help="Another seed kills at other moments.")
@click.option("--stage", "stages", multiple=True, default=STAGES, show_default=True, help="What to run (repeatable).")
@with_exit_codes
def main(repo: str, kills: int, seed: int, stages: tuple[str, ...]) -> None:
    """Kill runs at random moments, run them again, and compare with an undisturbed run."""
    random, reached, failures = Random(seed), Counter[str](), 0
    with tempfile.TemporaryDirectory() as place:
        begin = time.monotonic()
        expected = finished(made(Path(place) / "undisturbed", repo), stages)
        seconds = time.monotonic() - begin
        sizes = ", ".join(f"{name} {len(content):,} B" for name, content in expected.items())
        click.echo(f"undisturbed: {seconds:.1f} s, {sizes}")
        for number in range(kills):
            folder, moment = made(Path(place) / str(number), repo), random.uniform(0, seconds)
            stage = killed(folder, stages, moment)
            reached[stage] += 1
            try:
                found = finished(folder, stages)
                wrong = ", ".join(name for name in expected if found[name] != expected[name])
            except StageError as error:
                wrong = str(error)
            failures += bool(wrong)
            click.echo(f"{number}: after {moment:.1f} s, {stage}: {f'not the same: {wrong}' if wrong else 'the same'}")
    click.echo(f"{kills} kills: {', '.join(f'{number} {stage}' for stage, number in reached.items())}")
    if failures:
        raise StageError(f"{failures} of {kills} reruns did not make the same")


def made(folder: Path, repo: str) -> Path:
    """A folder with settings."""
    folder.mkdir()
    (folder / "config.yaml").write_text(
        f"pipeline: {{cache_dir: cache}}\ngit_scraper: {{repo: '{repo}'}}\n", encoding="utf-8"
    )
    return folder


def started(folder: Path, stages: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """The pipeline; what it says is added to `printed`."""
    line = [sys.executable, str(PROGRAM), *(word for stage in stages for word in ("--stage", stage))]
    with (folder / "printed").open("ab") as printed:
        return subprocess.Popen(line, cwd=folder, stdout=printed, stderr=subprocess.STDOUT)


def killed(folder: Path, stages: tuple[str, ...], moment: float) -> str:
    """Run and kill after some seconds; says how far it came."""
    process = started(folder, stages)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        running = _RUNNING.findall((folder / "printed").read_text(encoding="utf-8"))
        return f"in {running[-1]}" if running else "before the first stage"
    return "after its end"


def finished(folder: Path, stages: tuple[str, ...]) -> dict[str, bytes]:
    """Run to the end; the content of each file and store. Raises StageError where something is wrong with them."""
    code, printed = started(folder, stages).wait(), (folder / "printed").read_text(encoding="utf-8")
    if code or "Traceback" in printed:
        raise StageError(f"the run ended with {code}: {printed[-500:]}")
    content = {name: _TIME.sub(b"", (folder / "outputs" / name).read_bytes(), count=1) for name in FILES}
    for kind in STORES:
        with kind(folder / "outputs" / "stores", create=False) as store:
            if problems := store.check():
                raise StageError(f"{store.name}: {problems[0]}")
            store.export(folder / "exported.jsonl")
            content[store.name] = (folder / "exported.jsonl").read_bytes()
    return content


if __name__ == "__main__":
    main()
