"""Stage 8: build one self-contained page that shows what was read, extracted and learned.

python report_builder.py --commits outputs/commits.json --output outputs/report.html
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from core import __version__
from core.config import Section
from core.engine.command import stage_main
from core.engine.stage import Context, Stage
from core.evaluation.hints import hints
from core.git.names import display_name
from core.models.model_folder import read_info
from core.records.commit_files import read_commits, read_history
from core.records.evaluation import CACHE, TRIGRAM, TUNED, Evaluation, Saving, read_evaluation
from core.records.rankings import FACTS, FORMS, read_rankings
from core.records.stats import ChunkingStats, read_chunking_stats, read_dataset_stats
from core.records.training import VALIDATION_LOSS, MemoryReport, read_metrics, read_training
from core.reports import plots
from core.text.grammar import GrammarError, parse_head, pieces_of_spelled
from core.visible import visible

TEMPLATES = Path("core/reports/templates")
MOST_BARS = 60
"""Longer histories are shown by quarter or year."""
METHODS = {
    "lora": "A LoRA adapter was",
    "qlora": "A LoRA adapter on a 4-bit base was",
    "full": "Every weight of the base was",
    "scratch": "A small model was",
}


class ReportBuilderConfig(Section):
    """What the report shows."""

    title: str = ""
    """Heading of the page; the repository's name if empty."""
    most_rows: int = Field(default=12, ge=1)
    """Maximum number of rows in each ranking (authors, languages, change types)."""


@dataclass
class Timeline:
    """Figures by month, and commits by author."""

    commits: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    authors: Counter[str] = field(default_factory=Counter)


def run(ctx: Context[ReportBuilderConfig]) -> None:
    """Write report.html."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    history = read_history(ctx.input("commits.json"))
    chunks = read_chunking_stats(ctx.input("chunking_stats.json"))
    dataset = read_dataset_stats(ctx.input("dataset_stats.json"))
    evaluation, logs = read_evaluation(ctx.input("evaluation.json")), ctx.input("training_logs")
    training, info = read_training(logs), read_info(ctx.input("model"))
    period, figures = draw_history(read_timeline(ctx.input("commits.json")), chunks, ctx.config.most_rows)
    figures |= draw_training(read_metrics(logs), training.memory) | draw_evaluation(evaluation)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= {"share": share, "saving": in_words, "head": describe_head, "gib": gib}
    page = environment.get_template("report.html.j2").render(
        name=ctx.config.title or display_name(history.repository, history.git_dir),
        rankings=read_rankings(ctx.input("ranking_evaluation.json")).repositories,
        forms=FORMS,
        facts=FACTS,
        history=msgspec.to_builtins(history),
        chunks=chunks,
        dataset=dataset,
        training=training,
        evaluation=evaluation,
        test=evaluation.test,
        tuned=TUNED,
        trigram=TRIGRAM,
        hints=hints(evaluation, training),
        plots=figures,
        period=period,
        method=METHODS[info.method],
        base_model=info.base_model,
        version=__version__,
    )
    ctx.output("report.html").write_text(visible(page), encoding="utf-8")
    ctx.count("figures", len(figures))


def read_timeline(commits: Path) -> Timeline:
    """Commits and changed lines by month of the author's date; changes of merges are left out."""
    timeline = Timeline()
    for commit in read_commits(commits):
        meta = commit.metadata
        month = meta.timestamp[:7]
        timeline.commits[month] += 1
        timeline.authors[meta.author] += 1
        if not meta.is_merge:
            timeline.added[month] += meta.insertions
            timeline.removed[month] += meta.deletions
    return timeline


def draw_history(timeline: Timeline, chunks: ChunkingStats, most: int) -> tuple[str, dict[str, str]]:
    """(the period that one bar stands for, figures of what was read and extracted, as SVG)."""
    period, groups = periods(sorted(timeline.commits))
    names = list(groups)

    def summed(counter: Counter[str]) -> list[int]:
        return [sum(counter[month] for month in groups[name]) for name in names]

    return period, {
        "commits": plots.over_time(names, summed(timeline.commits), "commits"),
        "lines": plots.lines_over_time(names, summed(timeline.added), summed(timeline.removed)),
        "authors": plots.ranking(dict(timeline.authors.most_common(most)), plots.ORANGE),
        "languages": plots.ranking(_first(chunks.languages, most), plots.GREEN),
        "change_types": plots.ranking(_first(chunks.change_types, most)),
        "symbol_kinds": plots.ranking(_first(chunks.symbol_kinds, most), plots.GREY),
    }


