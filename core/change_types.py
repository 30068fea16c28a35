"""The closed list of what a chunk can be said to do, and the rule that picks from it.

| evidence                                         | change type                                |
|--------------------------------------------------|--------------------------------------------|
| a symbol that is a test, before or after         | new_test, modified_test, deleted_test      |
| a symbol only after / on both sides / only before| new_<kind>, modified_<kind>, deleted_<kind>|
| code outside symbols (imports, statements)       | the same with kind "module"                |
| a file without known symbols, by its kind        | dependency, configuration, documentation, other |
"""

from __future__ import annotations

from core.languages import SYMBOL_KINDS

STEPS = ("new", "modified", "deleted")
FILE_TYPES = ("configuration", "dependency", "documentation", "other")
CHANGE_TYPES = (*(f"{step}_{kind}" for kind in (*SYMBOL_KINDS, "test") for step in STEPS), *FILE_TYPES)


def symbol_change(kind: str, *, before: bool, after: bool, is_test: bool) -> str:
    """Change type of a symbol (or of "module" code) that exists before, after, or both."""
    step = "modified" if before and after else "new" if after else "deleted"
    return f"{step}_{'test' if is_test and kind == 'function' else kind}"
