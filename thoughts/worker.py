"""A worker: runs one job after the other, each in a process of its own that is watched, bounded and ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy.engine import Connection

from chat.providers import key_for
from core.errors import GitloreError
from core.process import interrupts_later
from core.text.redaction import Redactor
from thoughts.artifacts import Artifacts
from thoughts.insights import Insights, confirmed
from thoughts.kind import Cost, Insight, Kind, Outcome, State
from thoughts.processes import Descendants
from thoughts.queue import Job, Queue
from thoughts.running import MOST_BYTES, Answer, Order

LOOK_S = 0.5
"""How often the kill switch, a wish to cancel, the deadline and the CPU time are looked at."""
SHOW_LOG_S = 2.0
"""How often what a job prints meanwhile is kept, so that people can follow it."""
MOST_LOG = 64_000
"""Characters of a log; what is in the middle of a longer one is left out."""
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "SYSTEMROOT")
"""Of the environment that a job gets: no keys, no tokens."""
_REDACTOR = Redactor()


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    job: Job
    state: str
    """"done", "failed", "stopped", "cancelled" or "lost"."""
    reason: str
    cost: Cost
    insights: int = 0


@dataclass
class Log:
    """What a job printed: its beginning and its end, of which no more than MOST_LOG characters are kept."""

    first: bytearray = field(default_factory=bytearray)
    last: bytearray = field(default_factory=bytearray)
    left_out: int = 0

    def add(self, data: bytes) -> None:
        """More of it."""
        room = MOST_LOG // 2 - len(self.first)
        self.first += data[:room] if room > 0 else b""
        self.last += data[max(room, 0) :]
        if (excess := len(self.last) - MOST_LOG // 2) > 0:
            self.left_out += excess
            del self.last[:excess]

    @property
    def size(self) -> int:
        """Bytes of all of it, what is left out counted in."""
        return len(self.first) + len(self.last) + self.left_out

    @property
    def text(self) -> str:
        """All that is kept, without credentials."""
        gap = f"\n… {self.left_out:,} bytes are left out …\n".encode() if self.left_out else b""
        text = bytes(self.first + gap + self.last).decode(errors="replace").replace("\0", "")
        return _REDACTOR.masked(text) if _REDACTOR.suspects([text]) else text


@dataclass
class Watched:
    """A job's process, and what is known of it."""

    job: Job
    process: subprocess.Popen[bytes]
    descendants: Descendants
    answer: IO[bytes]
    started: float = field(default_factory=time.monotonic)
    log: Log = field(default_factory=Log)
    answered: bytearray = field(default_factory=bytearray)
    exit_code: int | None = None

    @property
    def cost(self) -> Cost:
        """What it used until now, but for what a model did."""
        seconds = time.monotonic() - self.started
        return Cost(self.descendants.cpu_s, self.descendants.io_bytes, 0.0, seconds)

    def look(self, timeout_s: float) -> bool:
        """Read what it writes until it ends, or a time is over; whether it has ended."""
        assert self.process.stdout
        until = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector, _exit_of(self.process.pid) as exited:
            for source in (self.process.stdout, self.answer):
                if not source.closed:
                    selector.register(source, selectors.EVENT_READ)
            if exited is not None:
                selector.register(exited, selectors.EVENT_READ)
            while (left := until - time.monotonic()) > 0:
                for key, _ in selector.select(left if exited is not None else min(left, 0.1)):
                    if key.fileobj in (self.process.stdout, self.answer) and not self._read(key.fd):
                        selector.unregister(key.fileobj)
                if self._has_ended():
                    return True
        return self._has_ended()

    def _read(self, descriptor: int) -> bool:
        data = os.read(descriptor, 1 << 16)
        if descriptor == self.answer.fileno():
            self.answered += data
        else:
            self.log.add(data)
        return bool(data)

    def _has_ended(self) -> bool:
        if self.exit_code is None:
            self.exit_code = self.process.returncode = self.descendants.reap(self.process.pid)
        return self.exit_code is not None

    def close(self) -> None:
        """End all that is left of it, and read what it had written by then. Once or more."""
        if self.answer.closed:
            return
        if self.exit_code is None:
            self.process.returncode = -9  # `end` waits for it
        if not self.descendants.end(self.process.pid):
            self.log.add(b"\nprocesses of this job cannot be ended\n")
        for source in (self.process.stdout, self.answer):
            assert source
            os.set_blocking(source.fileno(), False)
            with contextlib.suppress(BlockingIOError):
                while self._read(source.fileno()):
                    pass
            source.close()
        with contextlib.suppress(BrokenPipeError):
            assert self.process.stdin
            self.process.stdin.close()


