"""The patterns of a patterns.jsonl as they are searched: an inverted index in one SQLite file of the cache folder.

It is made again when the file is another. A search reads the postings of its own terms and the lines of the few
patterns that it shows, however many there are.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType

import msgspec
import numpy as np

from core.ranking.history import Floats, Ints
from core.ranking.matching import Documents
from core.ranking.terms import Counts, Terms
from core.records.lines import check_version, decode
from core.records.patterns import Pattern
from index.database import Database, checked, with_checksum
from patterns.questions import terms_of

VERSION = 1
"""Of what the file holds; raise it with any change of terms."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS postings (term INTEGER PRIMARY KEY, data BLOB NOT NULL);
"""
_AT_ONCE = 500
"""Terms in one statement."""
MOST_TERMS = 2_000
"""Of a question: those that it has most often."""
_PATTERN = msgspec.json.Decoder(Pattern)
ADDITION, WITH_TEST, STANDS = 1, 2, 4
"""Facts of a pattern that a search can ask for, as bits."""
_POSTING = np.dtype([("row", np.uint32), ("count", np.float32)])


@dataclass(frozen=True, kw_only=True)
class _Postings(Documents):
    """Of all documents only the terms that were asked for."""

    every_length: Floats

    @cached_property
    def lengths(self) -> Floats:
        """Terms of each document, also those that were not asked for."""
        return self.every_length


class PatternIndex:
    """The patterns of `path`. May be used by one thread at a time; several processes may share its file."""

    def __init__(self, path: Path, cache_dir: Path) -> None:
        """Open the index in `cache_dir`, or make it.

        Raises UserError where `path` cannot be read, StageError where the index cannot be written.
        """
        self.path = path
        name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
        self._database = Database(cache_dir / "patterns" / f"{name}.db", VERSION, _SCHEMA)
        status = path.stat()
        stamp = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}".encode()
        try:
            if self._state("stamp") != stamp:
                self._fill(stamp)
            with self._database.problems():
                self._offsets = np.frombuffer(checked(self._state("offsets")), np.int64)
                self._lengths = np.frombuffer(checked(self._state("lengths")), np.float32).astype(np.float64)
                self.facts = np.frombuffer(checked(self._state("facts")), np.uint8)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> PatternIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._lengths)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def scores(self, question: Counter[int]) -> tuple[Floats, float]:
        """(BM25 of every pattern, what a pattern with every term of the question would have)."""
        asked = dict(question.most_common(MOST_TERMS))
        found = self._postings(asked).find_terms(np.fromiter(asked, np.uint32, len(asked)))
        weights = found.asked_terms(asked)
        return found.weighted(weights), float((weights * found.shares).sum())

    def patterns(self, rows: Iterable[int]) -> list[Pattern]:
        """Some patterns, by their place in the file."""
        found = []
        with self.path.open("rb") as file:
            for row in rows:
                file.seek(int(self._offsets[row]))
                found.append(decode(_PATTERN, file.readline(), self.path, row + 1))
        return found

    def _postings(self, terms: Iterable[int]) -> _Postings:
        wanted = sorted(terms)
        rows, counts, of = [np.empty(0, np.uint32)], [np.empty(0, np.float32)], [np.empty(0, np.uint32)]
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            with self._database.problems():
                line = f"SELECT term, data FROM postings WHERE term IN ({marks})"  # noqa: S608 - question marks alone
                for term, data in self._database.execute(line, some):
                    posting = np.frombuffer(checked(data), _POSTING)
                    rows.append(posting["row"])
                    counts.append(posting["count"])
                    of.append(np.full(len(posting), term, np.uint32))
        joined: Ints = np.concatenate(rows).astype(np.int32)
        every = joined, np.concatenate(of), np.concatenate(counts), len(self)
        return _Postings(*every, every_length=self._lengths)

    def _state(self, name: str) -> bytes:
        with self._database.problems():
            row = self._database.execute("SELECT value FROM state WHERE name = ?", [name]).fetchone()
        return row[0] if row else b""

    def _fill(self, stamp: bytes) -> None:
        """Read the file, and keep what a search needs of it."""
        read = _Read.of(self.path)
        state = {"stamp": stamp, "offsets": read.offsets, "lengths": read.lengths, "facts": read.facts}
        with self._database.writing():
            self._database.execute("DELETE FROM postings")
            self._database.executemany("INSERT INTO postings VALUES (?, ?)", read.postings())
            rows = [(name, data if name == "stamp" else with_checksum(data)) for name, data in state.items()]
            self._database.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", rows)
        self._database.settle()


@dataclass(frozen=True)
class _Read:
    """A patterns.jsonl as the index keeps it."""

    offsets: bytes
    lengths: bytes
    facts: bytes
    _rows: Terms
    _terms: Terms
    _counts: Counts

    @classmethod
    def of(cls, path: Path) -> _Read:
        """Read a file. Raises UserError on a broken line or another version."""
        offsets, facts, at = array("q"), array("B"), 0
        rows, terms, counts = array("I"), array("I"), array("f")
        lengths = array("f")
        with path.open("rb") as file:
            for number, line in enumerate(file):
                if number == 0:
                    check_version(path, line, "pattern_miner")
                pattern = decode(_PATTERN, line, path, number + 1)
                found = terms_of(texts_of(pattern))
                rows.extend([number] * len(found))
                terms.extend(found)
                counts.extend(found.values())
                lengths.append(found.total())
                offsets.append(at)
                facts.append(facts_of(pattern))
                at += len(line)
        numbers = np.array(rows, np.uint32), np.array(terms, np.uint32)
        return cls(offsets.tobytes(), lengths.tobytes(), facts.tobytes(), *numbers, np.array(counts, np.float32))

    def postings(self) -> Iterator[tuple[int, bytes]]:
        """(term, where it is and how often) of each term."""
        order = np.argsort(self._terms, kind="stable")
        terms, starts = np.unique(self._terms[order], return_index=True)
        found = np.empty(len(order), _POSTING)
        found["row"], found["count"] = self._rows[order], self._counts[order]
        ends = np.append(starts, len(order))[1:]
        for term, start, end in zip(terms.tolist(), starts.tolist(), ends.tolist(), strict=True):
            yield term, with_checksum(found[start:end].tobytes())


def texts_of(pattern: Pattern) -> tuple[str, ...]:
    """What a pattern is found by: what was there before it, and what was said of it."""
    return pattern.before_code, pattern.file_path, pattern.symbol, subject(pattern)


def subject(pattern: Pattern) -> str:
    """The first line of its commit's message."""
    return pattern.commit_msg.partition("\n")[0]


def stands(pattern: Pattern) -> bool:
    """Most of what it added is there still."""
    return pattern.survival is not None and not pattern.survival.ended_by and pattern.survival.alive > 0


def facts_of(pattern: Pattern) -> int:
    """The bits of a pattern."""
    return (
        ADDITION * (pattern.problem_type == "feature_addition")
        + WITH_TEST * pattern.with_test
        + STANDS * stands(pattern)
    )
