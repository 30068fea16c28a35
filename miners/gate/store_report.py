"""The report of an evaluation: whether seeds help, where they do not, and how well fixes are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core import __version__
from core.records.seeding import GateGain
from core.reports import plots
from core.visible import visible
from miners.gate.rule_quality import KnownFixes, Labelled
from miners.gate.verdicts import ARMS, MIN_UNITS, Verdict

_TEMPLATES = Path(__file__).resolve().parents[2] / "core" / "reports" / "templates"
MIN_LABELLED = 20
"""Labelled fixes of a repository below which precision and recall are not shown."""
SHOWN = ("repair_strategy files", "repair_strategy lines")
"""Targets that get a chart by repository."""


def render(evaluation: Mapping[str, Any], verdicts: Mapping[str, Mapping[str, Verdict]]) -> str:
    """The page, complete in itself."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    flat = {f"{name} {target}": one for name, some in verdicts.items() for target, one in some.items() if one.tried}
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("stores.html.j2").render(
        evaluation=evaluation, rows=flat, arms=ARMS, plots=_plots(flat), verdict_of=verdict_of, version=__version__
    )
    return visible(page)


def _plots(flat: Mapping[str, Verdict]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "defaults": plots.intervals(_gains(flat, "defaults"), "bits saved over the shipped defaults (95 % interval)"),
        "placebo": plots.intervals(_gains(flat, "placebo"), "bits saved over the placebo (95 % interval)"),
        "repositories": {},
    }
    for name in SHOWN:
        if name in flat:
            tried = flat[name].tried
            series = {arm: [one.bits[arm] for one in tried] for arm in ("defaults", "placebo", "own history", "seeded")}
            found["repositories"][name] = plots.grouped([one.name for one in tried], series, "bits", "{:.2f}")
    return found


def _gains(flat: Mapping[str, Verdict], arm: str) -> dict[str, tuple[float, float, float]]:
    found = {}
    for name, verdict in flat.items():
        gain = verdict.gain_over(arm)
        if gain.mean is not None and gain.low is not None and gain.high is not None:
            found[name] = (gain.mean, gain.low, gain.high)
    return found


def table(verdicts: Mapping[str, Mapping[str, Verdict]]) -> Sequence[tuple[str, ...]]:
    """Rows for a terminal: target, bits of each arm, gains, verdict."""
    rows = []
    for name, some in verdicts.items():
        for target, one in some.items():
            if not one.tried:
                rows.append((f"{name} {target}", *[""] * 7, "too little evidence"))
                continue
            bits = [f"{one.mean(arm):.3f}" for arm in ("uniform", "defaults", "placebo", "own history", "seeded")]
            gains = [_interval(one.gain_over(arm)) for arm in ("defaults", "placebo")]
            rows.append((f"{name} {target}", *bits, *gains, verdict_of(one)))
    return rows


def rule_lines(measured: Mapping[str, tuple[KnownFixes, Labelled]]) -> Iterator[str]:
    """Sentences for a terminal: how well fixes are found; none where nothing was measured."""
    if not measured:
        return
    found = [one for one, _ in measured.values()]
    known, by_message = sum(one.known for one in found), sum(one.by_message for one in found)
    source = sum(one.in_source for one in found)
    yield f"BugsInPy: {by_message} of {known} known fixes found by their messages, {source} with source files"
    for name, (_, labelled) in measured.items():
        if labelled.fixes >= MIN_LABELLED and labelled.precision is not None:
            figures = f"precision {labelled.precision:.2f}, recall {labelled.recall:.2f}"
            yield f"{name}: words find labelled fixes with {figures}"


def verdict_of(one: Verdict) -> str:
    """One or two words for a table."""
    if len(one.tried) < MIN_UNITS:
        return "too few to tell"
    return "passed" if one.passed else "refused"


def _interval(gain: GateGain) -> str:
    if gain.low is None:
        return f"{gain.mean:+.3f}"
    return f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
