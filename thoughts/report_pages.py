"""Reports in Markdown: for a terminal as they are, for a page with what others wrote escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from core.config import expand
from core.errors import UserError
from core.files import atomic_write
from core.visible import visible
from thoughts.records import InsightRecord, StatusRecord
from thoughts.rendering import UNITS, budget_words, counted, switch_words
from thoughts.reports import Report

MOST_NEW = 50
_SIGNS = re.compile(r"([\\`*_\[\]#|~])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
Escape = Callable[[str], str]


def page_at(path: str) -> Path:
    """Where a report is to be written. Raises UserError where it cannot be a file; better before a long study."""
    found = expand(path)
    if found.is_dir():
        raise UserError(f"{path} is a folder", "name a file for the report")
    return found


def write(report: Report, path: Path) -> None:
    """Write a report as a page, whole or not at all."""
    text = "".join(f"{line}\n" for line in lines_of(report, escaped))
    with atomic_write(path) as file:
        file.write(text.encode())


def escaped(text: str) -> str:
    """A text of others so that Markdown shows it as it is."""
    return _SIGNS.sub(r"\\\1", re.sub("[&<>]", lambda found: _ENTITIES[found[0]], visible(text)))


def lines_of(report: Report, escape: Escape = visible) -> list[str]:
    """A report, a line each."""

    def said(text: str) -> str:
        return escape(" ".join(text.split()))

    parts = (
        _head(report, said), _new(report.new, said), _gone(report, said), _costs(report), _failures(report, said)
    )  # fmt: skip
    return [line for part in parts for line in part]


def _head(report: Report, said: Escape) -> Iterator[str]:
    yield f"# Study of {said(report.status.repository)}"
    yield ""
    yield f"From {_minute(report.since)} to {_minute(report.until)}: {_summary(report)}."
    yield said(_state(report.status))


def _summary(report: Report) -> str:
    words = [counted(len(report.new), "new insight")]
    words += [f"{count:,} {state}" for state, count in sorted(report.marked.items())]
    words += [f"{len(report.gone):,} that no longer {'holds' if len(report.gone) == 1 else 'hold'}"] * bool(report.gone)
    runs, cpu_s = sum(one.runs for one in report.costs), sum(one.cost.cpu_s for one in report.costs)
    return f"{', '.join(words)}; {counted(runs, 'run')} in {cpu_s:,.1f} s of CPU time"


def _state(status: StatusRecord) -> str:
    left = budget_words({name: (one.left, one.cap) for name, one in status.budget.items()})
    waiting = f"{counted(status.waiting, 'job')} {'waits' if status.waiting == 1 else 'wait'}"
    return f"It is {switch_words(status.off_by)}; {waiting}; left of the budget: {left}."


def _new(found: list[InsightRecord], said: Escape) -> Iterator[str]:
    if not found:
        return
    yield from ("", "## New", "")
    for one in found[:MOST_NEW]:
        yield f"- **{said(one.title)}** ({one.kind}, insight {one.id}, job {one.job})"
        for each in one.statements:
            yield f"  - {said(each.text)} ({said(', '.join(cited.at for cited in each.citations))})"
    if len(found) > MOST_NEW:
        yield f"- and {len(found) - MOST_NEW:,} more"


def _gone(report: Report, said: Escape) -> Iterator[str]:
    if report.gone:
        yield from ("", "## No longer true", "")
    for one in report.gone:
        yield f"- {said(one.title)} (insight {one.id}): {said(one.why)}"


def _costs(report: Report) -> Iterator[str]:
    if not report.costs:
        return
    yield from ("", "## Cost", "")
    names = [name for name in UNITS if name != "model_s" or any(one.cost.model_s for one in report.costs)]
    yield f"| kind | runs | done | {' | '.join(_HEADS[name] for name in names)} |"
    yield f"|---|{'---:|' * (len(names) + 2)}"
    for one in report.costs:
        used = (f"{getattr(one.cost, name) / _SCALES[name]:,.1f}" for name in names)
        yield f"| {one.kind} | {one.runs:,} | {one.done:,} | {' | '.join(used)} |"


def _failures(report: Report, said: Escape) -> Iterator[str]:
    if report.failures:
        yield from ("", "## Failures", "")
    for one in report.failures:
        times = f", {one.count:,} times" if one.count > 1 else ""
        yield f"- {one.kind}, job {one.job}, {one.state}{times}: {said(one.reason)}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


_HEADS = {"cpu_s": "CPU s", "io_bytes": "I/O MB", "model_s": "model min"}
_SCALES = {"cpu_s": 1.0, "io_bytes": 1e6, "model_s": 60.0}
