"""Is the map of a repository true? Its edges against what ran.

    cp benchmarks/traced_calls.py CLONE/ && cd CLONE && python -m pytest -p traced_calls
    python -m benchmarks.code_map CLONE …

Each clone holds the `traced_calls.json` of its tests, as they ran at its HEAD. Precision is the share of the map's
calls that ran, of those on lines that ran; recall is the share of the calls that ran which the map has. Beside it
stands what a name alone gives: a call means every function and class of that name. Intervals draw files.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import numpy as np

from core.code.test_files import is_test_file
from core.git import trees
from core.git.blobs import BlobReader
from core.git.repositories import open_repository
from core.statistics import interval
from thoughts.mapping.graph import CodeMap, Node
from thoughts.mapping.program import FILE, Place, Program
from thoughts.mapping.reader import MAX_BYTES, is_known, read

TRACE = "traced_calls.json"
Name = tuple[str, str]
"""(path, qualified name)"""
Pair = tuple[Name, Name]


class Trace(msgspec.Struct):
    """What ran."""

    calls: list[tuple[str, str, int, str, str]]
    passed_on: list[tuple[str, str, str, str]]
    """Calls through a decorator or a library."""
    lines: dict[str, list[int]]
    tests: dict[str, list[Name]]
    imports: list[tuple[str, str]]


class Said(NamedTuple):
    """A call as somebody claims it."""

    pair: Pair
    line: int
    is_sure: bool


class Share(NamedTuple):
    """How much of something is right, by file."""

    right: Mapping[str, int]
    all: Mapping[str, int]

    def __str__(self) -> str:
        """The share with its interval."""
        files = sorted(self.all)
        right, every = (np.array([one.get(file, 0) for file in files], float) for one in (self.right, self.all))
        if not every.sum():
            return "-"
        low, high = interval(lambda w: (w @ right) / (w @ every), len(files), samples=2000, seed=0)
        bounds = f" [{low:.3f}, {high:.3f}]" if low is not None else ""
        return f"{right.sum() / every.sum():.3f}{bounds}"


@click.command()
@click.argument("clones", nargs=-1, required=True)
@click.option("--wrong", type=int, default=0, metavar="N", help="Also print so many wrong and missing calls.")
def main(clones: Sequence[str], wrong: int) -> None:
    """How many of a map's edges ran, and how many of those that ran it has."""
    for clone in clones:
        file = Path(clone) / TRACE
        if not file.is_file():
            raise click.ClickException(f"{file} is not there; benchmarks/traced_calls.py writes it")
        trace = msgspec.json.decode(file.read_bytes(), type=Trace)
        git_dir = open_repository(clone, Path("cache")).git_dir
        with tempfile.TemporaryDirectory() as folder:
            found = CodeMap.at(git_dir, Path(folder), "HEAD")
        program = _program(git_dir, found.commit)
        print(f"\n{Path(clone).name} at {found.commit[:9]}: {len(trace.calls):,} places that called")
        fixtures = {
            (path, reading.symbols[number].name)
            for path, reading in program.readings.items()
            for number, function in reading.functions.items()
            if function.is_fixture  # pytest calls them, so that no call of ours can be seen
        }
        mapped = [one for one in _mapped(found) if one.pair[1] not in fixtures]
        named = list(_by_name(program))
        ways = {"map": mapped, "map, sure": [one for one in mapped if one.is_sure], "name alone": named}
        print("| calls | claimed | precision | recall | recall outside of tests |\n|---|---:|---|---|---|")
        for way, said in ways.items():
            tried = list(_tried(said, trace))
            shares = precision(tried, trace), recall(said, trace), recall(said, trace, of_tests=False)
            print(f"| {way} | {len(tried):,} | {' | '.join(map(str, shares))} |")
        print("\n| imports | claimed | precision | recall |\n|---|---:|---|---|")
        _print_imports(found, trace)
        print("\n| tests of a function | claimed | precision | recall |\n|---|---:|---|---|")
        _print_tests(found, named, trace)
        if wrong:
            _print_wrong(mapped, trace, wrong)


def _program(git_dir: Path, commit: str) -> Program:
    files = {path: blob for path, blob in trees.files_of(git_dir, commit).items() if is_known(path)}
    with BlobReader(git_dir) as reader:
        texts = reader.read_many(list(files.values()), MAX_BYTES)
        readings = {path: read(text, path) for path, text in zip(files, texts, strict=True) if text is not None}
    return Program(readings, {})


def _mapped(found: CodeMap) -> Iterator[Said]:
    nodes = found.graph.nodes
    for caller, callee, line, is_sure in found.graph.calls:
        one, other = nodes[caller], nodes[callee]
        if other.kind == "function" and one.path.endswith(".py"):
            yield Said((_name(one), _name(other)), line, is_sure)


def _name(node: Node) -> Name:
    return node.path, node.name


