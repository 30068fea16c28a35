"""All texts of a commit together: what is defined where, under which name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.code.test_files import is_test_file
from core.ranking.symbols import FUNCTIONS
from thoughts.mapping.modules import Modules, family
from thoughts.mapping.reader import HOLDERS
from thoughts.mapping.reading import Binding, Import, Reading, Symbol

FILE = -1
"""The number of what is outside of symbols."""


class Place(NamedTuple):
    """A symbol of a file, or with FILE the file itself."""

    path: str
    number: int


class Program:
    """Readings by path, with what is looked up in them again and again."""

    def __init__(self, readings: Mapping[str, Reading], manifests: Mapping[str, bytes]) -> None:
        self.readings = {path: one for path, one in sorted(readings.items()) if one.language}
        self.modules = Modules({path: one.language for path, one in self.readings.items()}, manifests)
        self.children: defaultdict[Place, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        """Symbols directly in a symbol or file, by their own names."""
        self.bindings: defaultdict[Place, defaultdict[str, list[Binding]]] = defaultdict(lambda: defaultdict(list))
        self.imports: defaultdict[Place, defaultdict[str, list[Import]]] = defaultdict(lambda: defaultdict(list))
        self.stars: defaultdict[Place, list[Import]] = defaultdict(list)
        self.folders: defaultdict[str, list[str]] = defaultdict(list)
        """Paths by folder, with a slash, of languages where files of a folder see each other."""
        self.methods: defaultdict[tuple[str, str], list[Place]] = defaultdict(list)
        """Functions in classes by language and own name."""
        self.fixtures: defaultdict[str, list[str]] = defaultdict(list)
        """Files that define a fixture, by its name."""
        for path, reading in self.readings.items():
            self._take(path, reading)

    def symbol(self, place: Place) -> Symbol:
        """The definition at a place that is not a file."""
        return self.readings[place.path].symbols[place.number]

    def around(self, place: Place) -> Place:
        """What a symbol is in: another one, or its file."""
        return Place(place.path, self.symbol(place).parent)

    def language(self, path: str) -> str:
        """The language of a file."""
        return self.readings[path].language

    def kind(self, place: Place) -> str:
        """The kind of a symbol, "file" for a file."""
        return "file" if place.number == FILE else self.symbol(place).kind

    def files_beside(self, path: str) -> Sequence[str]:
        """The files that a file sees without importing them, itself among them."""
        return self.folders.get(folder_of(path), ()) if self.language(path) in ("go", "java") else ()

    def fixture(self, name: str, path: str) -> Place | None:
        """The fixture of pytest with this name that a file sees: its own, or that of the nearest conftest.py."""
        files = [one for one in self.fixtures.get(name, ()) if one == path or _sees(path, one)]
        if not files:
            return None
        best = max(files, key=lambda one: (one == path, len(folder_of(one))))
        numbers = self.children[Place(best, FILE)][name]
        return Place(best, numbers[-1])

    def _take(self, path: str, reading: Reading) -> None:
        kind = family(reading.language)
        self.folders[folder_of(path)].append(path)
        for number, symbol in enumerate(reading.symbols):
            self.children[Place(path, symbol.parent)][symbol.own].append(number)
            function = reading.functions.get(number)
            if function is None:
                continue
            if function.is_fixture and symbol.parent == FILE:
                self.fixtures[symbol.own].append(path)
            is_method = symbol.parent != FILE and reading.symbols[symbol.parent].kind in HOLDERS - {"module"}
            if is_method or (kind == "go" and "." in symbol.name):
                self.methods[kind, symbol.own].append(Place(path, number))
        for binding in reading.bindings:
            self.bindings[Place(path, binding.owner)][binding.name].append(binding)
        for one in reading.imports:
            scope = Place(path, self.scope_of(reading, one.owner))
            if one.name == "*":
                self.stars[scope].append(one)
            elif name := one.alias or (one.module.split(".")[0] if kind == "python" and not one.name else ""):
                self.imports[scope][name].append(one)

    @staticmethod
    def scope_of(reading: Reading, owner: int) -> int:
        """The function or module that an import is made in; `mod name;` is a symbol, and in what is around it."""
        while owner != FILE and reading.symbols[owner].kind not in FUNCTIONS:
            symbol = reading.symbols[owner]
            if symbol.kind == "module" and symbol.last > symbol.line:
                break
            owner = symbol.parent
        return owner


def folder_of(path: str) -> str:
    """The folder of a file with a slash, "" at the top."""
    return path[: path.rfind("/") + 1]


def _sees(path: str, other: str) -> bool:
    return other.endswith("conftest.py") and path.startswith(folder_of(other)) and is_test_file(other)
