"""Statements about rows are made in one place, so that each says whose rows it means."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from builders import PROJECT

FILES = [file for room in ("memory", "adapters") for file in sorted((PROJECT / "patterns" / room).glob("*.py"))]
MAY = {
    "scope.py": None,
    # before it is known who asks
    "people.py": {"found_team", "admin_of", "admins", "has_team", "team_names", "team_named", "_identified"},
    "team_memory.py": {"cursors", "is_connected"},  # of no team
    "outbox.py": None,  # on a member's own machine, of no team
}
"""Functions that make statements of their own; None for the whole file."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_only_the_scope_makes_statements(file: Path) -> None:
    allowed = MAY.get(file.name, set())
    if allowed is None:
        return
    made = set()
    for function in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sa":
                    made |= {function.name} if node.attr in ("select", "insert", "update", "delete", "text") else set()
    assert made == allowed
