"""The models that the service answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import HTTPException

from services.answers import Answerer


@dataclass(frozen=True)
class ServedModels:
    """By name, the default first."""

    by_name: Mapping[str, Answerer]

    def named(self, name: str) -> Answerer:
        """The model with this name; "" is the default. Raises 404 where there is none."""
        if not name:
            return next(iter(self.by_name.values()))
        if name not in self.by_name:
            raise HTTPException(404, f"no model is named {name!r}; known: {', '.join(self.by_name)}")
        return self.by_name[name]
