"""The served repositories to ask: answers in one thread, indexes that follow in another, reading in a third."""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from chat.answer import State
from chat.asking import Chat
from chat.citations import Citations
from chat.learning import bandit
from chat.learning.bandit import Choice
from chat.providers import Provider
from chat.questions import MOST_TEXT
from core.config import ChatConfig
from core.errors import StageError, UserError
from core.git import touched, trees
from core.git.names import folder_name
from core.git.repositories import open_repository
from index.code_index import CodeIndex
from index.hits import Hit
from miners.clones import key_of
from services.answers import AnswerPart, Work
from services.chat_records import in_markdown, statements_of
from services.http.errors import MOST_SHOWN, RefusedError
from services.indexing import Indexing
from services.kept_answers import KeptAnswers
from services.schemas import CompletionRequest, PredictRequest, TaskRequest
from services.uses import Uses
from thoughts.known import Known

FRESH_S = 2.0
"""How long a question waits for the newest commit where an older one is indexed."""
MOST_SAID = 20
"""Messages of a user, among which is looked for what "it" stands for."""
PREFIX = "chat:"
_DRAW = random.Random()  # noqa: S311 - of contexts, nothing secret
"""Of the model's name by which OpenAI's clients ask a repository."""


@dataclass
class ServedChat:
    """A repository to ask."""

    name: str
    git_dir: Path
    cache_dir: Path
    indexing: Indexing
    provider: Provider | None = None
    """The language model that writes answers, if any."""
    study: str = ""
    """PostgreSQL database of studies; else they are in the cache folder."""
    uses: Uses | None = None
    """The log of use, if one is kept."""
    adapt: Sequence[str] = ()
    """What follows from use."""
    created: int = field(default_factory=lambda: int(time.time()))
    _open: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Let go of files and processes."""
        self._open.close()
        if self.uses:
            self.uses.close()

    @functools.cached_property
    def first_commit(self) -> str:
        """What patterns call the repository by, as all clones of it share it. Raises StageError without a commit."""
        return key_of(self.git_dir, "HEAD")

    @functools.cached_property
    def asking(self) -> Desk:
        """Used in the thread that answers questions alone."""
        return self._desk()

    @functools.cached_property
    def writing(self) -> Desk:
        """Used in the thread that waits for other services alone."""
        return self._desk(self.provider)

    @functools.cached_property
    def reading(self) -> Desk:
        """Used in the thread that reads alone."""
        return self._desk()

    def _desk(self, provider: Provider | None = None) -> Desk:
        index = self._open.enter_context(closing(CodeIndex(self.git_dir, self.cache_dir, self.indexing.index_url)))
        index.follows_use = "order" in self.adapt
        citations = self._open.enter_context(closing(Citations(self.git_dir)))
        kept = self._open.enter_context(closing(KeptAnswers(self.git_dir, self.cache_dir)))
        chat = Chat(self.git_dir, index, citations, provider, Known(self.git_dir, self.cache_dir, self.study))
        return Desk(self.name, chat, kept, self.uses, adapts="context" in self.adapt)

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

    def work(self, answer: Callable[[Desk], Iterator[AnswerPart]]) -> Work:
        """An answer in the thread that answers questions, or, where a language model writes, in that which waits for
        other services, so that no search waits for it.
        """
        if self.provider:
            return Work(review=lambda: answer(self.writing), ready=self.ready)
        return Work(ask=lambda: answer(self.asking), ready=self.ready)

    def ask(self, question: str, commit: str = "", follows: str = "", *, why: bool = False) -> Work:
        """Which commit is answered from, each statement, then "done" with the whole answer.

        `follows` is the id of the answer before it. With `why`, also the places that it was chosen from, as `hits`.
        """

        def answer(desk: Desk) -> Iterator[AnswerPart]:
            desk.check(commit)
            last = desk.subject_of(follows) if follows else None
            yield AnswerPart(event="state", data={"repo": self.name, "commit": desk.chat.index.commit})
            record = desk.answered(question, last)
            for statement in statements_of(record):
                yield AnswerPart(event="statement", data=statement)
            shown = {name: value for name, value in record.items() if why or name != "hits"}
            yield AnswerPart(event="done", data=shown)

        return self.work(answer)


@dataclass(frozen=True)
class Desk:
    """What one thread answers with, and finds again what was answered."""

    name: str
    chat: Chat
    kept: KeptAnswers
    uses: Uses | None = None
    _: KW_ONLY
    adapts: bool = False

    def answered(self, question: str, last: Hit | None = None) -> dict[str, Any]:
        """An answer with the places that it was chosen from, as `hits`; it is kept, so that people can say what they
        think of it. `last` is the place that "it" may stand for.
        """
        choice = bandit.chosen(self.chat.index, _DRAW) if self.adapts else Choice()
        found = self.chat.ask(question, last, choice.policy)
        if self.chat.index.commit != found.state.commit:  # the index was brought to another commit meanwhile
            found = self.chat.ask(question, last, choice.policy)
        record = {"repo": self.name, **found.as_dict(why=True)}
        more = {"stale_by": record["behind"], "policy_version": choice.version}
        record |= {"answer": "".join(in_markdown(record)), **more}
        answer_id = self.kept.keep(record)
        if self.uses:
            self.uses.note(answer_id, found, self.chat.index.weights, choice)
        return {"answer_id": answer_id, **record}

    def rate(self, answer_id: str, *, useful: bool | None = None, comment: str = "", opened: int = 0) -> bool:
        """Note whether an answer helped, or which of its citations somebody opened; False where there is none such."""
        if useful is not None:
            if not self.kept.rate(answer_id, useful=useful, comment=comment):
                return False
            if self.uses:
                self.uses.rate(answer_id, useful=useful)
        if not opened:
            return True
        cited = {one["id"]: one for one in (self.kept.find(answer_id) or {}).get("citations", ())}
        if opened in cited and self.uses and "path" in cited[opened]:
            self.uses.open(answer_id, cited[opened]["path"], cited[opened]["first"])
        return opened in cited

    def about(self, commit: str) -> tuple[State, str, int]:
        """How far the commit of the index is from the branch; its date, "" where it is gone; the index's bytes."""
        state = self.chat.state(commit)
        date = "" if state.is_gone else touched.named(self.chat.git_dir, commit).day
        return state, date, self.chat.index.size

    def why(self, answer_id: str) -> dict[str, Any] | None:
        """An answer that was kept, with the `weights` that it was chosen by, None where these have changed since; None
        where there is no such answer.
        """
        if not (found := self.kept.find(answer_id)):
            return None
        weights = self.chat.index.weights
        same = found.get("weights_version") == weights.version
        return {**found, "weights": msgspec.to_builtins(weights) if same else None}

    def subject_of(self, answer_id: str) -> Hit | None:
        """The place that an answer was about, as it is today; None where it is gone. Raises 404 without the answer."""
        record = self.kept.find(answer_id)
        if record is None:
            raise no_such_answer(answer_id)
        best = next(iter(record["hits"]), None)
        return best and self.chat.subjects.place(best["path"], best["first"], best["symbol"], best["kind"])

    def check(self, commit: str) -> None:
        """Raises 409 where another commit is asked about than the one that is indexed."""
        indexed = self.chat.index.commit or ""
        if commit and trees.commit_named(self.chat.git_dir, commit) != indexed:
            bring = f"bring it to the other commit first: POST /index/{self.name}/diff"
            message = f"{self.name} is indexed at {indexed}; {bring}"
            raise RefusedError(409, message, param="commit", code="other_commit_indexed")


