"""Locks: writers of one database queue up, others do not wait, and a named lock has one holder."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import AlreadyRunningError
from stores.agent.context_types import STORE_NAMES
from stores.agent.schema import schema_of
from stores.engine import lock
from stores.engine.database import Database
from stores.engine.schema import Schema


@contextlib.contextmanager
def opened(schema: Schema, location: str) -> Iterator[Database]:
    with contextlib.closing(Database(schema, location)) as database:
        yield database


def writer_of(database: Database) -> tuple[threading.Thread, threading.Event]:
    """A thread that waits for its turn to write, and an event that is set while it has it."""
    has_it = threading.Event()

    def write() -> None:
        with database.write():
            has_it.set()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread, has_it


def test_writers_of_one_database_queue_up_and_those_of_others_do_not_wait(notes: Schema, location: str) -> None:
    with contextlib.ExitStack() as stack:
        one, same = (stack.enter_context(opened(notes, location)) for _ in range(2))
        others = [stack.enter_context(opened(schema_of(name), location)) for name in STORE_NAMES]
        with one.write(), others[0].exclusive("seeding"):
            waiting, has_it = writer_of(same)
            for other in others:
                thread, has_this = writer_of(other)
                assert has_this.wait(30)
                thread.join()
            assert not has_it.wait(0.3)
        assert has_it.wait(30)
        waiting.join()


def test_writers_of_a_file_queue_on_a_lock_beside_it(notes: Schema, tmp_path: Path) -> None:
    """SQLite's own lock would serve them in any order."""
    with opened(notes, str(tmp_path)) as database:
        with lock.queue_for_file(tmp_path / "notes.lock"):
            waiting, has_it = writer_of(database)
            assert not has_it.wait(0.3)
        assert has_it.wait(30)
        waiting.join()


def test_a_named_lock_is_held_once_for_all_databases_of_a_place(notes: Schema, location: str) -> None:
    other = schema_of("pattern_memory")
    with opened(notes, location) as one, opened(notes, location) as same, opened(other, location) as another:
        with one.exclusive("seeding"):
            for database in (same, another):
                refused = pytest.raises(AlreadyRunningError, match=r"another seeding of .* is running")
                with refused, database.exclusive("seeding"):
                    pass
                with database.exclusive("indexing"):
                    pass
        with another.exclusive("seeding"):
            pass


def test_a_named_lock_is_released_by_an_error(notes: Schema, location: str) -> None:
    with opened(notes, location) as one, opened(notes, location) as other:
        with pytest.raises(ZeroDivisionError), one.exclusive("seeding"):
            raise ZeroDivisionError
        with other.exclusive("seeding"):
            pass


def test_numbers_of_locks_differ_and_are_the_same_in_every_process() -> None:
    numbers = {name: lock._number(name) for name in (*STORE_NAMES, "seeding", "notes")}
    assert len(set(numbers.values())) == len(numbers)
    assert all(0 <= number < 2**31 for number in numbers.values())
    assert numbers["v_vector_history"] == 0x627242C1
