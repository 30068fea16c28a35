"""Writing with the adapter that a team has activated last: a served model follows it without a restart.

The new one is loaded beside the old one, then takes its place. A request keeps the model that it has begun with, so no
answer is written by two; the old one is freed when its last answer ends.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import GitloreError, UserError
from core.logs import log
from patterns.adapters.versions import Versions
from patterns.memory.team_memory import TeamMemory
from services.served import Served

if TYPE_CHECKING:
    from services.language_model import LanguageModel

LOOK_EVERY_S = 2.0
CLOSING_S = 1.0
RETRY_S = 60.0
"""After which an adapter that could not be loaded is tried once more."""
Load = Callable[[Path], "LanguageModel"]


def followed(
    memory: TeamMemory, team: str, served: Mapping[str, Served], places: Mapping[str, str], cache_dir: Path, last: int
) -> ActiveAdapter:
    """What keeps the first of the models at the adapter of a team; what is active now is loaded now.

    `places` are repositories by names of models, "" for all others. Raises UserError where there is no such team.
    """
    if (identity := memory.admin(team)) is None:
        raise UserError(f"there is no team {team}", "`python -m patterns serve` makes one")
    name, first = next(iter(served.items()))
    place = places.get(name, places.get("", "."))

    def load(folder: Path) -> LanguageModel:
        from services import language_model

        return language_model.load_exchanged(folder, place, cache_dir, last)

    active = ActiveAdapter(memory.team(identity).adapters, first, load)
    active.look()
    return active


class ActiveAdapter:
    """What a served model is written with, and why it is not what the team wants."""

    def __init__(self, adapters: Versions, served: Served, load: Load) -> None:
        """`load` makes a model of a folder, which is gone afterwards."""
        self._adapters, self._served, self._load = adapters, served, load
        self._wanted, self._tried_at = "", 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="active-adapter", daemon=True)
        self.adapter, self.problem = "", ""
        """The id of the adapter that is used, empty before there is one; and why the active one is not."""

    def start(self) -> None:
        """Look now and then, in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Look no longer; an adapter that is being loaded is not waited for."""
        self._stopped.set()
        self._thread.join(CLOSING_S)

    def state(self) -> dict[str, str | None]:
        """For those who ask how the service is."""
        return {
            "model": self._served.name,
            "in_use": self.adapter or None,
            "active": self._wanted or None,
            "problem": self.problem or None,
        }

    def look(self) -> None:
        """Load what was activated since the last time. What goes wrong is a problem, and the old one stays."""
        try:
            activations = self._adapters.active().values()
        except GitloreError as error:
            self.problem = f"the team's database cannot be read: {error.message}"
            return
        newest = max(activations, key=lambda row: int(row["seq"]), default=None)
        wanted = str(newest["id"]) if newest else ""
        is_new, is_due = wanted != self._wanted, time.monotonic() - self._tried_at >= RETRY_S
        if wanted in ("", self.adapter):
            self._wanted, self.problem = wanted, ""
        elif is_new or (self.problem and is_due):
            self._wanted = wanted
            self._swap(wanted)
            self._tried_at = time.monotonic()

    def _swap(self, wanted: str) -> None:
        try:
            model = self._loaded(wanted)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service goes on with the model that it has
            reason = error.message if isinstance(error, GitloreError) else f"{type(error).__name__}: {error}"
            self.problem = f"the adapter {wanted[:12]} cannot be loaded: {reason}"
            log.warning("%s; %s", self.problem, f"{self.adapter[:12] or 'the model of before'} stays in use")
            return
        self._served.use(model)
        self.adapter, self.problem = wanted, ""
        log.info("%s now writes with the adapter %s", self._served.name, wanted[:12])

    def _loaded(self, wanted: str) -> LanguageModel:
        from patterns.adapters import archive

        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "adapter.tar"
            self._adapters.fetch(wanted, path)
            archive.unpack(path, folder := Path(place) / "adapter")
            return self._load(folder)

    def _follow(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            self.look()
