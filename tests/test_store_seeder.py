"""Stages 8 and 9: other repositories, and the stores that are seeded from all of them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from builders import Program, Repo, cut, grow, run_stage

import github_miner
import store_seeder
from core.config import load
from core.engine import fingerprint
from core.errors import StageError, UserError
from core.history.overlay import Overlay
from core.records import SCHEMA_VERSION
from core.records.mined import ClosedIssue, MinedRepository, read_mined
from core.records.seeding import SeedingReport
from miners import clones, histories, seeder
from miners.pretraining import pretrain
from miners.repo_analyzer import Profile
from miners.repository_miner import rules_of
from miners.seeder import Seeder, seed_clone
from miners.tally import MiningTally
from stores import FailureStore, PatternStore, VVectorStore
from stores.agent.records import Evidence, StoreChange
from stores.agent.store import Store


def seeded(folder: Path, **settings: object) -> dict[str, object]:
    run_stage(store_seeder.STAGE, folder, stores=str(folder / "stores"), **settings)
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
    report = seeded(tmp_path)
    with VVectorStore(tmp_path / "stores") as vectors:
        states = vectors.evidence.states()
        assert sorted(state.name for state in states.values()) == ["here", "there"]  # this one only once
        heads = {state.name: state.head for state in states.values()}
        assert heads == {"here": here.git("rev-parse", "HEAD"), "there": there.git("rev-parse", "HEAD")}
        with vectors.database.read() as connection:
            kinds = list(vectors.evidence.observations(connection, "repair_strategy", "guard_fix"))
        assert len(kinds) == 1
    assert set(report) == {"stores", "gate", "seen", "left out"}
    again = seeded(tmp_path)
    assert all(not any(one["change"].values()) for one in again["stores"].values())  # type: ignore[attr-defined]


def heads_in(stores: Path) -> dict[str, str]:
    with VVectorStore(stores) as store:
        return {state.name: state.head for state in store.evidence.states().values()}


def test_new_commits_of_a_named_clone_reach_the_stores_with_the_next_run(
    program: Program, make_repo: Callable[[str], Repo]
) -> None:
    here, there = make_repo("here"), make_repo("there")
    grow(here, 3)
    there.commit("Begin")
    grow(there, 3)
    mining = f"github_miner: {{enabled: true, github: false, repositories: [{there.path}]}}\n"
    (program.folder / "config.yaml").write_text(
        f"pipeline: {{cache_dir: cache}}\ngit_scraper: {{repo: {here.path}}}\n{mining}"
    )
    stages = [word for name in ("git_scraper", "github_miner", "store_seeder") for word in ("--stage", name)]
    first = program.run("pipeline.py", *stages)
    assert first.returncode == 0, first.stderr
    fix = there.commit("Fix crash", {"pkg/part_0.py": "def part(x):\n    if x is None:\n        return\n"})
    second = program.run("pipeline.py", *stages)
    assert second.returncode == 0, second.stderr
    assert "git_scraper: up to date" in second.stderr
    with VVectorStore(program.folder / "outputs" / "stores") as store:
        shas = {piece.sha for key in store.evidence.states() for piece in store.evidence.of_repository(key)}
    assert fix in shas
    assert heads_in(program.folder / "outputs" / "stores") == {"here": here.git("rev-parse", "HEAD"), "there": fix}
    third = program.run("pipeline.py", *stages)
    assert third.stderr.count("up to date") == 3
    # The script computes the same rules, so it has nothing to read again.
    script = program.run("scripts/refresh_pretraining.py", "--no-github")
    assert "1 repositories read, 0 with news, 0 failed | nothing new" in script.stdout, script.stderr


def test_a_clone_is_read_as_the_stage_before_left_it(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    here, there = make_repo("here"), make_repo("there")
    grow(here, 2)
    there.commit("Begin")
    grow(there, 2)
    cut(here.path, tmp_path)
    run_stage(github_miner.STAGE, tmp_path, enabled=True, github=False, repositories=(f"file://{there.path}",))
    (mined,) = read_mined(tmp_path / "mined.jsonl")
    assert mined.head == there.git("rev-parse", "HEAD")
    assert Repo(Path(mined.git_dir)).git("rev-parse", "HEAD") == mined.head
    there.commit("more", {"pkg/part_0.py": "x = 1\n"})  # is not fetched before the next run of that stage
    seeded(tmp_path)
    assert heads_in(tmp_path / "stores")["there"] == mined.head


@pytest.fixture
def others(make_repo: Callable[[str], Repo], tmp_path: Path) -> list[Repo]:
    """Three clones that mined.jsonl names, and our own history; all in the test's folder."""
    repos = [make_repo(name) for name in ("first", "broken", "last")]
    for repo in repos:
        repo.commit(f"Begin {repo.path.name}")
        grow(repo, 2)
    here = make_repo("here")
    grow(here, 2)
    cut(here.path, tmp_path)
    places = tuple(str(repo.path) for repo in repos)
    run_stage(github_miner.STAGE, tmp_path, enabled=True, github=False, repositories=places)
    return repos


