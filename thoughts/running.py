"""The process of one job: `python -m thoughts.running FD`, started by a worker.

It reads its order from standard input, prints its log, and writes its answer, as JSON, to the file descriptor. It has
little of its parent's environment, no keys above all, and ends with it: the key of a language model is in the order of
a job that may ask it.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import traceback
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from core import logs
from core.config import ChatConfig
from core.errors import EXIT_FAILED, GitloreError
from core.process import be_killed_with
from thoughts.frontier.payoffs import Ran
from thoughts.kind import Context, Fact, Input, Outcome, State
from thoughts.kinds import kind_in
from thoughts.marks import marked

NICE = 10
"""Whatever else the machine does comes first."""
MOST_BYTES = 64_000_000
"""Of an answer."""


class Order(msgspec.Struct):
    """What is to be done."""

    parent: int
    module: str
    input: Input
    location: str
    git_dir: str
    cache_dir: str
    commit: str
    now: str
    folder: str
    database: str
    repository: str
    cpu_s: float
    writer: str = ""
    """Settings of the language model that may write, as JSON; "" for none."""
    writer_key: str = ""


class Answer(msgspec.Struct):
    """What came of it: an outcome, or why there is none."""

    outcome: Outcome | None = None
    error: str = ""
    model_s: float = 0.0


def main() -> None:
    """Do one job."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    be_killed_with(order.parent)
    threading.Thread(target=_end_with_input, daemon=True).start()
    os.nice(NICE)
    limit = int(order.cpu_s) + 5
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))  # should the worker not look for a while
    logs.setup()
    answer = answered(order)
    data = msgspec.json.encode(answer)
    if len(data) > MOST_BYTES:
        data = msgspec.json.encode(Answer(error=f"it found {len(data):,} bytes; at most {MOST_BYTES:,} are kept"))
    sys.stdout.flush()
    with open(int(sys.argv[1]), "wb") as pipe:  # noqa: PTH123 - a file descriptor
        pipe.write(data)
    os._exit(0)  # threads of libraries may go on


def answered(order: Order) -> Answer:
    """Run the kind on its input."""
    writer = ChatConfig.model_validate_json(order.writer) if order.writer else None
    now, place, repository = datetime.fromisoformat(order.now), order.database, order.repository
    git_dir, cache_dir = Path(order.git_dir), Path(order.cache_dir)
    state = State(order.location, git_dir, cache_dir, order.commit, "", now, writer, writer_key=order.writer_key)
    context = Context(
        state, Path(order.folder), lambda name: facts_named(place, repository, name), lambda: runs_at(place, repository)
    )
    try:
        kind = kind_in(order.module)
        context.marked = lambda: marked(order.database, order.repository, kind.name)
        outcome = kind.run(order.input, context)
    except GitloreError as error:
        return Answer(error=" ".join(filter(None, (error.message, error.hint))), model_s=context.model_s)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is an attempt that failed
        traceback.print_exc()
        return Answer(error=f"{type(error).__name__}: {error}", model_s=context.model_s)
    return Answer(outcome, model_s=context.model_s)


def facts_named(place: str, repository: str, name: str) -> list[Fact]:
    """The facts of a name that are kept of a repository in the database at a place; all for no name."""
    from stores.engine.database import Database
    from thoughts.facts import facts_of
    from thoughts.tables import SCHEMA

    with closing(Database(SCHEMA, place, create=False)) as database:
        return facts_of(database, repository, name)


def runs_at(place: str, repository: str) -> list[Ran]:
    """The newest runs of a repository in the database at a place."""
    from stores.engine.database import Database
    from thoughts.frontier.history import runs_of
    from thoughts.tables import SCHEMA

    with closing(Database(SCHEMA, place, create=False)) as database:
        return runs_of(database, repository)


def _end_with_input() -> None:
    """The worker keeps standard input open for as long as it lives."""
    sys.stdin.buffer.read()
    os._exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
