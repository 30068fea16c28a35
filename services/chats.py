"""The served repositories to ask: answers in one thread, indexes that follow in another, reading in a third."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chat.answer import Answer
from chat.asking import Chat
from chat.citations import Citations
from chat.questions import MOST_TEXT
from core.errors import UserError
from core.git import trees
from core.git.names import folder_name
from core.git.repositories import open_repository
from index.code_index import CodeIndex
from services.answers import AnswerPart, Work
from services.chat_records import in_markdown, statements_of
from services.http.errors import MOST_SHOWN, RefusedError
from services.indexing import Indexing
from services.kept_answers import KeptAnswers
from services.schemas import CompletionRequest, PredictRequest, TaskRequest

FRESH_S = 2.0
"""How long a question waits for the newest commit where an older one is indexed."""
PREFIX = "chat:"
"""Of the model's name by which OpenAI's clients ask a repository."""


@dataclass
class ServedChat:
    """A repository to ask."""

    name: str
    git_dir: Path
    cache_dir: Path
    indexing: Indexing
    created: int = field(default_factory=lambda: int(time.time()))
    _open: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Let go of files and processes."""
        self._open.close()

    @functools.cached_property
    def chat(self) -> Chat:
        """Used in the thread that answers questions alone."""
        return self._asking()

    @functools.cached_property
    def kept(self) -> KeptAnswers:
        """Used in the thread that answers questions alone."""
        return self._open.enter_context(closing(KeptAnswers(self.git_dir, self.cache_dir)))

    @functools.cached_property
    def shown(self) -> Shown:
        """Used in the thread that reads alone."""
        kept = self._open.enter_context(closing(KeptAnswers(self.git_dir, self.cache_dir)))
        return Shown(kept, self._asking())

    async def ready(self, seconds: float) -> None:
        """Wait for the first index as long as a request may take, for a newer one only a moment.

        Raises 503 where there is none by then, or what made it fail.
        """
        update = asyncio.wrap_future(self.indexing.follow())
        await asyncio.wait([update], timeout=min(seconds, FRESH_S) if self.indexing.commit else seconds)
        if self.indexing.commit:
            return
        if self.indexing.problem:
            raise self.indexing.problem
        message = f"{self.name} is not indexed yet ({self.indexing.progress.in_words()}), ask again in a moment"
        raise RefusedError(503, message, param="repo", code="index_not_ready", headers={"Retry-After": "5"})

    def ask(self, question: str, commit: str = "") -> Work:
        """Which commit is answered from, each statement, then "done" with the whole answer."""

        def work() -> Iterator[AnswerPart]:
            self._check(commit)
            yield AnswerPart(event="state", data={"repo": self.name, "commit": self.chat.index.commit})
            record = self.answered(question)
            for statement in statements_of(record):
                yield AnswerPart(event="statement", data=statement)
            yield AnswerPart(event="done", data=record)

        return Work(ask=work, ready=self.ready)

    def answered(self, question: str) -> dict[str, Any]:
        """The answer as it is sent; it is kept, so that people can say what they think of it."""
        record = {"repo": self.name, **self.answer(question).as_dict(why=True)}
        record |= {"answer": "".join(in_markdown(record)), "stale_by": record["behind"]}
        hits = record.pop("hits")
        return {"answer_id": self.kept.keep({**record, "hits": hits}), **record}

    def answer(self, question: str) -> Answer:
        """What is said to a question."""
        found = self.chat.ask(question)
        if self.chat.index.commit != found.state.commit:  # the index was brought to another commit meanwhile
            found = self.chat.ask(question)
        return found

    def _asking(self) -> Chat:
        index = self._open.enter_context(closing(CodeIndex(self.git_dir, self.cache_dir)))
        return Chat(self.git_dir, index, self._open.enter_context(closing(Citations(self.git_dir))))

    def _check(self, commit: str) -> None:
        """Raises 409 where another commit is asked about than the one that is indexed."""
        indexed = self.chat.index.commit or ""
        if commit and trees.commit_named(self.git_dir, commit) != indexed:
            message = (
                f"{self.name} is indexed at {indexed}; bring it to the other commit first: POST /index/{self.name}/diff"
            )
            raise RefusedError(409, message, param="commit", code="other_commit_indexed")


