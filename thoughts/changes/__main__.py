"""Which symbols differ between two commits: `python -m thoughts.changes`."""

from __future__ import annotations

from pathlib import Path

import click

from core import logs
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.git import trees
from core.git.repositories import open_repository
from core.visible import visible
from thoughts.changes.symbols import between


@click.command("python -m thoughts.changes", context_settings=CONTEXT_SETTINGS)
@click.argument("repo", metavar="REPO")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW", default="HEAD")
@click.option("--cache-dir", default="cache", metavar="DIR", show_default=True, help="Where clones of URLs are kept.")
@with_exit_codes
def main(repo: str, old: str, new: str, cache_dir: str) -> None:
    """Which functions, types and sections were added, changed or removed from the commit OLD to NEW."""
    logs.setup(verbose=False)
    git_dir = open_repository(repo, Path(cache_dir)).git_dir
    for line in between(git_dir, trees.commit_named(git_dir, old), trees.commit_named(git_dir, new)).lines():
        click.echo(visible(line))


if __name__ == "__main__":
    main()
