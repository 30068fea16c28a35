"""Ask the trained model over HTTP: n8n, scripts, and clients of OpenAI's API.

    python serve.py --model outputs/model --repo PATH [--port 8000]

The base model is loaded once; with several `--model NAME=DIR` their adapters are swapped on it. An API key is asked
for where GITLORE_API_KEY is set. docs/serving.md shows the routes, docs/n8n.md a workflow.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core import logs
from core.config import PipelineConfig, expand
from core.engine.command import version_option, with_exit_codes
from core.errors import UserError
from core.git.repositories import open_repository
from core.logs import log
from core.models import model_folder
from predict import Asker, Question

if TYPE_CHECKING:
    from core.prediction.predictor import Ranking
    from services.app import Piece
    from services.schemas import ChatRequest, CompletionRequest, PredictRequest

API_KEY = "GITLORE_API_KEY"
MOST_CONNECTIONS = 1000
"""More are answered 503, so that slow clients cannot take all memory."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--model",
    "models",
    multiple=True,
    default=("outputs/model",),
    metavar="[NAME=]DIR",
    show_default=True,
    help="A trained model (repeatable: adapters of one base model). The first answers where none is named.",
)
@click.option(
    "--repo",
    "repos",
    multiple=True,
    default=(".",),
    metavar="[NAME=]PATH",
    show_default=True,
    help="Repository (path or URL) to look at; with NAME that of one model alone.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, type=click.IntRange(0, 65535), show_default=True, help="Port to listen on.")
@click.option("--last", default=10, type=click.IntRange(1), show_default=True, help="Commits of history to show.")
@click.option(
    "--queue", default=16, type=click.IntRange(0), show_default=True, help="Requests that may wait; else 429."
)
@click.option(
    "--timeout-s", default=120.0, type=click.FloatRange(1), show_default=True, help="Longest time of a request."
)
@click.option(
    "--max-body-bytes", default=1_000_000, type=click.IntRange(1), show_default=True, help="Longer bodies get 413."
)
@click.option("--verbose", is_flag=True, help="Show debug messages and each request.")
@version_option()
@with_exit_codes
def main(
    models: tuple[str, ...],
    repos: tuple[str, ...],
    host: str,
    port: int,
    last: int,
    queue: int,
    timeout_s: float,
    max_body_bytes: int,
    verbose: bool,
) -> None:
    """Serve a trained model over HTTP: POST /predict, /v1/completions, /v1/chat/completions; GET /health, /docs."""
    import uvicorn

    from services.app import Limits, make_app

    logs.setup(verbose=verbose)
    served = load_all(named(models), dict(named(repos)), last)
    if not os.environ.get(API_KEY) and host not in ("127.0.0.1", "localhost", "::1"):
        log.warning("%s is not set: everybody who reaches %s may ask", API_KEY, host)
    app = make_app(served, Limits(max_body_bytes, queue, timeout_s), os.environ.get(API_KEY, ""))
    with listening(host, port) as place:
        log.info("listening on http://%s:%s (%s)", host, place.getsockname()[1], ", ".join(served))
        settings = uvicorn.Config(
            app,
            log_level="info" if verbose else "warning",
            access_log=verbose,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=30,
        )
        uvicorn.Server(settings).run(sockets=[place])


def listening(host: str, port: int) -> socket.socket:
    """A socket that is bound. Raises UserError where that cannot be."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UserError(f"{host}:{port} cannot be listened on: {error.strerror}", "choose another --port") from None


def named(entries: Sequence[str]) -> list[tuple[str, str]]:
    """`NAME=PLACE` as (name, place); the name of a plain place is empty."""
    found = []
    for entry in entries:
        name, equals, place = entry.partition("=")
        plain = not equals or "/" in name
        found.append(("", entry) if plain else (name, place))
    return found


def load_all(models: Sequence[tuple[str, str]], repos: dict[str, str], last: int) -> dict[str, Served]:
    """Every model, ready to answer. Raises UserError where they do not fit on one base, or a repository is none."""
    folders = {name or Path(place).resolve().name: Path(place) for name, place in models}
    if len(folders) < len(models):
        raise UserError("two models have the same name", "name them: --model one=DIR --model two=DIR")
    about = model_folder.read_about(next(iter(folders.values())))
    cache_dir = expand(about["settings"].get("pipeline", {}).get("cache_dir", PipelineConfig().cache_dir))
    places = {name: repos.get(name, repos.get("", ".")) for name in folders}
    for place in places.values():  # a wrong path is told before a model is loaded
        open_repository(place, cache_dir)
    loaded = model_folder.load_several(folders, cache_dir)
    served = {name: Served(name, Asker(one, places[name], cache_dir, last)) for name, one in loaded.items()}
    for one in served.values():
        one.asker.loaded.settle()
        one.asker.look()
    return served


@dataclass
class Served:
    """A model behind the routes. Its methods run one at a time, in the engine's thread."""

    name: str
    asker: Asker
    created: int = field(default_factory=lambda: int(time.time()))

    def predict(self, request: PredictRequest) -> Iterator[Piece]:
        """The ranking, the sketch as it is written, all of it."""
        from services.app import Piece

        values = request.model_dump(exclude={"model", "stream"})
        question = Question(**{**values, "files": tuple(request.files)})
        ranking = self._rank(question)
        written: list[int] = []
        yield Piece(event="ranking", data=self.asker.predictor.prediction(ranking, []).as_dict())
        for text in self._told(ranking, question, written):
            yield Piece(text=text)
        yield Piece(event="done", data=self.asker.predictor.prediction(ranking, written).as_dict())

    def chat(self, request: ChatRequest) -> Iterator[Piece]:
        """The prediction as Markdown, the sketch as it is written."""
        from services.app import Piece

        most = request.max_completion_tokens or request.max_tokens or Question.sketch_tokens
        question = Question(
            request.task,
            sketch_tokens=most,
            temperature=request.temperature or 0.0,
            top_p=request.top_p or 1.0,
            seed=request.seed or 0,
        )
        ranking = self._rank(question)
        written: list[int] = []
        parts = [in_markdown(ranking), "\n\n~~~~text", *([] if ranking.first else ["\n(nothing)"])]
        yield Piece("".join(parts), data={"prompt_tokens": ranking.context_tokens})
        yield from _stopped(self._told(ranking, question, written), request.stops, written, ending="\n~~~~\n")

    def complete(self, request: CompletionRequest) -> Iterator[Piece]:
        """Text that goes on from the prompt."""
        from core.prediction.completing import complete, pieces_of_spelled
        from core.prediction.streaming import pieces_of
        from core.prediction.writing import Sampling
        from services.app import Piece

        prompt = request.prompt if isinstance(request.prompt, str) else request.prompt[0]
        vocabulary = self.asker.loaded.vocabulary
        ids = vocabulary.encode([pieces_of_spelled(prompt)])[0]
        most = request.max_tokens or 64
        if not ids:
            raise UserError("the prompt is empty", "give some text to go on from")
        if len(ids) + most > (longest := self.asker.loaded.longest):
            raise UserError(f"{len(ids)} tokens of prompt and {most} to write are more than the model's {longest}")
        self.asker.loaded.activate()
        yield Piece(prompt if request.echo else "", data={"prompt_tokens": len(ids)})
        sampling = Sampling(request.temperature or 0.0, request.top_p or 1.0, request.seed or 0)
        written: list[int] = []
        made = _noting(complete(self.asker.loaded.model, vocabulary, ids, most, sampling), written)
        yield from _stopped(pieces_of(made, vocabulary), request.stops, written, most=most)

    def _rank(self, question: Question) -> Ranking:
        self.asker.loaded.activate()
        return self.asker.rank(question)

    def _told(self, ranking: Ranking, question: Question, written: list[int]) -> Iterator[str]:
        """The sketch as people read it, piece by piece."""
        from core.prediction.predictor import spelled_for_people
        from core.prediction.streaming import pieces_of

        ids = _noting(self.asker.write(ranking, question), written)
        return spelled_for_people(pieces_of(ids, self.asker.loaded.vocabulary))


def in_markdown(ranking: Ranking) -> str:
    """Files and kinds of change as two lists."""
    files = [f"- `{one.name}`{' (new)' if one.new else ''} {one.probability:.1%}" for one in ranking.files]
    changes = [f"- {one.name} {one.probability:.1%}" for one in ranking.change_types]
    return "\n".join(["**Files**", *(files or ["- none"]), "", "**Changes**", *(changes or ["- none"])])


def _noting(ids: Iterator[int], written: list[int]) -> Iterator[int]:
    for id_ in ids:
        written.append(id_)
        yield id_


def _stopped(
    texts: Iterator[str], stops: Sequence[str], written: list[int], *, most: int = 0, ending: str = ""
) -> Iterator[Piece]:
    """Text up to the first of the `stops`, then why it ended, and what all of it took."""
    from core.prediction.completing import Stopper
    from services.app import Piece

    stopper = Stopper(stops)
    for text in texts:
        if told := stopper.tell(text):
            yield Piece(told)
        if stopper.done:
            break
    else:
        yield Piece(stopper.held)
    finish = "length" if most and len(written) >= most and not stopper.done else "stop"
    yield Piece(ending, tokens=len(written), finish=finish)


if __name__ == "__main__":
    main()
