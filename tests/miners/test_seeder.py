"""Seeding: staged, tried, checked, merged; every figure follows from commits that exist."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders import Repo

from core.errors import AlreadyRunningError, StageError
from miners import clones
from miners.repository_miner import EvidenceRules
from miners.seeder import STORES, Seeder, Seeding, seed_clone
from miners.tally import MiningTally
from stores import FailureStore, PatternStore, VVectorStore
from stores.agent.store import Store

RULES = EvidenceRules(digest="rules")


def taught(repo: Repo, rng: random.Random, commits: int = 220) -> None:
    """Fixes whose size depends on their kind, in one fast-import."""
    out = []
    for mark in range(1, commits + 1):
        large = rng.random() < 0.5
        body = "".join(f"x_{mark}_{line} = 1\n" for line in range(rng.randint(30, 90) if large else rng.randint(1, 4)))
        body += "import os\n" if large else ""
        message = f"Fix case {mark}"
        out.append(
            f"commit refs/heads/main\nmark :{mark}\ncommitter A <a@b> {1_500_000_000 + mark * 86400} +0000\n"
            f"data {len(message)}\n{message}\n"
            + (f"from :{mark - 1}\n" if mark > 1 else "")
            + f"M 100644 inline app/f{mark}.py\ndata {len(body)}\n{body}\n"
        )
    import subprocess

    subprocess.run(["git", "fast-import", "--quiet"], cwd=repo.path, input="".join(out).encode(), check=True)


@pytest.fixture
def three(make_repo: Callable[[str], Repo]) -> list[Repo]:
    repos = [make_repo(name) for name in ("one", "two", "three", "four")]
    for number, repo in enumerate(repos):
        taught(repo, random.Random(number))
    return repos


def seed(repos: list[Repo], folder: Path) -> Seeding:
    with Seeder(folder, folder / "scratch") as seeder:
        for repo in repos:
            clone = clones.open_clone(str(repo.path), folder)
            assert seed_clone(seeder, clone, RULES, MiningTally())
        return seeder.merge("history:test")


def test_what_holds_elsewhere_gets_in_and_follows_from_commits_that_exist(three: list[Repo], tmp_path: Path) -> None:
    done = seed(three, tmp_path)
    assert done.verdicts["repair_strategy"]["lines"].passed
    assert not done.verdicts["repair_strategy"]["with_tests"].passed  # no commit changes a test
    folders = {f"root:{repo.git('rev-list', '--max-parents=0', 'main')}": repo for repo in three}
    with VVectorStore(tmp_path) as store:
        found = {entry.option: entry for entry in store.entries(context_type="repair_strategy")}
        assert set(found) == {"import_fix", "logic_fix"}
        assert found["logic_fix"].evolved_value["max_edits"] < 10 < found["import_fix"].evolved_value["max_edits"]
        for entry in found.values():
            assert entry.gate["lines"]["passed"]
            assert "with_tests" not in {**entry.quantiles, **entry.shares}
            why = store.why(entry.id or 0, evidence=10_000)
            assert len(why.evidence) == entry.sample_count
            lines = [float(piece.outcome["lines"]) for piece in why.evidence]
            for name, share in (("p50", 0.5), ("p75", 0.75), ("p90", 0.9)):
                assert entry.quantiles["lines"][name] == np.quantile(lines, share, method="inverted_cdf")
            for piece in why.evidence:
                folders[piece.repository].git("cat-file", "-e", piece.sha)
    for kind in STORES:
        with kind(tmp_path) as opened:
            assert opened.check() == []


def test_seeding_again_changes_nothing_not_even_a_file(three: list[Repo], tmp_path: Path) -> None:
    seed(three, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.db")}
    again = seed(three, tmp_path)
    assert not again
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.db")} == before
    assert not (tmp_path / "backups").exists()


def test_a_refresh_backs_up_and_keeps_what_agents_did_meanwhile(three: list[Repo], tmp_path: Path) -> None:
    seed(three[:3], tmp_path)
    with VVectorStore(tmp_path) as agent, Seeder(tmp_path, tmp_path / "scratch") as seeder:
        entry = agent.query("repair_strategy", "import_fix")
        assert entry is not None
        clone = clones.open_clone(str(three[3].path), tmp_path)
        assert seed_clone(seeder, clone, RULES, MiningTally(), from_scratch=True)
        agent.record_outcome(entry, success=False)  # while the seeder is at work on its copy
        done = seeder.merge("history:test")
        assert done.backups
        after = agent.get(entry.id or 0)
        assert (after.own.failures, after.sample_count > entry.sample_count) == (1, True)
        assert agent.check() == []


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
def test_two_seeders_at_once_are_refused(tmp_path: Path, postgresql: str, where: str) -> None:
    location = postgresql if where == "postgresql" else tmp_path
    with (
        Seeder(location, tmp_path / "scratch"),
        pytest.raises(AlreadyRunningError) as caught,
        Seeder(location, tmp_path / "other"),
    ):
        pass
    with Seeder(location, tmp_path / "scratch"):
        pass
    assert caught.value.exit_code == 75


def test_what_does_not_pass_its_checks_is_not_merged(
    three: list[Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(three[:3], tmp_path)
    with VVectorStore(tmp_path) as store:
        before = store.stats()
    check = Store.check
    monkeypatch.setattr(
        Store, "check", lambda self: ["entry 1: is wrong"] if self.name == "pattern_memory" else check(self)
    )
    with pytest.raises(StageError, match="pattern_memory: entry 1: is wrong"):
        seed(three, tmp_path)
    monkeypatch.undo()
    with VVectorStore(tmp_path) as store:
        assert store.stats() == before


def test_an_interrupted_seeding_leaves_no_copy_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Seeder(tmp_path, tmp_path / "scratch"):
        raise KeyboardInterrupt
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_postgresql_is_seeded_the_same(three: list[Repo], tmp_path: Path, postgresql: str) -> None:
    import psycopg

    with psycopg.connect(postgresql) as connection:
        for kind in STORES:
            connection.execute(f"DROP SCHEMA IF EXISTS {kind.name} CASCADE")
    seed(three, tmp_path)
    for change in (True, False):
        with Seeder(postgresql, tmp_path / "pg") as seeder:
            for repo in three:
                clone = clones.open_clone(str(repo.path), tmp_path)
                assert seed_clone(seeder, clone, RULES, MiningTally())
            assert bool(seeder.merge("history:test")) == change
    for kind in (VVectorStore, PatternStore, FailureStore):
        with kind(tmp_path) as here, kind(postgresql) as there:
            ours, theirs = (
                [(one.evidence_of, one.quantiles, one.prior) for one in store.entries()] for store in (here, there)
            )
            assert ours == theirs
            assert there.check() == []
