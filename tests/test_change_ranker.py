"""Stage 3 on built repositories: what is split, what is written, and who uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import Program, Repo, cut, grow, run_stage

import change_ranker
from change_ranker import ChangeRankerConfig, split
from core.ranking.examples import Case
from core.ranking.ranker import MODES, SHIPPED, Ranker
from core.records.ranker import ModeWeights, RankerRecord, read_ranker, write_ranker
from core.records.rankings import read_rankings


def ranked(repo: Repo, folder: Path, **settings: Any) -> Path:
    cut(repo.path, folder)
    run_stage(change_ranker.STAGE, folder, bootstrap_samples=20, **settings)
    return folder


def test_a_short_history_gets_the_shipped_weights_and_is_told_so(history: Repo, tmp_path: Path) -> None:
    folder = ranked(history, tmp_path / "out")
    record = read_ranker(folder / "ranker.json")
    assert record.modes == Ranker.shipped().record.modes
    assert record.first_commits == [history.git("rev-list", "--max-parents=0", "HEAD")]
    assert len(record.gate) == len(MODES)
    assert all("shipped weights" in sentence for sentence in record.gate)
    (found,) = read_rankings(folder / "ranking_evaluation.json").repositories
    assert found.forms["text"].questions == found.commits == 2  # 15 % of eleven
    assert found.gate == record.gate
    assert [one.truth[0] for one in found.examples] == ["Cargo.toml"] * 2


def test_a_repository_of_one_commit_has_nothing_to_ask(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("one")
    repo.commit("begin", {"a.py": "x = 1\n"})
    folder = ranked(repo, tmp_path / "out")
    (found,) = read_rankings(folder / "ranking_evaluation.json").repositories
    assert (found.commits, found.forms, found.examples) == (0, {}, [])
    assert read_ranker(folder / "ranker.json").modes == Ranker.shipped().record.modes


def test_a_head_that_names_no_commit_is_no_obstacle(history: Repo, tmp_path: Path) -> None:
    history.git("symbolic-ref", "HEAD", "refs/heads/unborn")
    (found,) = read_rankings(ranked(history, tmp_path / "out") / "ranking_evaluation.json").repositories
    assert found.commits == 2


def test_own_weights_are_tried_once_there_are_commits_to_validate_them_on(
    make_repo: Callable[[str], Repo], tmp_path: Path
) -> None:
    repo = make_repo("long")
    grow(repo, 20)
    folder = ranked(repo, tmp_path / "out", least_commits=2, val_commits=3, test_commits=2)
    assert any("nats a question on 3 commits" in one for one in read_ranker(folder / "ranker.json").gate)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, (0, 0, 0)), (1, (0, 0, 1)), (20, (14, 3, 3)), (1000, (300, 100, 150)), (5000, (300, 100, 200))],
)
def test_the_newest_commits_are_for_the_test(count: int, sizes: tuple[int, int, int]) -> None:
    newest_first = [Case(str(number), "", "", "", frozenset(), frozenset()) for number in range(count)]
    parts = split(newest_first, ChangeRankerConfig())
    assert tuple(map(len, parts)) == sizes
    numbers = [int(case.hash) for part in parts for case in part]
    assert numbers == list(range(sum(sizes)))[::-1]


def test_the_weights_of_a_repository_are_used_for_it_alone(
    make_repo: Callable[[str], Repo], program: Program, tmp_path: Path
) -> None:
    mine, other = make_repo("mine"), make_repo("other")
    grow(mine, 3)
    other.commit("another beginning", {"README.md": "1\n", "zzz.py": "2\n"})
    other.commit("go on", {"README.md": "3\n"})
    weights = ModeWeights(weights={"k_root": -50.0}, calibration=[])
    record = RankerRecord(
        first_commits=[mine.git("rev-list", "--max-parents=0", "HEAD")], modes=dict.fromkeys(MODES, weights)
    )
    folder = program.folder / "outputs" / "own"
    folder.mkdir(parents=True)
    write_ranker(folder / "ranker.json", record)

    def probabilities(repo: Repo, *arguments: str) -> list[float]:
        done = program.run("predict.py", "--repo", str(repo.path), "--cache-dir", "cache", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return [file["probability"] for file in json.loads(done.stdout)["files"] if not file["new"]]

    own, shipped = probabilities(mine), probabilities(mine, "--ranker", str(SHIPPED))
    assert own != shipped
    assert probabilities(other) == probabilities(other, "--ranker", str(SHIPPED))
    assert "cannot be read" in program.run("predict.py", "--repo", str(mine.path), "--ranker", "none.json").stderr
