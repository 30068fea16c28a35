"""Damaged files in front of all that reads them: each must give a result or a sentence, soon, in bounded memory.

    python -m benchmarks.fuzz_files [--work FOLDER] [--rounds N] [--seed N] [--case N] [SURFACE]...

FOLDER has config.yaml and the outputs of a whole run on it. A surface is something that is read, such as chunks.jsonl,
with its reader, mostly the next stage (benchmarks/surfaces.py). Each case damages one file of a copy and reads it in a
process of its own. A traceback, a hang, a kill or too much memory is printed with its case; the exit code is then 1.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import click

from benchmarks.damage import damaged
from benchmarks.surfaces import SURFACES, Surface, prepared
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.engine.worker import explain
from core.errors import GitloreError, UserError, did_you_mean

MOST_SECONDS = 60.0
"""A case that takes longer hangs; undamaged files take a second or two."""
MOST_MEMORY = 1 << 30
"""Bytes that a case may take beyond what the process had before."""
RESULT, SENTENCE = "result", "sentence"


@dataclass
class Findings:
    """What came of the cases of one surface."""

    counts: Counter[str] = field(default_factory=Counter)
    """By RESULT, SENTENCE and "finding"."""
    found: list[str] = field(default_factory=list)
    """What must not be, each with its case."""


@click.command(context_settings=CONTEXT_SETTINGS, help=(__doc__ or "").split("\n\n", 1)[0])
@click.argument("names", nargs=-1, metavar="[SURFACE]...")
@click.option("--work", default=".", metavar="FOLDER", help="Folder with config.yaml and outputs [default: this one].")
@click.option("--rounds", default=1, show_default=True, help="How many times the cases of each surface.")
@click.option("--seed", default="0", show_default=True, help="Another one makes other damage.")
@click.option("--case", type=int, metavar="N", help="This case alone, with its whole traceback.")
@with_exit_codes
def main(names: tuple[str, ...], work: str, rounds: int, seed: str, case: int | None) -> None:
    """Print a line per surface, and each finding."""
    for name in names:
        if name not in SURFACES:
            raise UserError(f"there is no surface '{name}'", did_you_mean(name, SURFACES))
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        template = prepared(Path(work), Path(folder) / "work")
        for name in names or SURFACES:
            cases = range(SURFACES[name].cases * rounds) if case is None else [case]
            done = fuzz(name, template, seed, cases, whole=case is not None)
            shown = ", ".join(f"{number} {what}" for what, number in sorted(done.counts.items()))
            click.echo("\n  ".join([f"{name:20} {shown}", *done.found]))
            failed |= bool(done.found)
    sys.exit(failed)


def fuzz(name: str, template: Path, seed: str, cases: Iterable[int], *, whole: bool = False) -> Findings:
    """Read damaged copies of a `prepared` work folder. Raises UserError if the surface fails undamaged.

    With `whole`, findings hold their whole traceback.
    """
    surface, done = SURFACES[name], Findings()
    undamaged = _attempt(surface, template, None)
    if undamaged[0] != RESULT:
        raise UserError(f"{name} cannot be read undamaged: {undamaged[1]}", "let the whole pipeline run there first")
    for case in cases:
        kind, detail = _attempt(surface, template, Random(f"{seed} {name} {case}"))
        done.counts[kind] += 1
        if kind not in (RESULT, SENTENCE):
            done.found.append(f"case {case}: {kind}: {detail if whole else _end_of(detail)}")
    return done


def _end_of(trace: str) -> str:
    """Of a traceback, the error and the last of our lines."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    places = [line for line in lines if line.startswith("File") and "site-packages" not in line and "/lib/" not in line]
    return " ".join([*lines[-1:], *places[-1:]])[:300]


def _attempt(surface: Surface, template: Path, random: Random | None) -> tuple[str, str]:
    """(what came of it, what was said) of one copy, damaged with `random` if there is one."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        shutil.copytree(template, work, symlinks=True)
        if random:
            file = random.choice(surface.paths(work))
            file.write_bytes(damaged(file.read_bytes(), random))
        return _in_child(surface.read, work)


def _in_child(read: Callable[[Path], object], work: Path) -> tuple[str, str]:
    receiver, sender = os.pipe()
    if not (child := os.fork()):
        os.close(receiver)
        os.setpgid(0, 0)
        outcome = "\0".join(_outcome(read, work)).encode(errors="backslashreplace")
        os.write(sender, outcome[:60_000])  # a pipe holds 64 KiB
        os._exit(0)
    os.close(sender)
    end = time.monotonic() + MOST_SECONDS
    while not (ended := os.wait4(child, os.WNOHANG))[0] and time.monotonic() < end:
        time.sleep(0.005)
    if not ended[0]:
        os.killpg(child, signal.SIGKILL)
        os.wait4(child, 0)
    with os.fdopen(receiver, "rb") as pipe:
        kind, _, detail = pipe.read().decode().partition("\0")
    if not ended[0]:
        return "hang", f"killed after {MOST_SECONDS:.0f} s"
    if not kind:
        return "kill", f"wait status {ended[1]}"
    return kind, detail


def _outcome(read: Callable[[Path], object], work: Path) -> tuple[str, str]:
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.chdir(work)
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    try:
        read(work)
    except GitloreError as error:
        return SENTENCE, str(error)
    except MemoryError:
        return "memory", traceback.format_exc()
    except Exception as error:  # noqa: BLE001 - finding them is what this is for
        said, _, trace = explain(error, work)
        return ("traceback", trace) if trace else (SENTENCE, said)
    except BaseException:  # noqa: BLE001 - SystemExit of a library, KeyboardInterrupt
        return "traceback", traceback.format_exc()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10) - before
    return ("memory", f"{grown >> 20:,} MB") if grown > MOST_MEMORY else (RESULT, "")


if __name__ == "__main__":
    main()
