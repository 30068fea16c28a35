"""How a repository is to be studied in the background, as it is kept."""

from __future__ import annotations

import pytest

from core.errors import UserError
from stores.engine.database import Database
from tests.thoughts.conftest import REPOSITORY
from thoughts import kinds
from thoughts.budgets import Budgets
from thoughts.preferences import Wish, prefer, preferences
from thoughts.queue import Queue


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database, "w")


def test_nothing_is_studied_in_the_background_before_somebody_asks_for_it(queue: Queue) -> None:
    before = preferences(queue, REPOSITORY)
    assert (before.off, before.background, before.is_followed) == ("", False, False)
    queue.switches.set(on=True, repository=REPOSITORY)  # as study.py does
    assert not preferences(queue, REPOSITORY).is_followed
    prefer(queue, REPOSITORY, Wish(on=True))
    assert preferences(queue, REPOSITORY).is_followed


def test_any_kill_switch_ends_it(queue: Queue) -> None:
    prefer(queue, REPOSITORY, Wish(on=True))
    for repository, off in ((REPOSITORY, "here"), ("", "everywhere")):
        queue.switches.set(on=False, repository=repository)
        assert (preferences(queue, REPOSITORY).off, preferences(queue, REPOSITORY).is_followed) == (off, False)
        queue.switches.set(on=True, repository=repository)
        assert preferences(queue, REPOSITORY).is_followed
    prefer(queue, REPOSITORY, Wish(on=False))
    assert preferences(queue, REPOSITORY).off == "here"
    queue.switches.set(on=True, repository=REPOSITORY)
    assert not preferences(queue, REPOSITORY).is_followed  # study.py may again, the service was not asked


def test_what_is_not_wished_stays_and_what_is_wrong_changes_nothing(queue: Queue) -> None:
    prefer(queue, REPOSITORY, Wish(quiet_hours="08:00-18:00", time_zone="Asia/Tokyo", kinds=("risk",), cpu_minutes=10))
    kept = preferences(queue, REPOSITORY)
    for wrong in (Wish(quiet_hours="noon"), Wish(time_zone="Mars/Olympus"), Wish(kinds=("digset",))):
        with pytest.raises(UserError):
            prefer(queue, REPOSITORY, wrong)
    prefer(queue, REPOSITORY, Wish(io_gigabytes=2))
    assert preferences(queue, REPOSITORY) == kept
    assert list(kept.chosen()) == ["risk"]
    with queue.database.write() as connection:
        buckets = Budgets(connection, REPOSITORY, queue.now()).buckets
    assert (buckets["cpu_s"].cap, buckets["io_bytes"].cap, buckets["model_s"].cap) == (600, 2e9, 86_400)
    prefer(queue, REPOSITORY, Wish(kinds=()))
    assert list(preferences(queue, REPOSITORY).chosen()) == list(kinds.known())
