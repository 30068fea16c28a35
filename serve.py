"""Ask over HTTP which files change next, and why: n8n, scripts, and clients of OpenAI's API.

    python serve.py --repo PATH [--model outputs/model] [--port 8000]
    python serve.py --repo PATH --mcp      tools for coding agents (MCP) on standard input and output

Files are ranked without a model; where there is a trained one, it adds a sketch. The base model is loaded once; with
several `--model NAME=DIR` their adapters are swapped on it. Requests need an API key where GITLORE_API_KEY is set;
another address than this machine's own is not listened on without one.
docs/serving.md shows the routes, docs/n8n.md a workflow.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core import logs
from core.config import ChatConfig, Config, cache_folder, checked, load, settings_file
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes, with_section
from core.errors import UserError
from core.prediction.second_opinion import SecondOpinion, SecondOpinionConfig

if TYPE_CHECKING:
    from patterns.memory.team_memory import TeamMemory
    from services.chats import Chats
    from services.studies import Studies

API_KEY = "GITLORE_API_KEY"
DEFAULT_MODEL = "outputs/model"


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="[NAME=]DIR",
    help="A trained model for sketches (repeatable: adapters of one base model). Requests that name none get the first."
    f"  [default: {DEFAULT_MODEL} where there is one]",
)
@click.option(
    "--repo",
    "repos",
    multiple=True,
    default=(".",),
    metavar="[NAME=]PATH",
    show_default=True,
    help="Repository (path or URL) to look at; with NAME that of the model of this name, else one for the first model.",
)
@click.option(
    "--mcp", is_flag=True, help="Serve the tools of /mcp on standard input and output instead: no HTTP, no model."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--no-key", is_flag=True, help=f"Ask for no key: all who reach the address may ask, {API_KEY} or not.")
@click.option("--team", default="", metavar="DIR|URL", help="Serve a team's memory, too: its database (docs/team.md).")
@click.option("--adapter-files", metavar="DIR", help="Files of its adapters [default: adapters/ beside the database].")
@click.option(
    "--adapter-of",
    default="",
    metavar="TEAM",
    help="Write with the adapter that this team of --team has activated, in place of the first model.",
)
@click.option("--port", default=8000, type=click.IntRange(0, 65535), show_default=True, help="Port to listen on.")
@click.option(
    "--ranker", metavar="FILE", help="Weights [default: ranker.json of the repository in outputs/, or shipped]."
)
@with_section(SecondOpinionConfig)
@click.option("--last", default=10, type=click.IntRange(1), show_default=True, help="Commits of history to show.")
@click.option(
    "--copying/--no-copying", default=True, show_default=True, help="Copy from the history while a model writes."
)
@click.option(
    "--study/--no-study", default=True, show_default=True, help="Serve what studies found; one is to be switched on."
)
@click.option(
    "--queue", default=16, type=click.IntRange(0), show_default=True, help="Requests that may wait; more get 429."
)
@click.option(
    "--timeout-s", default=120.0, type=click.FloatRange(1), show_default=True, help="Longest time of a request."
)
@click.option(
    "--max-body-bytes", default=1_000_000, type=click.IntRange(1), show_default=True, help="Longer bodies get 413."
)
@click.option("--cache-dir", default="", metavar="DIR", help="Clones and base models [default: pipeline.cache_dir].")
@click.option("--verbose", is_flag=True, help="Show debug messages and each request.")
@version_option()
@with_exit_codes
def main(
    models: tuple[str, ...],
    repos: tuple[str, ...],
    mcp: bool,
    host: str,
    no_key: bool,
    team: str,
    adapter_files: str | None,
    adapter_of: str,
    port: int,
    ranker: str | None,
    last: int,
    copying: bool,
    study: bool,
    queue: int,
    timeout_s: float,
    max_body_bytes: int,
    cache_dir: str,
    verbose: bool,
    **opinion: Any,
) -> None:
    """Rank files over HTTP: POST /predict, /mcp, and OpenAI's /v1 routes; GET /health, /docs."""
    logs.setup(verbose=verbose)
    cache, places = cache_folder(cache_dir), dict(named(repos))
    if mcp:
        serve_tools(places, cache, last, queue, timeout_s, ranker, study=study)
        return
    key = "" if no_key else os.environ.get(API_KEY, "").strip()
    from services.active_adapter import followed
    from services.app import make_app
    from services.http.limits import Limits
    from services.listening import listen
    from services.served import load_all

    memory = memory_of(team, adapter_files, adapter_of)
    needs_key = bool(key) or memory is not None
    is_local = is_here_alone(host, has_keys=needs_key or no_key)
    if not models and not adapter_of and Path(DEFAULT_MODEL).exists():
        models = (DEFAULT_MODEL,)
    asked = SecondOpinion.of(checked("serve", SecondOpinionConfig, opinion))
    served = load_all(named(models), places, cache, last, ranker, asked, copying=copying)
    for one in served.values():
        one.warm()
    active = followed(memory, adapter_of, served, places, cache, last) if memory and adapter_of else None
    chats, studies = opened(places, cache, load(settings_file(None), {}, other_sections=True), study=study)
    app = make_app(
        served, Limits(max_body_bytes, queue, timeout_s), key, tools_about=next(iter(served.values())), chats=chats,
        studies=studies, team=memory, active=active, loopback_only=is_local and not needs_key,
    )  # fmt: skip
    listen(app, host, port, list(served), verbose=verbose)


