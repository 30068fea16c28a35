"""seeding.json: what came of a seeding of the stores; a script's report adds what was left out before."""

from __future__ import annotations

import msgspec


class StoreSeeding(msgspec.Struct, kw_only=True):
    """What became of one store."""

    entries: int
    """Entries that follow from the evidence of repositories."""
    change: dict[str, int]
    """Rows that were added, changed or removed, by kind; all zero where nothing was written."""


class GateGain(msgspec.Struct, kw_only=True):
    """Bits that seeds save over another arm: the mean, and the interval that holds 95 % of the resampled means."""

    mean: float | None
    low: float | None
    high: float | None
    n: int
    """Units that were resampled."""


class GateFigures(msgspec.Struct, kw_only=True):
    """How one target did in the replay (miners/gate/replay.py)."""

    passed: bool
    method: str
    units: int
    """Repositories, or blocks of histories, that were predicted."""
    tests: int
    """Pieces of evidence in them."""
    bits: dict[str, float]
    """Mean log-loss of each arm."""
    gain_over_defaults: GateGain = msgspec.field(name="gain over defaults")
    gain_over_placebo: GateGain = msgspec.field(name="gain over placebo")
    by_archetype: bool = msgspec.field(name="by archetype")
    """Evidence of the same archetype predicts better than that of all."""
    covered: dict[str, float]
    """Of sizes: the share of cases within each seeded quantile. Of choices: how often the first one came."""
    losers: list[str]
    """Units that defaults or placebo predict at least as well."""


class SeedingReport(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a seeding saw, tried and merged."""

    stores: dict[str, StoreSeeding]
    gate: dict[str, dict[str, GateFigures]]
    """By context type and target."""
    seen: dict[str, int]
    left_out: dict[str, int] = msgspec.field(name="left out")
    failed: list[str] = []
    """Repositories that could not be read, one sentence each."""
    repositories_left_out: dict[str, int] | None = msgspec.field(name="repositories left out", default=None)
    """By reason, before any commit was read; only in the reports of scripts."""
