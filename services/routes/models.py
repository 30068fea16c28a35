"""/v1/models: what can be asked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from services.answers import Answerer
from services.models import ServedModels


def model_routes(models: ServedModels) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/models")

    @router.get("")
    @router.get("/", include_in_schema=False)
    async def list_models() -> dict[str, Any]:
        """The models that can be asked."""
        return {"object": "list", "data": [_entry(name, model) for name, model in models.by_name.items()]}

    @router.get("/{name:path}")
    async def one_model(name: str) -> dict[str, Any]:
        """One of them. Names may have slashes."""
        return _entry(name, models.named(name))

    return router


def _entry(name: str, model: Answerer) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": model.created, "owned_by": "gitlore"}
