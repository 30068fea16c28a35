"""Commits of the test split that are predicted with a sketch of their code, next to what really came."""

from __future__ import annotations

from core.evaluation.growing_history import GrowingHistory
from core.evaluation.next_files import CommitToPredict, commits_to_predict
from core.evaluation.streams import Streams
from core.prediction.copying import Copying
from core.prediction.predictor import Predictor
from core.progress import Progress
from core.records.evaluation import Example

MOST_CODE = 2000
"""Characters of code that the report shows of each example."""


def sketched(
    streams: Streams, predictor: Predictor, count: int, sketch_tokens: int, copying: Copying | None = None
) -> list[Example]:
    """`count` commits spread over the test split; a sketch has at most `sketch_tokens` tokens of text.

    The history of `copying` ends where the test split begins.
    """
    examples = []
    history = GrowingHistory(copying, streams.test) if copying else None
    with Progress("sketching commits", count, "commits") as progress:
        for one in commits_to_predict(streams.earlier("test"), streams.test, predictor, count):
            known = history.up_to(one.commit.start) if history else None
            examples.append(_example(one, streams, predictor, sketch_tokens, known))
            progress.advance()
    return examples


def _example(
    one: CommitToPredict, streams: Streams, predictor: Predictor, sketch_tokens: int, copying: Copying | None
) -> Example:
    paths = sorted(one.known.files)
    predicted = predictor.predict(one.history, one.head, paths, sketch_tokens=sketch_tokens, copying=copying)
    code = streams.test[slice(*one.commit.codes[0])].tolist()
    return Example(
        head=streams.vocabulary.decode(one.head),
        predicted=predicted.as_dict(),
        truth=[{"file": path, "change_type": change} for path, change in one.commit.changes],
        truth_code=streams.vocabulary.decode(code)[:MOST_CODE],
    )
