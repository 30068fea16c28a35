"""The stage: what it writes, and that going on gives what a first run gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from builders import Repo, cut, run_stage

import pattern_miner
from core.git import main_line
from core.records.commits import Commit
from core.records.patterns import read_patterns, read_templates
from patterns import mining

NAMES = pattern_miner.STAGE.outputs


def repair(repo: Repo, number: int) -> None:
    repo.commit(f"Add f{number}", {f"m{number % 3}.py": f"def f{number}(x):\n    return g(x, {number})\n"})
    repo.commit(f"Fix f{number}", {f"m{number % 3}.py": f"def f{number}(x):\n    return h(x, {number}, {number})\n"})


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.new(tmp_path / "r")
    for number in range(4):
        repair(repo, number)
    return repo


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in NAMES}


def test_it_writes_patterns_and_how_long_lines_live(repo: Repo, tmp_path: Path) -> None:
    cut(repo.path, tmp_path / "out")
    context = run_stage(pattern_miner.STAGE, tmp_path / "out")
    patterns = list(read_patterns(tmp_path / "out" / "patterns.jsonl"))
    assert context.counts["bug fix"] == sum(one.problem_type == "bug_fix" for one in patterns) == 4
    summary = json.loads((tmp_path / "out" / "survival.json").read_text())
    assert (summary["steps"], summary["files"]) == (8, 3)
    assert summary["until"] == repo.git("rev-parse", "HEAD")


def test_the_same_again_is_the_same(repo: Repo, tmp_path: Path) -> None:
    for name in ("one", "two"):
        cut(repo.path, tmp_path / name)
        run_stage(pattern_miner.STAGE, tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_refresh_walks_new_commits_alone_and_gives_what_a_first_run_gives(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(repo.path, tmp_path / "old")
    earlier = run_stage(pattern_miner.STAGE, tmp_path / "old")
    tip = repo.git("rev-parse", "HEAD")
    repo.commit("Take f1 back", {"m1.py": "def f1(x):\n    return g(x, 1)\n"})
    repair(repo, 7)
    cut(repo.path, tmp_path / "new")
    cut(repo.path, tmp_path / "first")
    walked: list[str] = []
    read: list[str] = []
    original, given = main_line.steps, mining._given

    def noted(git_dir: Path, head: str, last: str = "", **more: bool) -> Iterator[main_line.Step]:
        walked.append(last)
        return original(git_dir, head, last, **more)

    def read_again(commit: Commit, *others: Any) -> Any:
        read.append(commit.metadata.hash)
        return given(commit, *others)

    monkeypatch.setattr(main_line, "steps", noted)
    monkeypatch.setattr(mining, "_given", read_again)
    run_stage(pattern_miner.STAGE, tmp_path / "new", previous=earlier)
    assert read == repo.git("rev-list", "--reverse", f"{tip}..HEAD").split()
    run_stage(pattern_miner.STAGE, tmp_path / "first")
    assert contents(tmp_path / "new") == contents(tmp_path / "first")
    assert walked == [tip, ""]


def happen(repo: Repo, random: Random, number: int) -> None:
    """Something that a history does: a repair, a merged branch, a force push, a commit of text."""
    kind = random.randrange(4)
    if kind == 1:
        repo.git("checkout", "-q", "-b", f"side{number}", "HEAD~1")
        repo.commit(f"Take {number}", {f"side{number}.py": f"def s{number}(x):\n    return x\n"})
        repair(repo, number)
        repo.git("checkout", "-q", "main")
        merge = ("merge", "-q", "--no-ff", "-X", "theirs", f"side{number}", "-m", "Merge", "-m", "Fix the crash")
        repo.git(*merge)
    elif kind == 2:
        repo.git("reset", "-q", "--hard", "HEAD~2")
    elif kind == 3:
        repo.commit(f"Notes {number}", {"README.md": f"{number}\n"})
    repair(repo, number + 50)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_came_a_refresh_gives_what_a_first_run_gives(repo: Repo, tmp_path: Path, seed: int) -> None:
    random, earlier = Random(seed), None
    for number in range(3):
        happen(repo, random, 10 * number)
        inputs, new, first = (tmp_path / f"{name}{number}" for name in ("in", "new", "first"))
        cut(repo.path, inputs)
        if number == 1:  # as with other settings of the chunker
            lines = (inputs / "chunks.jsonl").read_bytes().splitlines(keepends=True)
            other = [line.replace(b'"language":"python"', b'"language":"ruby"') for line in lines]
            assert other != lines
            (inputs / "chunks.jsonl").write_bytes(b"".join(other))
        types = {"types": ("bug_fix",)} if number == 2 and seed else {}
        earlier = run_stage(pattern_miner.STAGE, new, inputs=inputs, previous=earlier, **types)
        run_stage(pattern_miner.STAGE, first, inputs=inputs, **types)
        assert contents(new) == contents(first)


@pytest.mark.parametrize(
    "spoil", [lambda whole: whole[: len(whole) // 2], lambda whole: b"other\n" + whole, lambda _: b"", lambda _: None]
)
def test_a_cache_that_is_damaged_is_made_again(
    repo: Repo, tmp_path: Path, spoil: Callable[[bytes], bytes | None]
) -> None:
    cut(repo.path, tmp_path / "old")
    earlier = run_stage(pattern_miner.STAGE, tmp_path / "old")
    before, cache = contents(tmp_path / "old"), tmp_path / "old" / "patterns.cache"
    spoilt = spoil(cache.read_bytes())
    cache.unlink() if spoilt is None else cache.write_bytes(spoilt)
    run_stage(pattern_miner.STAGE, tmp_path / "new", inputs=tmp_path / "old", previous=earlier)
    assert contents(tmp_path / "new") == before


def lose(repo: Repo, name: str) -> None:
    id_ = repo.git("rev-parse", name)
    (repo.path / ".git" / "objects" / id_[:2] / id_[2:]).unlink()


def test_where_a_blob_is_missing_the_survival_of_its_lines_is_not_known(repo: Repo, tmp_path: Path) -> None:
    repo.commit("Note", {"m0.py": "def f3(x):\n    return h(x, 3, 3)\n\n\nNOTE = 1\n"})
    cut(repo.path, tmp_path / "out")
    lose(repo, "HEAD:m0.py")
    context = run_stage(pattern_miner.STAGE, tmp_path / "out")
    patterns = list(read_patterns(tmp_path / "out" / "patterns.jsonl"))
    assert {one.symbol for one in patterns if one.survival is None} == {"f3"}
    assert {one.symbol for one in patterns if one.survival} == {"f0", "f1", "f2"}
    assert {one.confidence for one in patterns if one.survival is None} == {0.0}
    assert context.drops["outcomes that files which cannot be read keep unknown"] > 0
    summary = json.loads((tmp_path / "out" / "survival.json").read_text())
    assert (summary["steps"], summary["files"], summary["left_out"]) == (9, 2, {"missing": 1})


def test_where_a_folder_is_missing_survival_is_not_known(repo: Repo, tmp_path: Path) -> None:
    cut(repo.path, tmp_path / "out")
    lose(repo, "HEAD~1^{tree}")
    context = run_stage(pattern_miner.STAGE, tmp_path / "out")
    patterns = list(read_patterns(tmp_path / "out" / "patterns.jsonl"))
    assert {one.survival for one in patterns} == {None}
    assert {one.confidence for one in patterns} == {0.0}
    assert context.drops["walks that git could not finish"] == 1
    assert json.loads((tmp_path / "out" / "survival.json").read_text())["steps"] == 0


def test_an_edit_of_several_steps_becomes_a_template(repo: Repo, tmp_path: Path) -> None:
    repo.commit("Add others", {f"o{number}.py": f"def o{number}():\n    pass\n" for number in range(40)})
    calls = {f"t{number}.py": f"def t{number}(self):\n    self.assertTrue(a{number})\n" for number in range(13)}
    repo.commit("Add names that are in so many files that they stay", dict(calls))
    for number in range(5):
        repo.commit(f"Fix t{number}", {f"t{number}.py": f"def t{number}(self):\n    self.assertTrue(self.a{number})\n"})
    cut(repo.path, tmp_path / "out")
    context = run_stage(pattern_miner.STAGE, tmp_path / "out")
    found = list(read_templates(tmp_path / "out" / "templates.jsonl"))
    assert len(found) == sum(number for what, number in context.counts.items() if "templates" in what)
    assert {(one.steps, one.language) for one in found} == {(5, "python")}
    patterns = list(read_patterns(tmp_path / "out" / "patterns.jsonl"))
    followed = [one for one in patterns if one.template_id]
    assert {one.template_id for one in followed} == {found[0].template_id}
    assert {one.symbol for one in followed} == {f"t{number}" for number in range(5)}
    assert len(patterns) > len(followed)


def test_types_choose(repo: Repo, tmp_path: Path) -> None:
    cut(repo.path, tmp_path / "out")
    run_stage(pattern_miner.STAGE, tmp_path / "out", types=("feature_addition",))
    patterns = list(read_patterns(tmp_path / "out" / "patterns.jsonl"))
    assert {one.problem_type for one in patterns} == {"feature_addition"}
