"""Imports point one way, room by room: the order below is the whole rule."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from builders import PROJECT

LAYERS: tuple[tuple[str, ...], ...] = (
    ("leaves",),
    ("records", "git", "code"),
    ("history",),
    ("chunking",),
    ("text",),
    ("dataset",),
    ("models",),
    ("scoring",),
    ("training", "ranking"),
    ("prediction", "estimating"),
    ("evaluation",),
    ("fusion",),
    ("reports",),
    ("engine",),
    ("stores",),
    ("miners",),
    ("index",),
    ("chat", "patterns"),
    ("thoughts",),
    ("stage files", "services"),
    ("pipeline", "commands", "scripts", "benchmarks"),
)
"""A room imports itself and rooms of layers above it in this list; never its neighbours, never what is below."""
LEAVES = {
    *("__init__", "config", "errors", "files", "interrupts", "logs", "process", "progress", "settings_text"),
    *("statistics", "visible"),
}
STAGE_FILES = {
    *("git_scraper", "semantic_chunker", "repository_joiner", "tokenizer", "dataset_builder", "train_model"),
    *("change_ranker", "evaluate", "report_builder", "github_miner", "store_seeder", "pattern_miner"),
}
COMMANDS = {"predict", "chat", "serve", "study"}
STORES = (("engine",), ("agent",))
"""The rooms of `stores`, in the same way: any database of ours, then what agents read."""
WITHOUT_ENGINE = {room for layer in LAYERS[1:13] for room in layer} | {"stores", "miners", "index"}
WITHOUT_ENGINE |= {"chat", "patterns", "thoughts"}
HEAVY = (
    *("torch", "transformers", "peft", "tree_sitter", "tokenizers", "matplotlib", "git", "numpy"),
    *("fastapi", "uvicorn", "datasets", "scipy", "githubkit", "httpx", "hishel", "alembic"),
)


@cache
def source_files() -> list[Path]:
    """Every product file, from the project folder."""
    rooms = ("core", "stores", "miners", "index", "chat", "patterns", "thoughts", "services", "scripts", "benchmarks")
    files = [*PROJECT.glob("*.py"), *(file for room in rooms for file in (PROJECT / room).rglob("*.py"))]
    return sorted(file.relative_to(PROJECT) for file in files)


def room_of(file: Path) -> str:
    """The room that a file is in."""
    first, *rest = file.parts
    if first == "core":
        if len(rest) > 1:
            return rest[0]
        assert Path(rest[0]).stem in LEAVES, f"{file} belongs into a room"
        return "leaves"
    if rest:
        is_command = rest[-1] == "__main__.py" or rest[-1].endswith("_commands.py")
        return "commands" if is_command and first in ("stores", "chat", "patterns", "thoughts") else first
    name = file.stem
    if name == "pipeline":
        return name
    assert name in STAGE_FILES | COMMANDS, f"{file} has no place"
    return "commands" if name in COMMANDS else "stage files"


@cache
def names_in(file: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(modules that a file imports, names that it takes from them), with dots, wherever the import is."""
    modules: list[str] = []
    taken: list[str] = []
    for node in ast.walk(ast.parse((PROJECT / file).read_bytes())):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: relative import"
            modules.append(str(node.module))
            taken += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(modules), tuple(taken)


@cache
def imported(file: Path) -> tuple[Path, ...]:
    """The product files that a file imports."""
    found: set[Path] = set()
    modules, taken = names_in(file)
    for name in (*modules, *taken):
        base = PROJECT.joinpath(*name.split("."))
        package = base / "__init__.py"  # of chat/ and chat.py, the folder is imported
        one = package if package.is_file() else base.with_suffix(".py")
        found |= {one.relative_to(PROJECT)} if one.is_file() else set()
    return tuple(sorted(found - {file}))


def libraries(file: Path) -> set[str]:
    """Top-level names of everything that a file imports."""
    return {name.split(".")[0] for name in names_in(file)[0]}


def level(room: str) -> int:
    """Number of the room's layer."""
    return next(number for number, layer in enumerate(LAYERS) if room in layer)


def test_imports_point_one_way() -> None:
    wrong = [
        f"{file} ({room}) may not import {other} ({there})"
        for file in source_files()
        for other in imported(file)
        if (there := room_of(other)) != (room := room_of(file))
        and (level(there) >= level(room) or other.stem == "__main__")
    ]
    assert wrong == []


def test_the_database_has_no_table() -> None:
    def place(one: Path) -> int:
        return next((number for number, rooms in enumerate(STORES) if one.parts[1] in rooms), len(STORES))

    stores = [file for file in source_files() if file.parts[0] == "stores"]
    wrong = [
        (file, other)
        for file in stores
        for other in imported(file)
        if other.parts[0] == "stores" and place(other) > place(file)
    ]
    assert stores
    assert wrong == []


def test_nothing_below_a_stage_file_imports_the_engine() -> None:
    below = [file for file in source_files() if room_of(file) in WITHOUT_ENGINE]
    wrong = [(file, other) for file in below for other in imported(file) if room_of(other) == "engine"]
    assert below
    assert wrong == []


def test_the_engine_needs_leaves_only() -> None:
    engine = [file for file in source_files() if room_of(file) == "engine"]
    assert {room_of(other) for file in engine for other in imported(file)} == {"engine", "leaves"}


def test_nothing_but_the_pipeline_imports_a_stage_file_and_nothing_a_command() -> None:
    for file in source_files():
        rooms = {room_of(other) for other in imported(file)}
        assert not rooms & {"commands", "scripts", "pipeline"} or room_of(file) in rooms, file
        assert room_of(file) in ("pipeline", "benchmarks") or "stage files" not in rooms, file


def test_only_services_speak_http() -> None:
    speaking = {file for file in source_files() if {"fastapi", "starlette", "uvicorn", "mcp"} & libraries(file)}
    assert {room_of(file) for file in speaking} == {"services"}


def test_only_one_room_runs_git() -> None:
    running = {file for file in source_files() if "git" in libraries(file)}  # GitPython
    running |= {file for file in source_files() if '"git", ' in (PROJECT / file).read_text(encoding="utf-8")}
    assert {room_of(file) for file in running} <= {"git", "benchmarks"}


def test_every_room_is_in_the_list() -> None:
    rooms = {room_of(file) for file in source_files()}
    assert rooms <= {room for layer in LAYERS for room in layer}
    assert {path.stem for path in PROJECT.glob("*.py")} == STAGE_FILES | COMMANDS | {"pipeline"}


@pytest.mark.parametrize("arguments", [["--list-stages"], ["--help"], ["--dry-run"]])
def test_looking_needs_no_heavy_library(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['pipeline.py', *{arguments!r}]\n"
        "import pipeline\n"
        "try:\n    pipeline.main()\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    allowed = [] if "--help" in arguments else ["git"]  # GitPython finds the repository whose refs are looked at
    assert done.stdout.splitlines()[-1] in ("[]", str(allowed))
