"""Does a model know which files and what kinds of change come next, compared with frequency and recency?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core import statistics
from core.evaluation.calibration import calibration
from core.prediction.predictor import Predictor
from core.progress import Progress
from core.records.evaluation import FREQUENCY, MODEL, RECENCY, Estimate, NextCommits
from core.text.stream import StreamCommit, commits_in

if TYPE_CHECKING:
    import torch

TOP = 5
Answer = tuple[list[str], list[str]]
"""Files and change types, the best first."""


@dataclass
class ChangedBefore:
    """What earlier commits changed: how often, and when last."""

    files: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    last_files: dict[str, None] = field(default_factory=dict)
    """Oldest first."""
    last_types: dict[str, None] = field(default_factory=dict)

    def add(self, commit: StreamCommit) -> None:
        """One more commit."""
        for counter, last, values in (
            (self.files, self.last_files, commit.files),
            (self.types, self.last_types, list(dict.fromkeys(change for _, change in commit.changes))),
        ):
            counter.update(values)
            for value in values:
                last.pop(value, None)
                last[value] = None

    def frequent(self) -> Answer:
        """What was changed most often."""
        return [name for name, _ in self.files.most_common(TOP)], [name for name, _ in self.types.most_common(TOP)]

    def recent(self) -> Answer:
        """What was changed last."""
        return list(reversed(self.last_files))[:TOP], list(reversed(self.last_types))[:TOP]


@dataclass(frozen=True)
class CommitToPredict:
    """A commit to predict, and what came before it."""

    commit: StreamCommit
    known: ChangedBefore
    history: list[int]
    head: list[int]


def commits_to_predict(
    earlier: Sequence[torch.Tensor], stream: torch.Tensor, predictor: Predictor, count: int
) -> Iterator[CommitToPredict]:
    """`count` commits spread over a stream, each with everything before it in `earlier` and the stream.

    `known` is one object that grows from one to the next.
    """
    vocabulary = predictor.vocabulary
    commits = [commit for commit in commits_in(stream.numpy(), vocabulary) if commit.changes]
    count = min(count, len(commits))
    wanted = {(2 * number + 1) * len(commits) // (2 * count) for number in range(count)}
    known = ChangedBefore()
    for one in earlier:
        for commit in commits_in(one.numpy(), vocabulary):
            known.add(commit)
    before = earlier[-1][-predictor.width :].tolist() if earlier else []
    for number, commit in enumerate(commits):
        if number in wanted:
            ids = stream[max(commit.start - predictor.width, 0) : commit.start].tolist()
            history = (before + ids)[-predictor.width :]
            yield CommitToPredict(commit, known, history, stream[commit.start : commit.head_end].tolist())
        known.add(commit)


def next_files(
    earlier: Sequence[torch.Tensor],
    stream: torch.Tensor,
    predictor: Predictor,
    count: int,
    *,
    samples: int,
    seed: int,
) -> NextCommits:
    """Accuracy@1 and @5 for files and change types, of the model and of both baselines, with intervals over commits.

    An answer is right if the commit changes that file, or has a change of that type; files that are new with
    the commit can hardly be known to anyone and count as missed. "first_file" is stricter: the right file is the
    commit's first, which is the event that the model's probabilities are for. The calibration compares these with
    how often they came true.
    """
    hits: dict[str, dict[str, list[float]]] = {}
    shown: list[tuple[float, bool]] = []
    reachable = commits = 0
    with Progress("predicting commits", count, "commits") as progress:
        for one in commits_to_predict(earlier, stream, predictor, count):
            truth = one.commit.files
            commits, reachable = commits + 1, reachable + bool(set(truth) & one.known.files.keys())
            ranking = predictor.rank(one.history, one.head, sorted(one.known.files), top=TOP, new_files=False)
            shown += [(item.probability, item.name == truth[0]) for item in ranking.files]
            answer = [item.name for item in ranking.files], [item.name for item in ranking.change_types]
            for name, given in ((MODEL, answer), (FREQUENCY, one.known.frequent()), (RECENCY, one.known.recent())):
                for row, hit in judged(given, one.commit).items():
                    hits.setdefault(name, {}).setdefault(row, []).append(hit)
            progress.advance()
    return NextCommits(
        commits=commits,
        commits_with_a_known_file=reachable,
        accuracy={name: _estimates(rows, samples, seed) for name, rows in hits.items()},
        calibration=calibration(shown),
    )


def judged(answer: Answer, commit: StreamCommit) -> dict[str, float]:
    """1 or 0 for each kind of question, by name: is one of the first 1 or 5 answers right?"""
    truth, types = commit.files, {change for _, change in commit.changes}
    paths, kinds = answer
    questions = (("file", paths, set(truth)), ("first_file", paths, {truth[0]}), ("change_type", kinds, types))
    return {
        f"{name}@{most}": float(bool(set(given[:most]) & right))
        for name, given, right in questions
        for most in (1, TOP)
    }


def _estimates(rows: Mapping[str, list[float]], samples: int, seed: int) -> dict[str, Estimate]:
    return {
        row: Estimate(**statistics.of_mean(np.array(hits), samples=samples, seed=seed)) for row, hits in rows.items()
    }
