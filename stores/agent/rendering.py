"""Stores as text: tables of entries and figures, an entry with its reasons, JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from core.visible import visible
from stores.agent.records import Entry
from stores.agent.store import Store, Why

_NUMBERS = ("id", "confidence", "evidence")


def entries_table(store: Store[Any], entries: Iterable[Entry]) -> Table:
    """A row for each entry: its key, what it recommends, and how certain it is."""
    table = Table(box=SIMPLE_HEAD, header_style="dim")
    for name in ("id", *store.key_columns, "what", "confidence", "evidence", "own", "source"):
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    for entry in entries:
        figures = f"{entry.confidence:.2f}", f"{entry.sample_count:,}"
        own = f"{entry.own.successes}/{entry.own.successes + entry.own.failures}" if entry.own.ema is not None else ""
        cells = str(entry.id), *store.key_of(entry), summary_of(entry), *figures, own, entry.source
        table.add_row(*map(visible, cells))
    return table


def stats_table(stats: Mapping[str, Mapping[str, Any]]) -> Table:
    """A column for each store, a row for each of its figures."""
    table = Table(box=SIMPLE_HEAD, header_style="dim")
    table.add_column("")
    for name in stats:
        table.add_column(name, justify="right")
    for row in next(iter(stats.values())):
        cells = (figures[row] for figures in stats.values())
        table.add_row(row, *(f"{cell:,}" if isinstance(cell, int) else cell for cell in cells))
    return table


def why_lines(why: Why[Any]) -> Iterator[str]:
    """An entry's confidence, figures, gate, evidence by commit, and the reported outcomes."""
    entry: Entry = why.entry
    yield summary_of(entry)
    yield (
        f"confidence {entry.confidence:.3f}: prior Beta({entry.prior[0]:.1f}, {entry.prior[1]:.1f}), "
        f"own outcomes {entry.own.successes} good, {entry.own.failures} bad"
    )
    for target, figures in {**entry.quantiles, **entry.shares}.items():
        yield f"{target}: " + ", ".join(f"{name} {value:g}" for name, value in figures.items())
    yield from _gate_lines(entry)
    names = {state.key: f"{state.name} ({state.location})" for state in why.repositories}
    sources = f" from {', '.join(entry.source_repos)}" if entry.source_repos else ""
    yield f"evidence: {entry.sample_count:,} pieces{sources}"
    for piece in why.evidence:
        observed = " ".join(f"{name}={value}" for name, value in piece.outcome.items())
        yield f"  {piece.sha} {observed} {piece.note} [{names[piece.repository]}]"
    for outcome in why.outcomes:
        result = "worked" if outcome["success"] else "failed"
        yield f"  {outcome['at']} {result} {outcome['detail'].get('note', '')}"


def print_table(table: Table) -> None:
    """Print a table, as wide as the terminal; never wrapped in a file or pipe."""
    terminal = sys.stdout.isatty()
    Console(soft_wrap=not terminal, width=None if terminal else 200).print(table)


def json_text(value: Any, indent: int = 0) -> str:
    """A record as JSON, on one line without `indent`."""
    line = msgspec.json.encode(value)
    return (msgspec.json.format(line, indent=indent) if indent else line).decode()


def summary_of(entry: Entry) -> str:
    """What an entry recommends or warns of, in a few words."""
    for name in ("description", "evolved_value", "pattern"):
        value = getattr(entry, name, None)
        if value is not None:
            return value if isinstance(value, str) else ", ".join(f"{key}: {one}" for key, one in value.items())
    return ""


def _gate_lines(entry: Entry) -> Iterator[str]:
    for target, figures in entry.gate.items():
        defaults, placebo = _interval(figures["gain over defaults"]), _interval(figures["gain over placebo"])
        yield (
            f"gate for {target}: saves {defaults} bits over the defaults and {placebo} over the placebo, "
            f"on {figures['units']} units ({figures['method']})"
        )
        if figures["losers"]:
            yield f"  worse on: {', '.join(figures['losers'])}"


def _interval(gain: Mapping[str, float]) -> str:
    return f"{gain['mean']:.3f} [{gain['low']:.3f}, {gain['high']:.3f}]"
