"""Authors, kinds of change and symbols of past commits, asked of their parents, beside simple rules."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from builders import Repo

from core.evaluation.comparisons import comparison
from core.evaluation.fact_rankings import (
    BY_WORDS,
    COMMONEST,
    LAST,
    MOST,
    NEVER,
    changed_symbols,
    results,
    tables,
)
from core.prediction.files import FileAsker
from core.ranking.examples import Case, cases
from core.ranking.ranker import Ranker
from core.records.rankings import RANKER
from index.repository import RepositoryIndex

CODE = "def parse(text):\n    return {}\n\n\ndef render(tree):\n    return {}\n"


@pytest.fixture
def repo(make_repo: Callable[[str], Repo]) -> Repo:
    """Two functions, one of which the newest commit names and changes; Ada made most commits, Bob the one before."""
    repo = make_repo("repo")
    repo.commit("begin", {"tool.py": CODE.format(0, 0), "notes.md": "0\n"}, GIT_AUTHOR_NAME="Ada")
    repo.commit("Parse faster", {"tool.py": CODE.format(1, 0)}, GIT_AUTHOR_NAME="Ada")
    repo.commit("Write notes", {"notes.md": "1\n"}, GIT_AUTHOR_NAME="Bob")
    repo.commit("Render trees in order", {"tool.py": CODE.format(1, 2)}, GIT_AUTHOR_NAME="Ada")
    return repo


@pytest.fixture
def asker(repo: Repo, tmp_path: Path) -> Iterator[FileAsker]:
    with contextlib.closing(FileAsker(str(repo.path), tmp_path / "cache", RepositoryIndex)) as asker:
        yield asker


def newest(asker: FileAsker) -> Case:
    tip = asker.commit()
    return next(cases(asker.sources.commits(tip), tip, 1))


def test_each_fact_is_asked_beside_its_rules(asker: FileAsker) -> None:
    case = newest(asker)
    before = asker.commit("HEAD~2")
    counts = {case.hash: {"bug_fix": 1}, before: {"bug_fix": 2, "documentation": 1}}
    found = dict(results(asker, case, Ranker.shipped(), counts))
    assert found["author"] == {RANKER: found["author"][RANKER], LAST: 1, MOST: 0}
    assert found["change_type"][COMMONEST] == 0
    assert found["symbol"] == {RANKER: 0, BY_WORDS: 0}


def test_types_of_a_commit_and_of_later_ones_are_unknown_to_its_question(asker: FileAsker) -> None:
    case = newest(asker)
    facts = [fact for fact, _ in results(asker, case, Ranker.shipped(), {case.hash: {"bug_fix": 1}})]
    assert "change_type" not in facts  # no ancestor has a known type
    assert {"author", "symbol"} <= set(facts)


def test_a_commit_without_symbols_asks_for_none(asker: FileAsker) -> None:
    tip = asker.commit("HEAD~1")
    case = next(cases(asker.sources.commits(tip), tip, 1))
    assert changed_symbols(asker, case)[0] == set()
    assert "symbol" not in dict(results(asker, case, Ranker.shipped(), {}))


def test_the_symbol_that_holds_the_changed_lines_is_right(asker: FileAsker) -> None:
    assert changed_symbols(asker, newest(asker))[0] == {("tool.py", "render")}


def test_gains_are_paired_by_commit() -> None:
    found = comparison(
        [{"rule": 0, RANKER: 0}, {"rule": NEVER, RANKER: 0}, {"rule": 0, RANKER: 4}], (1, 5), samples=100, seed=1
    )
    assert list(found.accuracy) == [RANKER, "rule"]
    assert found.accuracy[RANKER]["hit@1"].mean == pytest.approx(2 / 3)
    assert found.differences["rule"]["hit@1"].mean == 0
    assert found.differences["rule"]["hit@5"].mean == pytest.approx(1 / 3)
    low = found.differences["rule"]["hit@1"].low
    assert low is not None
    assert low < 0
    assert found.best_baseline("hit@1") == "rule"


def test_facts_without_an_answer_have_no_table() -> None:
    found = tables([("author", {RANKER: 0, LAST: 0, MOST: 2})], samples=0, seed=1)
    assert list(found) == ["author"]
    assert found["author"].accuracy[MOST]["hit@3"].mean == 1
    assert found["author"].best_baseline("hit@1") == LAST
