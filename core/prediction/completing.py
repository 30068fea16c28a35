"""Continuing any text freely, without holding it to the grammar, as a plain language model does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.prediction.copying import Mix
from core.prediction.reading import Reading
from core.prediction.writing import Sampling
from core.text.grammar import COMMIT_END

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary


def complete(
    model: PreTrainedModel,
    vocabulary: Vocabulary,
    prompt: Sequence[int],
    most: int,
    sampling: Sampling,
    mix: Mix | None = None,
) -> Iterator[int]:
    """Ids that follow a prompt, one by one, up to the end of a commit or `most`; the end marker is not among them.

    `mix` copies while the model writes; it has read the prompt.
    """
    choose = sampling.chooser()
    stop = vocabulary.markers[COMMIT_END]
    reading = Reading.of(model, prompt)
    known = vocabulary.size
    for number in range(most):
        logits = reading.logits[0, :known]
        id_ = choose(mix.of(logits) if mix else logits)
        if id_ == stop:
            return
        yield id_
        if number + 1 < most:
            reading.feed([id_])
            if mix:
                mix.read([id_])


@dataclass
class Stopper:
    """Holds text back as long as it may be the beginning of a text at which the answer ends."""

    stops: Sequence[str]
    held: str = ""
    done: bool = False

    def ready(self, text: str) -> str:
        """Add text; returns what can be shown now."""
        self.held += text
        places = [place for stop in self.stops if (place := self.held.find(stop)) >= 0]
        if places:
            self.done = True
            shown, self.held = self.held[: min(places)], ""
            return shown
        keep = max(
            (size for stop in self.stops for size in range(1, len(stop)) if self.held.endswith(stop[:size])), default=0
        )
        shown, self.held = self.held[: len(self.held) - keep], self.held[len(self.held) - keep :]
        return shown
