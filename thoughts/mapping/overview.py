"""What is worth knowing of a map: the files that most code rests on, those of them that no test reaches, new cycles."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.code.test_files import is_test_file
from core.ranking.symbols import FUNCTIONS
from thoughts.mapping.cycles import Cycle, groups_of, new_cycles
from thoughts.mapping.graph import CodeMap, Node

LEAST_USERS = 3
"""Files that use one which much code rests on."""
PART = 0.25
"""Of the files that code rests on most, which may be worth a test."""
_LOADED_AT_ONCE = (".py", ".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts")
"""Files of languages where a cycle of imports can keep a program from starting."""


class Use(NamedTuple):
    """A line that calls something of a file, or imports it."""

    path: str
    line: int
    name: str
    """What it calls; "" for an import."""


@dataclass(frozen=True)
class Central:
    """A file with what rests on it."""

    path: str
    share: float
    """Of PageRank over all files."""
    users: int
    """Other files that call or import it, tests left out."""
    functions: int
    reached: int
    """Functions that a test reaches."""
    is_imported_by_tests: bool
    busiest: Node | None
    """The symbol that most other files call."""
    uses: tuple[Use, ...]
    """Calls of that symbol, at most one of a file, or imports of the file."""

    @property
    def lacks_tests(self) -> bool:
        """No test reaches any of its functions."""
        return self.functions > 0 and not self.reached and not self.is_imported_by_tests


@dataclass(frozen=True)
class Overview:
    """A map at a glance."""

    files: Sequence[Central]
    """Those of programs, what most code rests on first."""
    symbols: int
    calls: int
    sure: int
    imports: int
    left_out: int
    untested: Sequence[Central]
    cycles: Sequence[Cycle]
    groups: int
    """Of files that import each other in cycles."""
    is_first: bool

    def lines(self, most: int) -> list[str]:
        """As people read it."""
        head = (
            f"{len(self.files):,} files besides tests, {self.symbols:,} symbols, {self.calls:,} calls "
            f"({self.sure:,} sure), {self.imports:,} imports"
        )
        left = [f"{self.left_out:,} files were left out: there are too many"] * bool(self.left_out)
        table = ["", "share  users  functions  reached by tests  file", *map(_line, self.files[:most])]
        return [head, *left, *table, *self._untested_lines(most), *self._cycle_lines(most)]

    def _untested_lines(self, most: int) -> list[str]:
        title = "Much code rests on them and no test reaches them" + ("" if self.is_first else ", which is new") + ":"
        return ["", title, *(f"  {one.path}" for one in self.untested[:most])] if self.untested else []

    def _cycle_lines(self, most: int) -> list[str]:
        found = [f"groups of files that import each other: {self.groups:,}"] if self.groups else []
        found += [f"  new: {' -> '.join((*one, one[0]))}" for one in self.cycles[:most]]
        return ["", *found] if found else []


def overview_of(now: CodeMap, then: CodeMap | None = None) -> Overview:
    """What a map shows; with an older one, only such cycles and files without tests as are new since."""
    files, graph = central_files(now), now.graph
    before = {one.path for one in _untested(central_files(then))} if then is not None else set()
    untested = [one for one in _untested(files) if one.path not in before]
    cycles = new_cycles(_at_once(now), _at_once(then)) if then is not None else []
    groups = len(set(groups_of(_at_once(now)).values()))
    symbols = len(graph.nodes) - len(now.files)
    sure = sum(is_sure for _, _, _, is_sure in graph.calls)
    imports = len({(one, there) for one, there, _, _ in graph.imports})
    counts = symbols, len(graph.calls), sure, imports, graph.left_out
    return Overview(files, *counts, untested, cycles, groups, is_first=then is None)


def central_files(found: CodeMap) -> list[Central]:
    """The files of programs, what most code rests on first."""
    nodes = found.graph.nodes
    calls: defaultdict[str, defaultdict[int, list[Use]]] = defaultdict(lambda: defaultdict(list))
    users: defaultdict[str, set[str]] = defaultdict(set)
    imports: defaultdict[str, list[Use]] = defaultdict(list)
    tested = set()
    for caller, callee, line, _ in found.graph.calls:
        one, other = nodes[caller].path, nodes[callee].path
        if one != other and not is_test_file(one):
            users[other].add(one)
            calls[other][callee].append(Use(one, line, nodes[callee].name))
    for one, other, line, _ in found.graph.imports:
        if is_test_file(one):
            tested.add(other)
        else:
            users[other].add(one)
            imports[other].append(Use(one, line, ""))
    functions, reached = Counter[str](), Counter[str]()
    for number, node in enumerate(nodes):
        if node.kind in FUNCTIONS and not node.is_test:
            functions[node.path] += 1
            reached[node.path] += number in found.reached
    central = []
    for path, share in sorted(found.file_ranks.items(), key=lambda pair: (-pair[1], pair[0])):
        busiest = max(calls[path], key=lambda one: (len({use.path for use in calls[path][one]}), -one), default=None)
        uses = calls[path][busiest] if busiest is not None else imports[path]
        first = {use.path: use for use in sorted(uses, reverse=True)}  # of each file the first line
        counts = len(users[path]), functions[path], reached[path], path in tested
        symbol = nodes[busiest] if busiest is not None else None
        central.append(Central(path, share, *counts, symbol, tuple(first[one] for one in sorted(first))))
    return central


def _untested(files: Sequence[Central]) -> list[Central]:
    """Files that much code rests on and no test reaches; none where no test is seen to reach anything."""
    if not any(one.reached or one.is_imported_by_tests for one in files):
        return []
    upper = files[: max(1, round(PART * len(files)))]
    return [one for one in upper if one.lacks_tests and one.users >= LEAST_USERS]


def _at_once(found: CodeMap) -> set[tuple[str, str]]:
    """Imports that are read as soon as the file is."""
    return {
        (one, there)
        for one, there, _, is_late in found.graph.imports
        if not is_late and one.endswith(_LOADED_AT_ONCE) and one != there
    }


def _line(one: Central) -> str:
    return f"{one.share:5.1%} {one.users:6,} {one.functions:10,} {one.reached:17,}  {one.path}"
