"""The service: /predict in our own terms, /v1/… in those of OpenAI's clients, /mcp for agents, /health, /docs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property

from fastapi import APIRouter, FastAPI
from mcp.server import MCPServer

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
from services.routes.study import study_routes
from services.routes.study_pages import study_page_routes
from services.routes.team_pages import team_page_routes
from services.served import Served
from services.studies import Studies
from services.study_tools import tools_of
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
    studies: Studies | None = None,
    team: TeamMemory | None = None,
    rates: Rates | None = None,
    active: ActiveAdapter | None = None,
    loopback_only: bool = False,
) -> FastAPI:
    """The service. Requests that name no model get the first; with an `api_key`, requests without it are refused.

    `tools_about` is the repository of the tools at /mcp, `chats` are those that questions are asked about, `studies`
    what is found about these. `team` is the memory of teams, whose members' keys are then asked for; each may ask as
    often as `rates` allows. `active` keeps one of the models at the adapter that a team has activated.
    `loopback_only` is for a service without a key that listens on this machine alone.
    """
    asked: Mapping[str, Answerer] = chats.models() if chats else {}
    queues, rates = Queues(limits.waiting, limits.seconds), rates or Rates()
    offer = Offer(ServedModels({**models, **asked}), queues, Sessions(api_key, team), rates)
    offer = replace(offer, chats=chats, studies=studies, team=team, active=active)
    tools = offer.tools(tools_about)
    app = FastAPI(
        title="Gitlore",
        version=__version__,
        description="Which files change next, and why. Coding agents find tools at /mcp.",
        lifespan=offer.lifespan(tools),
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
        responses=FAILURES,
    )
    app.add_middleware(BodyLimit, limits=limits)
    app.add_middleware(RateLimit, rates=rates)
    app.add_middleware(KeyGuard, sessions=offer.sessions, has_pages=offer.has_pages)
    app.add_middleware(OriginGuard, loopback_only=loopback_only)
    app.add_middleware(Heads)
    app.add_middleware(RequestIds)  # the last one is asked first
    handle_errors(app)
    app.state.rooms = Rooms(repositories=chats is not None, team=team is not None, studies=studies is not None)
    for router in offer.routers():
        app.include_router(router)
    app.include_router(docs_routes(app))
    if tools:
        app.router.routes.append(http_route(tools, limits.body_bytes))
    return app


@dataclass(frozen=True)
class Offer:
    """What a service answers with, and what works for it."""

    models: ServedModels
    queues: Queues
    sessions: Sessions
    rates: Rates
    search: Search = field(default_factory=Search)
    chats: Chats | None = None
    studies: Studies | None = None
    team: TeamMemory | None = None
    active: ActiveAdapter | None = None

    @property
    def has_pages(self) -> bool:
        """Whether people can open something."""
        return bool(self.chats or self.team)

    @cached_property
    def merges(self) -> MergeWorker | None:
        """What fuses adapters of the team."""
        return MergeWorker(self.team) if self.team else None

    def tools(self, about: Served | None) -> MCPServer | None:
        """Those of agents: on a repository, and on what the team has learnt."""
        on_files = Tools(about, self.queues.rankings) if about else None
        on_code = ChatTools(self.chats.named(""), self.queues.questions) if about and self.chats else None
        on_study = tools_of(self.studies, self.queues) if about and self.studies else None
        of_team = TeamTools(self.team, self.search, self.rates) if self.team else None
        return make_server(on_files, on_code, of_team, on_study) if on_files or of_team else None

    def lifespan(self, tools: MCPServer | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
        """What runs while the service does."""
        studying = self.studies.background if self.studies else None
        workers = [worker for worker in (self.active, self.merges, studying) if worker]

        @asynccontextmanager
        async def running(_: FastAPI) -> AsyncIterator[None]:
            for worker in workers:
                worker.start()
            async with (
                tools.session_manager.run() if tools else nullcontext(),
                daily(self.team.purge) if self.team else nullcontext(),
            ):
                yield
            for worker in workers:
                worker.close()
            for one in (self.queues, self.chats, self.studies):
                if one:
                    one.close()

        return running

    def routers(self) -> Iterator[APIRouter]:
        """The routes."""
        yield status_routes(self.models, self.queues, self.team, self.active)
        yield model_routes(self.models)
        for routes in (predict_routes, completion_routes, response_routes):
            yield routes(self.models, self.queues)
        if self.chats:
            yield chat_routes(self.chats, self.queues)
            yield page_routes(self.chats, self.queues)
        if self.studies:
            yield study_routes(self.studies, self.queues)
            yield study_page_routes(self.studies, self.queues)
        if self.team and self.merges:
            yield pattern_routes(self.team, self.search)
            yield member_routes(self.team)
            yield merge_routes(self.team, self.merges.wake)
            yield adapter_routes(self.team)
            yield team_page_routes(self.team, self.chats)
            yield people_page_routes(self.team)
        if self.has_pages:
            yield sign_in_routes(self.sessions)
