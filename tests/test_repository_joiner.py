"""Several repositories as one history: named, ordered, split and distinguished."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from builders import Program, Repo, cut, grow, read_chunks, run_stage

import dataset_builder
import repository_joiner
import tokenizer
from core.errors import UserError
from core.records.chunk_files import chunk_groups
from core.records.commit_files import read_commits, read_history
from core.records.commits import branch_names
from core.text.grammar import parse
from core.text.vocabulary import Vocabulary
from stores import VVectorStore

Two = tuple[Repo, Repo]


@pytest.fixture
def two(make_repo: Callable[[str], Repo]) -> Two:
    """Two histories whose commits alternate, the second with its own branch."""
    first, second = make_repo("first"), make_repo("second")
    second.clock += 1800
    grow(first, 9)
    grow(second, 12)
    second.git("checkout", "-q", "-b", "side")
    second.commit("aside", {"side.py": "x = 1\n"})
    second.git("checkout", "-q", "main")
    return first, second


def joined(two: Two, folder: Path, interleave: str) -> Path:
    for repo in two:
        cut(repo.path, folder / repo.path.name)
    names = tuple(str(folder / repo.path.name) for repo in two)
    run_stage(repository_joiner.STAGE, folder, folders=names, interleave=interleave)
    return folder


@pytest.mark.parametrize("interleave", ["date", "repository"])
def test_every_commit_and_chunk_is_there_once_and_named(two: Two, tmp_path: Path, interleave: str) -> None:
    folder = joined(two, tmp_path / "out", interleave)
    commits = list(read_commits(folder / "commits.json"))
    head = read_history(folder / "commits.json")
    assert head.total_commits == len(commits) == 9 + 13
    assert [commit.commit_number for commit in commits] == list(range(22))
    assert json.loads((folder / "commits.json").read_text())["commits"][0]["repository"] == "first"
    named = [commit.repository for commit in commits]
    assert (named == sorted(named)) == (interleave == "repository")
    if interleave == "date":
        times = [commit.metadata.commit_timestamp for commit in commits]
        assert times == sorted(times)
    branches = {
        name
        for commit in commits
        for name in branch_names(head.branches, int(head.branch_sets[commit.metadata.branch_set], 16))
    }
    assert branches == {"first/main", "second/main", "second/side"}
    order = [(commit.repository, commit.metadata.hash) for commit in commits]
    groups = [(group.repository, group.commit_hash) for group in chunk_groups(folder / "chunks.jsonl")]
    assert groups == [one for one in order if one in set(groups)]
    for name in ("first", "second"):
        own = [chunk for chunk in read_chunks(folder / "chunks.jsonl") if chunk.repository == name]
        for chunk in own:
            chunk.repository = ""
        assert own == list(read_chunks(folder / name / "chunks.jsonl"))
    stats = json.loads((folder / "chunking_stats.json").read_text())
    assert stats["total_chunks"] == len(list(read_chunks(folder / "chunks.jsonl")))


@pytest.mark.parametrize("name", ["chunks.index", "chunks.jsonl"])
def test_a_damaged_file_is_reported(two: Two, tmp_path: Path, name: str) -> None:
    folder = joined(two, tmp_path / "out", "date")
    file = folder / "second" / name
    file.write_bytes(file.read_bytes()[:-20] + b"\xbb" + file.read_bytes()[-19:])
    names = tuple(str(folder / repo.path.name) for repo in two)
    with pytest.raises(UserError, match=r"damaged|second"):
        run_stage(repository_joiner.STAGE, tmp_path / "again", folders=names)


@pytest.mark.parametrize("interleave", ["date", "repository"])
def test_both_repositories_are_in_every_split(two: Two, tmp_path: Path, interleave: str) -> None:
    folder = joined(two, tmp_path / "out", interleave)
    run_stage(tokenizer.STAGE, folder, mode="standalone", interleave=interleave)
    settings = {"context_window": 16, "target_window": 4, "stride": 4, "interleave": interleave}
    run_stage(dataset_builder.STAGE, folder, **settings, repository_weights={"first": 0.0}, block_size=32)
    vocabulary = Vocabulary.load(folder / "vocab.json", folder / "tokenizer")
    assert set(vocabulary.origin["learnt_until"]) == ({""} if interleave == "date" else {"first", "second"})
    stats = json.loads((folder / "dataset_stats.json").read_text())
    assert set(stats["boundaries"]["train"]) == set(vocabulary.origin["learnt_until"])
    for name, file in dataset_builder.FILES.items():
        stream = torch.load(folder / file, weights_only=True)["stream"]
        commits = list(parse(vocabulary.pieces(stream.tolist())))
        seen = {"".join(commit.repository) for commit in commits}
        if interleave == "repository" or name == "train":
            assert seen == {"first", "second"}
        assert stats["splits"][name]["commits_by_repository"].keys() >= seen
    assert len(stats["leakage_checks"]) == 6
    assert 0 < stats["splits"]["train"]["blocks"] < stats["splits"]["train"]["tokens"] / 40


@pytest.mark.slow
def test_the_pipeline_makes_one_model_of_all(two: Two, program: Program, tiny_model: Path) -> None:
    (program.folder / "config.yaml").write_text(
        f"""
pipeline: {{outputs: outputs, cache_dir: cache, one_model: true}}
git_scraper: {{repos: ["{two[0].path}", "{two[1].path}"]}}
dataset_builder: {{context_window: 32, target_window: 8, stride: 8}}
model_training: {{base_model: "{tiny_model}", sequence_length: 64, max_steps: 2,
  validation_points: 0, lora_rank: 2, precision: fp32}}
evaluate: {{tokens: 128, next_commits: 1, continuations: 1, continuation_tokens: 4, examples: 1, sketch_tokens: 4}}
"""
    )
    done = program.run("pipeline.py")
    assert done.returncode == 0, done.stderr
    outputs = program.folder / "outputs"
    results = json.loads((outputs / "pipeline_results.json").read_text())
    alone = ("git_scraper", "semantic_chunker", "change_ranker", "github_miner", "store_seeder", "pattern_miner")
    assert [stage["name"] for stage in results["stages"]] == [
        *(f"{name}: {stage}" for name in ("first", "second") for stage in alone),
        *("repository_joiner", "tokenizer", "dataset_builder", "model_training", "evaluate", "report_builder"),
    ]
    assert "first, second" in (outputs / "report.html").read_text()
    again = program.run("pipeline.py", "--dry-run").stdout
    assert again.count("up to date") == 18
    with VVectorStore(outputs / "stores") as store:  # one memory of both
        assert {state.name for state in store.evidence.states().values()} == {"first", "second"}
    two[0].commit("one more", {"more.py": "more = 1\n"})
    listed = program.run("pipeline.py", "--list-stages").stdout
    assert "all together:" in listed
    asked = program.run("predict.py", "--model", "outputs/model", "--repo", str(two[1].path), "--json")
    assert asked.returncode == 0, asked.stderr
    (two[0].path / ".git" / "HEAD").unlink()
    broken = program.run("pipeline.py", "--until", "dataset_builder")
    assert broken.returncode == 2
    results = json.loads((outputs / "pipeline_results.json").read_text())
    status = {stage["name"]: stage["status"] for stage in results["stages"]}
    assert status["first: git_scraper"] == "failed"
    assert status["second: git_scraper"] == "up to date"
    assert status["tokenizer"] == "not reached"
