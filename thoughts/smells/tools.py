"""The tools that are asked, by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from core.errors import UserError, did_you_mean
from thoughts.smells.findings import Tool
from thoughts.smells.ruff import Ruff


def _lizard() -> Tool:
    from thoughts.smells.lizard import tool

    return tool()


def _secrets() -> Tool:
    from thoughts.smells.secrets import tool

    return tool()


TOOLS: Mapping[str, Callable[[], Tool]] = {"ruff": Ruff, "lizard": _lizard, "secrets": _secrets}
DEFAULT = ("ruff",)
"""What is better than its own findings at random: docs/smells.md."""


def chosen(names: Iterable[str], rules: Sequence[str], semgrep: str = "") -> tuple[list[Tool], list[str]]:
    """The tools with these names, and semgrep where it has rules; and sentences about what is missing.

    Raises UserError for a name that no tool has, and for rules that are not there.
    """
    found = []
    for name in names:
        if name not in TOOLS:
            raise UserError(f"there is no tool called '{name}'", did_you_mean(name, TOOLS))
        found.append(TOOLS[name]())
    if not rules:
        return found, []
    from thoughts.smells.semgrep import program, tool

    where = program(semgrep)
    if where is None:
        return found, ["semgrep is not installed here, so its rules were not asked; study.semgrep names its program"]
    return [*found, tool(rules, where)], []
