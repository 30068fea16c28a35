"""Figures for the reports, as SVG text to be embedded in the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GREY = "#3867d6", "#f0932b", "#20a36a", "#d64545", "#9aa5b1"
_SERIES = (BLUE, GREY, ORANGE, GREEN)


def over_time(periods: Sequence[str], counts: Sequence[int], label: str) -> str:
    """Bars over periods of time, with a readable number of dates."""
    figure, axes = _axes(9, 2.6)
    axes.bar(range(len(periods)), counts, color=BLUE, width=0.9)
    step = max(len(periods) // 10, 1)
    axes.set_xticks(range(0, len(periods), step), [periods[number] for number in range(0, len(periods), step)])
    axes.set_ylabel(label)
    return _svg(figure)


def lines_over_time(periods: Sequence[str], added: Sequence[int], removed: Sequence[int]) -> str:
    """Added lines above the axis, removed ones below; on a symmetric log scale, since imports dwarf daily work."""
    figure, axes = _axes(9, 2.6)
    axes.bar(range(len(periods)), added, color=GREEN, width=0.9, label="added")
    axes.bar(range(len(periods)), [-number for number in removed], color=RED, width=0.9, label="removed")
    axes.set_yscale("symlog", linthresh=100)
    axes.axhline(0, color="#334", linewidth=0.6)
    step = max(len(periods) // 10, 1)
    axes.set_xticks(range(0, len(periods), step), [periods[number] for number in range(0, len(periods), step)])
    axes.set_ylabel("lines (log)")
    axes.legend(frameon=False, ncols=2, loc="upper left", bbox_to_anchor=(0, 1.18))
    return _svg(figure)


def ranking(figures: Mapping[str, int], color: str = BLUE) -> str:
    """Horizontal bars, longest first, with their numbers."""
    figure, axes = _axes(4.4, 0.5 + 0.27 * max(len(figures), 1))
    names, numbers = list(figures)[::-1], list(figures.values())[::-1]
    bars = axes.barh([_short(name) for name in names], numbers, color=color, height=0.7)
    axes.bar_label(bars, [f"{number:,}" for number in numbers], padding=3, fontsize=8, color="#334")
    axes.set_xlim(0, max(numbers, default=1) * 1.18)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    return _svg(figure)


def loss_curve(steps: Sequence[int], losses: Sequence[float], val_steps: Sequence[int], val: Sequence[float]) -> str:
    """Training loss of each step, its running mean, and the validation loss."""
    figure, axes = _axes(9, 3)
    axes.plot(steps, losses, color=GREY, linewidth=0.8, alpha=0.7, label="training, each step")
    axes.plot(steps, _smooth(losses), color=BLUE, linewidth=1.8, label="training, running mean")
    if val:
        axes.plot(val_steps, val, color=ORANGE, marker="o", linewidth=1.8, label="validation")
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("loss (nats per token)")
    axes.legend(frameon=False)
    return _svg(figure)


def rate_curve(steps: Sequence[int], rates: Sequence[float], norms: Sequence[float]) -> str:
    """Learning rate of each step, and the norm of its gradient before clipping."""
    figure, axes = _axes(9, 1.9)
    axes.plot(steps, rates, color=GREEN, linewidth=1.8)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("learning rate", color=GREEN)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    other = axes.twinx()
    other.spines["top"].set_visible(False)
    other.plot(steps, norms, color=GREY, linewidth=0.8)
    other.set_ylabel("gradient norm", color=GREY)
    return _svg(figure)


def bars(figures: Mapping[str, float], form: str, highlight: Sequence[str] = (), label: str = "") -> str:
    """Horizontal bars in the given order, those in `highlight` coloured."""
    figure, axes = _axes(9, 0.5 + 0.3 * max(len(figures), 1))
    names, numbers = list(figures)[::-1], list(figures.values())[::-1]
    drawn = axes.barh(names, numbers, color=[BLUE if name in highlight else GREY for name in names], height=0.7)
    axes.bar_label(drawn, [form.format(number) for number in numbers], padding=3, fontsize=8, color="#334")
    axes.set_xlim(0, max(numbers, default=1) * 1.12)
    axes.set_xlabel(label)
    return _svg(figure)


def grouped(groups: Sequence[str], series: Mapping[str, Sequence[float]], label: str, form: str) -> str:
    """A bar for each series in each group."""
    figure, axes = _axes(9 if len(groups) > 4 else 4.4, 2.6)
    width = 0.8 / max(len(series), 1)
    for number, (name, values) in enumerate(series.items()):
        places = [place + (number - (len(series) - 1) / 2) * width for place in range(len(groups))]
        drawn = axes.bar(places, values, width=width * 0.94, color=_SERIES[number % len(_SERIES)], label=name)
        if len(groups) * len(series) <= 36:
            axes.bar_label(drawn, [form.format(value) for value in values], padding=2, fontsize=7)
    turned = 30 if len(groups) > 9 else 0
    axes.set_xticks(range(len(groups)), list(groups), rotation=turned, ha="right" if turned else "center")
    axes.set_ylabel(label)
    axes.set_ylim(0, max([value for values in series.values() for value in values], default=1) * 1.3 or 1)
    axes.legend(frameon=False, ncols=len(series), loc="upper center")
    return _svg(figure)


def calibration(predicted: Sequence[float], true: Sequence[float], answers: Sequence[int]) -> str:
    """How often answers came true against their predicted probability; the size of a dot is their number."""
    figure, axes = _axes(4.4, 2.9)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--", label="perfectly calibrated")
    axes.scatter(predicted, true, s=[18 + 6 * number for number in answers], color=BLUE, alpha=0.8)
    for x, y, number in zip(predicted, true, answers, strict=True):
        axes.annotate(str(number), (x, y), textcoords="offset points", xytext=(6, 4), fontsize=7, color="#334")
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.05, 1.08)
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("came true")
    axes.legend(frameon=False, loc="upper left")
    return _svg(figure)


def intervals(rows: Mapping[str, tuple[float, float, float]], label: str) -> str:
    """A dot with its interval, (mean, low, high), for each row: green above zero, red below, grey around it."""
    figure, axes = _axes(9, 0.6 + 0.28 * max(len(rows), 1))
    names = list(rows)[::-1]
    for place, name in enumerate(names):
        mean, low, high = rows[name]
        color = GREEN if low > 0 else RED if high < 0 else GREY
        axes.plot([low, high], [place, place], color=color, linewidth=2)
        axes.plot([mean], [place], "o", color=color, markersize=5)
    axes.axvline(0, color="#334", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [_short(name, 60) for name in names])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlabel(label)
    return _svg(figure)


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "gitlore", "font.family": "sans-serif", "font.size": 9}
    )
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_facecolor("none")
    return figure, axes


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _smooth(values: Sequence[float], window: int = 9) -> list[float]:
    smoothed = []
    for number in range(len(values)):
        part = values[max(number - window + 1, 0) : number + 1]
        smoothed.append(sum(part) / len(part))
    return smoothed


def _short(name: str, most: int = 34) -> str:
    clean = name.replace("$", r"\$")  # matplotlib would read it as a formula
    return clean if len(clean) <= most else clean[: most - 1] + "…"
