"""Who makes the next commit: an author of the past, or somebody new.

A conditional logit over all authors. `r` is how much of the recent history is theirs, `s` whether commits with a
similar title are, `f` whether changes of the predicted files are, `b` what programs write, `n` somebody new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from core.ranking.facts import Ranked, decayed_shares, ordered
from core.ranking.features import Features, Similar, share
from core.ranking.history import Floats, Ints, Past
from core.ranking.snapshot import Snapshot

NEW = ""
"""The name that stands for somebody who has made no commit yet."""
HALF_LIVES = (3, 10, 50, 200, 1000)
"""In commits."""
FILE_HALF_LIFE = 10
"""In changes of a file."""
MAX_FILES = 5
NEW_COMMITS = 100
"""Recent commits among which first ones are counted."""
FOUNDING_COMMITS = 200
"""At the start of a history, at most half of it: there everybody is new, which says nothing of today."""
_BOT = re.compile(r"\[bot\]|\bbot\b|dependabot|renovate|pre-commit|greenkeeper|github.actions", re.IGNORECASE)
_BOT_TITLE = re.compile(
    r"^(?:\[pre-commit|(?:build|chore|ci|deps?)(?:\(deps[^)]*\))?!?: *(?:bump|update)\b|bump \S+ from )", re.IGNORECASE
)
_HISTORY = (*(f"r_{life}" for life in HALF_LIVES), "r_last", "r_run", "r_before", "r_age", "r_count", "n_new", "n_rate")
_FILES = ("f_share", "f_last", "f_most")
_TEXT = ("s_share", "s_best", "s_first", "n_similar", "b_fits", "b_unlike")
FEATURES = (*_HISTORY, *_FILES, *_TEXT)
FREE = frozenset((*_HISTORY, "n_similar", "b_unlike"))
"""Features that may speak against an author, too."""


def candidates(past: Past) -> tuple[list[str], Ints]:
    """(names, of each commit the number of its author); the last name is NEW."""
    numbers, authors = np.unique(past.commits.authors[past.order], return_inverse=True)
    return [*(past.commits.author_names[number] for number in numbers.tolist()), NEW], authors.astype(np.int32)


def features(snapshot: Snapshot, title: str, similar: Similar, files: Mapping[str, float]) -> Features:
    """What speaks for each candidate. `files` are predicted ones with their shares."""
    past = snapshot.past
    names, authors = candidates(past)
    first = _first(authors)
    found = _history(past, authors, first, len(names))
    found |= _files(snapshot, authors, files, len(names))
    found |= _text(names, authors, first, title, similar)
    return found


def rank(snapshot: Snapshot, title: str, similar: Similar, files: Mapping[str, float], *, top: int = 5) -> list[Ranked]:
    """The likeliest authors of the next commit. Somebody new has the name NEW.

    [] without a history, and without a title: then nothing was better than to name the last author.
    """
    past = snapshot.past
    if not len(past) or not title:
        return []
    names, authors = candidates(past)
    best = ordered("author", features(snapshot, title, similar, files))[:top]
    return [Ranked(names[place], share_, _reason(place, names, authors, similar)) for place, share_ in best]


def _reason(place: int, names: Sequence[str], authors: Ints, similar: Similar) -> str:
    if names[place] == NEW:
        first = int(_first(authors)[-NEW_COMMITS:].sum())
        return f"{first} of the last {min(len(authors), NEW_COMMITS)} commits were the first of their author"
    recent = int((authors[-NEW_COMMITS:] == place).sum())
    text = f"made {recent} of the last {min(len(authors), NEW_COMMITS)} commits"
    alike = similar.best(5)
    theirs = int((authors[alike] == place).sum()) if alike else 0
    return f"{text} and {theirs} of the {len(alike)} with the most similar titles" if theirs else text


def _first(authors: Ints) -> Floats:
    """Of each commit, 1 where it is its author's first, once the project has begun."""
    first = np.zeros(len(authors))
    first[np.unique(authors, return_index=True)[1]] = 1
    first[: min(len(authors) // 2, FOUNDING_COMMITS)] = 0
    return first


def _history(past: Past, authors: Ints, first: Floats, count: int) -> Features:
    found: Features = {
        f"r_{life}": share(decayed_shares(authors, 0.5 ** (past.ages / life), count)) for life in HALF_LIVES
    }
    last = np.full(count, -1, np.int64)
    last[authors] = np.arange(len(authors))
    other = np.flatnonzero(authors != authors[-1])
    before = authors[other[-1]] if len(other) else -1
    run = len(authors) - 1 - (int(other[-1]) if len(other) else -1)
    is_new = np.arange(count) == count - 1
    found["r_last"] = (np.arange(count) == authors[-1]).astype(float)
    found["r_run"] = found["r_last"] * np.log(run)
    found["r_before"] = (np.arange(count) == before).astype(float)
    found["r_age"] = np.where(is_new, 0.0, 7 - np.log1p(len(authors) - 1.0 - last).clip(0, 7))
    found["r_count"] = np.log1p(np.bincount(authors, minlength=count))
    found["n_new"] = is_new.astype(float)
    found["n_rate"] = is_new * share(np.array([first[-NEW_COMMITS:].mean()]))[0]
    return found


def _files(snapshot: Snapshot, authors: Ints, files: Mapping[str, float], count: int) -> Features:
    past = snapshot.past
    parts, lasts = np.zeros(count), np.zeros(count)
    total = 0.0
    for path, weight in list(files.items())[:MAX_FILES]:
        if (number := past.commits.path_numbers.get(path)) is None:
            continue
        changers = authors[past.change_commits[past.files == past.same[number]]]
        if len(changers):
            ages = np.arange(len(changers) - 1, -1, -1)
            parts += weight * decayed_shares(changers, 0.5 ** (ages / FILE_HALF_LIFE), count)
            lasts[changers[-1]] += weight
            total += weight
    most = np.zeros(count)
    if total:
        most[int(np.argmax(parts))] = 1
    return {"f_share": share(parts / max(total, 1e-12)), "f_last": lasts / max(total, 1e-12), "f_most": most}


def _text(names: Sequence[str], authors: Ints, first: Floats, title: str, similar: Similar) -> Features:
    count = len(names)
    weights = similar.weights
    total = max(float(weights.sum()), 1e-12)
    best, most = np.zeros(count), np.zeros(count)
    np.maximum.at(best, authors, similar.alike)
    if weights.any():
        most[authors[int(np.argmax(weights))]] = 1
    bots = np.array([bool(_BOT.search(name)) for name in names], np.float64)
    automatic = bool(_BOT_TITLE.search(title))
    return {
        "s_share": share(np.bincount(authors, weights, count) / total),
        "s_best": best,
        "s_first": most,
        "n_similar": (np.arange(count) == count - 1) * share(np.array([(weights * first).sum() / total]))[0],
        "b_fits": bots * automatic,
        "b_unlike": bots * (not automatic),
    }
