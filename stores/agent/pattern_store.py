"""pattern_memory.db: what is usually done in one step of an agent's work."""

from __future__ import annotations

from typing import ClassVar

from stores.agent.context_types import StoreName
from stores.agent.records import ANY, Pattern
from stores.agent.store import Store


class PatternStore(Store[Pattern]):
    """`query("repair_strategy", "TypeError")` returns the kind of fix that usually resolves such an error."""

    name: ClassVar[StoreName] = "pattern_memory"
    entry_type = Pattern

    def query(self, agent: str, step: str, archetype: str = ANY, *, key: str | None = None) -> list[Pattern]:
        """Patterns for a step, most confident first; for each key the archetype's own, otherwise the one for all."""
        found: dict[str, Pattern] = {}
        for general in (True, False):
            for one in self.entries(agent=agent, step=step, archetype=ANY if general else archetype):
                if key in (None, one.key):
                    found[one.key] = one
        return sorted(found.values(), key=lambda one: -one.confidence)
