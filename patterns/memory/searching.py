"""Past changes of the team that are like what somebody is about to do: BM25 over their before sides and what was said.

An index of each team is kept in memory and brought up to date by what has changed since it was last asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.ranking.matching import Documents, Found
from core.ranking.terms import Counts, Terms, counted, number, words
from patterns.memory.team_memory import Team

MOST_TEAMS = 20
"""Indexes kept in memory."""
FLOOR = 0.2
"""Of the score that a pattern with every word of the question would have; below it, nothing applies.

Of 125 later fixes of starlette, click, httpx and flask 8 had no better match. How good the match was did not say which
fix got a name that it needed (1 of these 8, 13 of the others), so a higher floor would hide what helps as often.
"""
NEAR = 0.5
"""Of the best one's score; votes order what comes near to it, and nothing else is shown.

Of the 14 fixes that got a name from the best five, 12 get one from those that are near, and 9 at 0.8; what is shown is
right no more often then.
"""
MOST_NEAR = 100
"""That votes may put in order."""
_TEXTS = "code_before", "symbol", "file_path", "commit_msg"


class Asked(NamedTuple):
    """What somebody is about to do; any part may be empty."""

    code: str = ""
    diff: str = ""
    error: str = ""
    task: str = ""
    path: str = ""
    k: int = 5

    @property
    def words(self) -> list[str]:
        """All of it, of a diff the lines as they stood."""
        before = (line[1:] for line in self.diff.splitlines() if line[:1] in "- " and not line.startswith("---"))
        return words("\n".join((self.code, *before, self.error, self.task, self.path)))


class Search:
    """Searches the patterns of any team that asks."""

    def __init__(self) -> None:
        self._indexes: OrderedDict[str, _Index] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, team: Team, asked: Asked) -> dict[str, Any]:
        """`similar` past changes, at most `k`, each with its match (0 to 1), or the reason why there are none."""
        found, seq = self._index(team).find(team, asked)
        rows = team.reading.some(one.id for one in found)
        similar = [
            {**row, "match": round(one.match, 3)}
            for one in found
            if (row := rows.get(one.id)) and not row["deleted_at"]
        ]
        conventions = team.reading.conventions(asked.path, asked.k) if asked.path else []
        return {
            "templates": conventions,
            "similar": similar,
            "floor": FLOOR,
            "reason": "" if similar or conventions else "nothing applies",
            "seq": seq,
        }

    def _index(self, team: Team) -> _Index:
        with self._lock:
            found = self._indexes.pop(team.identity.team_id, None) or _Index()
            self._indexes[team.identity.team_id] = found
            if len(self._indexes) > MOST_TEAMS:
                self._indexes.popitem(last=False)
            return found


class Postings:
    """Where each term stands in some documents, so that a question passes over its own terms alone."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._places = np.argsort(documents.terms, kind="stable")
        self._terms = documents.terms[self._places]

    def find(self, texts: Iterable[str]) -> Found:
        """The same as `Documents.find`."""
        terms = np.unique(np.fromiter(map(number, texts), np.uint32))
        starts, ends = (np.searchsorted(self._terms, terms, side=side) for side in ("left", "right"))
        hits = [self._places[start:end] for start, end in zip(starts, ends, strict=True)]
        return Found(self._documents, terms, np.concatenate(hits), np.repeat(np.arange(len(terms)), ends - starts))

    def matches(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """Of the score that a document with every word would have, what each document has: about 0 to 1."""
        found = self.find(texts)
        return np.asarray(found.all_scores() / max(float(found.shares.sum()), 1e-9), dtype=np.float64)


def document_of(row: Mapping[str, Any]) -> tuple[Terms, Counts]:
    """What a pattern is found by."""
    return counted(words("\n".join(row[name] for name in _TEXTS)))


class Near(NamedTuple):
    """A pattern that matches a question, from 0 to 1."""

    id: str
    match: float


class _Index:
    """The words of one team's patterns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seq = 0
        self._documents: dict[str, tuple[Terms, Counts]] = {}
        self._votes: dict[str, tuple[float, float, int]] = {}
        self._built: tuple[list[str], Postings] = [], Postings(Documents.of([]))

    def find(self, team: Team, asked: Asked) -> tuple[list[Near], int]:
        """The patterns near to the best match, the most helpful first; and up to which change all are known."""
        with self._lock:
            self._update(team)
            (ids, postings), seq, votes = self._built, self._seq, self._votes
        terms = asked.words
        if not ids or not terms:
            return [], seq
        scores = postings.matches(terms)
        best = float(scores.max(initial=0))
        if best < FLOOR:
            return [], seq
        places = np.flatnonzero(scores >= max(FLOOR, NEAR * best))
        places = places[np.argsort(-scores[places], kind="stable")][:MOST_NEAR]
        near = [Near(ids[at], min(float(scores[at]), 1.0)) for at in places]
        near.sort(key=lambda one: (-one.match * votes[one.id][0], *(-value for value in votes[one.id][1:])))
        return near[: asked.k], seq

    def _update(self, team: Team) -> None:
        """Read what has changed."""
        changed = team.reading.texts(self._seq, (*_TEXTS, "score", "confidence"))
        if not changed:
            return
        self._votes = {**self._votes, **{row["id"]: (row["score"], row["confidence"], row["seq"]) for row in changed}}
        for row in changed:
            self._documents.pop(row["id"], None)
            if not row["deleted_at"]:
                self._documents[row["id"]] = document_of(row)
        self._seq = changed[-1]["seq"]
        self._built = list(self._documents), Postings(Documents.of(list(self._documents.values())))
