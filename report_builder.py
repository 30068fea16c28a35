"""Stage 7: one self-contained page that shows what was read, cut and learnt.

python report_builder.py --commits outputs/commits.json --output outputs/report.html
"""

from __future__ import annotations

import json
import re
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
from core.evaluation.names import CACHE, TUNED
from core.models import model_folder
from core.records.commit_files import read_commits, read_history
from core.reports import plots
from core.training.logs import METRICS, SUMMARY, VALIDATION_LOSS, read_metrics

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
    """Heading of the page; the repository's name unless set."""
    most_rows: int = Field(default=12, ge=1)
    """Rows of each ranking (authors, languages, change types)."""


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
    chunks, dataset, evaluation = (
        json.loads(ctx.input(name).read_bytes())
        for name in ("chunking_stats.json", "dataset_stats.json", "evaluation.json")
    )
    training = json.loads((ctx.input("training_logs") / SUMMARY).read_bytes())
    metrics = read_metrics(ctx.input("training_logs") / METRICS)
    about = model_folder.read_about(ctx.input("model"))
    period, figures = draw_history(read_timeline(ctx.input("commits.json")), chunks, ctx.config.most_rows)
    figures |= draw_training(metrics, training) | draw_evaluation(evaluation)
    for example in evaluation["examples"]:
        example["title"], example["byline"] = describe_head(example["head"])
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "core" / "reports" / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"share": share, "gain": gain_in_words, "gib": lambda size: f"{size / 2**30:.2f}"}
    page = environment.get_template("report.html.j2").render(
        name=ctx.config.title or repository_name(history.repository, history.git_dir),
        history=msgspec.to_builtins(history),
        chunks=chunks,
        dataset=dataset,
        training=training,
        evaluation=evaluation,
        test=evaluation["splits"]["test"],
        hints=hints(evaluation, training),
        plots=figures,
        period=period,
        method=METHODS[about["settings"]["model_training"]["method"]],
        base_model=about["base_model"],
        version=__version__,
    )
    ctx.output("report.html").write_text(page, encoding="utf-8")
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


def draw_history(timeline: Timeline, chunks: dict[str, Any], most: int) -> tuple[str, dict[str, str]]:
    """(name of the period that bars stand for, figures of what was read and cut, as SVG)."""
    period, groups = periods(sorted(timeline.commits))
    names = list(groups)

    def summed(counter: Counter[str]) -> list[int]:
        return [sum(counter[month] for month in groups[name]) for name in names]

    return period, {
        "commits": plots.over_time(names, summed(timeline.commits), "commits"),
        "lines": plots.lines_over_time(names, summed(timeline.added), summed(timeline.removed)),
        "authors": plots.ranking(dict(timeline.authors.most_common(most)), plots.ORANGE),
        "languages": plots.ranking(_first(chunks["languages"], most), plots.GREEN),
        "change_types": plots.ranking(_first(chunks["change_types"], most)),
        "symbol_kinds": plots.ranking(_first(chunks["symbol_kinds"], most), plots.GREY),
    }


def draw_training(metrics: list[dict[str, Any]], training: dict[str, Any]) -> dict[str, str]:
    """Figures of how the model was trained."""
    steps = [entry for entry in metrics if "loss" in entry]
    points = [entry for entry in metrics if VALIDATION_LOSS in entry]
    memory = training["memory"]
    numbers = [entry["step"] for entry in steps]
    needs = {name: size / 2**30 for name, size in memory["planned"].items()}
    if memory["planned"]:
        needs |= {"planned in all": memory["planned_total"] / 2**30, "measured peak": memory["measured_peak"] / 2**30}
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


def draw_evaluation(evaluation: dict[str, Any]) -> dict[str, str]:
    """Figures of how good the model is."""
    rows = evaluation["splits"]["test"]["rows"]
    ordered = sorted(rows, key=lambda name: -rows[name]["bits_per_byte"])
    figures = {
        "bits": plots.bars(
            {name: rows[name]["bits_per_byte"] for name in ordered}, "{:.2f}", (TUNED, TUNED + CACHE), "bits per byte"
        )
    }
    for key in ("by_kind", "by_age"):
        groups = evaluation[key]
        names = list(next(iter(groups.values()), {"bits_per_token": {}})["bits_per_token"])
        series = {name: [group["bits_per_token"][name] for group in groups.values()] for name in names}
        figures[key] = plots.grouped(list(groups), series, "bits per token", "{:.1f}")
    if found := evaluation["next_commits"]:
        tasks = ("file@1", "file@5", "change_type@1", "change_type@5")
        series = {name: [row[task]["mean"] for task in tasks] for name, row in found["accuracy"].items()}
        figures["next_commits"] = plots.grouped(
            [task.replace("change_", "") for task in tasks], series, "right", "{:.0%}"
        )
        bins = found["calibration"]["bins"]
        said, true, answers = ([one[key] for one in bins] for key in ("said", "true", "answers"))
        figures["calibration"] = plots.calibration(said, true, answers)
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
    """(message, "author, month") of a commit's head in the grammar."""
    start, _, message = head.partition("<MESSAGE>")
    date = re.fullmatch(r".*?<YEAR(?::|>)(\d+)>?<MONTH(?::|>)(\d+)>?<AUTHOR>(.*?)(?:<BRANCH>.*)?", start, re.DOTALL)
    return (message or "(no message)", f"{date[3]}, {date[1]}-{date[2]}") if date else (head, "")


def gain_in_words(gain: dict[str, Any]) -> str:
    """A share of bits that is saved, with its interval."""
    between = f" ({gain['low']:.1%} to {gain['high']:.1%})" if gain["low"] is not None else ""
    return f"{gain['share']:.1%}{between}"


def share(probability: float) -> str:
    """A probability as people read it."""
    return f"{probability:.1%}" if probability >= 0.001 else "< 0.1%"


def repository_name(location: str, git_dir: str) -> str:
    """A short name for a path or URL."""
    folder = Path(git_dir)
    path = folder.parent if folder.name == ".git" else folder
    name = location.rstrip("/").rsplit("/", 1)[-1] if "://" in location else path.name
    return name.removesuffix(".git") or location


def _first(figures: dict[str, int], most: int) -> dict[str, int]:
    return dict(list(figures.items())[:most])


STAGE = Stage(
    name="report_builder",
    help="draw the report: what was read, cut and learnt",
    config=ReportBuilderConfig,
    run=run,
    inputs=("commits.json", "chunking_stats.json", "dataset_stats.json", "model", "training_logs", "evaluation.json"),
    outputs=("report.html",),
    flags={"commits": "commits.json", "output": "report.html"},
    libraries=("matplotlib", "Jinja2"),
    data_files=("core/reports/templates/*",),
)

if __name__ == "__main__":
    stage_main(STAGE)