class ChatModel:
    """A repository as OpenAI's clients ask it: the last message of the user is the question, which may point back to
    those before it.
    """

    def __init__(self, served: ServedChat) -> None:
        self.served, self.name, self.created = served, PREFIX + served.name, served.created

    def chat(self, request: TaskRequest) -> Work:
        """The answer as Markdown, statement by statement, and its citations as a field."""
        question = request.question.task.strip()
        if not 0 < len(question) <= MOST_TEXT:
            raise RefusedError(400, f"a question has 1 to {MOST_TEXT:,} characters", param="messages")

        def answer(desk: Desk) -> Iterator[AnswerPart]:
            record = desk.answered(question, desk.chat.subjects.pointed_at(request.said[-MOST_SAID:]))
            for text in in_markdown(record):
                yield AnswerPart(text)
            fields = {"answer_id": record["answer_id"], "citations": record["citations"]}
            yield AnswerPart(finish="stop", data={"fields": fields})

        return self.served.work(answer)

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
    def open(
        cls, places: Mapping[str, str], cache_dir: Path, settings: ChatConfig | None = None, study: str = ""
    ) -> Chats:
        """Repositories by the names that they were given; one without is called after its folder.

        `settings` may name a database for the indexes, and a language model that writes answers, `study` the database
        of studies. Raises UserError where a repository cannot be opened, or may not be sent to that model, or two have
        the same name.
        """
        executor = ThreadPoolExecutor(1, thread_name_prefix="indexing")
        found: dict[str, ServedChat] = {}
        for given, location in places.items():
            if (name := given or folder_name(location)) in found:
                raise UserError(f"two repositories are called {name!r}", "name them: --repo one=PATH --repo two=PATH")
            provider = Provider.of(settings, location, cache_dir) if settings else None
            git_dir = open_repository(location, cache_dir).git_dir
            indexing = Indexing(location, git_dir, cache_dir, executor, settings.index if settings else "")
            uses = Uses(git_dir, cache_dir) if settings is None or settings.remember else None
            adapt = settings.adapt if settings else ()
            found[name] = ServedChat(name, git_dir, cache_dir, indexing, provider, study, uses, adapt)
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

    def names(self) -> dict[str, str]:
        """What repositories are called here, by their first commits; without those that have none."""
        found: dict[str, str] = {}
        for one in self.by_name.values():
            with suppress(StageError):
                found[one.first_commit] = one.name
        return found

    def models(self) -> dict[str, ChatModel]:
        """What OpenAI's clients ask."""
        return {model.name: model for model in map(ChatModel, self.by_name.values())}

    def find(self, answer_id: str, read: Callable[[ServedChat], Any]) -> Any:
        """What `read` finds of an answer in the first repository that has it. Raises 404 where none has."""
        for one in self.by_name.values():
            if found := read(one):
                return found
        raise no_such_answer(answer_id)


def no_such_answer(answer_id: str) -> RefusedError:
    """404."""
    message = f"no answer {answer_id[:MOST_SHOWN]!r} is kept; the newest are kept alone"
    return RefusedError(404, message, param="answer_id", code="answer_not_found")
