"""The service: /predict in our own terms, /v1/… in those of OpenAI's clients, /mcp for agents, /health, /docs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext

from fastapi import FastAPI

from core import __version__
from patterns.memory.searching import Search
from patterns.memory.team_memory import TeamMemory
from services.active_adapter import ActiveAdapter
from services.answers import Answerer, AnswerPart
from services.chat_tools import ChatTools
from services.chats import Chats
from services.daily import daily
from services.http.errors import handle_errors
from services.http.failure import FAILURES
from services.http.heads import Heads
from services.http.keys import KeyGuard
from services.http.limits import BodyLimit, Limits
from services.http.origins import OriginGuard
from services.http.rates import RateLimit, Rates
from services.http.request_ids import RequestIds
from services.http.sessions import Sessions
from services.mcp import Tools, http_route, make_server
from services.merging import MergeWorker
from services.models import ServedModels
from services.queue import Queues
from services.routes.adapters import adapter_routes, merge_routes
from services.routes.chat import chat_routes
from services.routes.completions import completion_routes
from services.routes.docs import docs_routes
from services.routes.members import member_routes
from services.routes.models import model_routes
from services.routes.pages import page_routes
from services.routes.patterns import pattern_routes
from services.routes.people_pages import people_page_routes
from services.routes.predict import predict_routes
from services.routes.responses import response_routes
from services.routes.signing_in import sign_in_routes
from services.routes.status import status_routes
from services.routes.team_pages import team_page_routes
from services.served import Served
from services.team_tools import TeamTools
from services.web.navigation import Rooms

__all__ = ["Limits", "Piece", "make_app"]
Piece = AnswerPart
"""What models of one's own answer with, piece by piece."""


def make_app(
    models: Mapping[str, Answerer],
    limits: Limits,
    api_key: str = "",
    *,
    tools_about: Served | None = None,
    chats: Chats | None = None,
    team: TeamMemory | None = None,
    rates: Rates | None = None,
    active: ActiveAdapter | None = None,
    loopback_only: bool = False,
) -> FastAPI:
    """The service. Requests that name no model get the first; with an `api_key`, requests without it are refused.

    `tools_about` is the repository of the tools at /mcp, `chats` are those that questions are asked about.
    `team` is the memory of teams, whose members' keys are then asked for; each may ask as often as `rates` allows.
    `active` keeps one of the models at the adapter that a team has activated.
    `loopback_only` is for a service without a key that listens on this machine alone.
    """
    queues, sessions = Queues(limits.waiting, limits.seconds), Sessions(api_key, team)
    asked: Mapping[str, Answerer] = chats.models() if chats else {}
    served = ServedModels({**models, **asked})
    chat_tools = ChatTools(chats.named(""), queues.questions) if chats else None
    search, rates = Search(), rates or Rates()
    about = Tools(tools_about, queues.rankings) if tools_about else None
    of_team = TeamTools(team, search, rates) if team else None
    tools = make_server(about, chat_tools if about else None, of_team) if about or of_team else None

    merges = MergeWorker(team) if team else None
    workers = [worker for worker in (active, merges) if worker]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for worker in workers:
            worker.start()
        async with (
            tools.session_manager.run() if tools else nullcontext(),
            daily(team.purge) if team else nullcontext(),
        ):
            yield
        for worker in workers:
            worker.close()
        queues.close()
        if chats:
            chats.close()

    app = FastAPI(
        title="Gitlore",
        version=__version__,
        description="Which files change next, and why. Coding agents find tools at /mcp.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
        responses=FAILURES,
    )
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(RateLimit, rates=rates)
    app.add_middleware(KeyGuard, sessions=sessions, has_pages=bool(chats or team))
    app.add_middleware(OriginGuard, loopback_only=loopback_only)
    app.add_middleware(Heads)
    app.add_middleware(RequestIds)  # the last one is asked first
    handle_errors(app)
    app.state.rooms = Rooms(repositories=chats is not None, team=team is not None)
    app.include_router(status_routes(served, queues, team, active))
    app.include_router(model_routes(served))
    app.include_router(predict_routes(served, queues))
    app.include_router(completion_routes(served, queues))
    app.include_router(response_routes(served, queues))
    if chats:
        app.include_router(chat_routes(chats, queues))
        app.include_router(page_routes(chats, queues))
    if team and merges:
        app.include_router(pattern_routes(team, search))
        app.include_router(member_routes(team))
        app.include_router(merge_routes(team, merges.wake))
        app.include_router(adapter_routes(team))
        app.include_router(team_page_routes(team, chats))
        app.include_router(people_page_routes(team))
    if chats or team:
        app.include_router(sign_in_routes(sessions))
    app.include_router(docs_routes(app))
    if tools:
        app.router.routes.append(http_route(tools, limits.body_bytes))
    return app
