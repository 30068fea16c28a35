"""Trained models, which add a sketch to ranked files, and complete text. Heavy: imported only where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import UserError
from core.models import base_models, model_folder
from core.prediction.answer import Answer
from core.prediction.asking import Asker
from core.prediction.completing import Stopper, complete
from core.prediction.copying import copying_of
from core.prediction.edit import write_edit
from core.prediction.predictor import Ranking
from core.prediction.question import Question
from core.prediction.streaming import pieces_of, recorded, shown
from core.prediction.writing import Sampling
from core.text.grammar import pieces_of_spelled
from services.answers import AnswerPart
from services.schemas import CompletionRequest


def check(folders: Mapping[str, Path]) -> None:
    """Raises UserError where a folder does not hold a model."""
    for folder in folders.values():
        model_folder.read_info(folder)


def load(
    folders: Mapping[str, Path], places: Mapping[str, str], cache_dir: Path, last: int, *, copying: bool
) -> dict[str, LanguageModel]:
    """The models by the names of `places`, which begin with those of `folders`: other places get the first one.

    Raises UserError where they do not share a base model.
    """
    loaded = model_folder.load_several(dict(folders), cache_dir)
    first, found = next(iter(folders)), dict[str, LanguageModel]()
    for one in loaded.values():
        one.merge_adapter()
    for name, one in loaded.items():
        history = copying_of(folders[name], one.info) if copying else None
        found[name] = LanguageModel(Asker(one, places[name], cache_dir, last, history))
    for name, place in places.items():
        found.setdefault(name, found[first].about(place))
    for model in found.values():
        model.asker.look()
    return found


def load_exchanged(folder: Path, place: str, cache_dir: Path, last: int) -> LanguageModel:
    """The model of an adapter that comes from elsewhere, with a base of its own.

    Raises UserError where the base that it names has other weights here than those that it was trained on.
    """
    info = model_folder.read_info(folder)
    loaded = load({"": folder}, {"": place}, cache_dir, last, copying=False)[""]
    if base_models.digest(info.base_model, cache_dir) != info.base_sha256:
        raise UserError(
            f"it was trained on other weights of {info.base_model} than those that are here",
            "use the base model, and for the embedded one the version, that it was trained with",
        )
    return loaded


@dataclass
class LanguageModel:
    """A trained model with its repository. Its methods run one at a time, in the model's thread."""

    asker: Asker

    def about(self, place: str) -> LanguageModel:
        """The same model with another repository. It copies nothing there: that would be of its own one's history."""
        asker = self.asker
        return LanguageModel(Asker(asker.loaded, place, asker.cache_dir, asker.last))

    def sketch(self, answer: Answer, question: Question) -> Iterator[AnswerPart]:
        """The sketch as it is written, or an edit when it is whole; then the answer with it."""
        if self.asker.writes_edits:
            self.asker.loaded.activate()
            edit = write_edit(self.asker, question, answer)
            yield AnswerPart(text=edit.diff)
            yield AnswerPart(event="done", data=replace(answer, edit=edit).as_dict())
            return
        ranking, written = self._rank(answer, question), list[int]()
        for text in self._texts(ranking, question, written):
            yield AnswerPart(text=text)
        whole = replace(answer, sketch=self.asker.predictor.prediction(ranking, written))
        yield AnswerPart(event="done", data=whole.as_dict())

    def chat(self, answer: Answer, question: Question, stops: Sequence[str]) -> Iterator[AnswerPart]:
        """Kinds of change as Markdown, then the sketch as it is written."""
        ranking, written = self._rank(answer, question), list[int]()
        changes = [f"- {one.name} {one.probability:.1%}" for one in ranking.change_types] or ["- none"]
        head = ["", "**Changes**", *changes, "", "~~~~text", *([] if ranking.first else ["(nothing)"])]
        yield AnswerPart("\n".join(head), data={"prompt_tokens": ranking.context_tokens})
        yield from _stopped(self._texts(ranking, question, written), stops, written, ending="\n~~~~\n")

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
        sampling = Sampling(request.temperature or 0.0, request.share_drawn_from, request.seed or 0)
        written: list[int] = []
        copying = self.asker.copying
        mix = copying.mix(ids) if copying else None
        made = recorded(complete(self.asker.loaded.model, vocabulary, ids, most, sampling, mix), written)
        yield from _stopped(pieces_of(made, vocabulary), request.stops, written, most=most)

    def _rank(self, answer: Answer, question: Question) -> Ranking:
        self.asker.loaded.activate()
        return self.asker.rank(question, answer.ranking)

    def _texts(self, ranking: Ranking, question: Question, written: list[int]) -> Iterator[str]:
        """The sketch as people read it, piece by piece."""
        return shown(recorded(self.asker.write(ranking, question), written), self.asker.loaded.vocabulary)


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
