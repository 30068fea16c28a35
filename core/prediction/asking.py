"""Asking a trained model about a repository as it is now.

The last commits are written in the very form that the model was trained on (its own settings of scraper, chunker and
tokenizer); the model continues them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.chunking.segments import Settings
from core.errors import UserError
from core.git import commands, refs, trees
from core.git.blobs import BlobReader
from core.git.commands import decode
from core.git.names import folder_name, is_url
from core.git.repositories import Repository, open_repository
from core.history.options import ReadOptions
from core.history.recent import recent_commits
from core.models import model_folder
from core.models.model_folder import Loaded
from core.prediction.copying import Copying, copying_of
from core.prediction.predictor import SKETCH_SHARE, Predictor, Ranking
from core.prediction.question import MOST_AUTHOR, Question
from core.prediction.search import head_of_file
from core.prediction.writing import Sampling
from core.ranking.contents import MAX_BYTES
from core.ranking.past_edits import PastEdits
from core.ranking.query import Query
from core.ranking.ranker import FileRanking, mode_of
from core.text.grammar import CommitText, Pieces, commit_head
from core.text.sequences import SequenceMaker

LAST_COMMITS = 10
MOST_HISTORY = 1 << 22
"""Tokens of the history, the newest, in which past edits are looked for."""
FETCH_EVERY_S = 60.0


@dataclass
class Recent:
    """A repository as it is now: its last commits as ids, its files, its last author."""

    commit: str
    ids: list[int]
    paths: list[str]
    author: str
    copying: Copying | None
    """What may be copied from: the history that was evaluated, and then these commits."""
    past: PastEdits | None = None
    """The edits of both, where the model was trained to see one like the edit that it writes."""


@dataclass
class Asker:
    """A loaded model, and a repository to ask it about. What was read of it is kept until it gets a new commit."""

    loaded: Loaded
    repo: str
    cache_dir: Path
    last: int = LAST_COMMITS
    copying: Copying | None = None
    """The history that the model was evaluated on; None where it was not."""
    recent: Recent | None = field(default=None, init=False)
    _looked: float = field(default=0.0, init=False)

    @classmethod
    def open(cls, folder: Path, repo: str, cache_dir: Path, last: int, *, copying: bool) -> Asker:
        """Load the model in a folder, with `copying` also what it may copy from.

        A wrong repository is an error before that, since loading takes a while.
        """
        model_folder.read_info(folder)
        refs.head(open_repository(repo, cache_dir).git_dir)
        loaded = model_folder.load(folder, cache_dir)
        loaded.merge_adapter()
        return cls(loaded, repo, cache_dir, last, copying_of(folder, loaded.info) if copying else None)

    @property
    def settings(self) -> dict[str, Any]:
        """Those that the model was made with."""
        return self.loaded.info.settings

    @property
    def predictor(self) -> Predictor:
        """What asks the model."""
        view = self.settings.get("tokenizer", {}).get("code_view", "new")
        loaded = self.loaded
        return Predictor(loaded.model, loaded.vocabulary, loaded.width, view, sees_history=loaded.sees_history)

    def look(self) -> Recent:
        """The repository as it is now; one at a URL as it was within the last minute.

        Raises UserError where it has no commit checked out.
        """
        if self.recent and is_url(self.repo) and time.monotonic() - self._looked < FETCH_EVERY_S:
            return self.recent
        self._looked = time.monotonic()
        repository = open_repository(self.repo, self.cache_dir)
        head = refs.head(repository.git_dir)
        if not head:
            raise UserError(f"{self.repo} has no commits to start from", "commit something first")
        if self.recent is None or self.recent.commit != head:
            self.recent = self._read(repository, head)
        return self.recent

    def rank(self, question: Question, files: FileRanking) -> Ranking:
        """What the model expects in the first of the files that there are, or of a new one where there are none."""
        recent = self.look()
        most = int(self.loaded.width * (1 - SKETCH_SHARE))
        author = self._cut(question.author or recent.author, most // 2)
        head = self.loaded.vocabulary.encode([self._head(question, author)])[0]
        if len(head) > most:
            message = f"the task has {len(head):,} tokens, with its author and date, and the model sees {most:,}"
            raise UserError(message, "shorten the task")
        first = [file.name for file in files.files if not file.new][:1]
        new_files = question.new_files and not first
        copying = recent.copying if question.copying else None
        return self.predictor.rank(recent.ids, head, first, top=question.top, new_files=new_files, copying=copying)

    @property
    def writes_edits(self) -> bool:
        """Whether the model was trained on edits of present code."""
        return bool(self.settings.get("tokenizer", {}).get("code_view") == "edit")

    def heads(self, question: Question, path: str) -> tuple[list[int], list[int]]:
        """The head of the next commit and that of a file in it, as ids."""
        most = int(self.loaded.width * (1 - SKETCH_SHARE))
        author = self._cut(question.author or self.look().author, most // 2)
        head, file = self.loaded.vocabulary.encode([self._head(question, author), head_of_file(path)])
        return head, file

    def source(self, path: str) -> bytes | None:
        """A file as it is in the last commit; None where there is none of that name, or it is too large to parse."""
        recent, git_dir = self.look(), open_repository(self.repo, self.cache_dir).git_dir
        blob = trees.files_of(git_dir, recent.commit).get(path)
        if blob is None:
            return None
        with BlobReader(git_dir) as blobs:
            return blobs.read(blob, MAX_BYTES)

    def write(self, ranking: Ranking, question: Question) -> Iterator[int]:
        """Ids of the sketch, one by one."""
        if question.sketch_tokens:
            sampling = Sampling(question.temperature, question.top_p, question.seed)
            yield from self.predictor.write(ranking, question.sketch_tokens, sampling)

    def _cut(self, author: str, most: int) -> str:
        """The beginning of a name that has at most so many tokens, so that one of any length leaves room for a task."""
        author = author[:MOST_AUTHOR]
        while (size := len(self.loaded.vocabulary.encode([[author]])[0])) > most:
            author = author[: len(author) * most // size]
        return author

    def _head(self, question: Question, author: str) -> Pieces:
        clean = self._sequences.redactor.clean
        now = datetime.now(UTC)
        return commit_head(
            CommitText(
                year=f"{now:%Y}",
                month=f"{now:%m}",
                author=clean(author),
                message=clean(_message(question.task)),
                repository=clean(self._repository_name),
            )
        )

    def _read(self, repository: Repository, head: str) -> Recent:
        """The last commits in the model's form, the files of `head`, the last author."""
        listing = commands.run(repository.git_dir, "ls-tree", "-r", "-z", "--name-only", head)
        paths = [decode(path)[0] for path in listing.split(b"\0") if path]
        options = ReadOptions.of(self.settings.get("git_scraper", {}), repository.git_dir, self.cache_dir)
        history: list[Pieces] = []
        author = ""
        with BlobReader(repository.git_dir) as blobs:
            chunker = Settings.of(self.settings.get("semantic_chunker", {}), repository.git_dir).chunker(blobs)
            for commit in recent_commits(repository, options, head, last=self.last):
                author = commit.metadata.author
                chunks = list(chunker.chunks(commit))
                for chunk in chunks:
                    chunk.repository = self._repository_name
                history += self._sequences.of(chunks) if chunks else []
        ids = [id_ for sequence in self.loaded.vocabulary.encode(history) for id_ in sequence]
        copying = self.copying.behind(ids) if self.copying else None
        past = None
        if self.loaded.sees_past_edits:
            known = copying.index.newest(MOST_HISTORY) if copying else np.array(ids, np.int64)
            past = PastEdits.of([known], self.loaded.vocabulary)
        return Recent(head, ids, paths, author, copying, past)

    @property
    def _repository_name(self) -> str:
        """What a model of several repositories calls one of them; "" for a model of one."""
        return folder_name(self.repo) if self.settings.get("pipeline", {}).get("one_model") else ""

    @property
    def _sequences(self) -> SequenceMaker:
        """Writes commits as the model was trained to see them."""
        settings = self.settings.get("tokenizer", {})
        return SequenceMaker(
            settings.get("code_view", "new"),
            settings.get("secrets", "mask"),
            redact_emails=settings.get("redact_emails", False),
        )


def _message(task: str) -> str:
    """A task as a commit message says it: of an issue, the title."""
    query = Query(task)
    return query.title if mode_of(query, ()) == "issue" else task