FAILURES = [
    (StageError("git cannot read it", "check it"), "git cannot read it"),
    (OSError(28, "No space left on device", "/x"), "No space left on device: /x"),
    (PermissionError(13, "Permission denied", "/x"), "Permission denied: /x"),
    (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero (a defect of Gitlore"),
]


@pytest.mark.parametrize(("error", "sentence"), FAILURES)
def test_a_clone_that_cannot_be_read_does_not_stop_the_others(
    others: list[Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def profile_of(overlay: Overlay, head: str, topics: Iterable[str] = ()) -> Profile:
        if overlay.repository == others[1].path / ".git":
            raise error
        return read_profile(overlay, head, topics)

    read_profile = histories.profile_of
    monkeypatch.setattr(histories, "profile_of", profile_of)
    context = run_stage(store_seeder.STAGE, tmp_path, stores=str(tmp_path / "stores"))
    assert set(heads_in(tmp_path / "stores")) == {"here", "first", "last"}
    assert context.drops["repositories that cannot be read"] == 1
    report = msgspec.json.decode((tmp_path / "seeding.json").read_bytes(), type=SeedingReport)
    (failed,) = report.failed
    assert failed.startswith(f"broken: {sentence}")
    assert report.left_out["repositories that cannot be read"] == 1
    assert report.seen["repositories"] == 3


def test_a_full_disk_while_evidence_is_gathered_is_a_failure_of_that_clone(
    others: list[Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = clones.open_clone(str(others[1].path), tmp_path).key

    def encode(piece: Evidence) -> bytes:
        if piece.repository == key:
            raise OSError(28, "No space left on device")
        return msgspec.json.encode(piece)

    monkeypatch.setattr(seeder, "_ENCODER", SimpleNamespace(encode=encode))
    run_stage(store_seeder.STAGE, tmp_path, stores=str(tmp_path / "stores"))
    assert set(heads_in(tmp_path / "stores")) == {"here", "first", "last"}


def test_a_missing_or_damaged_clone_does_not_stop_the_others(others: list[Repo], tmp_path: Path) -> None:
    others[0].path.rename(tmp_path / "elsewhere")
    shutil.rmtree(others[1].path / ".git" / "objects")
    context = run_stage(store_seeder.STAGE, tmp_path, stores=str(tmp_path / "stores"))
    assert set(heads_in(tmp_path / "stores")) == {"here", "last"}
    assert context.drops["repositories that cannot be read"] == 2


@pytest.mark.parametrize(("error", "sentence"), FAILURES)
def test_a_clone_that_cannot_be_opened_does_not_stop_the_others(
    others: list[Repo],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    sentence: str,
) -> None:
    def open_clone(location: str, cache_dir: Path) -> clones.Clone:
        if location == str(others[1].path):
            raise error
        return open_it(location, cache_dir)

    open_it = clones.open_clone
    monkeypatch.setattr(clones, "open_clone", open_clone)
    places = tuple(str(repo.path) for repo in others)
    context = run_stage(github_miner.STAGE, tmp_path, enabled=True, github=False, repositories=places)
    assert [Path(mined.location).name for mined in read_mined(tmp_path / "mined.jsonl")] == ["first", "last"]
    assert context.drops["repositories that cannot be read"] == 1
    assert sentence in caplog.text


def test_what_is_not_a_matter_of_one_clone_fails_the_stage(
    others: list[Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seed() -> None:
        run_stage(store_seeder.STAGE, tmp_path, stores=str(tmp_path / "stores"))

    def interrupted(*_: object) -> Profile:
        raise KeyboardInterrupt

    def failing(*_: object, **__: object) -> StoreChange:
        raise StageError("the database is damaged")

    with monkeypatch.context() as patched:
        patched.setattr(histories, "profile_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            seed()
    for method in ("bulk_import_evidence", "bulk_import"):
        with monkeypatch.context() as patched:
            patched.setattr(Store, method, failing)
            with pytest.raises(StageError, match="damaged"):
                seed()
    text = (tmp_path / "commits.json").read_bytes()
    (tmp_path / "commits.json").write_bytes(text[: len(text) // 2])
    with pytest.raises(UserError, match=r"commits\.json"):
        seed()


def test_a_list_of_an_older_version_must_be_made_again(others: list[Repo], tmp_path: Path) -> None:
    line = f'{{"schema_version":"{SCHEMA_VERSION}","location":"{others[0].path}"}}\n'
    (tmp_path / "mined.jsonl").write_text(line)
    run_stage(store_seeder.STAGE, tmp_path, stores=str(tmp_path / "stores"))
    (sentence,) = json.loads((tmp_path / "seeding.json").read_bytes())["failed"]
    assert "its line in mined.jsonl has no head" in sentence


def test_what_issues_showed_stays_when_the_pipeline_reads_the_repository_again(
    make_repo: Callable[[str], Repo], tmp_path: Path
) -> None:
    repo = make_repo("both")
    grow(repo, 3)
    fix = repo.commit("Handle nothing", {"pkg/part_0.py": "def part(x):\n    if x is None:\n        return\n"})
    cut(repo.path, tmp_path)
    (tmp_path / "mined.jsonl").touch()
    issue = ClosedIssue(number=7, title="it breaks", errors=["TypeError"], commits=[fix], updated_at="2026-01-02")
    known = MinedRepository(
        location="x", full_name="octo/both", github_id=1, issues=[issue], issues_until=issue.updated_at
    )
    rules = rules_of(store_seeder.StoreSeederConfig(), fingerprint.module_digest("miners.repository_miner", tmp_path))
    with Seeder(tmp_path / "stores", tmp_path / "scratch") as seeder:
        assert seed_clone(seeder, clones.open_clone(str(repo.path), tmp_path), rules, MiningTally(), github=known)
        seeder.merge("github")
    seeded(tmp_path)
    with PatternStore(tmp_path / "stores") as store:
        (state,) = store.evidence.states().values()
        remedies = [one for one in store.evidence.of_repository(state.key) if one.context_type == "error_remedy"]
    assert [(one.option, one.note[:3]) for one in remedies] == [("TypeError", "#7:")]
    assert (state.name, state.issues_until) == ("octo/both", issue.updated_at)


def test_without_the_repository_its_history_still_counts(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("gone")
    grow(repo, 4)
    key = f"root:{repo.git('rev-list', '--max-parents=0', 'HEAD')}"
    cut(repo.path, tmp_path)
    (tmp_path / "mined.jsonl").touch()
    repo.path.rename(tmp_path / "elsewhere")
    seeded(tmp_path)
    with FailureStore(tmp_path / "stores") as store:
        assert list(store.evidence.states()) == [key]


def test_side_branches_do_not_count(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
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
    config = store_seeder.StoreSeederConfig(stores=str(tmp_path / "stores"))
    assert [path.exists() for path in store_seeder.stores(config)] == [False] * 3
    for kind in (VVectorStore, PatternStore, FailureStore):
        kind(tmp_path / "stores").close()
    assert [path.exists() for path in store_seeder.stores(config)] == [True] * 3
    assert store_seeder.stores(store_seeder.StoreSeederConfig(database="postgresql://x/y")) == []


def test_the_stores_are_in_the_outputs_folder_unless_they_are_named(tmp_path: Path) -> None:
    def location(text: str) -> str:
        path = tmp_path / "config.yaml"
        path.write_text(text)
        config = load(path, {"store_seeder": store_seeder.StoreSeederConfig}).stages["store_seeder"]
        assert isinstance(config, store_seeder.StoreSeederConfig)
        return config.location

    assert location("") == location("store_seeder: {stores: ''}") == "outputs/stores"
    assert location("pipeline: {outputs: /x}") == "/x/stores"
    assert location("pipeline: {outputs: /x}\nstore_seeder: {stores: ''}") == "/x/stores"
    assert location("pipeline: {outputs: /x}\nstore_seeder: {stores: /y}") == "/y"
    assert location("store_seeder: {database: 'postgresql://x/y', stores: /y}") == "postgresql://x/y"


def test_an_invalid_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        store_seeder.StoreSeederConfig(commit_patterns={"x": ("(",)})


def test_a_refresh_removes_nothing_that_the_pipeline_seeded(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("both")
    grow(repo, 6)
    cut(repo.path, tmp_path)
    (tmp_path / "mined.jsonl").touch()
    seeded(tmp_path)
    cache = tmp_path / "cache"
    code = fingerprint.module_digest("miners.repository_miner", cache)
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
    done = pretrain(mining, store_seeder.StoreSeederConfig(), str(tmp_path / "stores"), cache, code)
    assert done.tally.counts["repositories without news"] == 1
    repo.commit("Fix crash", {"pkg/part_0.py": "def part(x):\n    return x\n"})
    pretrain(mining, store_seeder.StoreSeederConfig(), str(tmp_path / "stores"), cache, code)
    after = pieces()
    assert after["project_layout"] == before["project_layout"]
    assert after["fix_kind"] == before.get("fix_kind", 0) + 1


def test_a_shallow_history_is_not_learned_from(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("deep")
    grow(repo, 4)
    repo.git("clone", "-q", "--depth", "2", f"file://{repo.path}", str(tmp_path / "shallow"))
    cut(tmp_path / "shallow", tmp_path)
    (tmp_path / "mined.jsonl").touch()
    seeded(tmp_path)
    with VVectorStore(tmp_path / "stores") as store:
        assert store.evidence.states() == {}
