"""failure_memory.db: what does not work in one step of an agent's work."""

from __future__ import annotations

from typing import ClassVar

from stores.agent.context_types import StoreName
from stores.agent.records import ANY, Failure
from stores.agent.store import Store


class FailureStore(Store[Failure]):
    """`query("repair_strategy", "dependency_fix")` returns the errors for which that is the wrong fix to try."""

    name: ClassVar[StoreName] = "failure_memory"
    entry_type = Failure

    def query(self, agent: str, step: str, archetype: str = ANY) -> list[Failure]:
        """Known failures of a step, most frequent first; the archetype's own replace those for all."""
        found: dict[tuple[str, str], Failure] = {}
        for general in (True, False):
            for one in self.entries(agent=agent, step=step, archetype=ANY if general else archetype):
                found[one.error_type, one.key] = one
        return sorted(found.values(), key=lambda one: (-one.occurrence_count, one.error_type, one.key))
