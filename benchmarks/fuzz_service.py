"""Does the service stand bad requests? No error of its own, no hang, no growth of memory.

    python -m benchmarks.fuzz_service --repo PATH [--requests 5000] [--seed 0]

Starts serve.py, sends seeded bad requests (bad_requests.py), and prints what was answered, the slowest of each kind,
and the memory of the process. Exits with 1 where anything was answered 5xx, took longer than ten seconds, or left a
traceback in the log.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import click

from benchmarks.bad_requests import CLOSED, REPO, BadRequest, bad_requests
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import StageError


@dataclass
class Tally:
    """What was answered, by kind of request."""

    statuses: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    slowest_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    failures: list[str] = field(default_factory=list)
    """Of the service: errors of its own, and no answer."""

    def ask(self, request: BadRequest, port: int) -> None:
        """Send one, and note what comes of it."""
        begin = time.monotonic()
        try:
            status = request.ask(port)
        except TimeoutError:
            status = CLOSED
            self.failures.append(f"no answer to {request.sent[:500]!r}")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.failures.append(f"{status} to {request.sent[:500]!r}")
        self.statuses[request.kind][status] += 1
        self.slowest_s[request.kind] = max(self.slowest_s[request.kind], time.monotonic() - begin)

    def in_words(self) -> str:
        """A line a kind."""
        lines = []
        for kind, counted in self.statuses.items():
            answers = ", ".join(f"{number} x {status or 'closed'}" for status, number in sorted(counted.items()))
            lines.append(f"{kind}: {answers}; the slowest {self.slowest_s[kind]:.2f} s")
        return "\n".join(lines)


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--repo", default=".", metavar="PATH", show_default=True, help="Repository to serve.")
@click.option("--model", metavar="DIR", help="Trained model to serve; without one, no text is written.")
@click.option("--requests", default=5000, type=click.IntRange(1), show_default=True, help="How many to send.")
@click.option("--seed", default=0, show_default=True, help="Another seed makes other requests.")
@with_exit_codes
def main(repo: str, model: str | None, requests: int, seed: int) -> None:
    """Send bad requests to the service and print what it made of them."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        server = started(repo, model, Path(folder) / "cache", log)
        try:
            port = port_of(log)
            asked(port, "what is new?")  # waits for the index
            for number, request in enumerate(bad_requests(seed, requests)):
                if number % max(1, requests // 5) == 0:
                    click.echo(f"{number:,} requests: {memory_mib(server.pid):.0f} MiB")
                tally.ask(request, port)
            click.echo(f"{requests:,} requests: {memory_mib(server.pid):.0f} MiB")
        finally:
            server.terminate()
            server.wait()
        said = log.read_text()
    click.echo(tally.in_words())
    tally.failures += ["a traceback in the log"] * said.count("Traceback")
    if tally.failures:
        raise StageError("\n".join([f"{len(tally.failures)} failures", *tally.failures[:20]]))
    click.echo("no failure")


def started(
    repo: str, model: str | None, cache: Path, log: Path, most_s: float | None = None
) -> subprocess.Popen[bytes]:
    """serve.py at a free port, with a cache; what it says is in `log`. A request may take `most_s`."""
    line = [sys.executable, "serve.py", "--repo", f"{REPO}={repo}", "--cache-dir", str(cache), "--port", "0"]
    line += ["--model", model] if model else []
    line += ["--timeout-s", str(most_s)] if most_s else []
    with log.open("wb") as opened:
        return subprocess.Popen(
            line, stdout=opened, stderr=subprocess.STDOUT, env={**os.environ, "GITLORE_API_KEY": ""}
        )


def port_of(log: Path, most_s: float = 120) -> int:
    """The port that a service says it listens on. Raises StageError where it does not."""
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        if found := re.search(r"listening on http://[^ ]*:(\d+) ", log.read_text()):
            return int(found[1])
        time.sleep(0.1)
    raise StageError(f"the service did not start: {log.read_text()[-500:]}")


def asked(port: int, question: str, most_s: float = 120) -> dict[str, Any]:
    """The answer to a good question. Raises StageError where there is none."""
    body = json.dumps({"question": question}).encode()
    request = Request(f"http://127.0.0.1:{port}/chat", body, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=most_s) as answer:
            found: dict[str, Any] = json.load(answer)
    except OSError as error:
        raise StageError(f"a question was not answered: {error}") from error
    return found


def memory_mib(process: int) -> float:
    """What a process has in memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
