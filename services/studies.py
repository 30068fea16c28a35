"""The studies of the served repositories: what was found, what runs, and the process that goes on studying."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.config import ChatConfig, StudyConfig
from core.errors import UserError
from core.git import refs
from core.git.names import is_url
from services.chats import Chats, ServedChat
from services.http.errors import MOST_SHOWN, RefusedError
from services.studying import BackgroundStudy
from thoughts.background import Order
from thoughts.cards.card import Card
from thoughts.insights import Shown
from thoughts.kept_runs import artifact_name, insight_exists, run_of
from thoughts.known import Known
from thoughts.preferences import Preferences, Wish, prefer, preferences
from thoughts.studying import Study, opened

BIGGEST = 2**63
"""Numbers of rows are below it."""


@dataclass(frozen=True)
class ServedStudy:
    """The study of a served repository. All but `switch` and `mark` only read."""

    chat: ServedChat
    study: Study

    @property
    def name(self) -> str:
        """As the repository is served."""
        return self.chat.name

    @property
    def preferences(self) -> Preferences:
        """Whether, when and by which kinds it is studied."""
        return preferences(self.study.queue, self.study.key)

    def run(self, run_id: int) -> dict[str, Any] | None:
        """A run of this repository; None without one."""
        return run_of(self.study.database, self.study.key, run_id)

    def card(self, path: str, symbol: str = "") -> Card:
        """The card of a file, or of a symbol in it, at the newest commit. Raises 404 where there is none."""
        git_dir = self.study.state.git_dir
        known = Known(git_dir, self.study.state.cache_dir, self.study.settings.database)
        try:
            found = known.card(refs.head(git_dir), path, symbol)
        except UserError as error:
            raise RefusedError(404, str(error), param="path", code="card_not_found") from None
        if found is None:
            raise RefusedError(404, f"there is no file {path[:MOST_SHOWN]!r}", param="path", code="file_not_found")
        return found

    def insight(self, insight_id: int) -> Shown | None:
        """An insight of this repository that still holds."""
        return self.study.insights.one(self.study.key, self.study.state.git_dir, insight_id)


@dataclass(frozen=True)
class Studies:
    """Studies by the names of their repositories, the default first."""

    by_name: Mapping[str, ServedStudy]
    background: BackgroundStudy
    _open: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def open(cls, chats: Chats, cache_dir: Path, settings: StudyConfig, chat: ChatConfig | None = None) -> Studies:
        """Of the repositories that are asked; `chat` may name a language model that writes for studies.

        Raises UserError where the database cannot be used.
        """
        with ExitStack() as stack:
            found = {
                name: ServedStudy(one, stack.enter_context(opened(_place(one), cache_dir, settings)))
                for name, one in chats.by_name.items()
            }
            locations = [one.indexing.location for one in chats.by_name.values()]
            writer = (chat or ChatConfig()).model_dump_json()
            order = Order(locations, str(cache_dir.resolve()), settings.model_dump_json(), writer)
            background = BackgroundStudy(order, [one.study for one in found.values()])
            return cls(found, background, stack.pop_all())
        raise AssertionError  # an exit stack passes errors on

    def close(self) -> None:
        """End what runs in the background, and let go of the database."""
        self.background.close()
        self._open.close()

    def named(self, name: str) -> ServedStudy:
        """The study of the repository with this name; of the first where none is given. Raises 404 without one."""
        if not name:
            return next(iter(self.by_name.values()))
        if name not in self.by_name:
            message = f"no repository is called {name[:MOST_SHOWN]!r}; known: {', '.join(self.by_name)}"
            raise RefusedError(404, message, param="repo_id", code="repo_not_found")
        return self.by_name[name]

    def switch(self, one: ServedStudy, wish: Wish) -> Preferences:
        """Keep other preferences. Raises UserError for wrong ones."""
        prefer(one.study.queue, one.study.key, wish)
        self.background.wake()
        return one.preferences

    def of_run(self, run_id: int) -> tuple[ServedStudy, dict[str, Any]]:
        """A run, and whose it is. Raises 404 where no served repository has it."""
        for one in self.by_name.values() if 0 < run_id < BIGGEST else ():
            if found := one.run(run_id):
                return one, found
        raise RefusedError(404, f"there is no run {run_id}", param="run_id", code="run_not_found")

    def of_insight(self, insight_id: int) -> ServedStudy:
        """Whose insight this is. Raises 404 where no served repository has it."""
        for one in self.by_name.values() if 0 < insight_id < BIGGEST else ():
            if insight_exists(one.study.database, one.study.key, insight_id):
                return one
        raise RefusedError(404, f"there is no insight {insight_id}", param="insight_id", code="insight_not_found")

    def artifact(self, sha256: str) -> tuple[str, bytes]:
        """The name and content of a file that a run left. Raises 404 where no served repository's run did."""
        for one in self.by_name.values():
            name = artifact_name(one.study.database, one.study.key, sha256)
            if name and (data := one.study.artifacts.read(sha256)) is not None:
                return name, data
        raise RefusedError(404, "there is no such artifact any more", param="sha256", code="artifact_not_found")


def _place(chat: ServedChat) -> str:
    """What to open: of a URL, the clone that is there already."""
    location = chat.indexing.location
    return str(chat.git_dir) if is_url(location) else location
