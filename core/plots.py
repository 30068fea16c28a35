"""Figures for the report, as SVG text that stands in the page itself."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GREY = "#3867d6", "#f0932b", "#20a36a", "#d64545", "#9aa5b1"


def over_time(periods: Sequence[str], counts: Sequence[int], label: str) -> str:
    """Bars over periods of time, with a readable number of dates."""
    figure, axes = _axes(9, 2.6)
    axes.bar(range(len(periods)), counts, color=BLUE, width=0.9)
    step = max(len(periods) // 10, 1)
    axes.set_xticks(range(0, len(periods), step), [periods[number] for number in range(0, len(periods), step)])
    axes.set_ylabel(label)
    return _svg(figure)


def lines_over_time(periods: Sequence[str], added: Sequence[int], removed: Sequence[int]) -> str:
    """Added lines above the axis, removed ones below; on a symmetric log scale, as imports dwarf daily work."""
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


def before_after(groups: Sequence[str], before: Sequence[float], after: Sequence[float], label: str, form: str) -> str:
    """Two bars per group: the base model and the fine-tuned one."""
    figure, axes = _axes(4.4, 2.8)
    places = range(len(groups))
    for shift, numbers, color, name in ((-0.2, before, GREY, "base model"), (0.2, after, BLUE, "fine-tuned")):
        bars = axes.bar([place + shift for place in places], numbers, width=0.38, color=color, label=name)
        axes.bar_label(bars, [form.format(number) for number in numbers], padding=2, fontsize=8)
    axes.set_xticks(list(places), list(groups))
    axes.set_ylabel(label)
    axes.set_ylim(0, max([*before, *after], default=1) * 1.25)
    axes.legend(frameon=False, ncols=2, loc="upper center")
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
