"""Does a model know which files and what kinds of change come next? Beside what is frequent, and what was last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core import statistics
from core.prediction.predictor import Predictor
from core.text.stream import StreamCommit, commits_in

if TYPE_CHECKING:
    import torch

    from core.progress import Progress

TOP = 5
BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Bounds of the classes of probability in the calibration."""


@dataclass
class Known:
    """What has been changed so far: how often, and when last."""

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

    def frequent(self) -> tuple[list[str], list[str]]:
        """(files, change types) changed most often."""
        return [name for name, _ in self.files.most_common(TOP)], [name for name, _ in self.types.most_common(TOP)]

    def recent(self) -> tuple[list[str], list[str]]:
        """(files, change types) changed last."""
        return list(reversed(self.last_files))[:TOP], list(reversed(self.last_types))[:TOP]


@dataclass(frozen=True)
class Asked:
    """A commit that is to be foretold, and what stands before it."""

    commit: StreamCommit
    number: int
    known: Known
    history: list[int]
    head: list[int]


def chosen(earlier: Sequence[torch.Tensor], stream: torch.Tensor, predictor: Predictor, count: int) -> Iterator[Asked]:
    """`count` commits spread over a stream, each with all that `earlier` and the stream hold before it."""
    vocabulary = predictor.vocabulary
    commits = [commit for commit in commits_in(stream.numpy(), vocabulary) if commit.changes]
    count = min(count, len(commits))
    wanted = {(2 * number + 1) * len(commits) // (2 * count) for number in range(count)}
    known = Known()
    for one in earlier:
        for commit in commits_in(one.numpy(), vocabulary):
            known.add(commit)
    before = earlier[-1][-predictor.width :].tolist() if earlier else []
    for number, commit in enumerate(commits):
        if number in wanted:
            ids = stream[max(commit.start - predictor.width, 0) : commit.start].tolist()
            history = (before + ids)[-predictor.width :]
            yield Asked(commit, number, known, history, stream[commit.start : commit.head_end].tolist())
        known.add(commit)


def next_files(
    earlier: Sequence[torch.Tensor],
    stream: torch.Tensor,
    predictor: Predictor,
    count: int,
    *,
    samples: int,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Accuracy@1 and @5 for files and change types, of the model and of both baselines, with intervals over commits.

    An answer is right if the commit changes that file, or holds a change of that type; files that are new with
    the commit can hardly be known to anyone and count as missed. "first_file" is stricter: the right file is the
    commit's first, which is what the model's probabilities are of. The calibration compares these with how
    often they came true.
    """
    hits: dict[str, dict[str, list[float]]] = {}
    shown: list[tuple[float, bool]] = []
    reachable = 0
    for asked in chosen(earlier, stream, predictor, count):
        truth, types = asked.commit.files, {change for _, change in asked.commit.changes}
        reachable += bool(set(truth) & asked.known.files.keys())
        ranking = predictor.rank(asked.history, asked.head, sorted(asked.known.files), top=TOP, new_files=False)
        files = [item.name for item in ranking.files]
        shown += [(item.probability, item.name == truth[0]) for item in ranking.files]
        answers = {
            "model": (files, [item.name for item in ranking.change_types]),
            "frequency": asked.known.frequent(),
            "recency": asked.known.recent(),
        }
        for name, (paths, kinds) in answers.items():
            into = hits.setdefault(name, {})
            for task, given, right in (
                ("file", paths, set(truth)),
                ("first_file", paths, {truth[0]}),
                ("change_type", kinds, types),
            ):
                for most in (1, TOP):
                    into.setdefault(f"{task}@{most}", []).append(float(bool(set(given[:most]) & right)))
        if progress:
            progress.advance()
    return {
        "commits": len(next(iter(hits.values()), {}).get("file@1", [])),
        "commits_with_a_known_file": reachable,
        "accuracy": {
            name: {
                task: statistics.of_mean(np.array(values), samples=samples, seed=seed) for task, values in into.items()
            }
            for name, into in hits.items()
        },
        "calibration": calibration(shown),
    }


def calibration(shown: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """How often answers came true, by the probability that they were given; and the expected calibration error."""
    chances = np.array([chance for chance, _ in shown])
    true = np.array([right for _, right in shown], dtype=float)
    places = np.clip(np.searchsorted(BINS, chances, side="right") - 1, 0, len(BINS) - 2)
    bins = []
    for number in range(len(BINS) - 1):
        mine = places == number
        if mine.any():
            mean, rate = float(chances[mine].mean()), float(true[mine].mean())
            bins.append(
                {"from": BINS[number], "to": BINS[number + 1], "answers": int(mine.sum()), "said": mean, "true": rate}
            )
    error = sum(one["answers"] * abs(one["said"] - one["true"]) for one in bins) / max(len(shown), 1)
    return {"answers": len(shown), "bins": bins, "expected_calibration_error": error}
