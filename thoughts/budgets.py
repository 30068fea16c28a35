"""What a repository's study may use: a bucket of tokens for each resource, which fills at a steady rate.

A job reserves the most that it may use before it starts, and pays what it used when it ends. What is reserved and what
is left together never exceed the cap, so that within any time no more is used than the cap and what flowed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from thoughts.kind import Cost
from thoughts.tables import metadata

DAY_S = 86_400.0
RESOURCES = ("cpu_s", "io_bytes", "model_s")
"""The fields of a cost that are budgeted."""
_BUCKETS = metadata.tables["buckets"]


@dataclass(frozen=True)
class Bucket:
    """Tokens of one resource: seconds, or bytes."""

    level: float
    """What may be reserved now; less than 0 after a job that used more than it had reserved."""
    reserved: float
    rate: float
    """Tokens a second."""
    cap: float
    at: float
    """When it was filled up last, in seconds since 1970."""

    def filled(self, now: float) -> Bucket:
        """With what flowed in since; a clock that was set back lets nothing flow."""
        flowed = self.rate * max(now - self.at, 0.0)
        return replace(self, level=min(self.level + flowed, self.cap - self.reserved), at=max(now, self.at))

    def share(self, most: float) -> float:
        """What is reserved for a job: all that it may use, but never more than a full bucket holds."""
        return min(most, self.cap)

    def allows(self, most: float) -> bool:
        """Whether a job may start now. One that needs what is never there, since the cap is 0, may not."""
        return most <= 0 or (self.cap > 0 and self.share(most) <= self.level)

    def reserve(self, amount: float) -> Bucket:
        """With so much put aside."""
        return replace(self, level=self.level - amount, reserved=self.reserved + amount)

    def settle(self, amount: float, used: float) -> Bucket:
        """With what was put aside paid for, and the rest of it back."""
        return replace(self, level=self.level + amount - used, reserved=max(self.reserved - amount, 0.0))


class Budgets:
    """The buckets of one repository, within a transaction that writes."""

    def __init__(self, connection: Connection, repository: str, now: float) -> None:
        self._connection, self._repository = connection, repository
        rows = connection.execute(sa.select(_BUCKETS).where(_BUCKETS.c.repository == repository)).mappings()
        names = ("level", "reserved", "rate", "cap", "at")
        stored = {row["resource"]: Bucket(*(row[name] for name in names)) for row in rows}
        self.buckets = {name: bucket.filled(now) for name, bucket in stored.items()}

    def set(self, per_day: Mapping[str, float], now: float) -> None:
        """Give each resource a bucket that holds a day's worth. A new one is full, one of another size not fuller."""
        for resource in RESOURCES:
            cap = per_day[resource]
            known = self.buckets.get(resource)
            if known is None:
                self.buckets[resource] = Bucket(cap, 0.0, cap / DAY_S, cap, now)
                row = {"repository": self._repository, "resource": resource, **_row(self.buckets[resource])}
                self._connection.execute(sa.insert(_BUCKETS).values(**row))
            elif known.cap != cap:
                level = min(known.level, cap - known.reserved)
                self.buckets[resource] = replace(known, cap=cap, rate=cap / DAY_S, level=level)
                self._write(resource)

    def allow(self, most: Cost) -> bool:
        """Whether a job that may use so much may start now."""
        return all(self.buckets[name].allows(getattr(most, name)) for name in RESOURCES)

    def reserve(self, most: Cost) -> Cost:
        """Put aside what a job may use; how much that is. It keeps the deadline."""
        shares = {name: self.buckets[name].share(getattr(most, name)) for name in RESOURCES}
        for name, share in shares.items():
            self.buckets[name] = self.buckets[name].reserve(share)
            self._write(name)
        return msgspec.convert({**shares, "seconds": most.seconds, "io_bytes": int(shares["io_bytes"])}, Cost)

    def settle(self, reserved: Cost, used: Cost) -> None:
        """Pay for what a job used."""
        for name in RESOURCES:
            self.buckets[name] = self.buckets[name].settle(getattr(reserved, name), getattr(used, name))
            self._write(name)

    def _write(self, resource: str) -> None:
        mine = (_BUCKETS.c.repository == self._repository) & (_BUCKETS.c.resource == resource)
        self._connection.execute(sa.update(_BUCKETS).where(mine).values(**_row(self.buckets[resource])))


def _row(bucket: Bucket) -> dict[str, float]:
    return {name: float(getattr(bucket, name)) for name in ("level", "reserved", "rate", "cap", "at")}
