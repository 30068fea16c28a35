"""Imports point one way: core <- stage files <- pipeline and services; stages never import each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT

STAGE_FILES = {
    *("git_scraper", "semantic_chunker", "repository_joiner", "tokenizer", "dataset_builder", "train_model"),
    *("evaluate", "report_builder", "github_miner", "store_seeder"),
}
PROGRAMS = {"pipeline", "predict", "serve"}
HEAVY = (
    *("torch", "transformers", "peft", "tree_sitter", "tokenizers", "matplotlib", "git", "numpy"),
    *("fastapi", "uvicorn", "datasets", "scipy", "githubkit", "httpx", "hishel", "alembic"),
)


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


def test_every_top_level_module_has_its_place() -> None:
    assert {path.stem for path in PROJECT.glob("*.py")} == STAGE_FILES | PROGRAMS


@pytest.mark.parametrize("path", sorted((PROJECT / "core").rglob("*.py")), ids=lambda path: path.name)
def test_core_imports_nothing_above_it(path: Path) -> None:
    assert not imported(path) & (STAGE_FILES | PROGRAMS | {"miners", "stores", "tests"})


@pytest.mark.parametrize("path", sorted((PROJECT / "stores").rglob("*.py")), ids=lambda path: path.name)
def test_stores_know_nothing_of_miners(path: Path) -> None:
    assert not imported(path) & (STAGE_FILES | PROGRAMS | {"miners", "tests"})


@pytest.mark.parametrize("path", sorted((PROJECT / "miners").rglob("*.py")), ids=lambda path: path.name)
def test_miners_import_no_stage(path: Path) -> None:
    assert not imported(path) & (STAGE_FILES | PROGRAMS | {"tests"})


@pytest.mark.parametrize("name", sorted(STAGE_FILES))
def test_stages_do_not_import_each_other(name: str) -> None:
    assert not imported(PROJECT / f"{name}.py") & ((STAGE_FILES | PROGRAMS) - {name})


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
