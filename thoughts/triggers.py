"""When each kind is asked what to study: at new commits, or at the times of a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.errors import UserError, did_you_mean
from stores.engine.database import Database
from thoughts.hours import next_time
from thoughts.kind import ON_COMMIT, Kind


@dataclass(frozen=True)
class Asked:
    """For what commit a kind was asked last, and when."""

    commit: str
    at: float


@dataclass(frozen=True)
class Triggers:
    """The triggers of a repository's kinds: their own, or those of `schedules`."""

    database: Database
    repository: str
    kinds: Mapping[str, Kind]
    schedules: Mapping[str, str]
    zone: ZoneInfo

    def of(self, name: str) -> str:
        """When a kind is asked: ON_COMMIT, or a cron expression."""
        return self.schedules.get(name, self.kinds[name].trigger)

    def asked(self) -> dict[str, Asked]:
        """What each kind was asked for last, of those that were asked."""
        table = self.database.table("triggers")
        with self.database.read() as connection:
            rows = connection.execute(sa.select(table).where(table.c.repository == self.repository)).all()
        return {row.kind: Asked(row.commit, row.asked_at) for row in rows if row.kind in self.kinds}

    def is_due(self, name: str, asked: Asked | None, commit: str, now: float) -> bool:
        """Whether a kind is to be asked now. A schedule that has changed counts from when it was asked last."""
        if asked is None:
            return True
        trigger = self.of(name)
        return asked.commit != commit if trigger == ON_COMMIT else next_time(trigger, asked.at, self.zone) <= now

    def note(self, connection: Connection, name: str, commit: str, now: float) -> None:
        """A kind was asked."""
        table = self.database.table("triggers")
        key = {"repository": self.repository, "kind": name}
        connection.execute(sa.delete(table).filter_by(**key))
        connection.execute(sa.insert(table).values(**key, commit=commit, asked_at=now))

    def next_times(self) -> dict[str, float | None]:
        """When each kind is asked next: None at the next commit, 0 where it was never asked."""
        asked = self.asked()
        found: dict[str, float | None] = {}
        for name in self.kinds:
            last, trigger = asked.get(name), self.of(name)
            if last is None:
                found[name] = 0.0
            else:
                found[name] = None if trigger == ON_COMMIT else next_time(trigger, last.at, self.zone)
        return found


def checked(schedules: Mapping[str, str], known: Mapping[str, Kind]) -> Mapping[str, str]:
    """Schedules as settings have them. Raises UserError for a kind that there is not, and for what is no schedule."""
    for name, trigger in schedules.items():
        if name not in known:
            raise UserError(f"study.schedules: there is no kind of study called '{name}'", did_you_mean(name, known))
        if trigger == ON_COMMIT:
            continue
        try:
            next_time(trigger, 0.0, ZoneInfo("UTC"))
        except UserError as error:
            raise UserError(f"study.schedules: {name}: {error.message}", f"{error.hint}, or {ON_COMMIT}") from None
    return schedules
