"""docs/stores.md: its examples run, and each figure that it promises fails a test here when the code changes it."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from builders import PROJECT

from core import statistics
from miners import pattern_extractor
from miners.gate import replay
from stores import VVectorStore
from stores.agent import beliefs
from stores.agent.context_types import KINDS
from stores.agent.summary import QUANTILES
from stores.engine import database
from stores.engine.backup import KEEP_BACKUPS

PAGE = " ".join((PROJECT / "docs" / "stores.md").read_text(encoding="utf-8").split())


def weight(*by_repository: tuple[int, int]) -> float:
    """How many outcomes the prior of (successes, trials) counts for."""
    a, b = beliefs.prior_of(by_repository)
    return a + b - 2


def bound(successes: int, trials: int) -> float:
    return round(beliefs.lower_bound(1 + successes, 1 + trials - successes), 2)


FIGURES = {
    "with 95 % probability the share is above it": (beliefs.BOUND, 0.05),
    "One success in one trial gives 0.22": (bound(1, 1), 0.22),
    "eight in ten 0.53": (bound(8, 10), 0.53),
    "eighty in a hundred 0.73": (bound(80, 100), 0.73),
    "at most twenty outcomes": (weight(*[(50, 100)] * 10), 20),
    "at most five per repository": (weight((50, 100)), 5),
    "moves a tenth of the way towards each outcome": (beliefs.next_ema(0.5, True), 0.55),
    "nine of ten such fixes did not exceed": (QUANTILES["p90"], 0.9),
    "its newest 30 % are predicted": (replay.TEST_SHARE, 0.3),
    "what the others had shown a month before": (replay.GAP_S, 30 * 24 * 3600),
    "a 95 % interval over repositories": (statistics.LEVEL, 0.95),
    "With fewer than five repositories": (replay.MIN_UNITS, 5),
    f'"method": "{replay.LATER}"': (replay.LATER, "the later history of the same repositories"),
    "evidence from two repositories of that archetype": (pattern_extractor.MIN_REPOSITORIES, 2),
    "`backups/`, the newest seven": (KEEP_BACKUPS, 7),
    "SQLite before 3.51.3": (database.SAFE_WAL, (3, 51, 3)),
    "in this order": (re.findall(r"`(\w+_fix)`", PAGE.partition("The kinds of fixes are")[2])[: len(KINDS)], [*KINDS]),
}
"""What the page promises: what the code does, and what the sentence states."""


@pytest.mark.parametrize("sentence", FIGURES)
def test_the_code_does_what_the_page_promises(sentence: str) -> None:
    assert sentence in PAGE
    found, promised = FIGURES[sentence]
    assert found == (pytest.approx(promised) if isinstance(promised, float) else promised)


@pytest.mark.parametrize(("version", "mode"), [((3, 51, 2), "delete"), ((3, 51, 3), "wal")])
def test_older_versions_of_sqlite_use_the_rollback_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], mode: str
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    with VVectorStore(tmp_path) as store, store.database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == mode


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PROJECT / "docs" / "stores.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    names: dict[str, object] = {}
    for example in examples:
        exec(example, names)  # documents of ours
    with VVectorStore("outputs/stores", create=False) as store:
        (entry,) = store.entries()
        assert (entry.own.failures, entry.own.value) == (1, {"lines": 210})
