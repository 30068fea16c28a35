"""What uses a symbol or a file, and which tests do, as the map of its commit has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from chat.calls import Use
from chat.history import own_name
from core.code.test_files import is_test_file
from thoughts.mapping.graph import MAKERS, CodeMap, Link


class User(NamedTuple):
    """A file that uses another one."""

    path: str
    uses: tuple[Use, ...]
    """The first of each symbol of that."""
    imports_at: int = 0
    """The line that imports it; 0 where none does."""


class Through(NamedTuple):
    """A test that calls something that calls a symbol."""

    test: Use
    between: Use


@dataclass(frozen=True)
class Mapped:
    """The map, asked for what cards say. What it only takes by a method's name is left out: that is no proof."""

    map: CodeMap

    def knows(self, path: str) -> bool:
        """Whether a file is in the map."""
        return path in self._files

    def of_symbol(self, path: str, name: str) -> list[Use]:
        """The calls of a symbol."""
        last = _own(name)
        calls = (Use(one.path, one.line, one.name, True, last) for one in self._callers(path, name))
        return sorted(calls, key=lambda one: (one.path != path, one.path, one.line))

    def users(self, path: str) -> list[User]:
        """The other files that import a file or call what it defines."""
        imports = {one.path: one.line for one in reversed(self.map.imported_by(path))}
        calls: defaultdict[str, dict[str, Use]] = defaultdict(dict)
        for node in self.map.symbols(path):
            if _own(node.name) not in MAKERS:  # who calls these makes their class
                for one in self._callers(path, node.name):
                    calls[one.path].setdefault(node.name, Use(one.path, one.line, one.name, True, node.name))
        others = sorted((imports.keys() | calls.keys()) - {path})
        return [User(one, tuple(calls[one].values()), imports.get(one, 0)) for one in others]

    def through(self, path: str, name: str) -> list[Through]:
        """A way from each test that calls what calls a symbol, which is worth asking where no test calls it itself."""
        found: dict[tuple[str, str], Through] = {}
        for one in self._callers(path, name):
            between = Use(one.path, one.line, one.name, True, name)
            for test in self._callers(one.path, one.name):
                if (key := (test.path, test.name)) in self._tests:
                    found.setdefault(key, Through(Use(test.path, test.line, test.name, True, one.name), between))
        return list(found.values())

    def is_test(self, use: Use) -> bool:
        """Whether a use is in a test, or in a file of tests."""
        return is_test_file(use.path) or (use.path, use.inside) in self._tests

    def _callers(self, path: str, name: str) -> Iterator[Link]:
        return (one for one in self.map.callers(path, name) if one.is_sure)

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(self.map.files)

    @cached_property
    def _tests(self) -> frozenset[tuple[str, str]]:
        return frozenset((node.path, node.name) for node in self.map.graph.nodes if node.is_test)


def _own(name: str) -> str:
    return own_name(name) or name
