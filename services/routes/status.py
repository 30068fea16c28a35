"""/health."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from patterns.memory.team_memory import TeamMemory
from services.active_adapter import ActiveAdapter
from services.models import ServedModels
from services.queue import Queues


def status_routes(
    models: ServedModels, queues: Queues, team: TeamMemory | None = None, active: ActiveAdapter | None = None
) -> APIRouter:
    """The route."""
    router = APIRouter()

    @router.get("/health")
    async def health(response: Response) -> dict[str, Any]:
        """Is the service up, and how full are its queues? 503 where the team's database cannot be reached."""
        database = {}
        if team:
            connected = await run_in_threadpool(team.is_connected)
            database = {"database": "connected" if connected else "down"}
            response.status_code = 200 if connected else 503
        return {
            "status": "ok",
            "models": list(models.by_name),
            "requests": queues.inside,
            "most_waiting": queues.model.most_waiting,
            **database,
            **({"adapter": active.state()} if active else {}),
        }

    return router