def _by_name(program: Program) -> Iterator[Said]:
    """Every function of the name that is called; of a class, what makes one."""
    named: defaultdict[str, list[Name]] = defaultdict(list)
    for path, reading in program.readings.items():
        for number, symbol in enumerate(reading.symbols):
            if number in reading.functions:
                named[symbol.own].append((path, symbol.name))
            elif made := program.children[Place(path, number)].get("__init__"):
                named[symbol.own] += [(path, reading.symbols[one].name) for one in made]
    for path, reading in program.readings.items():
        for call in reading.calls:
            caller = (path, reading.symbols[call.owner].name if call.owner != FILE else "")
            last = call.chain.rpartition(".")[2]
            if not call.is_get and not last.startswith("__") and path.endswith(".py"):
                yield from (Said((caller, callee), call.line, is_sure=False) for callee in named.get(last, ()))


def _tried(said: Iterable[Said], trace: Trace) -> Iterator[Said]:
    """Those on lines that ran, each pair once."""
    lines = {path: set(some) for path, some in trace.lines.items()}
    seen: set[Pair] = set()
    for one in said:
        if one.pair not in seen and one.line in lines.get(one.pair[0][0], ()):
            seen.add(one.pair)
            yield one


def _ran(trace: Trace) -> set[Pair]:
    return {
        ((path, name), (there, other)) for path, name, _, there, other in trace.calls if (path, name) != (there, other)
    }


def precision(tried: Iterable[Said], trace: Trace) -> Share:
    """The share of claims that ran."""
    ran = _ran(trace) | {((path, name), (there, other)) for path, name, there, other in trace.passed_on}
    return _share((one.pair[0][0], one.pair in ran) for one in tried if one.pair[0] != one.pair[1])


def recall(said: Iterable[Said], trace: Trace, *, of_tests: bool = True) -> Share:
    """The share of what ran that is claimed; without `of_tests`, of calls of functions that are in no test file."""
    claimed = {one.pair for one in said}
    ran = (pair for pair in _ran(trace) if of_tests or not is_test_file(pair[1][0]))
    return _share((pair[0][0], pair in claimed) for pair in ran)


def _share(found: Iterable[tuple[str, bool]]) -> Share:
    right: defaultdict[str, int] = defaultdict(int)
    every: defaultdict[str, int] = defaultdict(int)
    for file, is_right in found:
        every[file] += 1
        right[file] += is_right
    return Share(right, every)


def _print_imports(found: CodeMap, trace: Trace) -> None:
    lines = {path: set(some) for path, some in trace.lines.items()}
    claimed = {(one, there) for one, there, line, _ in found.graph.imports if line in lines.get(one, ())}
    ran = {(one, there) for one, there in trace.imports if one in set(found.files) and there in set(found.files)}
    shares = (
        _share((one, (one, there) in ran) for one, there in claimed),
        _share((one, (one, there) in claimed) for one, there in ran),
    )
    print(f"| map | {len(claimed):,} | {shares[0]} | {shares[1]} |")


def _print_tests(found: CodeMap, named: Sequence[Said], trace: Trace) -> None:
    """Pairs of a function that is no test and a test, of the functions that any test reached or is said to reach."""
    ran = {(tuple(test.split("::", 1)), (path, name)) for test, some in trace.tests.items() for path, name in some}
    ran = {(test, function) for test, function in ran if not is_test_file(function[0])}
    tests = {test for test, _ in ran}
    functions = [node for node in found.graph.nodes if node.kind == "function" and not is_test_file(node.path)]
    steps = {
        ((one.path, one.name), _name(node)): one.steps for node in functions for one in found.tests_of(*_name(node))
    }
    mapped, near = set(steps), {pair for pair, count in steps.items() if count == 1}
    into: defaultdict[Name, set[Name]] = defaultdict(set)
    for one in named:
        into[one.pair[1]].add(one.pair[0])
    direct = {(caller, _name(node)) for node in functions for caller in into[_name(node)]}
    ways = {"map": mapped, "map, called by the test": near, "name alone, called by the test": direct}
    for way, claims in ways.items():
        kept = {(test, function) for test, function in claims if test in tests}
        right = _share((function[0], (test, function) in ran) for test, function in kept)
        whole = _share((function[0], (test, function) in kept) for test, function in ran)
        print(f"| {way} | {len(kept):,} | {right} | {whole} |")
    reached, said = {function for _, function in ran}, {function for _, function in mapped}
    every = {_name(node) for node in functions}
    right, whole = _share((f[0], f in reached) for f in said), _share((f[0], f in said) for f in reached & every)
    print(f"| map, whether any test reaches it | {len(said & every):,} | {right} | {whole} |")


def _print_wrong(mapped: Sequence[Said], trace: Trace, count: int) -> None:
    ran = _ran(trace) | {((path, name), (there, other)) for path, name, there, other in trace.passed_on}
    for one in [one for one in _tried(mapped, trace) if one.pair not in ran and one.pair[0] != one.pair[1]][:count]:
        print("wrong", "sure" if one.is_sure else "name", *one.pair[0], one.line, "->", *one.pair[1])
    claimed = {one.pair for one in mapped}
    direct = _ran(trace)
    for caller, callee in [pair for pair in sorted(direct) if pair not in claimed][:count]:
        print("missing", *caller, "->", *callee)


if __name__ == "__main__":
    main()
