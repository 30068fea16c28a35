"""Trained models, each with its repository, behind the routes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import UserError
from core.git.repositories import open_repository
from core.models import model_folder
from core.prediction.asking import Asker
from core.prediction.completing import Stopper, complete
from core.prediction.predictor import Ranking, spelled_for_people
from core.prediction.question import Question
from core.prediction.streaming import pieces_of, recorded
from core.prediction.writing import Sampling
from core.text.grammar import pieces_of_spelled
from services.answers import AnswerPart
from services.schemas import ChatRequest, CompletionRequest, PredictRequest


def load_all(models: Sequence[tuple[str, str]], repos: dict[str, str], cache_dir: Path, last: int) -> dict[str, Served]:
    """Every model, ready to answer.

    Raises UserError where they do not share a base model, or a repository cannot be opened.
    """
    folders = {name or Path(place).resolve().name: Path(place) for name, place in models}
    if len(folders) < len(models):
        raise UserError("two models have the same name", "name them: --model one=DIR --model two=DIR")
    for folder in folders.values():  # a wrong folder or path is an error before a model is loaded
        model_folder.read_info(folder)
    places = {name: repos.get(name, repos.get("", ".")) for name in folders}
    for place in places.values():
        open_repository(place, cache_dir)
    loaded = model_folder.load_several(folders, cache_dir)
    served = {name: Served(name, Asker(one, places[name], cache_dir, last)) for name, one in loaded.items()}
    for one in served.values():
        one.asker.loaded.merge_adapter()
        one.asker.look()
    return served


@dataclass
class Served:
    """A trained model with its repository. Its methods run one at a time, in the queue's thread."""

    name: str
    asker: Asker
    created: int = field(default_factory=lambda: int(time.time()))

    def predict(self, request: PredictRequest) -> Iterator[AnswerPart]:
        """The ranking, the sketch as it is written, then all of it."""
        question = request.question
        ranking = self._rank(question)
        written: list[int] = []
        yield AnswerPart(event="ranking", data=self.asker.predictor.prediction(ranking, []).as_dict())
        for text in self._sketch(ranking, question, written):
            yield AnswerPart(text=text)
        yield AnswerPart(event="done", data=self.asker.predictor.prediction(ranking, written).as_dict())

    def chat(self, request: ChatRequest) -> Iterator[AnswerPart]:
        """The prediction as Markdown, then the sketch as it is written."""
        most = request.max_completion_tokens or request.max_tokens or Question().sketch_tokens
        question = Question(
            task=request.task,
            sketch_tokens=most,
            temperature=request.temperature or 0.0,
            top_p=request.top_p or 1.0,
            seed=request.seed or 0,
        )
        ranking = self._rank(question)
        written: list[int] = []
        parts = [in_markdown(ranking), "\n\n~~~~text", *([] if ranking.first else ["\n(nothing)"])]
        yield AnswerPart("".join(parts), data={"prompt_tokens": ranking.context_tokens})
        yield from _stopped(self._sketch(ranking, question, written), request.stops, written, ending="\n~~~~\n")

    def complete(self, request: CompletionRequest) -> Iterator[AnswerPart]:
        """Text that continues the prompt."""
        prompt = request.prompt if isinstance(request.prompt, str) else request.prompt[0]
        vocabulary = self.asker.loaded.vocabulary
        ids = vocabulary.encode([pieces_of_spelled(prompt)])[0]
        most = request.max_tokens or 64
        if not ids:
            raise UserError("the prompt is empty", "give some text to continue")
        if len(ids) + most > (longest := self.asker.loaded.longest):
            raise UserError(f"{len(ids)} tokens of prompt and {most} to write are more than the model's {longest}")
        self.asker.loaded.activate()
        yield AnswerPart(prompt if request.echo else "", data={"prompt_tokens": len(ids)})
        sampling = Sampling(request.temperature or 0.0, request.top_p or 1.0, request.seed or 0)
        written: list[int] = []
        made = recorded(complete(self.asker.loaded.model, vocabulary, ids, most, sampling), written)
        yield from _stopped(pieces_of(made, vocabulary), request.stops, written, most=most)

    def _rank(self, question: Question) -> Ranking:
        self.asker.loaded.activate()
        return self.asker.rank(question)

    def _sketch(self, ranking: Ranking, question: Question, written: list[int]) -> Iterator[str]:
        """The sketch as people read it, piece by piece."""
        ids = recorded(self.asker.write(ranking, question), written)
        return spelled_for_people(pieces_of(ids, self.asker.loaded.vocabulary))


def in_markdown(ranking: Ranking) -> str:
    """Files and kinds of change as two lists."""
    files = [f"- `{one.name}`{' (new)' if one.new else ''} {one.probability:.1%}" for one in ranking.files]
    changes = [f"- {one.name} {one.probability:.1%}" for one in ranking.change_types]
    return "\n".join(["**Files**", *(files or ["- none"]), "", "**Changes**", *(changes or ["- none"])])


def _stopped(
    texts: Iterator[str], stops: Sequence[str], written: list[int], *, most: int = 0, ending: str = ""
) -> Iterator[AnswerPart]:
    """Text up to the first of the `stops`, then the reason why it ended and the tokens used."""
    stopper = Stopper(stops)
    for text in texts:
        if ready := stopper.ready(text):
            yield AnswerPart(ready)
        if stopper.done:
            break
    else:
        yield AnswerPart(stopper.held)
    finish = "length" if most and len(written) >= most and not stopper.done else "stop"
    yield AnswerPart(ending, tokens=len(written), finish=finish)
