"""How a repository is to be studied by the service that has it: whether, when, by which kinds, within which budgets.

Two things must come together before a service studies: somebody asked for it (`background`), and no kill switch is off,
neither that of the repository, which `study.py off` and the service alike set, nor that of all. Nothing is studied in
the background otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from thoughts import kinds
from thoughts.budgets import RESOURCES, Budgets
from thoughts.hours import Hours
from thoughts.kind import Kind
from thoughts.queue import Queue

UNITS = {"cpu_minutes": ("cpu_s", 60.0), "io_gigabytes": ("io_bytes", 1e9), "model_minutes": ("model_s", 60.0)}
"""Of a day's budget: the resource, and how much of it one is."""


@dataclass(frozen=True)
class Preferences:
    """What is kept."""

    off: str
    """Which kill switch keeps it from being studied: "everywhere", "here"; "" for none."""
    background: bool
    """Whether a service that has the repository is to study it."""
    quiet_hours: str
    time_zone: str
    kinds: tuple[str, ...]
    """Empty for all."""

    @property
    def is_followed(self) -> bool:
        """Whether a service studies it."""
        return not self.off and self.background

    @property
    def hours(self) -> Hours:
        """When nothing is started."""
        return Hours.of(self.quiet_hours, self.time_zone)

    def chosen(self) -> Mapping[str, Kind]:
        """The kinds of study; of those that are named, the ones that there still are."""
        known = kinds.known()
        return {name: known[name] for name in self.kinds if name in known} if self.kinds else known


@dataclass(frozen=True)
class Wish:
    """What is to be another way; None stays as it is."""

    on: bool | None = None
    """The kill switch, and whether a service studies it: both at once."""
    quiet_hours: str | None = None
    time_zone: str | None = None
    kinds: tuple[str, ...] | None = None
    cpu_minutes: float | None = None
    io_gigabytes: float | None = None
    model_minutes: float | None = None


def preferences(queue: Queue, repository: str) -> Preferences:
    """Those of a repository that the database knows."""
    table = queue.database.table("repositories")
    with queue.database.read() as connection:
        row = connection.execute(sa.select(table).filter_by(key=repository)).mappings().one()
    names = tuple(row["kinds"].split())
    return Preferences(queue.switches.off_by(repository), bool(row["background"]), row["quiet"], row["zone"], names)


def prefer(queue: Queue, repository: str, wish: Wish) -> None:
    """Keep other ones, all or nothing. Raises UserError for hours, a time zone or kinds that are none."""
    known, database = preferences(queue, repository), queue.database
    quiet = known.quiet_hours if wish.quiet_hours is None else wish.quiet_hours.strip()
    zone = known.time_zone if wish.time_zone is None else wish.time_zone.strip()
    names = known.kinds if wish.kinds is None else tuple(kinds.chosen(wish.kinds)) if wish.kinds else ()
    Hours.of(quiet, zone)
    values: dict[str, Any] = {"quiet": quiet, "zone": zone, "kinds": " ".join(names)}
    if wish.on is not None:
        values |= {"studying": int(wish.on), "background": int(wish.on)}
    table = database.table("repositories")
    with database.write() as connection:
        connection.execute(sa.update(table).where(table.c.key == repository).values(**values))
        now = queue.now()
        budgets = Budgets(connection, repository, now)
        caps = {name: budgets.buckets[name].cap for name in RESOURCES}
        given = {name: getattr(wish, name) for name in UNITS}
        wanted = {UNITS[name][0]: value * UNITS[name][1] for name, value in given.items() if value is not None}
        budgets.set(caps | wanted, now)
