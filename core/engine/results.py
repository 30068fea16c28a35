"""What a run leaves for people and programs: pipeline_results.json and the summary table."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import select
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import __version__
from core.config import without_credentials
from core.errors import EXIT_FAILED, EXIT_OK
from core.files import Digests, size_of, write_json
from core.logs import log
from core.process import end_group
from core.visible import visible

if TYPE_CHECKING:
    from rich.table import Table

    from core.engine.worker import Outcome

FILE_NAME = "pipeline_results.json"
LOG_NAME = "pipeline.log"
SCHEMA_VERSION = "1.0"
MARKS = {"ran": "[green]ran[/]", "up to date": "[dim]up to date[/]", "failed": "[red]failed[/]"}


@dataclass
class StageEntry:
    """One stage in one run. `status`: ran, up to date, failed, blocked, interrupted or not reached."""

    name: str
    """The stage; after the repository, where there are several."""
    status: str
    reasons: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    largest_child_mb: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    drops: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: str = ""
    hint: str = ""
    exit_code: int = EXIT_OK
    finished_at: str = ""

    @classmethod
    def of(cls, name: str, why: list[str], outcome: Outcome) -> StageEntry:
        """The entry of a stage that was run."""
        return cls(
            name=name,
            status="ran",
            reasons=why,
            seconds=outcome.seconds,
            peak_memory_mb=outcome.peak_memory_mb,
            largest_child_mb=outcome.largest_child_mb,
            counts=dict(outcome.counts),
            drops=dict(outcome.drops),
            finished_at=now(),
        )

    @classmethod
    def skipped(cls, name: str, record: Mapping[str, Any]) -> StageEntry:
        """The entry of a stage that was up to date: what its last run made, without that run's time and memory."""
        kept = ("counts", "drops", "outputs", "finished_at")
        return cls(name, "up to date", **{key: record[key] for key in kept if key in record})

    def as_record(self, facts: Mapping[str, str]) -> dict[str, Any]:
        """The record kept with the outputs, from which a later run sees whether they are still up to date."""
        return {"schema_version": SCHEMA_VERSION, "facts": dict(facts), **asdict(self)}


@dataclass
class Run:
    """One call of the pipeline and how it ended."""

    config: dict[str, Any]
    path: Path
    stages: list[StageEntry] = field(default_factory=list)
    exit_code: int = EXIT_OK
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started_at: str = field(default_factory=lambda: now())  # noqa: PLW0108 - defined below
    finished_at: str = ""

    def finish(self, not_reached: Sequence[str], *, write: bool) -> None:
        """Set the exit code (that of the failed stages if they agree, otherwise 1) and write the record."""
        self.stages += [StageEntry(name, "not reached") for name in not_reached]
        bad = [entry.exit_code for entry in self.stages if entry.exit_code]
        alike = len(set(bad)) == 1 and not any(entry.status == "blocked" for entry in self.stages)
        self.exit_code = self.exit_code or (bad[0] if alike else EXIT_FAILED if bad else EXIT_OK)
        self.finished_at = now()
        if not write:
            return
        try:
            write_json(self.path, self.as_dict())
        except OSError as error:
            log.error("%s cannot be written: %s", self.path, error.strerror or error)
            self.exit_code = self.exit_code or EXIT_FAILED

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready record of the run."""
        return {
            "schema_version": SCHEMA_VERSION,
            "run_id": self.run_id,
            "status": "ok" if self.exit_code == EXIT_OK else "failed",
            "exit_code": self.exit_code,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "command": [without_credentials(word) for word in sys.argv],
            "versions": {"gitlore": __version__, "python": platform.python_version()},
            "stages": [asdict(entry) for entry in self.stages],
            "config": self.config,
        }

    def table(self) -> Table:
        """The summary for people."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        table = Table(title="Summary", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for name in ("stage", "status", "time", "peak", "written", "made and left out"):
            table.add_column(name, justify="right" if name in ("time", "peak", "written") else "left", no_wrap=True)
        table.columns[-1].no_wrap = False
        for entry in self.stages:
            written = sum(output["bytes"] for output in entry.outputs.values())
            table.add_row(
                visible(entry.name),
                MARKS.get(entry.status, entry.status),
                f"{entry.seconds:,.1f} s" if entry.seconds else "",
                f"{entry.peak_memory_mb:,.0f} MB" if entry.peak_memory_mb else "",
                f"{written / 1e6:,.1f} MB" if written else "",
                "\n".join([*_figures(entry.counts), *(f"left out: {line}" for line in _figures(entry.drops))]),
            )
        return table


def output_entry(path: Path, digests: Digests) -> dict[str, Any]:
    """Size and digest of a file or folder."""
    return {"bytes": size_of(path), "sha256": digests.of(path)}


def shorten(why: Sequence[str], most: int = 3) -> str:
    """The first reasons in one line."""
    more = f" (and {len(why) - most} more)" if len(why) > most else ""
    return "; ".join(why[:most]) + more


def print_summary(run: Run) -> None:
    """Print the table to standard output."""
    from rich.console import Console

    Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else 140).print(run.table())


def call_hook(command: str, run: Run, timeout_s: float) -> None:
    """Run the user's on_finish command with the record on standard input; its failure is only a warning.

    What it leaves running in the background may go on until the timeout, too.
    """
    deadline = time.monotonic() + timeout_s
    ended, held = os.pipe()  # whoever runs on holds the other end, as it holds its standard output
    process = subprocess.Popen(  # noqa: S602 - the command is the user's own, from the config
        command, shell=True, stdin=subprocess.PIPE, start_new_session=True, pass_fds=[held]
    )
    os.close(held)
    in_time = False
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(json.dumps(run.as_dict()).encode(), timeout=timeout_s)
        if process.returncode:
            log.warning("on_finish ended with exit code %s: %s", process.returncode, command)
        in_time = bool(select.select([ended], [], [], max(0.0, deadline - time.monotonic()))[0])
    finally:
        end_group(process.pid)
        process.wait()
        os.close(ended)
    if not in_time:
        log.warning("on_finish was stopped after %s s: %s", timeout_s, command)


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _figures(figures: Mapping[str, int]) -> list[str]:
    return [f"{number:,} {name}" for name, number in figures.items()]
