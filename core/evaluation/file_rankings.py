"""How well files are ranked: past commits as questions, beside what simple rules would have answered."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.calibration import calibration
from core.evaluation.comparisons import comparison
from core.history.messages import is_bot
from core.prediction.answer import ranking_as_dict
from core.ranking import features
from core.ranking.examples import Case
from core.ranking.history import Floats
from core.ranking.ranker import Ranker
from core.ranking.snapshot import Snapshot
from core.ranking.terms import number, words
from core.records.evaluation import FREQUENCY, RECENCY
from core.records.rankings import (
    DECAYED,
    FORMS,
    RANKER,
    SIMILAR,
    Comparison,
    Fact,
    Form,
    FormTable,
    RankedExample,
    RankingEvaluation,
)
from core.text.redaction import Redactor

_REDACTOR = Redactor()
DEPTH = 10
"""Answers that are looked through for a right one, and whose probabilities are judged."""
HITS = (1, 5)
HALF_LIFE = 400
"""Of the frequency that the log-loss is compared with, in commits."""
PRIOR = 0.1
"""Changes that every file is given there, so that none is impossible."""
_BUMP = re.compile(
    r"\b(?:bump|release|version|upgrade|update)(?:s|d|ed|ing)?\b.*\d\.\d|^v?\d+\.\d|\bbump\b", re.IGNORECASE
)
_ALIKE = 0.8
"""Share of words that two titles have in common (Jaccard) from which on one repeats the other."""


@dataclass(frozen=True)
class Result:
    """One question about a past commit."""

    form: Form
    commit: str
    places: dict[str, int]
    """By who answers: how many files stand before the best right one."""
    answers: list[tuple[float, bool]]
    """Probability of each of our first answers, and whether it is right."""
    loss: dict[str, float]
    """Mean of -ln of the shares of the right files, by who answers: ours, and frequency with a half-life."""
    seconds: float
    """Of CPU."""
    routine: str
    """Why the commit flatters; "" where it does not."""


def results(snapshot: Snapshot, case: Case, ranker: Ranker) -> Iterator[Result]:
    """A commit in every form that has an answer among the files of its parent, which `snapshot` is."""
    why = routine(snapshot, case)
    hidden = case.forgotten()
    questions: list[tuple[Form, str, list[str], frozenset[str]]] = [
        ("text", case.title, [], case.changed),
        ("masked", case.masked(), [], case.changed),
        ("history", "", [], case.changed),
    ]
    if hidden:
        questions.append(("forgotten", "", hidden[1], frozenset(hidden[:1])))
    for form, task, given, right in questions:
        true = np.array([path in right for path in snapshot.paths], np.bool_)
        if not true.any() or (form in ("text", "masked") and not task.strip()):
            continue
        started = time.process_time()
        scores = ranker.scores(snapshot, task, given)
        found = ranker.best(snapshot, scores, DEPTH)
        seconds = time.process_time() - started
        answers = [(file.probability, file.name in right) for file in found.files]
        place = next((place for place, (_, hit) in enumerate(answers) if hit), DEPTH)
        places = {RANKER: place, **_of_baselines(snapshot, task, true, scores.allowed)}
        loss = {RANKER: _loss(scores.shares, true), DECAYED: _loss(_decayed(snapshot, scores.allowed), true)}
        yield Result(form, case.hash, places, answers, loss, seconds, why)


def _loss(shares: Floats, true: NDArray[np.bool_]) -> float:
    return float(-np.log(np.maximum(shares[true], 1e-12)).mean())


def _decayed(snapshot: Snapshot, allowed: NDArray[np.bool_]) -> Floats:
    """Shares by how often a file changed, newer commits counting more, none of them without any."""
    ages = snapshot.past.ages[snapshot.past.change_commits]
    counts = (snapshot.by_file(0.5 ** (ages / HALF_LIFE)) + PRIOR) * allowed
    return counts / counts.sum()


def _of_baselines(snapshot: Snapshot, task: str, true: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> dict[str, int]:
    """Places that recency, frequency and, with a text, similar messages alone would give the best right file."""
    often = snapshot.by_file(np.ones(len(snapshot.past.changes)))

    def place(scores: Floats) -> int:
        order = np.lexsort((-often, -scores))
        return int(np.argmax(true[order[allowed[order]]]))

    places = {RECENCY: place(-snapshot.last_ages), FREQUENCY: place(often)}
    if task:
        places[SIMILAR] = place(features.of_similar(snapshot, task))
    return places


def routine(snapshot: Snapshot, case: Case) -> str:
    """Why a commit is easier than a task: a bot made it, it moves a version, or its title was there before."""
    if is_bot(case.author, ""):
        return "bots"
    if _BUMP.search(case.title):
        return "version bumps"
    return "near-repeats" if _repeats(snapshot, case.title) else ""


def _repeats(snapshot: Snapshot, title: str) -> bool:
    wanted = np.unique(np.array([number(word) for word in words(title)], np.uint32))
    titles = snapshot.titles
    if not len(wanted) or not len(snapshot.past):
        return False
    common = np.bincount(titles.rows, np.isin(titles.terms, wanted), len(snapshot.past))
    either = np.bincount(titles.rows, minlength=len(snapshot.past)) + len(wanted) - common
    return bool((common / np.maximum(either, 1)).max() >= _ALIKE)


def evaluation(
    found: Sequence[Result],
    examples: list[RankedExample],
    facts: Mapping[Fact, Comparison] | None = None,
    *,
    samples: int,
    seed: int,
) -> RankingEvaluation:
    """Tables of all results, and of those that do not flatter."""
    return RankingEvaluation(
        repository="",
        commits=len({one.commit for one in found}),
        forms=tables(found, samples=samples, seed=seed),
        plain=tables([one for one in found if not one.routine], samples=samples, seed=seed),
        facts=dict(facts or {}),
        routine=routine_commits(found),
        examples=examples,
    )


def tables(found: Sequence[Result], *, samples: int, seed: int) -> dict[str, FormTable]:
    """A table of each form that was asked."""
    by_form = {form: [one for one in found if one.form == form] for form in FORMS}
    return {form: _table(some, samples, seed) for form, some in by_form.items() if some}


def _table(found: Sequence[Result], samples: int, seed: int) -> FormTable:
    compared = comparison([one.places for one in found], HITS, samples=samples, seed=seed)
    return FormTable(
        questions=compared.questions,
        accuracy=compared.accuracy,
        differences=compared.differences,
        calibration_error=calibration([pair for one in found for pair in one.answers]).expected_calibration_error,
        log_loss={name: float(np.mean([one.loss[name] for one in found])) for name in found[0].loss},
        milliseconds=float(np.median([one.seconds for one in found])) * 1000,
    )


def routine_commits(found: Iterable[Result]) -> dict[str, int]:
    """How many commits of each kind flatter."""
    return dict(Counter({one.commit: one.routine for one in found if one.routine}.values()))


def example(snapshot: Snapshot, case: Case, ranker: Ranker) -> RankedExample:
    """A commit with the answer to its title."""
    ranking = ranking_as_dict(ranker.rank(snapshot, case.title))
    truth = [*sorted(case.changed), *(f"{folder}/*".lstrip("/") + " (new)" for folder in sorted(case.added_to))]
    return RankedExample(commit=case.hash, title=_REDACTOR.masked(case.title), files=ranking["files"], truth=truth)
