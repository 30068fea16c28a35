"""What every predictor gives the held-out tokens, and what the models write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.evaluation.continuations import Prompt, written
from core.evaluation.growing_history import GrowingHistory
from core.evaluation.held_out import HeldOut
from core.evaluation.model_pair import ModelPair
from core.evaluation.streams import Streams
from core.progress import Progress
from core.records.evaluation import BASE, TUNED
from core.scoring.scores import Scores, score

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.prediction.copying import Copying
    from core.scoring.copying import Cache


EDITS = {"val": "val edits", "test": "test edits"}
"""Names of what is held out: the edits of a split."""
VALIDATION = {"test": "val", EDITS["test"]: EDITS["val"]}
"""Where the weights of a mix are learned, by where they are used."""


@dataclass
class Answers:
    """What one model answers."""

    scores: dict[str, Scores]
    """Of the targets, by split."""
    code: list[list[int]]
    """What it writes at the prompts."""


@dataclass(frozen=True)
class Questions:
    """What every model is asked."""

    streams: Streams
    held_out: Mapping[str, HeldOut]
    prompts: Sequence[Prompt]
    context: int
    """Tokens before code that is to be written."""
    most: int
    """Maximum number of tokens of such code."""
    guess: bool
    """Also score what copying guesses, for the cache."""

    def ask_both(self, pair: ModelPair) -> dict[str, Answers]:
        """Answers of the fine-tuned model, whose adapter is merged first, and of the untuned base if there is one."""
        answers = {}
        if pair.has_base:
            with pair.untuned() as model:
                answers[BASE] = self.ask(model, BASE)
        pair.merge_adapter()
        with pair.tuned() as model:
            return {TUNED: self.ask(model, TUNED), **answers}

    def ask(self, model: PreTrainedModel, name: str) -> Answers:
        """Let a model score both splits and write code."""
        scores, total = {}, sum(len(one.targets) for one in self.held_out.values())
        with Progress(f"scoring ({name})", total, "tokens") as progress:
            for split, one in self.held_out.items():
                candidates = one.guessed.ids if self.guess else None
                scores[split] = score(model, one.stream, one.targets, candidates=candidates, progress=progress)
        stream, vocabulary = self.streams.test, self.streams.vocabulary
        code = written(model, stream, self.prompts, vocabulary, self.context, self.most) if self.prompts else []
        return Answers(scores, code)

    def write_copying(self, model: PreTrainedModel, copying: Copying) -> list[list[int]]:
        """What a model writes while it copies; the history of `copying` ends where the test split begins."""
        history = GrowingHistory(copying, self.streams.test)
        mixes = [history.up_to(one.position).mix([]) for one in self.prompts]
        stream, vocabulary = self.streams.test, self.streams.vocabulary
        return written(model, stream, self.prompts, vocabulary, self.context, self.most, mixes=mixes)

    def rows(self, answers: Mapping[str, Answers]) -> tuple[dict[str, dict[str, Scores]], dict[str, Cache]]:
        """Scores of every predictor, by split; with guesses also of the mixes, and their weights by predictor.

        Validation decides these.
        """
        rows = {
            split: one.counting() | {name: answer.scores[split] for name, answer in answers.items()}
            for split, one in self.held_out.items()
        }
        caches = {
            split: self.held_out[split].learn(rows[split])
            for split in VALIDATION.values()
            if split in rows and self.guess
        }
        mixed = {
            split: one.mix(rows[split], caches.get(VALIDATION.get(split, split), {}))
            for split, one in self.held_out.items()
        }
        return mixed, caches.get(EDITS["val"], caches.get("val", {}))
