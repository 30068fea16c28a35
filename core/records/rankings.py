"""ranking_evaluation.json: how well the files of past commits are ranked, beside what simple rules answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from core.records.evaluation import FREQUENCY, RECENCY, Estimate
from core.records.json_files import read_record

SCHEMA = "1.0"
RANKER, SIMILAR = "gitlore", "similar messages"
BASELINES = (RECENCY, FREQUENCY, SIMILAR)
Form = Literal["text", "masked", "history", "forgotten"]
FORMS: dict[Form, str] = {
    "text": "with the title",
    "masked": "with the title, without words of the paths",
    "history": "without any text",
    "forgotten": "the forgotten file, given the others",
}
"""What is asked about a past commit."""


class FormTable(msgspec.Struct, kw_only=True):
    """Questions of one form: how often a right file is the first, or among the first five ("hit@1", "hit@5")."""

    questions: int
    accuracy: dict[str, dict[str, Estimate]]
    """By who answers."""
    differences: dict[str, dict[str, Estimate]]
    """Our accuracy minus a baseline's, paired by commit."""
    calibration_error: float
    """Expected calibration error of the probabilities of the first ten answers."""
    milliseconds: float
    """Median CPU time of a question. The first one about a commit, which has its title, also reads its files."""

    def better_baseline(self, hit: str) -> str:
        """Of recency and frequency, the one with more hits."""
        return max((RECENCY, FREQUENCY), key=lambda name: self.accuracy[name][hit].mean or 0.0)


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
