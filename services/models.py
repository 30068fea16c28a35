"""The models that the service answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.answers import Answerer
from services.http.errors import MOST_SHOWN, RefusedError


@dataclass(frozen=True)
class ServedModels:
    """By name, the default first."""

    by_name: Mapping[str, Answerer]

    def named(self, name: str | None) -> Answerer:
        """The model with this name; the default where none is given. Raises 404 where there is none."""
        if not name and self.by_name:
            return next(iter(self.by_name.values()))
        if not name or name not in self.by_name:
            named = f"no model is named {name[:MOST_SHOWN]!r}" if name else "no model is served here"
            message = f"{named}; known: {', '.join(self.by_name) or 'none'}"
            raise RefusedError(404, message, param="model", code="model_not_found")
        return self.by_name[name]
