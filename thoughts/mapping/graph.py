"""The map of a commit, ready to be asked: callers, callees, tests, imports, and what most code rests on."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.code.test_files import is_test_file
from core.git import trees
from core.git.blobs import BlobReader
from thoughts.mapping.edges import edges_of
from thoughts.mapping.file_imports import imports_of
from thoughts.mapping.modules import MANIFESTS
from thoughts.mapping.names import Names
from thoughts.mapping.program import FILE, Program
from thoughts.mapping.ranks import ranks
from thoughts.mapping.reader import MAX_BYTES, is_known
from thoughts.mapping.reading import Reading
from thoughts.mapping.store import MapStore

MOST_FILES = 20_000
"""Of one map: those of the shortest paths."""
STEPS = 6
"""Calls from a test to what it tests, at most."""
MAKERS = ("__init__", "__new__", "constructor")
"""Methods that make an object of their class."""


class Node(msgspec.Struct, frozen=True, array_like=True):
    """A symbol, or with an empty name a file. Lines count from 1."""

    path: str
    name: str
    kind: str
    first: int
    """With decorators and comments before it."""
    line: int
    """Where its name is."""
    last: int
    is_test: bool


class Link(NamedTuple):
    """The other end of a call or an import."""

    path: str
    name: str
    """"" for what is outside of symbols."""
    line: int
    """Of the call or import, in the file that makes it."""
    is_sure: bool


class ReachingTest(NamedTuple):
    """A test that reaches a symbol."""

    path: str
    name: str
    steps: int
    """Calls in between: 1 for a test that calls it."""


class Graph(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a map. Edges hold numbers of nodes, and of files by the order of their nodes."""

    commit: str
    nodes: list[Node]
    calls: list[tuple[int, int, int, bool]]
    """(caller, callee, line, whether it is sure)"""
    imports: list[tuple[str, str, int, bool]]
    """(file, file that it imports, line, whether it is late)"""
    left_out: int
    """Files beyond MOST_FILES."""


