"""evaluation.json: how well a model predicts commits that it has never seen, compared with baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from core.records.json_files import read_record
from core.records.stats import SplitData

SCHEMA = "2.0"

TUNED, BASE = "fine-tuned", "untuned base"
UNIFORM, UNIGRAM, TRIGRAM, COPY = "uniform", "unigram", "trigram", "copy"
XZ, XZ_TRAINED = "xz", "xz given training text"
CACHE = " + cache"
"""Added to the name of a model whose predictions are mixed with copying."""
NOTHING, NEAREST, NEAREST_CODE = "nothing", "nearest past edit", "nearest code"
"""Who writes edits without a model."""
MODEL, FREQUENCY, RECENCY = "model", "frequency", "recency"
"""Who names the next files."""


class Figures(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Figures of one predictor; a compressor has bits per byte only. "text" leaves Gitlore's own tokens out."""

    tokens: int | None = None
    text_tokens: int | None = None
    text_bytes: int | None = None
    commits: int | None = None
    loss: float | None = None
    """Nats per token."""
    perplexity: float | None = None
    text_perplexity: float | None = None
    bits_per_byte: float
    """Bits of all tokens for each byte of text."""
    text_bits_per_byte: float | None = None
    """Bits of text only: the fairer comparison with a model that has never seen our markers."""
    token_accuracy: float | None = None
    text_token_accuracy: float | None = None


class Saving(msgspec.Struct, kw_only=True):
    """The share of bits that one predictor saves compared with another, with its 95 % interval over commits."""

    share: float
    low: float | None = None
    high: float | None = None
    commits: int = 0

    @property
    def interval(self) -> str:
        """The interval in words; "" where there is none."""
        return f"{self.low:.1%} to {self.high:.1%}" if self.low is not None and self.high is not None else ""


class Gain(msgspec.Struct, kw_only=True):
    """What one predictor saves compared with another: on all tokens, and on text only."""

    all: Saving
    text: Saving


class SplitTable(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One split: a row for each predictor, and the gains that matter, where both sides were measured."""

    rows: dict[str, Figures]
    gain: Gain | None = None
    """Fine-tuned compared with the untuned base."""
    gain_of_cache: Gain | None = None
    gain_over_copy: Gain | None = None


class Group(msgspec.Struct, kw_only=True):
    """Some of the scored tokens, and the mean bits that each predictor needs for one."""

    tokens: int
    bits_per_token: dict[str, float]


class ByCommit(msgspec.Struct, kw_only=True):
    """What each predictor needs for each commit, so that several repositories can be put together."""

    added_bytes: list[int]
    bits: dict[str, list[float]]


class Contamination(msgspec.Struct, kw_only=True):
    """How much of a split the training text holds, too."""

    changes: int
    changes_in_training: int
    share_of_changes: float
    share_of_tokens_in_seen_runs: float
    run_tokens: int
    suspicious: bool


class Estimate(msgspec.Struct, kw_only=True):
    """A mean over commits or changes, with its 95 % interval; None without any."""

    mean: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0


class CalibrationBin(msgspec.Struct, kw_only=True):
    """Answers whose probability is in a range: the mean of what was predicted, and how often it came true."""

    start: float = msgspec.field(name="from")
    end: float = msgspec.field(name="to")
    answers: int
    predicted: float = msgspec.field(name="said")
    true: float


class Calibration(msgspec.Struct, kw_only=True):
    """How far the probabilities of files can be trusted."""

    answers: int
    bins: list[CalibrationBin]
    expected_calibration_error: float


class NextCommits(msgspec.Struct, kw_only=True):
    """Which files and kinds of change come next, given a commit's message."""

    commits: int
    commits_with_a_known_file: int
    accuracy: dict[str, dict[str, Estimate]]
    """By who answers, and by task ("file@1", "file@5", "first_file@1", "change_type@1", …)."""
    calibration: Calibration


class Continuations(msgspec.Struct, kw_only=True):
    """Code that was written, compared with the code that really came."""

    changes: int
    context: int
    """Tokens before the code."""
    most_tokens: int
    rows: dict[str, dict[str, Estimate]]
    """By who writes, and by metric."""


class Example(msgspec.Struct, kw_only=True):
    """A commit of the test split: what was predicted, and what came."""

    head: str
    """Its head in the grammar."""
    predicted: dict[str, Any]
    """As `predict.py --json` prints it."""
    truth: list[dict[str, str]]
    """"file" and "change_type" of each change."""
    truth_code: str
    """Code of its first change."""


class EvaluatedData(msgspec.Struct, kw_only=True):
    """Which history the figures are about."""

    repository: str
    splits: dict[str, SplitData]


class Evaluation(msgspec.Struct, kw_only=True):
    """evaluation.json. Splits are "val" and "test"."""

    schema_version: str = SCHEMA
    width: int
    """Tokens that every model sees at once."""
    precision: str
    settings: dict[str, Any]
    warnings: list[str] = []
    data: EvaluatedData
    splits: dict[str, SplitTable]
    edits: dict[str, SplitTable] = {}
    """Edits of the splits, where the tokens show edits: bits of the whole edit for each byte that it adds."""
    edits_by_change: dict[str, Group] = {}
    """Edits of the test split by kind of change."""
    edits_by_commit: ByCommit | None = None
    """Edits of the test split, commit by commit, the oldest first."""
    written_edits: Continuations | None = None
    """What is added by edits that are written, compared with what the real ones add."""
    by_kind: dict[str, Group] = {}
    """Test split by kind of symbol; "about" is all that is outside of code."""
    by_age: dict[str, Group] = {}
    contamination: dict[str, Contamination]
    next_commits: NextCommits | None = None
    continuations: Continuations | None = None
    examples: list[Example] = []

    @property
    def test(self) -> SplitTable:
        """The split that counts."""
        return self.splits["test"]


def read_evaluation(path: Path) -> Evaluation:
    """evaluation.json. Raises UserError where it is missing, damaged, or of another major schema version."""
    return read_record(path, Evaluation, SCHEMA, "make it again: python pipeline.py --stage evaluate --force")
