"""/health."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from services.models import ServedModels
from services.queue import Queues


def status_routes(models: ServedModels, queues: Queues) -> APIRouter:
    """The route."""
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

    return router
