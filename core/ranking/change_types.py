"""What kind of change comes next: types of `core.code.change_types`, from those of past commits.

A conditional logit over all types. `h` is how often the recent history had them, `s` commits with a similar title,
`f` commits that changed the predicted files, `r` what these files are for, `w` what the title's words announce.
The types of past commits come from stage 2; without them nothing is ranked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from core.chunking.intents import intent_of
from core.code.change_types import CHANGE_TYPES
from core.code.languages import file_kind, is_manifest
from core.code.test_files import is_test_file
from core.ranking.facts import Ranked, ordered
from core.ranking.features import Features, Similar, share
from core.ranking.history import Floats, Past
from core.ranking.matching import normal
from core.ranking.snapshot import Snapshot

HALF_LIVES = (10, 50, 200, 1000)
"""In commits."""
FILE_HALF_LIFE = 10
"""In changes of a file."""
MAX_FILES = 5
Counts = Mapping[str, Mapping[str, int]]
"""Changes by type, by the commit's hash."""
_WORDS = {
    "w_new": (r"^(?:feat|add|implement|introduc|creat|support|initial|new)|\badd(?:s|ed|ing)?\b", "new_"),
    "w_deleted": (r"\b(?:remov|delet|drop|get rid)", "deleted_"),
    "w_rename": (r"\brenam", "rename"),
    "w_move": (r"\bmov(?:e|ed|es|ing)\b", "move"),
    "w_docs": (r"\b(?:docs?|documentation|docstrings?|typos?|readme|changelog|release|comments?)\b", "documentation"),
    "w_test": (r"\btests?\b", "_test"),
    "w_dependency": (r"\b(?:bump|deps?|dependenc\w*|upgrade|version|pin)\b", "dependency"),
    "w_configuration": (r"\b(?:ci|build|workflows?|actions?|config\w*|lint\w*|bump|release)\b", "configuration"),
    "w_format": (r"\b(?:format\w*|fmt|black|ruff|style|lint|whitespace|isort)\b", "formatting"),
}
"""Words of a title, and the type, or its beginning or end, that they announce."""
_INTENTS = {"fix": "bug_fix", "performance": "optimization", "restructuring": "refactor"}
_HISTORY = (*(f"h_{life}" for life in HALF_LIVES), "h_last")
_FILES = ("f_share", "r_documentation", "r_configuration", "r_dependency", "r_test", "r_code")
_TEXT = ("s_share", "s_best", "s_first", "w_intent", *_WORDS)
FEATURES = (*_HISTORY, *_FILES, *_TEXT)
FREE = frozenset(_HISTORY)
"""Features that may speak against a type, too."""
_ROLES = frozenset(("documentation", "configuration", "dependency", "other"))


def known(past: Past, counts: Counts) -> Floats:
    """Of each commit of the past, the parts of its changes by type, 0 where they are unknown; (commits, types)."""
    numbers = {name: number for number, name in enumerate(CHANGE_TYPES)}
    found = np.zeros((len(past), len(CHANGE_TYPES)))
    for place, commit in enumerate(past.order.tolist()):
        for name, count in counts.get(past.commits.hashes[commit], {}).items():
            if name in numbers:
                found[place, numbers[name]] = count
    return found / np.maximum(found.sum(axis=1, keepdims=True), 1)


def rank(
    snapshot: Snapshot, title: str, similar: Similar, files: Mapping[str, float], counts: Counts, *, top: int = 5
) -> list[Ranked]:
    """The likeliest change types.

    [] where those of past commits are unknown, and without a title: then nothing was better than the commonest type.
    """
    if not title or not counts:
        return []
    parts = known(snapshot.past, counts)
    if not parts.any():
        return []
    best = ordered("change_type", features(snapshot, title, similar, files, parts))[:top]
    return [Ranked(CHANGE_TYPES[place], share_, _reason(place, parts, similar)) for place, share_ in best]


def features(snapshot: Snapshot, title: str, similar: Similar, files: Mapping[str, float], parts: Floats) -> Features:
    """What speaks for each of CHANGE_TYPES. `parts` is `known`, `files` are predicted ones with their shares."""
    ages = snapshot.past.ages
    found: Features = {f"h_{life}": share(normal(0.5 ** (ages / life) @ parts)) for life in HALF_LIVES}
    found["h_last"] = parts[-1]
    found |= _files(snapshot, files, parts)
    return found | _text(title, similar, parts)


def _reason(place: int, parts: Floats, similar: Similar) -> str:
    recent = int((parts[-100:, place] > 0).sum())
    text = f"in {recent} of the last {min(len(parts), 100)} commits"
    alike = similar.best(5)
    times = int((parts[alike, place] > 0).sum()) if alike else 0
    return f"{text} and {times} of the {len(alike)} with the most similar titles" if times else text


def _files(snapshot: Snapshot, files: Mapping[str, float], parts: Floats) -> Features:
    past, types = snapshot.past, np.zeros(len(CHANGE_TYPES))
    roles = dict.fromkeys(("documentation", "configuration", "dependency", "test", "code"), 0.0)
    shown = list(files.items())[:MAX_FILES]
    for path, weight in shown:
        roles[_role(path)] += weight / max(sum(one for _, one in shown), 1e-12)
        if (number := past.commits.path_numbers.get(path)) is not None:
            commits = past.change_commits[past.files == past.same[number]]
            decayed = 0.5 ** (np.arange(len(commits) - 1, -1, -1) / FILE_HALF_LIFE) / past.sizes[commits]
            types += weight * normal(decayed @ parts[commits])
    return {"f_share": share(normal(types)), **{f"r_{role}": part * _fits(role) for role, part in roles.items()}}


def _role(path: str) -> str:
    if is_manifest(path):
        return "dependency"
    if is_test_file(path):
        return "test"
    kind = file_kind(path)
    return kind if kind in ("documentation", "configuration") else "code"


def _fits(role: str) -> Floats:
    if role == "code":
        fitting = [name not in _ROLES and not name.endswith("_test") for name in CHANGE_TYPES]
    else:
        fitting = [name.endswith("_test") if role == "test" else name == role for name in CHANGE_TYPES]
    return np.array(fitting, np.float64)


def _text(title: str, similar: Similar, parts: Floats) -> Features:
    best = similar.best(1)
    found: Features = {
        "s_share": share(similar.weights @ parts / max(float(similar.weights.sum()), 1e-12)),
        "s_best": (similar.alike[:, None] * parts).max(axis=0),
        "s_first": parts[best[0]] if best else np.zeros(len(CHANGE_TYPES)),
        "w_intent": np.array([name == _INTENTS.get(intent_of(title)) for name in CHANGE_TYPES], np.float64),
    }
    for feature, (pattern, type_) in _WORDS.items():
        fitting = [name.startswith(type_) or name.endswith(type_) for name in CHANGE_TYPES]
        found[feature] = np.array(fitting, np.float64) * bool(re.search(pattern, title, re.IGNORECASE))
    return found
