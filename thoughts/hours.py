"""When a repository is studied: its time zone, its quiet hours, and the times of cron expressions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from core.errors import UserError


@dataclass(frozen=True)
class Hours:
    """Quiet hours of every day, in a time zone. Without any, `begin` and `end` are equal."""

    zone: ZoneInfo
    begin: time = time()
    end: time = time()

    @classmethod
    def of(cls, quiet: str, zone: str) -> Hours:
        """From settings: "08:00-18:00" or "" for none, and "Europe/Berlin". Raises UserError for what is neither."""
        found = zone_named(zone)
        if not quiet.strip():
            return cls(found)
        begin, _, end = (part.strip().zfill(5) for part in quiet.partition("-"))
        try:
            return cls(found, _clock(begin), _clock(end))
        except ValueError:
            raise UserError(f"'{quiet}' are no hours of a day", "write them as in 08:00-18:00") from None

    def now(self, seconds: float) -> datetime:
        """A time (seconds since 1970) in this zone."""
        return datetime.fromtimestamp(seconds, self.zone)

    def quiet_until(self, seconds: float) -> float | None:
        """When the quiet hours end that a time is in; None where it is in none."""
        here = self.now(seconds)
        clock = here.time()
        after, before = clock >= self.begin, clock < self.end
        over_midnight = self.begin > self.end
        if not ((after or before) if over_midnight else (after and before)):
            return None
        day = here.date() + timedelta(days=clock >= self.end)
        return max(datetime.combine(day, self.end, self.zone).timestamp(), seconds + 1)


def _clock(text: str) -> time:
    return datetime.strptime(text, "%H:%M").replace(tzinfo=UTC).time()


def zone_named(name: str) -> ZoneInfo:
    """A time zone. Raises UserError where there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise UserError(f"there is no time zone '{name}'", "name one as in Europe/Berlin, or UTC") from None


def next_time(cron: str, seconds: float, zone: ZoneInfo) -> float:
    """When a cron expression comes next after a time (seconds since 1970).

    An hour that the clock skips or repeats counts once, as in Debian's cron. Raises UserError for what is none.
    """
    try:
        return next(CronSim(cron, datetime.fromtimestamp(seconds, zone))).timestamp()
    except (CronSimError, StopIteration) as error:
        problem = str(error) or "it never comes"
        raise UserError(
            f"'{cron}' is no cron expression: {problem}", "for example '0 6 * * 1', on Mondays at six"
        ) from None
