"""Stage 5 on built repositories: order, splits, windows, what is left out, and how that is reported."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from builders import Repo, cut, grow, run_stage
from datasets import load_from_disk

import dataset_builder
import tokenizer
from core.errors import StageError, UserError
from core.records.commit_files import read_commits
from core.text.grammar import parse
from core.text.token_files import WINDOW_KEYS
from core.text.vocabulary import Vocabulary
from dataset_builder import DatasetBuilderConfig

WINDOW = {"context_window": 32, "target_window": 8, "stride": 4, "block_size": 64}
BODY = "".join(f"    total = total * {number} + value_{number}\n" for number in range(30))


def build(repo: Repo, folder: Path, *, train_share: float = 0.65, **settings: Any) -> dict[str, Any]:
    """Stages 1 to 4; the content of dataset_stats.json."""
    cut(repo.path, folder)
    run_stage(tokenizer.STAGE, folder, mode="standalone", train_share=train_share)
    run_stage(dataset_builder.STAGE, folder, **WINDOW, **settings)
    stats: dict[str, Any] = json.loads((folder / "dataset_stats.json").read_text())
    return stats


def streams(folder: Path) -> dict[str, torch.Tensor]:
    return {
        name: torch.load(folder / file, weights_only=True, mmap=True)["stream"]
        for name, file in dataset_builder.FILES.items()
    }


def parsed(folder: Path) -> dict[str, list[Any]]:
    vocabulary = Vocabulary.load(folder / "vocab.json", folder / "tokenizer")
    return {name: list(parse(vocabulary.pieces(stream.tolist()))) for name, stream in streams(folder).items()}


@pytest.fixture
def copied(make_repo: Callable[[str], Repo]) -> Repo:
    """A history in which code of the first commit comes again: as a copy, almost as a copy, changed in place."""
    repo = make_repo("copied")
    repo.commit("first", {"a.py": f"def compute(total):\n{BODY}"})
    grow(repo, 10)
    repo.commit("copy", {"b.py": f"def compute(total):\n{BODY}", "c.py": "x = 1\n"})
    repo.commit("near", {"d.py": f"def compute_again(total):\n{BODY}"})
    repo.commit("own", {"a.py": f"def compute(total):\n{BODY}    return total\n"})
    return repo


def test_copies_are_left_out_of_the_later_split(copied: Repo, tmp_path: Path) -> None:
    stats = build(copied, tmp_path / "out", train_until="2020-09-13T18", train_share=0.3)
    found = stats["duplicates"]["splits"]
    kinds = {kind: found["val"][kind] + found["test"][kind] for kind in ("exact", "near", "earlier version")}
    assert kinds["exact"] >= 1
    assert kinds["near"] >= 1
    assert kinds["earlier version"] >= 1
    commits = parsed(tmp_path / "out")
    held_out = {commit.message: commit for name in ("val", "test") for commit in commits[name]}
    assert [file.path for file in held_out[("copy",)].files] == [("c.py",)]
    assert ("near",) not in held_out
    assert held_out[("own",)].files[0].changes[0].symbol == ("compute",)
    left_out = sum(one["chunks_left_out"] for one in stats["splits"].values())
    assert left_out == kinds["exact"] + kinds["near"]
    assert any("no code of 32 tokens" in check["check"] for check in stats["leakage_checks"])


def test_copies_are_only_reported_where_asked(copied: Repo, tmp_path: Path) -> None:
    stats = build(copied, tmp_path / "out", train_until="2020-09-13T18", train_share=0.3, duplicates="report")
    assert sum(one["chunks_left_out"] for one in stats["splits"].values()) == 0
    assert stats["duplicates"]["splits"]["test"]["exact"] + stats["duplicates"]["splits"]["val"]["exact"] >= 1
    data = torch.load(tmp_path / "out" / "tokens.pt", weights_only=True)
    assert torch.equal(torch.cat(list(streams(tmp_path / "out").values())), torch.cat(list(data["tokens"])).long())


def test_every_split_reads_as_history_in_order(history: Repo, tmp_path: Path) -> None:
    stats = build(history, tmp_path / "out")
    order = [commit.metadata.message for commit in read_commits(tmp_path / "out" / "commits.json")]
    messages = ["".join(commit.message) for commits in parsed(tmp_path / "out").values() for commit in commits]
    assert messages == [message for message in order if message in set(messages)]
    for name, one in stats["splits"].items():
        data = torch.load(tmp_path / "out" / dataset_builder.FILES[name], weights_only=True, mmap=True)
        assert set(WINDOW_KEYS) <= data.keys()
        assert data["contexts"].shape == (one["windows"], 32)
        assert data["targets"].shape == (one["windows"], 8)
        assert one["tokens"] == len(data["stream"])
    assert stats["total_tokens"] == sum(one["tokens"] for one in stats["splits"].values())
    assert stats["total_commits"] == 12
    for figures in stats["baselines"].values():
        bits = {name: figure["bits_per_byte"] for name, figure in figures.items()}
        assert bits["uniform"] > bits["unigram"] > bits["bigram"] > 0
        assert bits["xz"] > 0


def test_blocks_hold_the_same_tokens(history: Repo, tmp_path: Path) -> None:
    stats = build(history, tmp_path / "out")
    dataset = load_from_disk(str(tmp_path / "out" / "dataset"))
    for name, stream in streams(tmp_path / "out").items():
        rows = [row["input_ids"] for row in dataset[name]]
        joined = rows[0][:1] + [id_ for row in rows for id_ in row[1:]]
        assert joined == stream.tolist()
        assert stats["splits"][name]["blocks"] == len(rows)


def test_boundaries_stay_until_the_settings_move_them(history: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    before = build(history, folder)
    for number in range(12):
        history.commit(f"later {number}", {f"later_{number}.py": f"later = {number}\n" * 9})
    after = build(history, folder)
    for name in ("train", "val"):
        assert after["splits"][name] == before["splits"][name]
    assert after["splits"]["test"]["commits"] == before["splits"]["test"]["commits"] + 12
    assert after["boundaries"] == before["boundaries"]
    moved = build(history, folder, train_ratio=0.6)
    assert moved["splits"]["train"]["commits"] != before["splits"]["train"]["commits"]
    anew = build(history, folder, train_ratio=0.6, keep_boundaries=False)
    assert anew["boundaries"]["rule"]["train_ratio"] == 0.6


def test_two_runs_are_identical(history: Repo, tmp_path: Path) -> None:
    build(history, tmp_path / "a")
    for name in ("b", "c"):
        run_stage(dataset_builder.STAGE, tmp_path / name, inputs=tmp_path / "a", **WINDOW)
    files = [file for file in (tmp_path / "b").rglob("*") if file.is_file() and "scratch" not in file.parts]
    assert len(files) == 3 + 1 + 1 + 3 * 3
    assert all(file.read_bytes() == (tmp_path / "c" / file.relative_to(tmp_path / "b")).read_bytes() for file in files)


def test_too_small_a_disk_is_refused_before_work(
    history: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(history, tmp_path / "out")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(StageError, match="of disk"):
        run_stage(dataset_builder.STAGE, tmp_path / "again", inputs=tmp_path / "out", **WINDOW)
    assert not list((tmp_path / "again").glob("training_data_*"))


def test_tokens_of_other_chunks_are_refused(history: Repo, tmp_path: Path) -> None:
    build(history, tmp_path / "out")
    chunks = tmp_path / "out" / "chunks.jsonl"
    lines = chunks.read_bytes().splitlines(keepends=True)
    for changed in (lines[:-1], [*lines, lines[-1]], [lines[0].replace(b"handler", b"x"), *lines[1:]]):
        chunks.write_bytes(b"".join(changed))
        with pytest.raises(UserError, match="was not made from"):
            run_stage(dataset_builder.STAGE, tmp_path / "out", **WINDOW)


def test_tokens_of_another_history_are_refused(history: Repo, make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    build(history, tmp_path / "out")
    other = make_repo("other")
    grow(other, 3)
    cut(other.path, tmp_path / "other")
    (tmp_path / "out" / "commits.json").write_bytes((tmp_path / "other" / "commits.json").read_bytes())
    with pytest.raises(UserError, match="that has no commit"):
        run_stage(dataset_builder.STAGE, tmp_path / "out", **WINDOW)


def test_a_history_that_was_cut_short_is_learned_from_scratch(history: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for number in range(20):
        history.commit(f"later {number}", {f"later_{number}.py": f"later = {number}\n" * 9})
    build(history, folder)
    history.git("reset", "-q", "--hard", "HEAD~22")
    stats = build(history, folder)
    assert sum(one["commits"] for one in stats["splits"].values()) == 10
    assert any("vocabulary" in check["check"] and check["checked"] == 1 for check in stats["leakage_checks"])


DAMAGED = '{"token_to_id": {}, "markers": {}, "values": [1], "base_model": "", "pad_id": 0, "about": {}}'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("vocab.json", "[]", "is not a vocabulary of Gitlore"),
        ("vocab.json", DAMAGED, "is damaged"),
        ("commits.json", None, "commits.json"),
    ],
)
def test_damaged_files_are_explained(
    history: Repo, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    folder = tmp_path / "out"
    build(history, folder)
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(content.encode() if content is not None else whole[: len(whole) // 2])
    with pytest.raises(UserError, match=message):
        run_stage(dataset_builder.STAGE, folder, **WINDOW)
    if name == "vocab.json":
        run_stage(tokenizer.STAGE, folder, mode="standalone")  # which only writes it


@pytest.mark.parametrize("content", ["{", "[]", '{"boundaries": 5}', '{"boundaries": {"rule": 1}}'])
def test_damaged_boundaries_are_drawn_again(history: Repo, tmp_path: Path, content: str) -> None:
    folder = tmp_path / "out"
    before = build(history, folder)
    (folder / "dataset_stats.json").write_text(content)
    run_stage(dataset_builder.STAGE, folder, **WINDOW)
    assert json.loads((folder / "dataset_stats.json").read_text())["boundaries"] == before["boundaries"]


def test_a_learned_commit_whose_chunks_were_all_dropped(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("dropped")
    key = "ghp_" + "a1B2" * 9
    for number in range(20):
        text = f'key_{number} = "{key}"\n' if number > 8 else f"x = {number}\n"
        repo.commit(f"step {number}", {f"f{number}.py": text})
    repo.commit("fine", {"fine.py": "fine = 1\n"})
    repo.commit("finer", {"finer.py": "finer = 1\n"})
    folder = tmp_path / "out"
    cut(repo.path, folder)
    run_stage(tokenizer.STAGE, folder, mode="standalone", secrets="drop")
    run_stage(dataset_builder.STAGE, folder, **WINDOW)
    stats = json.loads((folder / "dataset_stats.json").read_text())
    assert [one["commits"] for one in stats["splits"].values()] == [9, 1, 1]


def test_too_short_a_history_is_explained(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("short")
    grow(repo, 2)
    with pytest.raises(UserError, match="too little history: commits with text 2,") as caught:
        build(repo, tmp_path / "out")
    assert "--unshallow" in caught.value.hint


def test_ratios_must_leave_a_test_split() -> None:
    with pytest.raises(ValueError, match="leave a test split"):
        DatasetBuilderConfig(train_ratio=0.8, val_ratio=0.2)
