"""Which files of a repository need which others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from core.code.test_files import is_test_file
from thoughts.mapping.names import Names
from thoughts.mapping.program import FILE, Place, Program
from thoughts.mapping.reading import Import


class FileImport(NamedTuple):
    """A file that needs another one."""

    path: str
    imported: str
    line: int
    is_late: bool
    """It is read when a function runs, or by type checkers alone."""


def imports_of(program: Program, names: Names) -> Iterator[FileImport]:
    """The imports among a program's own files; of a package of Go, all its files but tests."""
    for path, reading in program.readings.items():
        for item in reading.imports:
            place = Place(path, program.scope_of(reading, item.owner))
            for there in dict.fromkeys(_files(item, place, program, names)):
                if there != path:
                    yield FileImport(path, there, item.line, item.is_late)


def _files(item: Import, place: Place, program: Program, names: Names) -> Iterator[str]:
    language = program.language(place.path)
    if language in ("rust", "java"):
        things = names.module(item, place) if item.name == "*" else names.imported(item, place)
        yield from (one.path for one in things if one.path in program.readings)
        return
    module = program.modules.find(item.module, language, place.path)
    if module.endswith("/") and language == "go":
        yield from (path for path in program.folders.get(module, ()) if not is_test_file(path))
        return
    child = program.modules.child(module, item.name, language) if module and item.name not in ("", "*") else ""
    is_defined = Place(module, FILE) in program.children and item.name in program.children[Place(module, FILE)]
    if language == "python" and child in program.readings and not is_defined:  # `from . import child`
        yield child
    elif module in program.readings:
        yield module
