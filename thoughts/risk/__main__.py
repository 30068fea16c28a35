"""Which files are repaired next: `python -m thoughts.risk`."""

from __future__ import annotations

from pathlib import Path

import click

from core import logs
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.git import trees
from core.git.repositories import open_repository
from core.visible import visible
from thoughts import areas
from thoughts.risk.coverage.covered import coverage_of
from thoughts.risk.table import table_of


@click.command("python -m thoughts.risk", context_settings=CONTEXT_SETTINGS)
@click.argument("repo", metavar="REPO")
@click.option(
    "--at", "commit", default="HEAD", metavar="COMMIT", show_default=True, help="The commit whose files are meant."
)
@click.option("--top", default=20, type=click.IntRange(1), metavar="N", show_default=True, help="Files to show.")
@click.option("--below", "area", default="", metavar="FOLDER", help="Show only files of this folder.")
@click.option(
    "--coverage", "reports", multiple=True, metavar="FILE", type=click.Path(path_type=Path),
    help="Coverage report of that commit's tests, repeatable: Cobertura's XML, lcov, or Go's coverprofile.",
)  # fmt: skip
@click.option("--cache-dir", default="cache", metavar="DIR", show_default=True, help="Where clones of URLs are kept.")
@with_exit_codes
def main(repo: str, commit: str, top: int, area: str, reports: tuple[Path, ...], cache_dir: str) -> None:
    """Which source files of a repository are likeliest to be repaired next, and how good this order was before."""
    logs.setup(verbose=False)
    git_dir = open_repository(repo, Path(cache_dir)).git_dir
    at = trees.commit_named(git_dir, commit)
    area = areas.found(git_dir, at, area)
    for line in table_of(git_dir, at, coverage_of(git_dir, at, reports)).lines(top, area):
        click.echo(visible(line))


if __name__ == "__main__":
    main()