class Worker:
    """Runs the jobs of one repository. It needs a process of its own, whose main thread it is in."""

    def __init__(
        self, queue: Queue, repository: str, kinds: Mapping[str, Kind], artifacts: Artifacts, place: str, state: State
    ) -> None:
        self.queue, self.repository, self.kinds, self.artifacts = queue, repository, kinds, artifacts
        self.place, self.state = place, state
        self.scratch = artifacts.folder.with_name("scratch")
        self.insights = Insights(queue.database, artifacts)

    def work(self) -> Done | None:
        """Run the next job to its end; None where none may start now."""
        job = self.queue.claim(self.repository, list(self.kinds))
        return self._run(job) if job else None

    def _run(self, job: Job) -> Done:
        folder = self._folder(job.run_id)
        watched = None
        try:
            watched = self._started(job, folder)
            reason, fatal = self._watch(watched)
        except BaseException:
            with interrupts_later(), contextlib.suppress(GitloreError):  # a lease that stays ends by itself
                if watched:
                    watched.close()
                self.queue.release(
                    job, watched.cost if watched else Cost(), watched.log.text if watched else "", "interrupted"
                )
            raise
        finally:
            if watched:
                watched.close()
            shutil.rmtree(folder, ignore_errors=True)
        return self._ended(watched, reason, stopped=not fatal)

    def _folder(self, run_id: int) -> Path:
        """An empty folder for a run; those that killed workers left are deleted."""
        if self.scratch.is_dir():
            running = self.queue.running()
            for left in self.scratch.iterdir():
                if not (left.name.isdigit() and int(left.name) in running - {run_id}):
                    shutil.rmtree(left, ignore_errors=True)
        folder = self.scratch / str(run_id)
        folder.mkdir(parents=True)
        return folder

    def _started(self, job: Job, folder: Path) -> Watched:
        descendants = Descendants.from_now_on()
        reading, writing = os.pipe()
        line = [sys.executable, "-m", "thoughts.running", str(writing)]
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        try:
            process = subprocess.Popen(
                line, cwd=folder, env=environment, pass_fds=[writing], start_new_session=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        finally:
            os.close(writing)
        watched = Watched(job, process, descendants, os.fdopen(reading, "rb", buffering=0))
        assert process.stdin
        with contextlib.suppress(BrokenPipeError):  # it has ended, which is seen below
            process.stdin.write(msgspec.json.encode(self._order(job, folder)) + b"\n")
            process.stdin.flush()
        return watched

    def _order(self, job: Job, folder: Path) -> Order:
        state, kind = self.state, self.kinds[job.kind]
        writer = state.writer if job.reserved.model_s else None
        return Order(
            os.getpid(), type(kind).__module__, job.input, state.location, str(state.git_dir), str(state.cache_dir),
            state.commit, datetime.now(state.now.tzinfo or UTC).isoformat(), str(folder), self.place, job.repository,
            job.reserved.cpu_s, writer.model_dump_json() if writer else "", key_for(writer.url) if writer else "",
        )  # fmt: skip

    def _watch(self, watched: Watched) -> tuple[str, bool]:
        """(why it was ended, whether that is its own fault); "" where it ended by itself."""
        job, beaten, kept = watched.job, time.monotonic(), 0
        while not watched.look(min(LOOK_S, self.queue.lease_s / 3)):
            if problem := self.queue.problem(job):
                return problem, False
            if watched.cost.seconds > job.reserved.seconds:
                return f"it took longer than {job.reserved.seconds:,.0f} s", True
            if watched.descendants.used_cpu_s() > job.reserved.cpu_s:
                return f"it used more than the {job.reserved.cpu_s:,.0f} s of CPU time that it may use", True
            if len(watched.answered) > MOST_BYTES:
                return "it found more than is kept", True
            wait_s = self.queue.lease_s / 3
            if watched.log.size != kept:
                wait_s = min(wait_s, SHOW_LOG_S)
            if time.monotonic() - beaten > wait_s:
                self.queue.beat(job, watched.log.text)
                beaten, kept = time.monotonic(), watched.log.size
        return "", True

    def _ended(self, watched: Watched, reason: str, *, stopped: bool) -> Done:
        job, cost, log = watched.job, watched.cost, watched.log.text
        if reason and stopped:
            is_kept = reason != "lost" and self.queue.release(job, cost, log, reason)
            state = "lost" if not is_kept else "cancelled" if reason == "cancelled" else "stopped"
            return Done(job, state, reason, cost)
        answer = Answer(error=reason) if reason else self._checked(_answer(watched))
        cost = msgspec.structs.replace(cost, model_s=max(answer.model_s, 0.0))
        if answer.outcome is None:
            is_kept = self.queue.fail(job, cost, log, answer.error)
            return Done(job, "failed" if is_kept else "lost", answer.error, cost)
        insights, refused = confirmed(
            answer.outcome.insights, {one.name: one for one in answer.outcome.artifacts}, self.state.git_dir
        )
        log += "".join(f"{line}\n" for line in refused)
        outcome = answer.outcome
        is_kept = self.queue.finish(job, cost, log, lambda connection: self._keep(connection, job, outcome, insights))
        return Done(job, "done" if is_kept else "lost", "; ".join(refused), cost, len(insights) if is_kept else 0)

    def _checked(self, answer: Answer) -> Answer:
        """The answer, if the jobs that it asks for are ones that their kinds understand."""
        for one in answer.outcome.follow_ups if answer.outcome else ():
            try:
                if kind := self.kinds.get(one.kind):
                    msgspec.convert(msgspec.to_builtins(kind.estimate(one.input)), Cost)
            except Exception as error:  # noqa: BLE001 - of whatever kind
                return Answer(error=f"it asks for {one.kind} of what that cannot be asked for: {error!r}")
        return answer

    def _keep(self, connection: Connection, job: Job, outcome: Outcome, insights: Sequence[Insight]) -> None:
        now = self.queue.now()
        logs = self.artifacts.keep(connection, job.run_id, outcome.artifacts, now)
        self.insights.keep(connection, job.repository, job.kind, job.run_id, insights, logs, now)
        facts = self.queue.database.table("facts")
        for fact in outcome.facts:
            key = {"repository": job.repository, "name": fact.name, "scope": fact.scope}
            connection.execute(facts.delete().filter_by(**key))
            row = {**key, "value": {"value": fact.value}, "commit": fact.commit, "blob": fact.blob}
            connection.execute(facts.insert().values(run_id=job.run_id, **row))
        for one in outcome.follow_ups:
            if kind := self.kinds.get(one.kind):
                most = kind.estimate(one.input)
                self.queue.add(
                    connection, job.repository, one.kind, one.input, most, priority=one.priority, parent=job.id
                )


def _answer(watched: Watched) -> Answer:
    """What a process that ended by itself answered."""
    try:
        answer = msgspec.json.decode(bytes(watched.answered), type=Answer)
        return msgspec.convert(_without_nul(msgspec.to_builtins(answer)), Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        code = watched.exit_code or 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return Answer(error=f"its process {how} without an answer; the end of the log may say why")


def _without_nul(value: Any) -> Any:
    """JSON without NUL characters, which PostgreSQL cannot keep; a citation that had one does not hold any more."""
    match value:
        case str():
            return value.replace("\0", "")
        case dict():
            return {_without_nul(key): _without_nul(one) for key, one in value.items()}
        case list() | tuple():
            return [_without_nul(one) for one in value]
        case _:
            return value


@contextlib.contextmanager
def _exit_of(pid: int) -> Any:
    """A file descriptor that can be read once a process has ended; None where the system has none."""
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
