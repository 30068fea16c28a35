"""Which files go with a task, with a change, or with nothing but the history: shares, probabilities, and why."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.ranking import calibration, features
from core.ranking.features import Features, Similar
from core.ranking.history import Floats
from core.ranking.model import softmax
from core.ranking.query import Query
from core.ranking.reasons import Reason, Reasons
from core.ranking.snapshot import Snapshot
from core.records.ranker import ModeWeights, RankerRecord, read_ranker

Mode = Literal["task", "issue", "history", "change", "change_task"]
MODES: tuple[Mode, ...] = ("task", "issue", "history", "change", "change_task")
_KINDS = (
    *("k_test", "k_changelog", "k_docs", "k_aux", "k_settings", "k_derived", "k_init", "k_root", "k_size", "k_depth"),
)
_HISTORY = ("a_10", "a_100", "a_400", "a_2000", "a_age", "a_last", "a_young", "a_folder", "a_ending", *_KINDS)
_NEW = ("n_new", "n_folder", "n_rate", "n_task", "n_task_rate", "n_path", "n_add")
_TEXT = (
    *("c_rel_title", "c_rank_title", "d_words", "i_rank", "i_names", "d_title", "d_names", "q_title"),
    *("p_title", "p_stem", "p_named", "g_folder"),
    *("m_sharp", "m_best", "m_first", "m_lift", "m_words", "m_words_rank", "m_folder", "m_ending"),
    *("c_sort_title", "c_sort_rank", "i_sort"),
)
_BODY = (
    *("c_rel_all", "c_code", "i_code", "d_errors", "d_members"),
    *("t_last", "t_frames", "q_path", "p_all", "m_body", "m_body_folder"),
)
_LASTING = ("a_400", "a_2000")
_LAST = ("l_files", "l_title", "l_author")
_COMPANIONS = (
    *("x_best", "x_mean", "x_joint", "x_alike", "x_folder", "x_ending", "x_subject", "x_words"),
    *("x_test_missing", "x_code_missing"),
)
FEATURES: dict[Mode, tuple[str, ...]] = {
    "task": (*_TEXT, *_HISTORY, *_NEW),
    "issue": (*_TEXT, *_BODY, *_LASTING, *_KINDS, *_NEW),
    "history": (*_HISTORY, *_LAST, "n_new", "n_folder", "n_rate"),
    "change": (*_HISTORY, *_COMPANIONS),
    "change_task": (*_TEXT, *_HISTORY, *_COMPANIONS),
}
"""What counts in each form of a question."""
FREE = frozenset((*_HISTORY, *_NEW))
"""Features that may speak against a file, too."""
SHIPPED = Path(__file__).with_name("weights.json")
FILE = "ranker.json"
LONG_BODY = 200
"""Characters below the title from which on a task reads like an issue."""
UNSURE_SHARE = 0.35
"""Below it at the top, the order is right about half as often."""


@dataclass(frozen=True)
class RankedFile:
    """A file that may change, or a folder in which one may be added (`new`)."""

    name: str
    share: float
    """Of all that may change; the shares of all candidates add up to one."""
    probability: float
    """That it is among the changed files."""
    new: bool = False
    reasons: list[Reason] = field(default_factory=list)


@dataclass(frozen=True)
class FileRanking:
    """Files, the best one first. `mode` is the form of the question."""

    mode: Mode
    files: list[RankedFile]
    unsure: bool


@dataclass(frozen=True)
class Ranker:
    """Weights for every form of a question."""

    record: RankerRecord

    @classmethod
    def shipped(cls) -> Ranker:
        """The weights that come with the program, learned on public repositories."""
        return cls(_shipped())

    @classmethod
    def read(cls, path: Path) -> Ranker:
        """The weights in a file. Raises UserError where it is missing or damaged, or lacks a form of question."""
        record = read_ranker(path)
        for mode in MODES:
            found = record.modes.get(mode)
            if not found or not _counts(mode, found):
                raise UserError(
                    f"{path} holds no weights for questions of the form '{mode}'",
                    "make it again: python pipeline.py --stage change_ranker --force",
                )
        return cls(record)

    @classmethod
    def of(cls, first_commit: str, folder: Path) -> Ranker:
        """The weights in `folder`, or one below it, that were made for the repository that begins with `first_commit`.

        Where there are none, the shipped ones. Raises UserError where a file is damaged.
        """
        for path in sorted((*folder.glob(FILE), *folder.glob(f"*/{FILE}"))):
            if first_commit in read_ranker(path).first_commits:
                return cls.read(path)
        return cls.shipped()

    def rank(
        self,
        snapshot: Snapshot,
        task: str = "",
        changed: Sequence[str] = (),
        *,
        top: int = 5,
        new_files: bool = False,
        wanted: Callable[[str], bool] | None = None,
    ) -> FileRanking:
        """The best `top` files for a task, and for files that are `changed` already, which are left out.

        `wanted` says of a path whether it may be an answer; by default each may. With `new_files` a new file in a
        folder may be one, too.
        """
        scores = self.scores(snapshot, task, changed, new_files=new_files, wanted=wanted)
        return self.best(snapshot, scores, top)

    def scores(
        self,
        snapshot: Snapshot,
        task: str = "",
        changed: Sequence[str] = (),
        *,
        new_files: bool = False,
        wanted: Callable[[str], bool] | None = None,
    ) -> Scores:
        """What each candidate gets; the arguments are those of `rank`."""
        query = Query(task)
        mode = mode_of(query, changed)
        weights = self.record.modes[mode]
        if not len(snapshot):
            nothing = np.zeros(0)
            return Scores(query, changed, mode, nothing, nothing, nothing.astype(np.bool_), {}, Similar.none(snapshot))
        asked = evidence(snapshot, query, mode, changed)
        found = features.with_new_files(asked.files, asked.new) if new_files else asked.files
        given = set(changed)
        allowed = [path not in given and (wanted is None or wanted(path)) for path in snapshot.paths]
        mask = np.array([*allowed, *([True] * (len(snapshot.folder_names) if new_files else 0))], np.bool_)
        parts = {name: weight * found[name] for name, weight in weights.weights.items() if weight and name in found}
        shares = np.zeros(len(mask))
        if mask.any():
            shares[mask] = softmax(np.sum(list(parts.values()), axis=0)[mask])
        likely = calibration.probabilities(shares, weights.calibration)
        return Scores(query, changed, mode, shares, likely, mask, parts, asked.similar)

    def best(self, snapshot: Snapshot, scores: Scores, top: int) -> FileRanking:
        """The candidates with the largest shares, each with its reasons."""
        order = [place for place in np.argsort(-scores.shares, kind="stable")[:top].tolist() if scores.allowed[place]]
        if not order:
            return FileRanking(scores.mode, [], unsure=True)
        why = Reasons(snapshot, scores.query, scores.similar, scores.changed, scores.parts)
        files = []
        for place in order:
            share, probability = float(scores.shares[place]), float(scores.probabilities[place])
            if place < len(snapshot):
                files.append(RankedFile(snapshot.paths[place], share, probability, reasons=why.of(place)))
            else:
                folder = snapshot.folder_names[place - len(snapshot)]
                name = new_file(folder, why.usual_ending(folder))
                files.append(RankedFile(name, share, probability, new=True, reasons=why.of_folder(folder)))
        return FileRanking(scores.mode, files, unsure=files[0].share < UNSURE_SHARE)


def new_file(folder: str, ending: str) -> str:
    """How an answer names a new file: a folder, and the ending that most of its files have."""
    return f"{folder}/" * bool(folder) + f"*{'.' * bool(ending)}{ending}"


@dataclass(frozen=True)
class Scores:
    """What each candidate of a question gets: the files of the snapshot, then, where asked, a new file by folder.

    Shares add up to one over the `allowed` candidates, others have none.
    """

    query: Query
    changed: Sequence[str]
    mode: Mode
    shares: Floats
    probabilities: Floats
    allowed: NDArray[np.bool_]
    parts: Features
    """Each feature times its weight."""
    similar: Similar


@dataclass(frozen=True)
class Evidence:
    """Features of the files, those of a new file by folder, and past commits that are like the task."""

    files: Features
    new: Features
    similar: Similar


def mode_of(query: Query, changed: Sequence[str]) -> Mode:
    """The form of a question."""
    if changed:
        return "change_task" if query.title else "change"
    if not query.title:
        return "history"
    return "issue" if len(query.body.strip()) >= LONG_BODY else "task"


def evidence(snapshot: Snapshot, query: Query, mode: Mode, changed: Sequence[str]) -> Evidence:
    """All that speaks for each candidate in this form of a question."""
    found = features.of_history(snapshot) | features.of_kinds(snapshot)
    similar = Similar.none(snapshot)
    if mode in ("task", "issue", "change_task"):
        by_text, similar = features.of_text(snapshot, query)
        found |= by_text
    if mode in ("change", "change_task"):
        found |= features.of_companions(snapshot, changed)
    if mode == "history":
        found |= features.of_last(snapshot)
    return Evidence(found, features.of_new_files(snapshot, query, similar), similar)


def _counts(mode: Mode, found: ModeWeights) -> bool:
    """Whether these weights can be asked in this form of a question."""
    known = any(found.weights.get(name) for name in FEATURES[mode])
    return known and len(found.calibration) in (0, calibration.TERMS)


@functools.cache
def _shipped() -> RankerRecord:
    return read_ranker(SHIPPED)
