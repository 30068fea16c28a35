"""/health and /v1/models."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from services.models import ServedModels
from services.queue import Queues


def status_routes(models: ServedModels, queues: Queues) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, Any]:
        """Is the service up, and how full are its queues?"""
        return {
            "status": "ok",
            "models": list(models.by_name),
            "requests": queues.inside,
            "most_waiting": queues.model.most_waiting,
        }

    @router.get("/v1/models")
    async def list_models() -> dict[str, Any]:
        """The models that can be asked."""
        entries = [
            {"id": name, "object": "model", "created": model.created, "owned_by": "gitlore"}
            for name, model in models.by_name.items()
        ]
        return {"object": "list", "data": entries}

    return router
