"""Past commits as questions: asked of their ancestors alone, beside rules that are counted by hand."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import Repo

from core.evaluation.file_rankings import Result, evaluation, example, results, routine
from core.prediction.files import FileAsker
from core.ranking.examples import Case, cases
from core.ranking.ranker import Ranker
from core.records.evaluation import FREQUENCY, RECENCY
from core.records.rankings import DECAYED, RANKER, SIMILAR
from index.repository import RepositoryIndex


@pytest.fixture
def asker(repo: Repo, tmp_path: Path) -> Iterator[FileAsker]:
    with contextlib.closing(FileAsker(str(repo.path), tmp_path / "cache", RepositoryIndex)) as asker:
        yield asker


@pytest.fixture
def repo(make_repo: Callable[[str], Repo]) -> Repo:
    """Three changes of a.py, then one of b.py, then both of them together, each with its own words."""
    repo = make_repo("repo")
    repo.commit("begin", {"a.py": "0\n", "b.py": "0\n", "c.py": "0\n"})
    for number in range(1, 4):
        repo.commit(f"tune the alpha number {number} of them", {"a.py": f"alpha = {number}\n"})
    repo.commit("explain beta", {"b.py": "beta = 1\n"})
    repo.commit("alpha and beta together", {"a.py": "alpha = 9\n", "b.py": "beta = 9\n"})
    return repo


def asked(repo: Repo, tmp_path: Path, tip: str = "main", *, known: str = "main") -> list[Result]:
    """All questions of `tip`, from an index that has read `known`."""
    with contextlib.closing(FileAsker(str(repo.path), tmp_path / f"cache-{known}", RepositoryIndex)) as asker:
        asker.sources.commits(asker.commit(known))
        commit = asker.commit(tip)
        past = cases(asker.sources.commits(commit), commit, 50)
        return [one for case in past for one in results(asker.snapshot(case.parent), case, Ranker.shipped())]


def test_a_commit_is_asked_in_every_form_that_has_an_answer(repo: Repo, tmp_path: Path) -> None:
    found = asked(repo, tmp_path)
    newest = [one for one in found if one.commit == found[0].commit]
    assert [one.form for one in newest] == ["text", "masked", "history", "forgotten"]
    assert {form: sum(one.form == form for one in found) for form in ("text", "history", "forgotten")} == {
        "text": 5,
        "history": 5,
        "forgotten": 1,
    }
    assert newest[0].places[RANKER] == 0
    assert set(newest[0].places) == {RANKER, RECENCY, FREQUENCY, SIMILAR}
    assert set(newest[2].places) == {RANKER, RECENCY, FREQUENCY}


def test_recency_and_frequency_are_what_their_names_say(repo: Repo, tmp_path: Path) -> None:
    beta = next(one for one in asked(repo, tmp_path, "main~1") if one.form == "history")
    assert beta.places[FREQUENCY] == 1  # a.py came first
    assert beta.places[RECENCY] == 1
    both = next(one for one in asked(repo, tmp_path) if one.form == "history")
    assert (both.places[RECENCY], both.places[FREQUENCY]) == (0, 0)


def test_a_side_branch_changes_no_answer(repo: Repo, tmp_path: Path) -> None:
    before = asked(repo, tmp_path)
    repo.git("checkout", "-q", "-b", "side", "main~2")
    for number in range(5):  # the same words lead to another file, and it is changed all the time
        repo.commit("alpha and beta together", {"c.py": f"alpha = beta = {number}\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    after = asked(repo, tmp_path, "main~1", known="main")
    assert [replace(one, seconds=0) for one in after] == [replace(one, seconds=0) for one in before]


@pytest.mark.parametrize(
    ("title", "author", "why"),
    [
        ("something new", "dependabot[bot]", "bots"),
        ("Bump lib from 1.2 to 1.3", "Ada", "version bumps"),
        ("1.4.0", "Ada", "version bumps"),
        ("Explain beta", "Ada", "near-repeats"),
        ("Explain gamma", "Ada", ""),
        ("", "Ada", ""),
    ],
)
def test_commits_that_flatter_are_named(asker: FileAsker, title: str, author: str, why: str) -> None:
    head = asker.commit()
    case = Case("x", head, title, author, frozenset({"a.py"}), frozenset())
    assert routine(asker.snapshot(head), case) == why


def test_tables_have_differences_and_leave_out_what_flatters(repo: Repo, tmp_path: Path) -> None:
    found = asked(repo, tmp_path)
    marked = [replace(one, routine="bots" if one.commit == found[0].commit else "") for one in found]
    made = evaluation(marked, [], samples=50, seed=0)
    table = made.forms["text"]
    assert (made.commits, table.questions, made.plain["text"].questions) == (5, 5, 4)
    assert made.routine == {"bots": 1}
    assert "forgotten" not in made.plain
    for name, row in table.differences.items():
        for hit, estimate in row.items():
            mine, theirs = table.accuracy[RANKER][hit].mean, table.accuracy[name][hit].mean
            assert mine is not None
            assert theirs is not None
            assert estimate.mean == pytest.approx(mine - theirs)
            assert estimate.low is not None
    assert evaluation([], [], samples=50, seed=0).forms == {}


def test_an_example_has_reasons_and_the_truth(asker: FileAsker) -> None:
    case = next(cases(asker.sources.commits(asker.commit()), asker.commit(), 1))
    shown = example(asker.snapshot(case.parent), case, Ranker.shipped())
    assert shown.truth == ["a.py", "b.py"]
    assert shown.files[0]["name"] in shown.truth
    assert shown.files[0]["reasons"]


def test_the_log_loss_is_that_of_the_shares(repo: Repo, tmp_path: Path) -> None:
    found = asked(repo, tmp_path)
    both, *_, first = (one for one in found if one.form == "history")
    assert first.loss[DECAYED] == pytest.approx(math.log(3), abs=1e-6)  # of three files that came at once, one is right
    assert both.loss[DECAYED] == pytest.approx(-math.log(4.1 / 7.3) / 2 - math.log(2.1 / 7.3) / 2, rel=0.002)
    hidden = next(one for one in found if one.form == "forgotten").loss[DECAYED]  # the other one is no candidate
    assert min(abs(hidden + math.log(count / (count + 1.1))) for count in (2.1, 4.1)) < 0.005
    assert both.loss[RANKER] > 0
