"""The process that studies in the background of a service: from off to the first insight, and to its end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import Repo, wait_for

from core.config import StudyConfig
from services.chats import Chats
from services.studies import Studies
from thoughts.preferences import Wish


def pids_below(parent: int) -> set[int]:
    """Processes whose parent is this one."""
    found = set()
    for place in Path("/proc").glob("[0-9]*/stat"):
        words = place.read_bytes().rpartition(b")")[2].split()
        if int(words[1]) == parent and words[0] != b"Z":
            found.add(int(place.parent.name))
    return found


@pytest.fixture
def studies(shop_built: Repo, tmp_path: Path) -> Studies:
    chats = Chats.open({"shop": str(shop_built.path)}, tmp_path / "cache")
    return Studies.open(chats, tmp_path / "cache", StudyConfig())


def test_what_is_switched_on_is_studied_until_it_is_switched_off(studies: Studies) -> None:
    one, before = studies.named(""), pids_below(os.getpid())
    studies.background.start()
    assert not studies.background.is_running  # a service does not begin by itself
    studies.switch(one, Wish(on=True, kinds=("digest",)))
    wait_for(lambda: one.study.insights.shown(one.study.key, one.study.state.git_dir))
    assert studies.background.is_running
    studies.switch(one, Wish(on=False))
    wait_for(lambda: not studies.background.is_running)
    studies.switch(one, Wish(on=True))
    wait_for(lambda: studies.background.is_running)
    studies.close()
    assert not studies.background.is_running
    assert pids_below(os.getpid()) <= before
    assert not one.study.queue.running()
