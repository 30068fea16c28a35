"""ranking_evaluation.json: how well the files of past commits are ranked, beside what simple rules answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from core.records.evaluation import FREQUENCY, RECENCY, Estimate
from core.records.json_files import read_record

SCHEMA = "1.0"
RANKER, SIMILAR = "gitlore", "similar messages"
DECAYED = "decayed frequency"
BASELINES = (RECENCY, FREQUENCY, SIMILAR)
Form = Literal["text", "masked", "history", "forgotten"]
FORMS: dict[Form, str] = {
    "text": "with the title",
    "masked": "with the title, without words of the paths",
    "history": "without any text",
    "forgotten": "the forgotten file, given the others",
}
"""What is asked about a past commit."""
Fact = Literal["author", "change_type", "symbol"]
FACTS: dict[Fact, str] = {
    "symbol": "a function or type that changes",
    "change_type": "the kind of change",
    "author": "who makes it",
}
"""What else is ranked for a title."""


class Comparison(msgspec.Struct, kw_only=True):
    """Questions about past commits: how often a right answer is first ("hit@1"), or among a few ("hit@5")."""

    questions: int
    accuracy: dict[str, dict[str, Estimate]]
    """By who answers."""
    differences: dict[str, dict[str, Estimate]]
    """Our accuracy minus a baseline's, paired by commit."""

    def best_baseline(self, hit: str, among: Sequence[str] = ()) -> str:
        """The baseline with the most hits, of those named or of all."""
        return max(among or self.differences, key=lambda name: self.accuracy[name][hit].mean or 0.0)


class FormTable(Comparison, kw_only=True):
    """Questions of one form for files."""

    calibration_error: float
    """Expected calibration error of the probabilities of the first ten answers."""
    log_loss: dict[str, float] = {}
    """Mean of -ln of the share that a right file gets, over the right files of a commit, then over commits: ours, and
    that of frequency with a half-life of 400 commits."""
    milliseconds: float
    """Median CPU time of a question. The first one about a commit, which has its title, also reads its files."""

    def better_baseline(self, hit: str) -> str:
        """Of recency and frequency, the one with more hits."""
        return self.best_baseline(hit, (RECENCY, FREQUENCY))


class RankedExample(msgspec.Struct, kw_only=True):
    """A commit that was asked about by its title: the files that were ranked, and those that changed."""

    commit: str
    title: str
    files: list[dict[str, Any]]
    """As `predict.py --json` prints them."""
    truth: list[str]


class RankingEvaluation(msgspec.Struct, kw_only=True):
    """How well the ranking does on the newest commits of one repository, each known by its ancestors alone."""

    repository: str
    commits: int
    """That were asked about."""
    forms: dict[str, FormTable]
    plain: dict[str, FormTable] = {}
    """Without `routine` commits."""
    facts: dict[Fact, Comparison] = {}
    """What else an answer to a title says."""
    routine: dict[str, int] = {}
    """Commits that flatter: those of bots, version bumps, and near-repeats of an earlier title."""
    gate: list[str] = []
    """For each form, why the repository's own weights are used, or are not."""
    examples: list[RankedExample] = []


class RankingEvaluations(msgspec.Struct, kw_only=True):
    """ranking_evaluation.json: one repository, or each of several."""

    schema_version: str = SCHEMA
    repositories: list[RankingEvaluation]


def read_rankings(path: Path) -> RankingEvaluations:
    """ranking_evaluation.json. Raises UserError where it is missing, damaged, or of another major version."""
    return read_record(path, RankingEvaluations, SCHEMA, "make it again: python pipeline.py --stage change_ranker")
