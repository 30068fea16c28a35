"""Why a file is among the answers, in words that can be checked: the evidence that decided, with commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from core.ranking import paths as of_path
from core.ranking.features import Similar
from core.ranking.history import Floats
from core.ranking.matching import Documents
from core.ranking.query import Query
from core.ranking.snapshot import Snapshot
from core.ranking.terms import IDENTIFIER, Terms, number, parts
from core.text.redaction import Redactor

MAX_REASONS = 3
_REDACTOR = Redactor()
_TITLE_CHARACTERS = 60
_COMMON = 0.4
"""Of the files that have a text: a word that more of them hold is no reason."""
_FILLERS = frozenset(
    {"them", "giv", "give", "fix", "add", "make", "mak", "use", "us", "when", "same", "also", "all", "one"}
)
"""Stems that say nothing of a file, though few files may hold them."""
_LEAST = 0.05
"""Of a weighted sum, over the average candidate, that a reason must bring."""


@dataclass(frozen=True)
class Reason:
    """A sentence, and the commits that it speaks of."""

    text: str
    commits: list[str] = field(default_factory=list)


class Reasons:
    """Explains answers to one question; `weighted` holds each feature, times its weight, of all candidates."""

    def __init__(
        self,
        snapshot: Snapshot,
        query: Query,
        similar: Similar,
        changed: Sequence[str],
        weighted: Mapping[str, Floats],
    ) -> None:
        self._snapshot, self._query, self._similar = snapshot, query, similar
        self._changed = [path for path in changed if path in snapshot.past.commits.path_numbers]
        self._weighted = weighted

    def of(self, place: int) -> list[Reason]:
        """What speaks most for a file, at most three reasons."""
        gains: dict[str, float] = {}
        for name, values in self._weighted.items():
            gains[name[0]] = gains.get(name[0], 0.0) + float(values[place] - values.mean())
        say = {
            "m": self._messages,
            "x": self._companions,
            "c": self._words,
            "i": self._words,
            "d": self._definitions,
            "p": self._path,
            "q": self._quoted,
            "t": self._frames,
            "a": self._activity,
            "l": self._activity,
        }
        found: dict[str, Reason] = {}
        for family, gain in sorted(gains.items(), key=lambda item: -item[1]):
            if gain < _LEAST or len(found) == MAX_REASONS:
                break
            if family in say and (reason := say[family](place)):
                found.setdefault(reason.text, reason)
        return list(found.values())

    def of_folder(self, folder: str) -> list[Reason]:
        """Why a file may be added to a folder."""
        commits, folders = self._snapshot.additions
        here = commits[folders == self._snapshot.folder_names.index(folder)]
        if not len(here):
            return []
        recent = sorted(set(here.tolist()), reverse=True)[:3]
        added = f"{len(here):,} files were added there, the last one {_ago(self._snapshot.past.ages[recent[0]])}"
        return [Reason(added, [self._hash(place) for place in recent])]

    def usual_ending(self, folder: str) -> str:
        """The commonest ending in a folder, "" for none."""
        endings = [of_path.ending(path) for path in self._snapshot.paths if of_path.folder(path) == folder]
        return Counter(endings).most_common(1)[0][0]

    def _messages(self, place: int) -> Reason | None:
        best = self._best_similar
        mine = [commit for commit in best if self._changes(commit, place)]
        if not mine:
            return None
        shown = ", ".join(f"{self._hash(commit)[:8]} “{self._title(commit)}”" for commit in mine[:2])
        return Reason(f"{len(mine)} of the {len(best)} most similar tasks changed it: {shown}", self._hashes(mine))

    def _companions(self, place: int) -> Reason | None:
        past, file = self._snapshot.past, self._snapshot.files[place]
        with_file = set(past.change_commits[past.files == file].tolist()) if file >= 0 else set()
        best: tuple[float, str, list[int], int] | None = None
        for path in self._changed:
            one = past.same[past.commits.path_numbers[path]]
            theirs = past.change_commits[past.files == one]
            both = [commit for commit in theirs.tolist() if commit in with_file]
            if both and (best is None or len(both) / len(theirs) > best[0]):
                best = len(both) / len(theirs), path, both, len(theirs)
        if best:
            _, path, both, all_of_them = best
            return Reason(
                f"changed in {len(both):,} of the {all_of_them:,} commits that changed {path}", self._hashes(both[::-1])
            )
        subject = of_path.subject(self._snapshot.paths[place])
        same = [path for path in self._changed if of_path.subject(path) == subject]
        return Reason(f"its name goes with {same[0]}") if same else None

    def _words(self, place: int) -> Reason | None:
        text = self._snapshot.texts[place]
        held = _rarest(self._snapshot.words, self._spelled, text.words)
        return Reason(f"its text has {_listed(held)}") if held else None

    def _definitions(self, place: int) -> Reason | None:
        text = self._snapshot.texts[place]
        names = {name: name for name in IDENTIFIER.findall(_REDACTOR.around(self._query.text)) if len(name) > 2}
        held = _rarest(self._snapshot.definitions, names, text.defined)
        if held:
            return Reason(f"it defines {_listed(held)}")
        held = _rarest(self._snapshot.defined_words, self._spelled, text.defined_words)
        return Reason(f"what it defines is named after {_listed(held)}") if held else None

    def _path(self, place: int) -> Reason | None:
        mine = of_path.path_words(self._snapshot.paths[place])
        held = list(dict.fromkeys(self._spelled[part] for part in mine if part in self._spelled))
        return Reason(f"its path has {_listed(held[:3])}") if held else None

    def _quoted(self, place: int) -> Reason | None:
        name = self._snapshot.paths[place].rpartition("/")[2]
        return Reason(f"the task names {name}") if any(path.endswith(name) for path in self._query.paths) else None

    def _frames(self, place: int) -> Reason | None:
        name = self._snapshot.paths[place].rpartition("/")[2]
        frames = [path for path in self._query.frames if path.endswith(name)]
        return Reason("the traceback goes through it") if frames else None

    def _activity(self, place: int) -> Reason | None:
        past, file = self._snapshot.past, self._snapshot.files[place]
        commits = np.unique(past.change_commits[past.files == file]) if file >= 0 else np.empty(0, np.int64)
        if not len(commits):
            return None
        recent = [commit for commit in commits.tolist() if commit >= len(past) - 100]
        last = _ago(past.ages[commits[-1]])
        text = (
            f"changed in {len(recent)} of the last {min(len(past), 100)} commits, {last}"
            if recent
            else f"changed {last}"
        )
        return Reason(text, self._hashes(commits[::-1].tolist()))

    @cached_property
    def _spelled(self) -> dict[str, str]:
        """How the task spells each stem first."""
        found: dict[str, str] = {}
        for name in IDENTIFIER.findall(_REDACTOR.around(f"{self._query.title}\n{self._query.body}")):
            for part in parts(name):
                if part not in _FILLERS:
                    found.setdefault(part, name)
        return found

    @cached_property
    def _best_similar(self) -> list[int]:
        return self._similar.best(5)

    def _changes(self, commit: int, place: int) -> bool:
        past = self._snapshot.past
        start, end = np.searchsorted(past.change_commits, [commit, commit + 1])
        return bool((past.files[start:end] == self._snapshot.files[place]).any())

    def _hash(self, commit: int) -> str:
        past = self._snapshot.past
        hash_: str = past.commits.hashes[past.order[commit]]
        return hash_

    def _hashes(self, commits: Sequence[int]) -> list[str]:
        return [self._hash(commit) for commit in commits[:3]]

    def _title(self, commit: int) -> str:
        past = self._snapshot.past
        title = _REDACTOR.masked(past.commits.titles[past.order[commit]])
        return title if len(title) <= _TITLE_CHARACTERS else f"{title[: _TITLE_CHARACTERS - 1]}…"


def _rarest(documents: Documents, spelled: Mapping[str, str], held: Terms) -> list[str]:
    """Of the texts that a document holds, the three that fewest others hold, as spelled. Common ones are left out."""
    mine = set(held.tolist())
    here = {number(text): text for text in spelled if number(text) in mine}
    found = documents.find(here.values())
    holding = np.bincount(found.places, minlength=len(found.terms)).tolist()
    rarest = sorted(zip(holding, found.terms.tolist(), strict=True))
    telling = [term for count, term in rarest if count <= max(documents.filled * _COMMON, 1)]
    return list(dict.fromkeys(spelled[here[term]] for term in telling[:3]))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _ago(age: float) -> str:
    commits = int(age)
    return "in the last commit" if commits == 0 else f"{commits:,} commit{'s' * (commits > 1)} ago"
