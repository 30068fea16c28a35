"""Seeding the stores, compared with what git needs to print the same histories: wall and CPU time, and memory.

    python -m benchmarks.seeding REPOSITORY [REPOSITORY ...]

The floor is `git log -p` of each repository's HEAD into nothing, one after the other. Ours is the whole of
scripts/pretrain_from_github.py into new stores: mining, the replay, checks and merge. In turn; medians over rounds.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.git import commands
from core.git.repositories import open_repository

ROUNDS = 3
SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "pretrain_from_github.py"


def main() -> None:
    """Print one line per round, then the medians."""
    places = [str(open_repository(place, Path()).git_dir) for place in sys.argv[1:]]
    ratios = []
    for _ in range(ROUNDS):
        floor = timed([commands.command(Path(place), "log", "-p", "HEAD", "--") for place in places])
        with tempfile.TemporaryDirectory() as folder:
            repos = [word for place in places for word in ("--repos", place)]
            line = [sys.executable, str(SCRIPT), "--no-github", "--stores", f"{folder}/stores", *repos]
            ours = timed([line])
            peak_mb = peak([*line[:4], f"{folder}/again", *line[5:]])
        ratios.append((ours[0] / floor[0], ours[1] / floor[1]))
        print(
            f"git log -p {floor[0]:6.1f} s (CPU {floor[1]:6.1f})   seeding {ours[0]:6.1f} s (CPU {ours[1]:6.1f}),"
            f" peak {peak_mb:,.0f} MB   ratio {ratios[-1][0]:.2f} (CPU {ratios[-1][1]:.2f})",
            flush=True,
        )
    wall, cpu = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"median ratio {wall:.2f} (CPU {cpu:.2f})")


def timed(lines: list[list[str]]) -> tuple[float, float]:
    """(wall, CPU) seconds of commands in a row, their output thrown away."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for line in lines:
        subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak(line: list[str]) -> float:
    """Peak memory of one process, in MB."""
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
