"""Do the tests on a function's card run it?

    cp benchmarks/traced_calls.py CLONE/ && cd CLONE && python -m pytest -p traced_calls
    python -m benchmarks.traced_cards CLONE …

Of functions that some test reached, chosen at random, cards are made with the map of the commit and with names alone.
A named test is right if the function ran in it; a function is found if its card names a test that is right.
Intervals draw functions.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Sequence
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
from thoughts.cards.card import TESTS
from thoughts.cards.making import Cards, opened

_TEST = re.compile(r"`([^`]+)` in (.+?) (?:calls|refers to) `[^`]+`(, which)?")


class Asked(NamedTuple):
    """Tests on a card, and how many of them are right: those that call the function, and those that call a caller."""

    near: int
    right: int
    far: int
    far_right: int


@click.command()
@click.argument("clones", nargs=-1, required=True)
@click.option("--functions", "most", default=100, type=click.IntRange(1), show_default=True, help="Of each repository.")
@click.option("--cache-dir", default="cache", show_default=True, help="Where indexes and maps are kept.")
def main(clones: Sequence[str], most: int, cache_dir: str) -> None:
    """Do the tests on a function's card run it?"""
    click.echo("| | way | functions | tests named | right | through another call | right | functions found |")
    click.echo(f"|---|---|{'---:|' * 6}")
    for clone in clones:
        trace = msgspec.json.decode((Path(clone) / TRACE).read_bytes(), type=Trace)
        ran: defaultdict[Name, set[Name]] = defaultdict(set)
        for test, some in trace.tests.items():
            path, _, name = test.partition("::")
            for function in some:
                ran[function].add((path, name))
        git_dir = open_repository(clone, Path(cache_dir)).git_dir
        functions = sorted(one for one in ran if not is_test_file(one[0]))
        random.Random(0).shuffle(functions)
        for way in ("names", "map"):
            with opened(git_dir, Path(cache_dir), trees.commit_named(git_dir, "HEAD")) as cards:
                cards.risks = {}  # which say nothing of tests
                if way == "names":
                    cards.map = None
                found = (asked(cards, one, ran[one]) for one in functions)
                rows = list(itertools.islice(filter(None, found), most))
            click.echo(f"| {Path(clone).name} | {way} | {' | '.join(_cells(np.array(rows, float)))} |")


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


def _cells(rows: Numbers) -> list[str]:
    near, right, far, far_right = rows.T
    found = (right + far_right > 0).astype(float)
    return [
        f"{len(rows):,}", f"{near.sum():.0f}", _share(right, near), f"{far.sum():.0f}", _share(far_right, far),
        _share(found, np.ones(len(rows))),
    ]  # fmt: skip


def _share(right: Numbers, every: Numbers) -> str:
    if not every.sum():
        return "-"
    low, high = interval(lambda w: (w @ right) / np.maximum(w @ every, 1e-9), len(every), samples=2000, seed=0)
    bounds = f" [{low:.3f}, {high:.3f}]" if low is not None else ""
    return f"{right.sum() / every.sum():.3f}{bounds}"


if __name__ == "__main__":
    main()
