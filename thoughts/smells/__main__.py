"""What tools find in a commit, of the rules that count in this repository: `python -m thoughts.smells`."""

from __future__ import annotations

from pathlib import Path

import click

from core import logs
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.git import trees
from core.git.repositories import open_repository
from core.visible import visible
from thoughts.smells.hunt import hunt


@click.command("python -m thoughts.smells", context_settings=CONTEXT_SETTINGS)
@click.argument("repo", metavar="REPO")
@click.option("--at", "commit", default="HEAD", metavar="COMMIT", show_default=True, help="Whose files are meant.")
@click.option("--since", metavar="COMMIT", help="Only lines that this commit does not have.")
@click.option("--top", default=10, type=click.IntRange(1), metavar="N", show_default=True, help="Findings to show.")
@click.option("--cache-dir", default="cache", metavar="DIR", show_default=True, help="Where clones of URLs are kept.")
@with_exit_codes
def main(repo: str, commit: str, since: str | None, top: int, cache_dir: str) -> None:
    """What ruff finds, of those rules alone whose findings this repository went on to change."""
    logs.setup(verbose=False)
    git_dir = open_repository(repo, Path(cache_dir)).git_dir
    before = trees.commit_named(git_dir, since) if since else ""
    for line in hunt(git_dir, trees.commit_named(git_dir, commit), before, top).lines():
        click.echo(visible(line))


if __name__ == "__main__":
    main()