def draw_training(metrics: list[dict[str, Any]], memory: MemoryReport) -> dict[str, str]:
    """Figures of the training, as SVG."""
    steps = [entry for entry in metrics if "loss" in entry]
    points = [entry for entry in metrics if VALIDATION_LOSS in entry]
    numbers = [entry["step"] for entry in steps]
    needs = {name: size / 2**30 for name, size in memory.planned.items()}
    if memory.planned:
        needs |= {"planned in all": memory.planned_total / 2**30, "measured peak": memory.measured_peak / 2**30}
    return {
        "loss": plots.loss_curve(
            numbers,
            [entry["loss"] for entry in steps],
            [entry["step"] for entry in points],
            [entry[VALIDATION_LOSS] for entry in points],
        ),
        "rate": plots.rate_curve(
            numbers, [entry["learning_rate"] for entry in steps], [entry.get("grad_norm", 0.0) for entry in steps]
        ),
        "memory": plots.bars(needs, "{:.2f}", ("planned in all", "measured peak"), "GiB"),
    }


def draw_evaluation(evaluation: Evaluation) -> dict[str, str]:
    """Figures of how good the model is, as SVG."""
    rows = evaluation.test.rows
    bits = {name: rows[name].bits_per_byte for name in sorted(rows, key=lambda name: -rows[name].bits_per_byte)}
    figures = {"bits": plots.bars(bits, "{:.2f}", (TUNED, TUNED + CACHE), "bits per byte")}
    for key, groups in (("by_kind", evaluation.by_kind), ("by_age", evaluation.by_age)):
        names = next((list(group.bits_per_token) for group in groups.values()), [])
        series = {name: [group.bits_per_token[name] for group in groups.values()] for name in names}
        figures[key] = plots.grouped(list(groups), series, "bits per token", "{:.1f}")
    if found := evaluation.next_commits:
        tasks = ("file@1", "file@5", "change_type@1", "change_type@5")
        shares = {name: [row[task].mean or 0.0 for task in tasks] for name, row in found.accuracy.items()}
        labels = [task.replace("change_", "") for task in tasks]
        figures["next_commits"] = plots.grouped(labels, shares, "right", "{:.0%}")
        bins = found.calibration.bins
        figures["calibration"] = plots.calibration(
            [one.predicted for one in bins], [one.true for one in bins], [one.answers for one in bins]
        )
    return figures


def periods(months: list[str]) -> tuple[str, dict[str, list[str]]]:
    """All months from first to last, grouped so that there are at most MOST_BARS bars."""
    first, last = (12 * int(month[:4]) + int(month[5:]) - 1 for month in (months[0], months[-1]))
    numbers = range(first, last + 1)
    for name, size in (("month", 1), ("quarter", 3), ("year", 12)):
        if len(numbers) // size <= MOST_BARS or name == "year":
            break
    groups: dict[str, list[str]] = {}
    for number in numbers:
        year, month = divmod(number, 12)
        label = {"month": f"{year}-{month + 1:02}", "quarter": f"{year} Q{month // 3 + 1}", "year": f"{year}"}[name]
        groups.setdefault(label, []).append(f"{year:04}-{month + 1:02}")
    return name, groups


def describe_head(head: str) -> tuple[str, str]:
    """(message, "author, month") of a commit's head, given with its markers spelled out."""
    try:
        commit = parse_head(pieces_of_spelled(head))
    except GrammarError:  # a name or message that spells a marker
        return head, ""
    return "".join(commit.message) or "(no message)", f"{''.join(commit.author)}, {commit.year}-{commit.month}"


def in_words(saving: Saving) -> str:
    """A share of bits that is saved, with its interval."""
    return f"{saving.share:.1%} ({saving.interval})" if saving.interval else f"{saving.share:.1%}"


def share(probability: float) -> str:
    """A probability as a percentage."""
    return f"{probability:.1%}" if probability >= 0.001 else "< 0.1%"


def gib(size: int) -> str:
    """Bytes as GiB."""
    return f"{size / 2**30:.2f}"


def _first(figures: dict[str, int], most: int) -> dict[str, int]:
    return dict(list(figures.items())[:most])


STAGE = Stage(
    name="report_builder",
    help="build the report: what was read, extracted and learned",
    config=ReportBuilderConfig,
    run=run,
    inputs=(
        *("commits.json", "chunking_stats.json", "ranking_evaluation.json", "dataset_stats.json"),
        *("model", "training_logs", "evaluation.json"),
    ),
    outputs=("report.html",),
    flags={"commits": "commits.json", "output": "report.html"},
    libraries=("matplotlib", "Jinja2"),
    data_files=(f"{TEMPLATES}/report.html.j2", f"{TEMPLATES}/ranking.html.j2", f"{TEMPLATES}/style.html.j2"),
)

if __name__ == "__main__":
    stage_main(STAGE)
