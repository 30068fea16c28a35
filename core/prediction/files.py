"""Asking which files go with a task or a change, of a repository as any of its commits knows it. Needs no model."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from core.errors import UserError
from core.git import refs, trees
from core.git.blobs import BlobReader
from core.git.names import is_path, is_url
from core.git.repositories import open_repository
from core.prediction.answer import Answer
from core.prediction.evidence import evidence_of
from core.prediction.facts import facts_of
from core.prediction.question import Question, is_pattern
from core.prediction.second_opinion import FILES, Opinion, SecondOpinion
from core.ranking import symbols
from core.ranking.contents import MAX_BYTES, Contents
from core.ranking.history import Commits, Past
from core.ranking.ranker import FileRanking, Ranker
from core.ranking.snapshot import Snapshot
from core.records.change_types import read_change_types

FETCH_EVERY_S = 60.0
MAX_SNAPSHOTS = 4
LEAST_FILES = 5
"""From which symbols and authors follow, however few are shown. Ten find 1 % more symbols, at twice the cost."""
MAX_PARSED = 500
"""Files whose symbols are kept for the next questions."""
MOST_COMPARED = 100_000_000
"""Characters of paths that the patterns of a question are compared with, each path once for each pattern.

In paths of usual length a character takes up to 30 nanoseconds."""


class Sources(Contents, Protocol):
    """What is known of a repository: its commits, and the texts of its blobs."""

    def commits(self, tip: str) -> Commits:
        """`tip` and its ancestors, perhaps among others."""

    def close(self) -> None:
        """Let go of files and processes."""


@dataclass(frozen=True)
class Draft:
    """A ranking as of a commit, before what else is known; `opinion` is what a model said of it."""

    commit: str
    ranking: FileRanking
    opinion: Opinion | None = None

    def reviewed(self, by: SecondOpinion, question: Question) -> Draft:
        """It in the order of a model, which is asked where the ranking is unsure and there is a task."""
        if not (self.ranking.unsure and self.ranking.files and question.task.strip()):
            return self
        ranking, opinion = by.on(question.task, self.ranking, question.changed)
        return replace(self, ranking=ranking, opinion=opinion)


@dataclass
class FileAsker:
    """A repository to ask about. What was read of a commit is kept for the next questions. For one thread at a time."""

    location: str
    cache_dir: Path
    open_sources: Callable[[Path, Path], Sources]
    """Gives the sources of the repository in a git folder; the second argument is the cache folder."""
    ranker_file: Path | None = None
    """Weights; by default those in `outputs` that were made for this repository, otherwise the shipped ones."""
    outputs: Path = Path("outputs")
    """Where the pipeline may have left ranker.json and change_types.json."""
    second_opinion: SecondOpinion | None = None
    """Asked about tasks whose ranking is unsure."""
    _ranker: Ranker | None = field(default=None, init=False)
    _sources: Sources | None = field(default=None, init=False)
    _git_dir: Path | None = field(default=None, init=False)
    _head: str = field(default="", init=False)
    _looked: float = field(default=0.0, init=False)
    _snapshots: dict[str, Snapshot] = field(default_factory=dict, init=False)
    _parsed: dict[tuple[str, str], list[symbols.Symbol]] = field(default_factory=dict, init=False)
    _counts: dict[str, dict[str, int]] | None = field(default=None, init=False)

    @property
    def git_dir(self) -> Path:
        """Where the repository is; one at a URL is cloned, or fetched where that was a minute ago."""
        if self._git_dir and not (is_url(self.location) and time.monotonic() - self._looked >= FETCH_EVERY_S):
            return self._git_dir
        self._git_dir = open_repository(self.location, self.cache_dir).git_dir
        self._looked = time.monotonic()
        return self._git_dir

    @property
    def sources(self) -> Sources:
        """What is known of it."""
        if self._sources is None:
            self._sources = self.open_sources(self.git_dir, self.cache_dir)
        return self._sources

    def commit(self, at: str = "") -> str:
        """The hash of a commit by any of its names; by default of the one that is checked out.

        Raises UserError where there is none.
        """
        if at in self._snapshots:  # the hash of an earlier question's
            return at
        if at:
            return trees.commit_named(self.git_dir, at)
        if not (head := refs.head(self.git_dir)):
            raise UserError(f"{self.location} has no commits to start from", "commit something first")
        return head

    def snapshot(self, commit: str) -> Snapshot:
        """The repository as a commit, named by its hash, knows it."""
        if commit in self._snapshots:
            self._snapshots[commit] = self._snapshots.pop(commit)  # the newest question's are last
        else:
            past = Past.of(self.sources.commits(commit), commit)
            while len(self._snapshots) >= MAX_SNAPSHOTS:
                del self._snapshots[next(iter(self._snapshots))]
            self._snapshots[commit] = Snapshot.of(past, trees.files_of(self.git_dir, commit), self.sources)
        return self._snapshots[commit]

    def close(self) -> None:
        """Let go of what was opened."""
        if self._sources is not None:
            self._sources.close()
            self._sources = None

    def rank(self, question: Question, at: str = "") -> FileRanking:
        """The files that a question asks for, as of a commit. Raises UserError where `files` matches none."""
        commit = self.commit(at)
        snapshot = self.snapshot(commit)
        chosen = set(chosen_paths(question.files, snapshot.paths)) if question.files else None
        return self.ranker(commit).rank(
            snapshot,
            question.task,
            question.changed,
            top=question.top,
            new_files=question.new_files and not question.files and not question.changed,
            wanted=chosen.__contains__ if chosen is not None else None,
        )

    def answer(self, question: Question, at: str = "") -> Answer:
        """The same with symbols, change types, authors and when. Raises UserError as `rank`."""
        draft = self.draft(question, at, FILES if self.second_opinion else 0)
        return self.finished(draft.reviewed(self.second_opinion, question) if self.second_opinion else draft, question)

    def draft(self, question: Question, at: str = "", files: int = 0) -> Draft:
        """The ranking alone, of so many files or more. Raises UserError as `rank`."""
        commit = self.commit(at)
        most = max(question.top, LEAST_FILES, files)
        return Draft(commit, self.rank(question.model_copy(update={"top": most}), commit))

    def finished(self, draft: Draft, question: Question) -> Answer:
        """It with everything else that is known."""
        snapshot, ranking = self.snapshot(draft.commit), draft.ranking
        ranking = replace(ranking, files=ranking.files[: max(question.top, LEAST_FILES)])
        wanted = [file.name for file in ranking.files if not file.new] if question.task.strip() else []
        parsed = self.parsed(snapshot, wanted[: symbols.MAX_FILES])
        facts = facts_of(snapshot, question.task, ranking, parsed, self._known_types(), question.top)
        shown = replace(ranking, files=ranking.files[: question.top])
        return Answer(draft.commit, shown, facts=facts, opinion=draft.opinion)

    def with_evidence(self, answer: Answer, question: Question) -> Answer:
        """The answer to a task with code to look at, where no sketch was made of it though one was wanted."""
        wanted = question.sketch_tokens and question.task.strip() and not question.changed
        if not wanted or answer.sketch or (answer.edit and answer.edit.diff):
            return answer
        snapshot = self.snapshot(answer.at)
        parsed = self.parsed(snapshot, list(dict.fromkeys(symbol.path for symbol in answer.facts.symbols[:1])))
        repository = open_repository(str(self.git_dir), self.cache_dir)
        found = evidence_of(
            repository, self.cache_dir, snapshot, question.task, answer.ranking, answer.facts.symbols, parsed
        )
        return replace(answer, evidence=found)

    def parsed(self, snapshot: Snapshot, paths: Sequence[str]) -> dict[str, list[symbols.Symbol]]:
        """The symbols of files by path, as a snapshot has them."""
        places = {path: place for place, path in enumerate(snapshot.paths)}
        keys = [(path, snapshot.blobs[places[path]]) for path in paths if path in places]
        if new := [key for key in keys if key not in self._parsed]:
            with BlobReader(self.git_dir) as reader:
                contents = list(reader.read_many([blob for _, blob in new], MAX_BYTES))
            if len(self._parsed) + len(new) > MAX_PARSED:
                self._parsed = {key: self._parsed[key] for key in keys if key in self._parsed}
            self._parsed |= {key: symbols.read(key[0], data) for key, data in zip(new, contents, strict=True)}
        return {key[0]: self._parsed[key] for key in keys}

    def _known_types(self) -> dict[str, dict[str, int]]:
        if self._counts is None:
            file = self.outputs / "change_types.json"
            self._counts = read_change_types(file).commits if file.is_file() else {}
        return self._counts

    def ranker(self, commit: str) -> Ranker:
        """The weights to ask. Raises UserError where a file of them is damaged."""
        if self._ranker is None:
            self._ranker = (
                Ranker.read(self.ranker_file)
                if self.ranker_file
                else Ranker.of(self.sources.commits(commit).first(commit), self.outputs)
            )
        return self._ranker


def chosen_paths(patterns: Sequence[str], existing: Sequence[str]) -> list[str]:
    """The files that names and patterns mean; a plain name that does not exist is that of a new file.

    Raises UserError where there are none, or too much would have to be compared.
    """
    if not patterns:
        return list(existing)
    with_wildcards = sum(map(is_pattern, patterns))
    if with_wildcards * sum(map(len, existing)) > MOST_COMPARED:
        raise UserError(
            f"{with_wildcards} patterns are too many for {len(existing):,} files", "give fewer, or the files' names"
        )
    known = set(existing)
    found: dict[str, None] = {}
    for pattern in patterns:
        if pattern in known or (not is_pattern(pattern) and is_path(pattern)):
            found[pattern] = None  # pages/[id].tsx is a name
        elif is_pattern(pattern):
            found.update(dict.fromkeys(fnmatch.filter(existing, pattern)))
    if not found:
        named = ", ".join(patterns[:5]) + ", …" * (len(patterns) > 5)
        raise UserError(f"no file of the repository matches {named}", "patterns are such as 'src/*.py'")
    return list(found)
