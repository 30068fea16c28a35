"""Repositories, each with a model or without one, behind the routes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.git.names import folder_name
from core.logs import log
from core.prediction.answer import Answer
from core.prediction.files import Draft, FileAsker
from core.prediction.question import Question
from core.prediction.second_opinion import FILES, SecondOpinion
from core.prediction.worth import no_sketch
from core.ranking.ranker import FileRanking, Ranker
from index.repository import RepositoryIndex
from services.answers import AnswerPart, Work
from services.http.errors import RefusedError
from services.schemas import CompletionRequest, PredictRequest, TaskRequest

if TYPE_CHECKING:
    from services.language_model import LanguageModel

FILES_ALONE = "files"
"""Name of a repository without one that is served without a model."""


def load_all(
    models: Sequence[tuple[str, str]],
    repos: dict[str, str],
    cache_dir: Path,
    last: int,
    ranker: str | None = None,
    second_opinion: SecondOpinion | None = None,
    *,
    copying: bool = True,
) -> dict[str, Served]:
    """Every model with its repository, ready to answer; repositories without a model of their own are served with the
    first one, or alone where there are no models.

    `ranker` is a file of weights; by default each repository has its own, or the shipped ones. Requests may ask for
    `second_opinion`. With `copying`, models copy from the histories that they were measured on.

    Raises UserError where they do not share a base model, or a repository cannot be opened or has no commit, or
    the weights cannot be read.
    """
    names = [name or Path(place).resolve().name for name, place in models]
    if models:
        names += [name for name in repos if name and name not in names]
    else:
        names = [name or FILES_ALONE for name in repos]
    if len(set(names)) < len(names):
        raise UserError("two models have the same name", "name them: --model one=DIR --model two=DIR")
    places = {name: repos.get(name, repos.get("", ".")) for name in names}
    weights = Path(ranker) if ranker else None
    if weights:
        Ranker.read(weights)  # a wrong one is an error now, not with the first question
    askers = {place: FileAsker(place, cache_dir, RepositoryIndex, weights) for place in places.values()}
    folders = {name: Path(folder) for name, (_, folder) in zip(names, models, strict=False)}
    loaded: dict[str, LanguageModel] = {}
    if folders:
        from services import language_model

        language_model.check(folders)  # a wrong folder or path is an error before a model is loaded
    for asker in askers.values():
        asker.commit()
    if folders:
        loaded = language_model.load(folders, places, cache_dir, last, copying=copying)
    reasons = {name: no_sketch(folder) for name, folder in folders.items()}
    for name, why in reasons.items():
        if why:
            log.info("%s: %s", name, why)
    first = next(iter(reasons.values()), "")
    served = {
        name: Served(
            name,
            askers[places[name]],
            loaded.get(name),
            second_opinion=second_opinion,
            no_sketch=reasons.get(name, first),
            repo=name if name in repos else folder_name(places[name]),
        )
        for name in names
    }
    next(iter(served.values())).followers = [one for name, one in served.items() if name not in (names[0], *folders)]
    return served


@dataclass
class Served:
    """A repository to ask about: files are ranked without the model, which adds a sketch."""

    name: str
    files: FileAsker
    """Used in the thread that ranks alone."""
    model: LanguageModel | None = None
    """Used in the thread in which models write alone."""
    created: int = field(default_factory=lambda: int(time.time()))
    second_opinion: SecondOpinion | None = None
    """Asked about unsure rankings by requests that want it."""
    no_sketch: str = ""
    """Why the model's code is shown only where a request has `always_sketch`."""
    repo: str = ""
    """What the repository is called: as it was named, otherwise as its folder."""
    followers: Sequence[Served] = ()
    """Repositories without a model of their own, which are answered with this one's."""

    def predict(self, request: PredictRequest) -> Work:
        """The ranking, the sketch as it is written, then all of it."""
        question, found, drafts = request.question, list[Answer](), list[Draft]()
        model = None if request.at else self._writer(question)
        reviewer = self._reviewer() if request.second_opinion else None

        def draft() -> Iterator[AnswerPart]:
            drafts.append(self.files.draft(question, request.at, FILES))
            yield from ()

        def review() -> Iterator[AnswerPart]:
            drafts.append(drafts[-1].reviewed(reviewer, question) if reviewer else drafts[-1])
            yield from ()

        def rank() -> Iterator[AnswerPart]:
            answer = self.files.finished(drafts[-1], question) if drafts else self.rank(question, request.at)
            why = self.no_sketch if question.sketch_tokens and not (model or question.changed) else ""
            found.append(answer if model else replace(self.files.with_evidence(answer, question), no_sketch=why))
            yield AnswerPart(event="ranking", data=found[0].as_dict())
            if model is None:
                yield AnswerPart(event="done", data=found[0].as_dict())

        write = (lambda: model.sketch(found[0], question)) if model else None
        return Work(rank, write, draft, review) if reviewer else Work(rank, write)

    def chat(self, request: TaskRequest) -> Work:
        """The files as Markdown, then the sketch as it is written."""
        question, found = request.question, list[Answer]()
        model = self._writer(question)

        def rank() -> Iterator[AnswerPart]:
            found.append(self.rank(question))
            yield AnswerPart(in_markdown(found[0].ranking) + "\n", finish="" if model else "stop")

        return Work(rank, (lambda: model.chat(found[0], question, request.stops)) if model else None)

    def complete(self, request: CompletionRequest) -> Work:
        """Text that continues the prompt."""
        model = self.model  # may be another one in a moment
        if model is None:
            message = f"{self.name!r} ranks files, it completes no text: that needs a trained model"
            raise RefusedError(404, message, param="model", code="model_not_found")
        return Work(write=lambda: model.complete(request))

    def use(self, model: LanguageModel) -> None:
        """Write with another model from the next request on, here and for the followers; those that have begun end with
        theirs.
        """
        self.no_sketch, self.model = "", model
        for one in self.followers:
            one.use(model.about(one.files.location))

    def warm(self) -> None:
        """Read what the first request would wait for."""
        self.rank(Question(task="what changes next"))

    def close(self) -> None:
        """Let go of the repository."""
        self.files.close()

    def rank(self, question: Question, at: str = "") -> Answer:
        """The answer as of a commit. Raises UserError where there is none of that name."""
        return self.files.answer(question, at)

    def _reviewer(self) -> SecondOpinion:
        if self.second_opinion is None:
            raise UserError("no model gives second opinions here", "start serve.py with --second-opinion MODEL")
        return self.second_opinion

    def _writer(self, question: Question) -> LanguageModel | None:
        if question.changed or not question.sketch_tokens or (self.no_sketch and not question.always_sketch):
            return None
        return self.model


def in_markdown(ranking: FileRanking) -> str:
    """Files with their reasons as a list of lists."""
    lines = ["**Files**"]
    for file in ranking.files:
        lines.append(f"- `{file.name}`{' (new)' if file.new else ''} {file.probability:.1%}")
        lines += [f"  - {reason.text}" for reason in file.reasons]
    if not ranking.files:
        lines.append("- none")
    elif ranking.unsure:
        lines += ["", "Unsure: no file stands out."]
    return "\n".join(lines)
