"""Stages 8 and 9: other repositories, and what all of them teach."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo, cut, grow, run_stage

import github_miner
import store_seeder
from core.errors import UserError
from core.records.mined import read_mined
from miners.pretraining import pretrain
from stores import FailureStore, PatternStore, VVectorStore


def seeded(folder: Path, **settings: object) -> dict[str, object]:
    run_stage(store_seeder.STAGE, folder, outputs=str(folder), **settings)
    found: dict[str, object] = json.loads((folder / "seeding.json").read_bytes())
    return found


def test_mining_is_off_unless_asked_for(tmp_path: Path) -> None:
    run_stage(github_miner.STAGE, tmp_path)
    assert (tmp_path / "mined.jsonl").read_bytes() == b""
    assert github_miner.sources(github_miner.GitHubMinerConfig()) == {}


def test_named_clones_are_mined_without_network_or_token(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    one, two = make_repo("one"), make_repo("two")
    grow(one, 3)
    two.commit("Begin")
    grow(two, 3)
    one.git("clone", "-q", str(one.path), str(tmp_path / "copy"))
    listed = tmp_path / "list.txt"
    listed.write_text(f"# mine\n{two.path}\n{tmp_path / 'nothing'}\n{tmp_path / 'copy'}\n")
    settings = {"enabled": True, "github": False, "repositories": (str(one.path), str(listed))}
    context = run_stage(github_miner.STAGE, tmp_path / "out", **settings)
    assert [mined.location for mined in read_mined(tmp_path / "out" / "mined.jsonl")] == [str(one.path), str(two.path)]
    assert context.counts["repositories"] == 2
    assert context.drops["repositories that cannot be read"] == 1
    assert context.drops["clones of a repository that has been read already"] == 1
    with pytest.raises(UserError, match="nothing to mine"):
        run_stage(github_miner.STAGE, tmp_path / "out", enabled=True, github=False)


def test_a_new_commit_of_a_named_clone_makes_the_stage_stale(history: Repo) -> None:
    config = github_miner.GitHubMinerConfig(enabled=True, github=False, repositories=(str(history.path),))
    before = github_miner.sources(config)
    assert github_miner.sources(config) == before
    history.commit("more")
    assert github_miner.sources(config) != before


def test_the_history_at_hand_and_named_clones_seed_the_stores(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    here, there = make_repo("here"), make_repo("there")
    grow(here, 6)
    there.commit("Begin")
    grow(there, 4)
    there.commit("Fix KeyError", {"pkg/part_0.py": "def part(x):\n    if x is None:\n        return\n"})
    cut(here.path, tmp_path)
    run_stage(github_miner.STAGE, tmp_path, enabled=True, github=False, repositories=(str(there.path), str(here.path)))
    told = seeded(tmp_path)
    with VVectorStore(tmp_path / "stores") as vectors, PatternStore(tmp_path / "stores") as patterns:
        states = vectors.evidence.states()
        assert sorted(state.name for state in states.values()) == ["here", "there"]  # this one only once
        heads = {state.name: state.head for state in states.values()}
        assert heads == {"here": here.git("rev-parse", "HEAD"), "there": there.git("rev-parse", "HEAD")}
        companions = [
            piece
            for key in states
            for piece in patterns.evidence.of_repository(key)
            if piece.context_type == "test_companion"
        ]
        assert {piece.option for piece in companions} >= {"new_function", "new_class"}
        assert {str(piece.outcome["with_tests"]) for piece in companions} == {"yes", "no"}
        with vectors.database.read() as connection:
            kinds = list(vectors.evidence.observations(connection, "repair_strategy", "guard_fix"))
        assert len(kinds) == 1
    assert set(told) == {"stores", "gate", "seen", "left out"}
    again = seeded(tmp_path)
    assert all(not any(one["change"].values()) for one in again["stores"].values())  # type: ignore[attr-defined]


def test_without_the_repository_its_history_still_teaches(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("gone")
    grow(repo, 4)
    key = f"root:{repo.git('rev-list', '--max-parents=0', 'HEAD')}"
    cut(repo.path, tmp_path)
    (tmp_path / "mined.jsonl").touch()
    repo.path.rename(tmp_path / "elsewhere")
    seeded(tmp_path)
    with FailureStore(tmp_path / "stores") as store:
        assert list(store.evidence.states()) == [key]


def test_side_branches_do_not_teach(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("branches")
    grow(repo, 2)
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit("Fix aside", {"pkg/x.py": "x = 1\n"})
    repo.git("checkout", "-q", "main")
    cut(repo.path, tmp_path)
    (tmp_path / "mined.jsonl").touch()
    seeded(tmp_path)
    with VVectorStore(tmp_path / "stores") as store:
        shas = {piece.sha for key in store.evidence.states() for piece in store.evidence.of_repository(key)}
    assert shas
    assert side not in shas


def test_stores_that_are_gone_make_the_stage_stale(tmp_path: Path) -> None:
    config = store_seeder.StoreSeederConfig(outputs=str(tmp_path))
    assert [path.exists() for path in store_seeder.stores(config)] == [False] * 3
    for kind in (VVectorStore, PatternStore, FailureStore):
        kind(tmp_path / "stores").close()
    assert [path.exists() for path in store_seeder.stores(config)] == [True] * 3
    assert store_seeder.stores(store_seeder.StoreSeederConfig(database="postgresql://x/y")) == []


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        store_seeder.StoreSeederConfig(commit_patterns={"x": ("(",)})


def test_a_refresh_of_what_the_pipeline_seeded_takes_nothing_away(
    make_repo: Callable[[str], Repo], tmp_path: Path
) -> None:
    repo = make_repo("both")
    grow(repo, 6)
    cut(repo.path, tmp_path)
    (tmp_path / "mined.jsonl").touch()
    seeded(tmp_path)
    cache = tmp_path / "cache"
    mining = github_miner.GitHubMinerConfig(github=False, repositories=(str(repo.path),))

    def pieces() -> dict[str, int]:
        with PatternStore(tmp_path / "stores") as store, VVectorStore(tmp_path / "stores") as vectors:
            found = [
                piece
                for one in (store, vectors)
                for key in one.evidence.states()
                for piece in one.evidence.of_repository(key)
            ]
        return dict(Counter(piece.context_type for piece in found))

    before = pieces()
    done = pretrain(mining, store_seeder.StoreSeederConfig(), str(tmp_path / "stores"), cache)
    assert done.tally.counts["repositories without news"] == 1
    repo.commit("Fix crash", {"pkg/part_0.py": "def part(x):\n    return x\n"})
    pretrain(mining, store_seeder.StoreSeederConfig(), str(tmp_path / "stores"), cache)
    after = pieces()
    assert after["test_companion"] == before["test_companion"]
    assert after["fix_kind"] == before.get("fix_kind", 0) + 1


def test_a_shallow_history_is_not_learnt_from(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("deep")
    grow(repo, 4)
    repo.git("clone", "-q", "--depth", "2", f"file://{repo.path}", str(tmp_path / "shallow"))
    cut(tmp_path / "shallow", tmp_path)
    (tmp_path / "mined.jsonl").touch()
    seeded(tmp_path)
    with VVectorStore(tmp_path / "stores") as store:
        assert store.evidence.states() == {}
