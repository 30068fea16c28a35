"""v_vector_history.db: what to set an agent's parameters to, by context."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from stores.agent.context_types import CONTEXT_TYPES, Choice, ContextType, Size, StoreName
from stores.agent.records import ANY, RepositoryEvidence, StoreChange, VVector
from stores.agent.store import Store
from stores.agent.summary import QUANTILES


class VVectorStore(Store[VVector]):
    """`query("repair_strategy", "import_fix")` returns how much such a fix may change."""

    name: ClassVar[StoreName] = "v_vector_history"
    entry_type = VVector

    def query(self, context_type: str, option: str, archetype: str = ANY) -> VVector | None:
        """The entry for the archetype, otherwise the one for all, otherwise the default that ships with the code.

        None for a context type of another store, or an unknown one.
        """
        found = self.best(archetype, context_type=context_type, option=option)
        context = CONTEXT_TYPES.get(context_type)
        if found is None and context and context.store == self.name:
            return default_entry(context, option)
        return found

    def seed_from_github(
        self,
        repositories: Iterable[RepositoryEvidence],
        entries: Iterable[VVector],
        *,
        source: str = "github",
        gate: Mapping[str, Any] | None = None,
    ) -> StoreChange:
        """`bulk_import`, under the name that the agent's code uses."""
        return self.bulk_import(repositories, entries, source=source, gate=gate)


def default_entry(context: ContextType, option: str) -> VVector:
    """What is assumed without evidence: an entry whose `source` is "default"."""
    value: dict[str, Any] = {}
    quantiles = {}
    for name, target in context.targets.items():
        if isinstance(target, Size):
            quantiles[name] = {word: float(target.quantile(share)) for word, share in QUANTILES.items()}
            value[target.cap] = int(quantiles[name]["p90"])
        elif isinstance(target, Choice) and target.words == ("yes", "no"):
            value[name] = context.default(name)[0]
    return VVector(context_type=context.name, option=option, evolved_value=value, source="default", quantiles=quantiles)
