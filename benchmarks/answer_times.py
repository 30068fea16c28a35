"""How long does an answer take over HTTP? One client, one connection, questions where something is.

    python -m benchmarks.answer_times --repo PATH [--questions 200] [--seed 0]

Starts serve.py, waits for the index, and asks POST /chat where symbols are, half by their names and half by the first
sentences of their docstrings. Prints the median, the 95th percentile and the slowest, of the wait and of the CPU time
of the service and its git: on a busy machine, the latter says how long one would wait on a free core.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import click
import numpy as np

from benchmarks.fuzz_service import asked, memory_mib, port_of, started
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import StageError
from core.git.repositories import open_repository
from index.code_index import CodeIndex

FIRST_S = 600.0
"""The index is made meanwhile."""


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--repo", default=".", metavar="PATH", show_default=True, help="Repository to serve.")
@click.option("--questions", "count", default=200, type=click.IntRange(1), show_default=True, help="How many to ask.")
@click.option("--seed", default=0, show_default=True, help="Another seed asks for other symbols.")
@click.option("--cache-dir", default="", metavar="DIR", help="Where the index is [default: a new one].")
@with_exit_codes
def main(repo: str, count: int, seed: int, cache_dir: str) -> None:
    """Print how long the service takes to answer."""
    with tempfile.TemporaryDirectory() as folder:
        log, cache = Path(folder) / "log", Path(cache_dir or folder)
        server = started(repo, None, cache, log, most_s=FIRST_S)
        try:
            port, begin = port_of(log), time.monotonic()
            asked(port, "what is new?", FIRST_S)
            click.echo(f"first answer, with the index: {time.monotonic() - begin:.1f} s")
            with closing(CodeIndex(open_repository(repo, cache).git_dir, cache)) as index:
                questions = list(questions_about(index, seed, count))
                click.echo(f"{len(index.corpus()) - len(index.corpus().files):,} symbols")
            asked(port, questions[0])  # reads what is kept of the index
            waits, cpu = zip(*times(port, server.pid, questions), strict=True)
            memory = memory_mib(server.pid)
        finally:
            server.terminate()
            server.wait()
    for name, seconds in (("wait", waits), ("CPU time", cpu)):
        median, slow, slowest = np.percentile(seconds, [50, 95, 100]) * 1000
        click.echo(f"{name} of {count} questions: median {median:.0f} ms, p95 {slow:.0f} ms, slowest {slowest:.0f} ms")
    click.echo(f"memory of the service: {memory:.0f} MiB")


def questions_about(index: CodeIndex, seed: int, count: int) -> Iterator[str]:
    """Where symbols are, by name and by docstring in turn."""
    symbols = [one for file in index.corpus().files for one in file.text.symbols if one.last_name]
    described = [one for one in symbols if len(one.doc.split()) > 3]
    if not described:
        raise StageError("no symbol of this repository has a docstring")
    chance = random.Random(seed)
    for number in range(count):
        named = f"Where is {chance.choice(symbols).last_name} defined?"
        yield named if number % 2 else f"Where is this: {chance.choice(described).doc}"


def times(port: int, process: int, questions: list[str]) -> Iterator[tuple[float, float]]:
    """For each question, the seconds until its answer is read, and those of CPU.

    Raises StageError where one is refused.
    """
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for question in questions:
            before, begin = cpu_s(process), time.monotonic()
            body = json.dumps({"question": question})
            connection.request("POST", "/chat", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            yield time.monotonic() - begin, cpu_s(process) - before
            if answer.status != 200:
                raise StageError(f"{answer.status} to {question!r}: {text[:500]!r}")


def cpu_s(process: int) -> float:
    """CPU time of a process, with its children that have ended, in steps of 10 ms."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
