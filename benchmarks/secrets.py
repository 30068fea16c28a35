"""Which made-up credentials are masked, by kind and by what surrounds them; and what is found in real histories.

    python -m benchmarks.secrets                  coverage of made-up credentials
    python -m benchmarks.secrets CLONES…          and what is found in the lines that the newest commits of clones added
    python -m benchmarks.secrets --spans CLONES…  with each place, for a person to label

The credentials are those of secret_cases.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from benchmarks.secret_cases import Case, cases
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.git import refs
from core.git.repositories import open_repository
from core.history.options import ReadOptions
from core.history.recent import recent_commits
from core.text.secrets import Secret, find

NEWEST = 2_500
CONTEXT = 40


def added_lines(location: str, newest: int = NEWEST) -> Iterator[tuple[str, str]]:
    """(commit, the lines that it added to one file), of the newest commits that lead to HEAD, without merges."""
    repository = open_repository(location, cache_folder())
    for commit in recent_commits(repository, ReadOptions(), refs.head(repository.git_dir), last=newest):
        for diff in commit.diffs:
            added = [line[1:] for line in diff.patch.split("\n") if line.startswith("+")]
            yield commit.metadata.abbrev_hash, "\n".join(added)


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("clones", nargs=-1, metavar="CLONES…")
@click.option("--spans", is_flag=True, help="Print each place that is found in the clones.")
@with_exit_codes
def main(clones: tuple[str, ...], spans: bool) -> None:
    """Print coverage, and for each clone how much is found in a megabyte of added lines."""
    coverage(list(cases()))
    for clone in clones:
        size, found = 0, Counter[str]()
        for sha, text in added_lines(clone):
            size += len(text.encode())
            for secret in find(text):
                found[secret.kind] += 1
                if spans:
                    click.echo(f"{sha}\t{shown(text, secret)}")
        kinds = ", ".join(f"{kind} {count}" for kind, count in found.most_common())
        megabytes = size / 1e6
        click.echo(f"{clone}: {found.total()} in {megabytes:.2f} MB, {found.total() / megabytes:.1f} a MB ({kinds})")


def shown(text: str, secret: Secret) -> str:
    """What is found, in brackets, with what stands around it."""
    before, after = text[max(secret.start - CONTEXT, 0) : secret.start], text[secret.end : secret.end + CONTEXT]
    return f"{secret.kind}\t{before!r} [[{text[secret.start : secret.end][:80]!r}]] {after!r}"


def coverage(made: list[Case]) -> None:
    """Print the share of all that is masked, and that of each kind and surrounding where something is missed."""
    masked = {case: case.is_masked for case in made}
    kinds, surroundings = len({case.kind for case in made}), len({case.surrounding for case in made})
    click.echo(f"{share(list(masked.values()))} credentials of {kinds} kinds in {surroundings} surroundings masked")
    for what in ("kind", "surrounding"):
        groups: dict[str, list[bool]] = {}
        for case, is_masked in masked.items():
            groups.setdefault(getattr(case, what), []).append(is_masked)
        click.echo(f"by {what}, where any is missed:")
        for name, some in sorted(groups.items(), key=lambda item: sum(item[1]) / len(item[1])):
            if not all(some):
                click.echo(f"  {name:28} {share(some)}")


def share(some: list[bool]) -> str:
    """A count and a percentage."""
    return f"{sum(some):,} of {len(some):,} ({sum(some) / len(some):.1%})"


if __name__ == "__main__":
    main()
