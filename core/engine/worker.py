"""A stage in a process of its own: its memory is measured, and its death is survived and reported."""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from core import logs
from core.engine.stage import Context, Stage
from core.errors import EXIT_FAILED, EXIT_INTERRUPTED, GitloreError
from core.process import die_with_parent, end_group, mebibytes, peak_memory_mb

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

INTERRUPT_GRACE_S = 60.0
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
_DISK_FULL = ("No space left on device", "iostream error", "file write failed", "unexpected pos")
"""What libraries that write from native code (tokenizers, safetensors, torch) say of a full disk."""


@dataclass(frozen=True)
class Job:
    """What the child needs to run a stage, in picklable form."""

    module: str
    config: Mapping[str, Any]
    input_paths: Mapping[str, Path]
    output_paths: Mapping[str, Path]
    published_paths: Mapping[str, Path]
    scratch: Path
    cache_dir: Path
    resolved: Mapping[str, Any]
    facts: Mapping[str, str]
    previous: Mapping[str, str] | None
    forced: bool
    log_file: Path
    verbose: bool
    estimate: bool = False
    """Let the stage estimate what a run brings, instead of running it."""


@dataclass
class Outcome:
    """How a stage ended. `exit_code` 0 is success; `error` is then empty."""

    exit_code: int = 0
    error: str = ""
    hint: str = ""
    trace: str = ""
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    largest_child_mb: float = 0.0
    """The highest memory of any process that the stage started: git, for instance."""
    counts: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)


def run_in_child(job: Job) -> Outcome:
    """Run the job's stage in a child process and wait until it ends, in success, failure or a kill."""
    import multiprocessing

    context: Any = multiprocessing.get_context("fork" if _is_single_threaded() else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(job, sender), name=job.module)
    started = time.monotonic()
    # Block interrupts while forking: the child unblocks them once its handler is installed, we right after the fork.
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
    child.start()
    sender.close()
    try:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
            outcome = _await(child, receiver)
        except KeyboardInterrupt:
            outcome = _let_it_save(child, receiver)
    except KeyboardInterrupt:  # a second one, however far the first had come
        outcome = _interrupted(Outcome(), child)
    outcome.seconds = round(time.monotonic() - started, 2)
    return outcome


def _is_single_threaded() -> bool:
    """True where a fork is safe, and saves the child from importing everything again."""
    with contextlib.suppress(OSError):
        return sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) == 1
    return False


def _await(child: Any, receiver: Connection) -> Outcome:
    try:
        outcome: Outcome = receiver.recv()
    except EOFError:
        child.join()
        end_group(child.pid)
        return _died(child.exitcode)
    child.join()
    return outcome


def _let_it_save(child: Any, receiver: Connection) -> Outcome:
    """Let an interrupted stage save its work, but not for too long."""
    from multiprocessing.connection import wait

    logs.log.warning("interrupted: letting the stage save its work (press Ctrl-C again to kill it)")
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGINT)
    wait([receiver, child.sentinel], timeout=INTERRUPT_GRACE_S)
    return _interrupted(_await(child, receiver) if receiver.poll() else Outcome(), child)


def _interrupted(outcome: Outcome, child: Any) -> Outcome:
    """Kill what is left of the stage and of all that it started."""
    child.kill()
    end_group(child.pid)
    child.join()
    outcome.exit_code, outcome.error = EXIT_INTERRUPTED, "interrupted"
    return outcome


def _died(exit_code: int | None) -> Outcome:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = "the system kills with SIGKILL when memory runs out" if name == "SIGKILL" else ""
        return Outcome(EXIT_FAILED, f"its process was killed by {name}", hint)
    return Outcome(EXIT_FAILED, f"its process ended without a result (exit code {exit_code})")


def _child(job: Job, sender: Connection) -> None:
    os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, which passes it on once
    die_with_parent()
    # We report the outcome once; what libraries' threads and exit handlers print is for the log.
    threading.excepthook = lambda event: logs.log.debug("a library's thread failed: %s", event.exc_value)
    sys.unraisablehook = lambda event: logs.log.debug("%s: %s", event.err_msg or "ignored", event.exc_value)
    os.environ["TQDM_DISABLE"] = "1"  # libraries' own bars would break ours
    # Threads that spin while they wait cost half the speed as soon as anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    logs.setup(verbose=job.verbose, log_file=job.log_file)
    outcome = Outcome()
    for number in _INTERRUPTS:
        signal.signal(number, _interrupted_once)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
        stage: Stage = importlib.import_module(job.module).STAGE
        context = Context(
            config=stage.config.model_validate_json(json.dumps(job.config)),
            input_paths=job.input_paths,
            output_paths=job.output_paths,
            published_paths=job.published_paths,
            scratch=job.scratch,
            cache_dir=job.cache_dir,
            resolved=job.resolved,
            facts=job.facts,
            previous=job.previous,
            forced=job.forced,
            counts=outcome.counts,
            drops=outcome.drops,
        )
        (stage.estimate if job.estimate and stage.estimate else stage.run)(context)
    except KeyboardInterrupt:
        outcome.exit_code, outcome.error = EXIT_INTERRUPTED, "interrupted"
    except GitloreError as error:
        outcome.exit_code, outcome.error, outcome.hint = error.exit_code, error.message, error.hint
    except Exception as error:  # noqa: BLE001 - whatever it is, the run must be able to report it
        outcome.exit_code = EXIT_FAILED
        outcome.error, outcome.hint, outcome.trace = explain(error, job.log_file.parent)
    outcome.peak_memory_mb = peak_memory_mb()
    outcome.largest_child_mb = mebibytes(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    sender.send(outcome)
    sender.close()


def _interrupted_once(_: int, __: FrameType | None) -> NoReturn:
    """Save and end at the first signal: systemd sends SIGTERM to every process, and our parent passes its own on."""
    for number in _INTERRUPTS:
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which git would inherit
    raise KeyboardInterrupt


def explain(error: Exception, home: Path) -> tuple[str, str, str]:
    """(sentence, hint, traceback) of an unexpected error; the traceback is empty where the system is at fault.

    `home` is the folder that was written to.
    """
    for cause in _chain(error):
        number = cause.errno if isinstance(cause, OSError) else None
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or any(words in str(cause) for words in _DISK_FULL):
            return (
                f"no space left on the disk of {home}",
                "free some space and run again; earlier outputs are intact",
                "",
            )
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError):
        return "out of memory", "lower the stage's batch or size settings", ""
    if isinstance(error, PermissionError) and error.filename:
        return f"{error.strerror}: {error.filename}", "check its owner and permissions", ""
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}", "", ""
    return f"{type(error).__name__}: {error}", "this is a defect of Gitlore; the traceback is in the log", trace


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that led to it."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        item = todo.pop()
        if item is not None and id(item) not in seen:
            seen.add(id(item))
            yield item
            todo += [item.__cause__, item.__context__]
