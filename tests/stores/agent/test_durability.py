"""Kills, several writers, a full disk, damage: what a store must survive."""

from __future__ import annotations

import contextlib
import itertools
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders import Program, wait_for
from stores_made_up import entry, made_up
from warm_start import Running

from core.errors import StageError
from stores import FailureStore, PatternStore, VVectorStore

IMPORTING = """
import resource, signal, sys, time
from stores import VVectorStore
from stores_made_up import entry, made_up
store = VVectorStore(".")
print("ready", flush=True)
many = [made_up("a"), *(made_up(name, 1500) for name in "bcdefgh")]
{before}
store.bulk_import(many, [entry(*many, option="import_fix")], source="history:test")
print("done", flush=True)
"""


def importing(folder: Path, before: str = "") -> Running:
    """A process that imports much into a store in `folder`."""
    process = Program(folder).start("-c", IMPORTING.format(before=before))
    wait_for(lambda: "ready" in process.printed() or process.poll() is not None)
    return process


def seeded(folder: Path) -> int:
    """A store with a seeded entry that has own outcomes, and an own entry; the number of the first."""
    repository = made_up("a")
    with VVectorStore(folder) as store:
        store.bulk_import([repository], [entry(repository, option="import_fix")], source="history:test")
        (one,) = store.entries()
        store.record_outcome(one, success=True)
        store.add_own(entry(option="guard_fix"))
        return one.id or 0


@pytest.mark.slow
def test_twenty_kills_in_the_middle_of_an_import(tmp_path: Path) -> None:
    number = seeded(tmp_path)
    random.seed(1)
    done = 0
    with VVectorStore(tmp_path) as store:
        own, guard = store.get(number).own, [one for one in store.entries() if one.source == "own"]
    for _ in range(20):
        process = importing(tmp_path)
        time.sleep(random.uniform(0, 0.5))
        process.kill()
        done += "done" in process.communicate()[0]
        with VVectorStore(tmp_path) as store:
            assert store.check() == []
            whole = {40, 40 + 7 * 1500}
            assert store.stats()["evidence"] in whole
            assert store.get(number).own == own
            assert [one for one in store.entries() if one.source == "own"] == guard
    assert done < 20  # some were killed before they were through


def test_three_writers_at_once_take_turns(tmp_path: Path) -> None:
    number = seeded(tmp_path)
    writer = f"""
import sys
from stores import VVectorStore
store = VVectorStore(".")
for _ in range(80):
    store.record_outcome({number}, success=True, note=sys.argv[1])
"""
    processes = [Program(tmp_path).start("-c", writer, name) for name in ("x", "y")]
    third = importing(tmp_path)
    assert third.communicate(timeout_s=300)[0].endswith("done\n")
    for process in processes:
        process.communicate(timeout_s=300)
        assert process.returncode == 0
    with VVectorStore(tmp_path) as store:
        assert store.get(number).own.successes == 1 + 160
        assert store.check() == []
        reported = [one["detail"]["note"] for one in reversed(store.why(number, evidence=1000).outcomes)]
    # While both are at it, nobody waits for long runs of the other.
    both = reported[max(reported.index("x"), reported.index("y")) :]
    both = both[: len(both) - min(both[::-1].index("x"), both[::-1].index("y")) - 1]
    runs = [len(list(group)) for name, group in itertools.groupby(both) if name]
    assert max(runs, default=0) <= 40


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    number = seeded(tmp_path)
    # No file may grow: what a write to a full disk looks like.
    full = (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))"
    )
    process = importing(tmp_path, before=full)
    errors = process.communicate(timeout_s=120)[1]
    assert process.returncode == 1
    assert "free some disk space; the database is unchanged" in errors
    with VVectorStore(tmp_path) as store:
        assert store.check() == []
        assert store.stats()["evidence"] == 40
        assert store.get(number).own.successes == 1


def test_an_interrupt_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    seeded(tmp_path)
    process = importing(tmp_path, before='print("go", flush=True)')
    wait_for(lambda: "go" in process.printed())
    time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout_s=120)
    with VVectorStore(tmp_path) as store:
        assert store.check() == []
        assert store.stats()["evidence"] == 40


@pytest.mark.parametrize("damage", [lambda whole: whole[:9000], lambda whole: b"no database" * 100 + whole[1100:]])
def test_a_damaged_store_is_reported(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    seeded(tmp_path)
    path = tmp_path / "v_vector_history.db"
    path.write_bytes(damage(path.read_bytes()))
    with (
        pytest.raises(StageError, match=r"malformed|not a database|integrity") as caught,
        VVectorStore(tmp_path) as store,
    ):
        raise StageError("; ".join(store.check()), "put the newest file of backups/ in its place")
    assert "backups/" in caught.value.hint


def test_a_copy_of_postgresql_is_a_sqlite_store(postgresql: str, tmp_path: Path) -> None:
    repository = made_up("z")
    with PatternStore(postgresql) as store:
        assert store.backup() is None
        store.bulk_import([repository], [], source="history:test")
        store.copy_to(tmp_path / "pattern_memory.db")
        with PatternStore(tmp_path) as copy:
            assert list(copy.evidence.of_repository("root:z")) == list(store.evidence.of_repository("root:z"))
            assert len(list(copy.evidence.of_repository("root:z"))) == 40


def test_several_processes_may_create_a_store_at_once(tmp_path: Path) -> None:
    code = "from stores import FailureStore; FailureStore('.').stats()"
    processes = [Program(tmp_path).start("-c", code) for _ in range(4)]
    for process in processes:
        process.communicate(timeout_s=120)
        assert process.returncode == 0
    with FailureStore(tmp_path) as store:
        assert store.check() == []


def test_agents_and_a_copy_at_once_on_postgresql(postgresql: str, tmp_path: Path) -> None:
    import psycopg

    with psycopg.connect(postgresql) as connection:
        connection.execute("DROP SCHEMA IF EXISTS v_vector_history CASCADE")
    with ThreadPoolExecutor(6) as pool:  # all of them make the tables
        stores = list(pool.map(lambda _: VVectorStore(postgresql), range(6)))
        default = stores[0].query("repair_strategy", "guard_fix")
        assert default is not None
        reported = [pool.submit(store.record_outcome, default, success=True) for store in stores for _ in range(5)]
        for number in range(4):
            folder = tmp_path / str(number)
            folder.mkdir()
            stores[0].copy_to(folder / "v_vector_history.db")
            with VVectorStore(folder) as copy:
                assert copy.check() == []
            assert stores[1].check() == []
        for one in reported:
            one.result()
    found = stores[0].query("repair_strategy", "guard_fix")
    assert found is not None
    assert found.own.successes == 30
    for store in stores:
        store.close()


def test_a_program_without_our_lock_file_may_write_too(tmp_path: Path) -> None:
    """A transaction that read first and wrote later would fail at once next to it."""
    number = seeded(tmp_path)
    with (
        VVectorStore(tmp_path) as store,
        contextlib.closing(
            sqlite3.connect(tmp_path / "v_vector_history.db", isolation_level=None, check_same_thread=False)
        ) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE repositories SET licence = 'MIT'")
        reported = pool.submit(store.record_outcome, number, success=True)
        time.sleep(0.3)
        other.execute("COMMIT")
        assert reported.result().own.successes == 2
        assert [state.licence for state in store.evidence.states().values()] == ["MIT"]