def memory_of(team: str, adapter_files: str | None, adapter_of: str) -> TeamMemory | None:
    """The memory of teams that is to be served, if any. Raises UserError where an adapter's team has none."""
    from patterns.memory.team_memory import TeamMemory

    if adapter_of and not team:
        raise UserError("--adapter-of names a team, and there is no memory of teams", "name its database with --team")
    folder = Path(adapter_files) if adapter_files else None
    return TeamMemory(team, create=False, adapters=folder) if team else None


def is_here_alone(host: str, *, has_keys: bool) -> bool:
    """Whether this machine alone reaches an address. Raises UserError for another one that no key guards."""
    from services.http.origins import is_loopback

    if not (is_local := is_loopback(host)) and not has_keys:
        raise UserError(
            f"everybody who reaches {host} could ask, since {API_KEY} is not set",
            f"set {API_KEY} to a secret, or let everybody ask: --no-key",
        )
    return is_local


def opened(places: dict[str, str], cache_dir: Path, settings: Config, *, study: bool) -> tuple[Chats, Studies | None]:
    """The repositories to ask, and their studies where these are wanted."""
    from services.chats import Chats
    from services.studies import Studies

    chats = Chats.open(places, cache_dir, settings.chat, settings.study.database)
    return chats, Studies.open(chats, cache_dir, settings.study, settings.chat) if study else None


def serve_tools(
    repos: dict[str, str], cache_dir: Path, last: int, queue: int, timeout_s: float, ranker: str | None, *, study: bool
) -> None:
    """Speak MCP on standard input and output."""
    from services.mcp import speak
    from services.served import load_all

    served = load_all([], repos, cache_dir, last, ranker)
    settings = load(settings_file(None), {}, other_sections=True)
    settings = replace(settings, chat=ChatConfig(index=settings.chat.index))  # agents ask no model
    speak(next(iter(served.values())), *opened(repos, cache_dir, settings, study=study), queue, timeout_s)


def named(entries: Sequence[str]) -> list[tuple[str, str]]:
    """`NAME=PLACE` as (name, place); the name of a plain place is empty."""
    found = []
    for entry in entries:
        name, equals, place = entry.partition("=")
        plain = not equals or "/" in name
        found.append(("", entry) if plain else (name, place))
    return found


if __name__ == "__main__":
    main()
