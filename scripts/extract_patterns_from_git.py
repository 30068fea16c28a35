"""Take patterns from a repository's history: both sides of repairs and additions, one JSON record a line.

    python scripts/extract_patterns_from_git.py --repo-path flask --output patterns.jsonl [--since-date 2024-01-31]

Runs the pipeline's stages up to pattern_miner in a folder of the cache, so that the next call reads only what is new.
With --chunks, an existing chunks.jsonl is read instead, and the commits.json beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import click
import msgspec

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from core import logs
from core.config import cache_folder, expand, settings_file
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes
from core.errors import UserError
from core.files import atomic_write
from core.git.names import folder_name, is_url
from core.progress import Progress
from core.records.patterns import PROBLEM_TYPES, Pattern, read_patterns
from patterns.mining import mine

STAGES = ("git_scraper", "semantic_chunker", "pattern_miner")


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--repo-path", default=".", metavar="DIR", show_default=True, help="The repository: a folder or a URL.")
@click.option("--output", default="patterns.jsonl", metavar="FILE", show_default=True, help="Where to write them.")
@click.option("--since-date", default="", metavar="DATE", help="Only changes written at or after it: 2024-01-31.")
@click.option(
    "--types", default=",".join(PROBLEM_TYPES), metavar="NAMES", show_default=True, help="Which, with commas between."
)
@click.option("--chunks", default="", metavar="FILE", help="A chunks.jsonl of it, with its commits.json in the folder.")
@click.option("--verbose", is_flag=True, help="Show debug messages.")
@version_option()
@with_exit_codes
def main(repo_path: str, output: str, since_date: str, types: str, chunks: str, verbose: bool) -> None:
    """Take patterns from a repository's history: both sides of repairs and additions, one JSON record a line."""
    logs.setup(verbose=verbose)
    wanted, since = types_of(types), date_of(since_date)
    with tempfile.TemporaryDirectory() as scratch:
        found = of_chunks(expand(chunks), Path(scratch), wanted) if chunks else of_repository(repo_path, verbose)
        count = write(chosen(read_patterns(found), wanted, since), expand(output))
    click.echo(f"{count:,} patterns in {output}")


def types_of(text: str) -> list[str]:
    """The problem types in a list. Raises UserError for one that is unknown."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found or set(found) - set(PROBLEM_TYPES):
        raise UserError(f"--types {text}: there is no such type", f"choose from {', '.join(PROBLEM_TYPES)}")
    return found


def date_of(text: str) -> datetime | None:
    """A date or time, of UTC unless it says otherwise. Raises UserError for anything else."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"--since-date {text} is no date", "write 2024-01-31, or 2024-01-31T12:00:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def of_chunks(chunks: Path, scratch: Path, types: Collection[str]) -> Path:
    """The patterns of chunks.jsonl, in a file. Raises UserError where it or its commits.json is missing."""
    commits = chunks.with_name("commits.json")
    for file in (chunks, commits):
        if not file.is_file():
            raise UserError(f"{file} is missing", "make both: python pipeline.py --until semantic_chunker")
    output = scratch / "patterns.jsonl"
    with Progress("walking the main line", unit="commits") as progress:
        mine(commits, chunks, output, types, progress, scratch / "patterns.cache")
    return output


def of_repository(location: str, verbose: bool) -> Path:
    """The patterns of a repository, as the pipeline makes them. Ends the program where it fails."""
    place = location if is_url(location) else str(expand(location).resolve())
    name = f"{folder_name(location)}-{sha256(place.encode()).hexdigest()[:12]}"
    folder = cache_folder("") / "patterns" / name
    settings = {"git_scraper.repo": place, "git_scraper.repos": [], "pipeline.outputs": str(folder)}
    command = [
        sys.executable,
        str(PROJECT / "pipeline.py"),
        "--config",
        str(settings_file(None) or PROJECT / "config.yaml"),
    ]
    command += [word for key, value in settings.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    command += [word for stage in STAGES for word in ("--stage", stage)]
    done = subprocess.run(command + ["--verbose"] * verbose, stdout=sys.stderr, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return folder / "patterns.jsonl"


def chosen(patterns: Iterator[Pattern], types: Collection[str], since: datetime | None) -> Iterator[Pattern]:
    """Those of these types that were written at or after a time."""
    for pattern in patterns:
        if pattern.problem_type in types and (since is None or datetime.fromisoformat(pattern.date) >= since):
            yield pattern


def write(patterns: Iterator[Pattern], output: Path) -> int:
    """Write patterns.jsonl whole or not at all; how many there are."""
    encoder, count = msgspec.json.Encoder(), 0
    with atomic_write(output) as file:
        for count, pattern in enumerate(patterns, start=1):  # noqa: B007 - the last one is returned
            file.write(encoder.encode(pattern) + b"\n")
    return count


if __name__ == "__main__":
    main()
