"""Three stores that tell a coding agent what has worked and what has failed, and record what it finds out itself.

`engine` is any database of ours, `agent` the stores. `python -m stores` is the command. See docs/stores.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stores.agent.failure_store import FailureStore
    from stores.agent.pattern_store import PatternStore
    from stores.agent.records import Failure, Pattern, VVector
    from stores.agent.v_vector_store import VVectorStore

__all__ = ["Failure", "FailureStore", "Pattern", "PatternStore", "VVector", "VVectorStore"]
_MODULES = {
    **dict.fromkeys(("Failure", "Pattern", "VVector"), "records"),
    "FailureStore": "failure_store",
    "PatternStore": "pattern_store",
    "VVectorStore": "v_vector_store",
}


def __getattr__(name: str) -> Any:
    # On first use: those who only need the stores' names or context types do without SQLAlchemy.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"stores.agent.{_MODULES[name]}"), name)