@dataclass(frozen=True)
class Shown:
    """What pages and programs read again: answers, and files as a commit has them."""

    kept: KeptAnswers
    chat: Chat


class ChatModel:
    """A repository as OpenAI's clients ask it: the last message of the user is the question."""

    def __init__(self, served: ServedChat) -> None:
        self.served, self.name, self.created = served, PREFIX + served.name, served.created

    def chat(self, request: TaskRequest) -> Work:
        """The answer as Markdown, statement by statement, and its citations as a field."""
        question = request.question.task.strip()
        if not 0 < len(question) <= MOST_TEXT:
            raise RefusedError(400, f"a question has 1 to {MOST_TEXT:,} characters", param="messages")

        def work() -> Iterator[AnswerPart]:
            record = self.served.answered(question)
            for text in in_markdown(record):
                yield AnswerPart(text)
            fields = {"answer_id": record["answer_id"], "citations": record["citations"]}
            yield AnswerPart(finish="stop", data={"fields": fields})

        return Work(ask=work, ready=self.served.ready)

    def predict(self, _: PredictRequest) -> Work:
        """It ranks no files. Raises 404."""
        raise self._refused("it ranks no files")

    def complete(self, _: CompletionRequest) -> Work:
        """It continues no text. Raises 404."""
        raise self._refused("it completes no text")

    def _refused(self, what: str) -> RefusedError:
        message = f"{self.name!r} answers questions, {what}: ask at /chat or /v1/chat/completions"
        return RefusedError(404, message, param="model", code="model_not_found")


@dataclass(frozen=True)
class Chats:
    """Repositories to ask, by name, the default first."""

    by_name: Mapping[str, ServedChat]
    executor: ThreadPoolExecutor
    """Indexes are made in it."""

    @classmethod
    def open(cls, places: Mapping[str, str], cache_dir: Path) -> Chats:
        """Repositories by the names that they were given; one without is called after its folder.

        Raises UserError where one cannot be opened, or two have the same name.
        """
        executor = ThreadPoolExecutor(1, thread_name_prefix="indexing")
        found: dict[str, ServedChat] = {}
        for given, location in places.items():
            if (name := given or folder_name(location)) in found:
                raise UserError(f"two repositories are called {name!r}", "name them: --repo one=PATH --repo two=PATH")
            git_dir = open_repository(location, cache_dir).git_dir
            found[name] = ServedChat(name, git_dir, cache_dir, Indexing(location, git_dir, cache_dir, executor))
        return cls(found, executor)

    def close(self) -> None:
        """Start nothing new, and let go of files and processes."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        for one in self.by_name.values():
            one.indexing.stopped = True
            one.close()

    def named(self, name: str) -> ServedChat:
        """The repository with this name; the first where none is given. Raises 404 where there is none."""
        if not name:
            return next(iter(self.by_name.values()))
        if name not in self.by_name:
            message = f"no repository is called {name[:MOST_SHOWN]!r}; known: {', '.join(self.by_name)}"
            raise RefusedError(404, message, param="repo", code="repo_not_found")
        return self.by_name[name]

    def models(self) -> dict[str, ChatModel]:
        """What OpenAI's clients ask."""
        return {model.name: model for model in map(ChatModel, self.by_name.values())}

    def find(self, answer_id: str, read: Callable[[ServedChat], Any]) -> Any:
        """What `read` finds of an answer in the first repository that has it. Raises 404 where none has."""
        for one in self.by_name.values():
            if found := read(one):
                return found
        message = f"no answer {answer_id[:MOST_SHOWN]!r} is kept; the newest are kept alone"
        raise RefusedError(404, message, param="answer_id", code="answer_not_found")
