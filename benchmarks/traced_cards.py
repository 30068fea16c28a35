"""Do the tests on a function's card run it, and do the files on a file's card use it?

    cp benchmarks/traced_calls.py CLONE/ && cd CLONE && python -m pytest -p traced_calls
    python -m benchmarks.traced_cards CLONE …

Of functions that some test reached, chosen at random, cards are made with the map of the commit and with names alone.
A named test is right if the function ran in it; a function is found if its card names a test that is right. For every
file that is no test, the files that use it by the map and by names are held against those that imported it or called
into it; files of which nothing ran do not count. Intervals draw functions and files.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import numpy as np

from benchmarks.code_map import TRACE, Name, Trace
from core.code.test_files import is_test_file
from core.errors import UserError
from core.git import trees
from core.git.repositories import open_repository
from core.statistics import Numbers, interval
from thoughts.cards.by_name import ByName
from thoughts.cards.card import TESTS
from thoughts.cards.making import Cards, opened
from thoughts.cards.mapped import Mapped

_TEST = re.compile(r"`([^`]+)` in (.+?) (?:calls|refers to) `[^`]+`(, which)?")


class Asked(NamedTuple):
    """Tests on a card, and how many of them are right: those that call the function, and those that call a caller."""

    near: int
    right: int
    far: int
    far_right: int


@click.command()
@click.argument("clones", nargs=-1, required=True)
@click.option("--functions", "most", default=100, type=click.IntRange(0), show_default=True, help="Of each repository.")
@click.option("--cache-dir", default="cache", show_default=True, help="Where indexes and maps are kept.")
def main(clones: Sequence[str], most: int, cache_dir: str) -> None:
    """Do the tests on a function's card run it, and do the files on a file's card use it?"""
    click.echo("| | way | functions | tests named | right | through another call | right | functions found |")
    click.echo(f"|---|---|{'---:|' * 6}")
    files = []
    for clone in clones:
        trace = msgspec.json.decode((Path(clone) / TRACE).read_bytes(), type=Trace)
        git_dir = open_repository(clone, Path(cache_dir)).git_dir
        for way in ("names", "map"):
            with opened(git_dir, Path(cache_dir), trees.commit_named(git_dir, "HEAD")) as cards:
                cards.risks = {}  # which say nothing of tests
                if way == "names":
                    cards.map = None
                row = f"| {Path(clone).name} | {way}"
                if rows := list(itertools.islice(_asked(cards, trace), most)):
                    click.echo(f"{row} | {' | '.join(_of_functions(np.array(rows, float)))} |")
                files.append(f"{row} | {' | '.join(_of_files(np.array(list(_users(cards, trace)), float)))} |")
    click.echo(f"\n| | way | files | users named | right | users found |\n|---|---|{'---:|' * 4}")
    click.echo("\n".join(files))


def _asked(cards: Cards, trace: Trace) -> Iterator[Asked]:
    """Functions that tests reached, in an order by chance."""
    ran: defaultdict[Name, set[Name]] = defaultdict(set)
    for test, some in trace.tests.items():
        path, _, name = test.partition("::")
        for function in some:
            ran[function].add((path, name))
    functions = sorted(one for one in ran if not is_test_file(one[0]))
    random.Random(0).shuffle(functions)
    return (row for one in functions if (row := asked(cards, one, ran[one])))


def _users(cards: Cards, trace: Trace) -> Iterator[tuple[int, int, int]]:
    """Of each file, how many files its card could name that ran, how many of them used it, and how many did in all."""
    used: defaultdict[str, set[str]] = defaultdict(set)
    for path, there in [*trace.imports, *((path, there) for path, _, _, there, _ in trace.calls)]:
        used[there].add(path)
    by_name = ByName(cards.git_dir, cards.commit, cards.citations, cards.timeout_s)
    mapped = Mapped(cards.map) if cards.map else None
    for path in sorted(one for one in used if one in cards.files and not is_test_file(one)):
        said = mapped.users(path) if mapped else by_name.of_file(cards.source(path))
        named = {one.path for one in said if one.path in trace.lines} - {path}
        users = used[path] - {path}
        yield len(named), len(named & users), len(users)


def asked(cards: Cards, function: Name, ran: set[Name]) -> Asked | None:
    """A function's card against the tests that it ran in; None where it has none, as what is within another."""
    try:
        said = cards.of(*function).of(TESTS)
    except UserError:
        return None
    near: list[bool] = []
    far: list[bool] = []
    for one in said:
        if found := _TEST.match(one.text):
            test, path, is_far = found.groups()
            is_right = any(path == there and f"{test}.".startswith(f"{name}.") for there, name in ran)
            (far if is_far else near).append(is_right)
    return Asked(len(near), sum(near), len(far), sum(far))


def _of_functions(rows: Numbers) -> list[str]:
    near, right, far, far_right = rows.T
    found = (right + far_right > 0).astype(float)
    return [
        f"{len(rows):,}", f"{near.sum():.0f}", _share(right, near), f"{far.sum():.0f}", _share(far_right, far),
        _share(found, np.ones(len(rows))),
    ]  # fmt: skip


def _of_files(rows: Numbers) -> list[str]:
    named, right, users = rows.T
    return [f"{len(rows):,}", f"{named.sum():.0f}", _share(right, named), _share(right, users)]


def _share(right: Numbers, every: Numbers) -> str:
    if not every.sum():
        return "-"
    low, high = interval(lambda w: (w @ right) / np.maximum(w @ every, 1e-9), len(every), samples=2000, seed=0)
    bounds = f" [{low:.3f}, {high:.3f}]" if low is not None else ""
    return f"{right.sum() / every.sum():.3f}{bounds}"


if __name__ == "__main__":
    main()
