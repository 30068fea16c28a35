"""The map of a repository at a commit: `python -m thoughts.mapping`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from core import logs
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import UserError, did_you_mean
from core.git.repositories import open_repository
from core.visible import visible
from thoughts.mapping.graph import CodeMap, Link
from thoughts.mapping.overview import overview_of


@click.command("python -m thoughts.mapping", context_settings=CONTEXT_SETTINGS)
@click.argument("repo", metavar="REPO")
@click.option("--at", "commit", default="HEAD", metavar="COMMIT", show_default=True, help="The commit that is mapped.")
@click.option("--since", metavar="COMMIT", help="Show such cycles and files without tests as are new since this one.")
@click.option("--of", "wanted", metavar="PATH[:NAME]", help="Show what has to do with this file or symbol instead.")
@click.option("--top", default=10, type=click.IntRange(1), metavar="N", show_default=True, help="Lines of each list.")
@click.option("--cache-dir", default="cache", metavar="DIR", show_default=True, help="Where maps and clones are kept.")
@with_exit_codes
def main(repo: str, commit: str, since: str | None, wanted: str | None, top: int, cache_dir: str) -> None:
    """What most code of a repository rests on; of one symbol its callers, callees and tests."""
    logs.setup(verbose=False)
    cache = Path(cache_dir)
    git_dir = open_repository(repo, cache).git_dir
    found = CodeMap.at(git_dir, cache, commit)
    if wanted:
        lines = list(_about(found, wanted, top))
    else:
        lines = overview_of(found, CodeMap.at(git_dir, cache, since) if since else None).lines(top)
    for line in lines:
        click.echo(visible(line))


def _about(found: CodeMap, wanted: str, top: int) -> Iterator[str]:
    """What the map knows of a file or a symbol. Raises UserError where there is none."""
    path, name = _parted(found, wanted)
    if name:
        yield from _listed("called by", [_said(one, one.path) for one in found.callers(path, name)], top)
        yield from _listed("calls", [_said(one, path) for one in found.callees(path, name)], top)
    else:
        yield f"{found.central(path):.1%} of what code rests on"
        yield from _listed("imports", [_said(one, path) for one in found.imports(path)], top)
        yield from _listed("imported by", [_said(one, one.path) for one in found.imported_by(path)], top)
    tests = [
        f"{one.path} {one.name} ({one.steps} call{'s' * (one.steps > 1)} away)" for one in found.tests_of(path, name)
    ]
    yield from _listed("reached by tests", tests, top)


def _parted(found: CodeMap, wanted: str) -> tuple[str, str]:
    """(path, name)"""
    files = found.files
    path = wanted if wanted in files else next((one for one in files if wanted.startswith(f"{one}:")), "")
    if not path:
        raise UserError(f"the map has no file '{wanted}'", did_you_mean(wanted.partition(":")[0], files))
    name, names = wanted[len(path) + 1 :], [node.name for node in found.symbols(path)]
    if name and name not in names:
        raise UserError(f"{path} has no symbol '{name}'", did_you_mean(name, names))
    return path, name


def _said(one: Link, at: str) -> str:
    """The other end of a call or an import; `at` is the file with the line."""
    what = f"{one.path} {one.name}".rstrip()
    return f"{what} (at {at}:{one.line}{'' if one.is_sure else ', by name'})"


def _listed(title: str, lines: list[str], top: int) -> Iterator[str]:
    yield f"{title}: {'nothing' if not lines else ''}".rstrip()
    yield from (f"  {line}" for line in lines[:top])
    if len(lines) > top:
        yield f"  and {len(lines) - top:,} more"


if __name__ == "__main__":
    main()