class CodeMap:
    """The map of one commit."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.commit = graph.commit
        self._numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, node in enumerate(graph.nodes):
            self._numbers[node.path, node.name].append(number)

    @classmethod
    def at(cls, git_dir: Path, cache_dir: Path, commit: str) -> CodeMap:
        """The map of a commit, a hash or any other name. What was read before is in the cache folder.

        Raises UserError where there is no such commit, StageError where the cache folder cannot be used.
        """
        commit = trees.commit_named(git_dir, commit)
        with MapStore(git_dir, cache_dir) as store:
            kept = store.map_of(commit)
            if kept is not None:
                return cls(msgspec.msgpack.decode(kept, type=Graph))
            files = trees.files_of(git_dir, commit)
            known = sorted(filter(is_known, files), key=lambda path: (path.count("/"), path))
            readings = store.readings({path: files[path] for path in known[:MOST_FILES]})
            with BlobReader(git_dir) as reader:
                named = [path for path in files if path.rpartition("/")[2] in MANIFESTS][:MOST_FILES]
                texts = reader.read_many([files[path] for path in named], MAX_BYTES)
                manifests = {path: text for path, text in zip(named, texts, strict=True) if text is not None}
            graph = graph_of(commit, readings, manifests, max(0, len(known) - MOST_FILES))
            store.keep(commit, msgspec.msgpack.encode(graph))
        return cls(graph)

    @classmethod
    def kept(cls, git_dir: Path, cache_dir: Path, commit: str) -> CodeMap | None:
        """The map of a commit, a full hash, where `at` was asked for it lately; nothing is made for it.

        Raises StageError where the cache folder cannot be used.
        """
        if not MapStore.is_there(git_dir, cache_dir):
            return None
        with MapStore(git_dir, cache_dir) as store:
            kept = store.map_of(commit)
        return cls(msgspec.msgpack.decode(kept, type=Graph)) if kept is not None else None

    @property
    def files(self) -> list[str]:
        """The files that the map knows, in the order of their paths."""
        return [node.path for node in self.graph.nodes if not node.name]

    def symbols(self, path: str) -> list[Node]:
        """The symbols of a file, in its order."""
        return [node for node in self.graph.nodes if node.path == path and node.name]

    def callers(self, path: str, name: str) -> list[Link]:
        """Who calls a symbol; for a class, also who makes one."""
        found = {
            self._link(caller, line, sure)
            for one in self._meant(path, name)
            for caller, line, sure in self._into.get(one, ())
        }
        return sorted(found)

    def callees(self, path: str, name: str) -> list[Link]:
        """What a symbol calls; "" asks for what a file calls outside of its symbols."""
        found = {
            self._link(callee, line, sure)
            for one in self._numbers.get((path, name), ())
            for callee, line, sure in self._out.get(one, ())
        }
        return sorted(found, key=lambda one: (one.line, one))

    def tests_of(self, path: str, name: str = "") -> list[ReachingTest]:
        """The tests that reach a symbol in at most STEPS calls, the nearest first; without a name, any of a file's."""
        start = self._meant(path, name) if name else [n for n, node in enumerate(self.graph.nodes) if node.path == path]
        found: dict[int, int] = {}
        seen, edge = set(start), list(start)
        for steps in range(1, STEPS + 1):
            edge = list(
                dict.fromkeys(caller for one in edge for caller, _, _ in self._into.get(one, ()) if caller not in seen)
            )
            seen.update(edge)
            found |= {one: steps for one in edge if self.graph.nodes[one].is_test}
        tests = (
            ReachingTest(self.graph.nodes[one].path, self.graph.nodes[one].name, steps) for one, steps in found.items()
        )
        return sorted(tests, key=lambda one: (one.steps, one.path, one.name))

    def imports(self, path: str) -> list[Link]:
        """The files that a file imports, with the line of each."""
        return [Link(there, "", line, is_sure=True) for one, there, line, _ in self.graph.imports if one == path]

    def imported_by(self, path: str) -> list[Link]:
        """The files that import a file."""
        return [Link(one, "", line, is_sure=True) for one, there, line, _ in self.graph.imports if there == path]

    def central(self, path: str) -> float:
        """The share of PageRank over files that a file has: how much other code rests on it; 0 for unknown ones."""
        return self.file_ranks.get(path, 0.0)

    @functools.cached_property
    def file_ranks(self) -> Mapping[str, float]:
        """PageRank of files, along calls and imports from code that is no test."""
        files = [path for path in self.files if not is_test_file(path)]
        pairs = {(one, there) for one, there, _, _ in self.graph.imports}
        nodes = self.graph.nodes
        pairs |= {(nodes[one].path, nodes[there].path) for one, there, _, _ in self.graph.calls}
        return ranks(files, (pair for pair in pairs if pair[0] != pair[1]))

    @functools.cached_property
    def symbol_ranks(self) -> Mapping[int, float]:
        """PageRank of nodes by their numbers, along calls from code that is no test."""
        own = [
            number for number, node in enumerate(self.graph.nodes) if not node.is_test and not is_test_file(node.path)
        ]
        return ranks(own, {(one, there) for one, there, _, _ in self.graph.calls if one != there})

    @functools.cached_property
    def reached(self) -> frozenset[int]:
        """The nodes that tests reach, in any number of calls, by their numbers."""
        nodes = self.graph.nodes
        edge = [number for number, node in enumerate(nodes) if node.is_test]
        seen = set(edge)
        while edge:
            edge = [
                callee
                for callee in {there for one in edge for there, _, _ in self._out.get(one, ())}
                if callee not in seen
            ]
            seen.update(edge)
        return frozenset(seen)

    def callers_of(self, number: int) -> Sequence[tuple[int, int, bool]]:
        """(caller, line, whether it is sure) of a node, all by their numbers."""
        return self._into.get(number, ())

    def _meant(self, path: str, name: str) -> list[int]:
        """The nodes of a name; of a class also what makes one."""
        makers = (*MAKERS, name.rpartition(".")[2])
        inner = [number for maker in makers for number in self._numbers.get((path, f"{name}.{maker}"), ())]
        return [*self._numbers.get((path, name), ()), *inner]

    def _link(self, number: int, line: int, sure: bool) -> Link:
        node = self.graph.nodes[number]
        return Link(node.path, node.name, line, sure)

    @functools.cached_property
    def _into(self) -> Mapping[int, Sequence[tuple[int, int, bool]]]:
        return _grouped((callee, (caller, line, sure)) for caller, callee, line, sure in self.graph.calls)

    @functools.cached_property
    def _out(self) -> Mapping[int, Sequence[tuple[int, int, bool]]]:
        return _grouped((caller, (callee, line, sure)) for caller, callee, line, sure in self.graph.calls)


def graph_of(commit: str, readings: Mapping[str, Reading], manifests: Mapping[str, bytes], left_out: int = 0) -> Graph:
    """The graph that the texts of a commit make."""
    program = Program(readings, manifests)
    names = Names(program)
    nodes: list[Node] = []
    numbers: dict[tuple[str, int], int] = {}
    for path, reading in program.readings.items():
        numbers[path, FILE] = len(nodes)
        nodes.append(Node(path, "", "file", 1, 1, 1, is_test=False))
        for number, symbol in enumerate(reading.symbols):
            numbers[path, number] = len(nodes)
            nodes.append(Node(path, symbol.name, symbol.kind, symbol.first, symbol.line, symbol.last, symbol.is_test))
    calls = {(numbers[one.caller], numbers[one.callee], one.line, one.is_sure) for one in edges_of(program, names)}
    return Graph(
        commit,
        nodes,
        sorted(calls),
        sorted({(one.path, one.imported, one.line, one.is_late) for one in imports_of(program, names)}),
        left_out,
    )


def _grouped(pairs: Iterable[tuple[int, tuple[int, int, bool]]]) -> Mapping[int, Sequence[tuple[int, int, bool]]]:
    found: defaultdict[int, list[tuple[int, int, bool]]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found
