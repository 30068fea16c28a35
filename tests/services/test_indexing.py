"""An index that follows its repository, and updates that end with the service."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from core.config import ChatConfig
from services.chats import Chats
from services.indexing import Indexing
from services.queue import BusyError
from tests.services.conftest import Asking


@pytest.fixture
def indexing(shop: Asking) -> Indexing:
    """Of the shop."""
    return Indexing(str(shop.repo.path), shop.repo.path / ".git", shop.cache, ThreadPoolExecutor(1))


def test_it_says_how_far_it_is(shop: Asking, indexing: Indexing, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (indexing.progress.stage, indexing.progress.in_words()) == ("nothing", "not indexed yet")
    seen: list[str] = []
    count = Indexing._count

    def noted(one: Indexing, done: int, total: int) -> None:
        count(one, done, total)
        seen.append(one.progress.in_words())

    monkeypatch.setattr(Indexing, "_count", noted)
    indexing.follow().result()
    assert seen[-1] == "indexing: 2 of 2 texts"
    assert (indexing.progress.stage, indexing.commit) == ("ready", shop.repo.git("rev-parse", "HEAD"))
    again = Indexing(indexing.location, indexing.git_dir, indexing.cache_dir, indexing.executor)
    assert (again.progress.stage, again.commit) == ("ready", indexing.commit)


def test_it_looks_for_a_newer_commit_now_and_then_and_never_where_it_is_held(
    shop: Asking, indexing: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = indexing.follow()
    first.result()
    old = indexing.commit
    new = shop.repo.commit("more", {"docs/more.md": "# More\n"})
    assert indexing.follow() is first  # it has looked a moment ago
    monkeypatch.setattr("services.indexing.LOOK_EVERY_S", 0.0)
    indexing.follow().result()
    assert indexing.commit == new
    indexing.bring_to(old)
    indexing.follow().result()
    indexing.follow().result()
    assert indexing.commit == old
    indexing.bring_to("")
    indexing.follow().result()
    assert indexing.commit == new


def test_an_index_may_be_on_a_server(shop: Asking, empty_server: str) -> None:
    chats = Chats.open({"": str(shop.repo.path)}, shop.cache, ChatConfig(index=empty_server))
    served = chats.named("")
    served.indexing.follow().result()
    index = served.asking.chat.index
    assert index.is_shared
    assert index.commit == served.indexing.commit == shop.repo.git("rev-parse", "HEAD")
    assert empty_server not in repr(served)
    chats.close()


def test_an_update_ends_with_the_service_and_leaves_what_was_there(
    shop: Asking, indexing: Indexing, caplog: pytest.LogCaptureFixture
) -> None:
    indexing.stopped = True
    indexing.follow().result()
    assert (indexing.commit, indexing.progress.stage) == ("", "failed")
    assert not [one for one in caplog.records if one.levelno > logging.DEBUG]
    indexing.stopped = False
    indexing.bring_to("")
    indexing.follow().result()
    assert indexing.progress.stage == "ready"


def test_one_update_runs_at_a_time(indexing: Indexing) -> None:
    indexing._running = Future()  # one that does not end
    with pytest.raises(BusyError):
        indexing.bring_to("")
