"""Files of the cache folder that several open at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from index.database import Database

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS one (a);\nCREATE TABLE IF NOT EXISTS two (b);\nCREATE TABLE IF NOT EXISTS three (c);\n"
)
TOGETHER = 8


def test_many_open_a_new_file_at_once_and_find_all_of_it(tmp_path: Path) -> None:
    ready = threading.Barrier(TOGETHER)

    def work(path: Path) -> Database:
        ready.wait()
        database = Database(path, 3, SCHEMA)
        with database.writing():
            database.execute("INSERT INTO three VALUES (1)")
        return database

    with ThreadPoolExecutor(TOGETHER) as pool:
        for number in range(12):
            opened = list(pool.map(work, [tmp_path / f"{number}.db"] * TOGETHER))
            with opened[0].problems():
                assert opened[0].execute("SELECT count(*) FROM three").fetchone() == (TOGETHER,)
                assert opened[0].execute("PRAGMA user_version").fetchone() == (3,)
            for database in opened:
                database.close()
