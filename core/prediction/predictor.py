"""What a model expects of the next commit: files, change types, and a sketch of the commit itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.prediction.copying import Copying
from core.prediction.prediction import Expected, ExpectedFile, Prediction
from core.prediction.reading import Reading
from core.prediction.search import FoundPath, PathTree, known_paths, new_path, rank_changes
from core.prediction.writing import Sampling, Writer
from core.text.grammar import (
    CHANGES,
    FILE_START,
    CodeView,
    parse,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary

SKETCH_SHARE = 0.25
"""Part of the model's width that is kept free for what it writes."""


@dataclass
class Ranking:
    """Files and change types, and the state from which a sketch continues."""

    files: list[ExpectedFile]
    change_types: list[Expected]
    first: FoundPath | None
    change_type: str
    reading: Reading
    tree: PathTree
    head: list[int]
    context_tokens: int
    """Tokens that the model was shown."""
    copying: Copying | None = None
    """What the sketch may copy from: the history before the head."""


@dataclass
class Predictor:
    """A model with its vocabulary. `width` is the number of tokens that it was trained to see at once."""

    model: PreTrainedModel
    vocabulary: Vocabulary
    width: int
    view: CodeView = "new"
    sees_history: bool = True
    """False for a model whose tokens were trained to see their own commit alone."""

    def rank(
        self,
        history: Sequence[int],
        head: Sequence[int],
        paths: Sequence[str],
        *,
        top: int = 5,
        new_files: bool = True,
        beams: int = 0,
        copying: Copying | None = None,
    ) -> Ranking:
        """What follows `history` (ids of earlier commits) and the `head` of a new commit, before its first file.

        `paths` are the files to choose from; with `new_files` the likeliest path outside them is among the
        answers, marked. Probabilities are the model's own, shared out among the files that there are (and that
        new one); kinds of change are those expected in the shown files, and add up to one.
        `beams` is the breadth of the search, by default 2 * `top`. Paths with more tokens than the model sees are
        left out. A sketch may copy from `copying`, whose history ends as `history` does.
        """
        room = max(int(self.width * (1 - SKETCH_SHARE)) - len(head), 0) if self.sees_history else 0
        context = [*(history[-room:] if room else ()), *head]
        reading = Reading.of(self.model, context)
        tree = PathTree(paths, self.vocabulary, most=self.width)
        inside = reading.branch()
        inside.feed([self.vocabulary.markers[FILE_START]])
        new = new_path(inside.branch(), set(paths), self.vocabulary) if new_files else None
        found = known_paths(inside, tree, self.vocabulary, beams or max(2 * top, 10)) if tree.root.size else []
        for path in found:
            path.probability *= 1 - new.probability if new else 1
        found = sorted([*found, *([new] if new else [])], key=lambda path: -path.probability)[:top]
        rank_changes(reading.branch(), found, self.vocabulary)
        by_type: dict[str, float] = defaultdict(float)
        total = sum(path.probability for path in found) or 1.0
        for path in found:
            for change, share in path.changes.items():
                by_type[change] += share * path.probability / total
        first = found[0] if found else None
        return Ranking(
            [ExpectedFile(path.name, path.probability, path.new) for path in found],
            _ranked(by_type, top),
            first,
            max(first.changes, key=lambda name: first.changes[name]) if first else "",
            reading,
            tree,
            list(head),
            len(context),
            copying,
        )

    def write(self, ranking: Ranking, most_text: int, sampling: Sampling | None = None) -> Iterator[int]:
        """Ids of the commit from its first file on, one by one; `most_text` bounds the text in symbols and code.

        Markers and paths have the rest of the model's width, so a model that never comes to an end is stopped.
        """
        if ranking.first is None:
            return
        reading = ranking.reading.branch()
        reading.feed(ranking.first.ids)
        yield from ranking.first.ids
        mix = ranking.copying.mix([*ranking.head, *ranking.first.ids]) if ranking.copying else None
        writer = Writer(reading, self.vocabulary, ranking.tree, self.view, sampling or Sampling(), mix)
        room = max(self.width - ranking.context_tokens, 0)
        yield from writer.write(most_text, most_text + room, first=[CHANGES[ranking.change_type]])

    def predict(
        self,
        history: Sequence[int],
        head: Sequence[int],
        paths: Sequence[str],
        *,
        top: int = 5,
        sketch_tokens: int = 96,
        new_files: bool = True,
        copying: Copying | None = None,
    ) -> Prediction:
        """Rank, and write a sketch of `sketch_tokens` tokens of text (0: none)."""
        ranking = self.rank(history, head, paths, top=top, new_files=new_files, copying=copying)
        return self.prediction(ranking, list(self.write(ranking, sketch_tokens)) if sketch_tokens else [])

    def prediction(self, ranking: Ranking, written: Sequence[int]) -> Prediction:
        """Both put together; `written` are all ids of `write`."""
        made = Prediction(ranking.files, ranking.change_types)
        if ranking.first is None:
            return made
        made.sketch_file, made.sketch_change_type = ranking.first.name, ranking.change_type
        if written:
            made.copying = ranking.copying is not None
            pieces = self.vocabulary.pieces(written)
            (made.commit,) = parse([*self.vocabulary.pieces(ranking.head), *pieces])
            change = made.commit.files[0].changes[0]
            made.sketch_symbol, made.sketch = "".join(change.symbol), "".join(change.after or change.code)
        return made


def _ranked(probabilities: dict[str, float], top: int) -> list[Expected]:
    best = sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))[:top]
    return [Expected(name, probability) for name, probability in best]
