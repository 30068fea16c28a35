"""What tools find in a commit, of the rules that count in this repository: `python -m thoughts.smells`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from core import logs
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import UserError
from core.git import trees
from core.git.repositories import open_repository
from core.text.redaction import Redactor
from core.visible import visible
from thoughts import areas
from thoughts.smells.findings import tool_of
from thoughts.smells.hunt import hunt
from thoughts.smells.tools import DEFAULT, TOOLS, chosen
from thoughts.smells.uptake import worth_showing


@click.command("python -m thoughts.smells", context_settings=CONTEXT_SETTINGS)
@click.argument("repo", metavar="REPO")
@click.option("--at", "commit", default="HEAD", metavar="COMMIT", show_default=True, help="Whose files are meant.")
@click.option("--since", metavar="COMMIT", help="Only lines that this commit does not have.")
@click.option("--top", default=10, type=click.IntRange(1), metavar="N", show_default=True, help="Findings to show.")
@click.option(
    "--tool", "names", multiple=True, metavar="NAME", help="Tools to ask: ruff, lizard, secrets [default: ruff]."
)
@click.option(
    "--semgrep-rules", "rules", multiple=True, metavar="PATH", help="Your own rules, for semgrep to look for."
)
@click.option("--semgrep", default="", metavar="PROGRAM", help="Program of semgrep [default: the one on the path].")
@click.option("--rule", metavar="RULE", help="Show all findings of one rule, whatever its past says: 'ruff S101'.")
@click.option("--below", "area", default="", metavar="FOLDER", help="Show only findings in this folder.")
@click.option("--cache-dir", default="cache", metavar="DIR", show_default=True, help="Where clones of URLs are kept.")
@with_exit_codes
def main(
    repo: str, commit: str, since: str | None, top: int, names: Sequence[str], rules: Sequence[str], semgrep: str,
    rule: str | None, area: str, cache_dir: str,
) -> None:  # fmt: skip
    """What tools find, of those rules alone whose findings this repository went on to change."""
    logs.setup(verbose=False)
    git_dir = open_repository(repo, Path(cache_dir)).git_dir
    before = trees.commit_named(git_dir, since) if since else ""
    names = names or (DEFAULT if rule is None else [one for one in TOOLS if one == tool_of(rule)])
    tools, notes = chosen(names, rules, semgrep)
    if rule is not None and tool_of(rule) not in {one.name for one in tools}:
        raise UserError(f"'{rule}' is no rule of a tool that is asked", "; ".join(notes) or "such as 'ruff S101'")
    commit = trees.commit_named(git_dir, commit)
    area = areas.found(git_dir, commit, area)
    found = hunt(git_dir, tools, commit, before).below(area)
    lines = found.lines(worth_showing(found.fresh, found.uptake, top)) if rule is None else found.lines_of(rule)
    for line in [*notes, *lines]:
        click.echo(visible(Redactor().masked(line)))


if __name__ == "__main__":
    main()
