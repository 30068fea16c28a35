"""Each check holds on what the stage writes, and catches what is planted."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import Repo, cut, grow, run_stage, windows

import dataset_builder
import tokenizer
from core.dataset import duplicates, leakage
from core.dataset.history import TokenHistory, in_order
from core.dataset.splits import Boundaries, Split, split
from core.dataset.streams import SplitTokens
from core.errors import StageError
from core.text.token_files import load, save, write_windows
from core.text.vocabulary import Vocabulary

WINDOW = {"context_window": 32, "target_window": 8, "stride": 4}


@dataclass
class Written:
    """Everything that the check looks at."""

    files: dict[str, Path]
    history: TokenHistory
    splits: list[Split]
    learned_until: dict[str, str]
    markers: dict[str, int]

    def check(self, **changed: Any) -> list[dict[str, Any]]:
        """Run it, with some of it changed."""
        about = {"files": self.files, "history": self.history, "splits": self.splits} | changed
        about.setdefault("learned_until", self.learned_until)
        return leakage.check(**about, markers=self.markers, stride=4, least_copy=32)

    def rewrite(self, name: str, stream: torch.Tensor) -> None:
        """Put another stream into a split's file."""
        write_windows(self.files[name], stream.numpy(), 32, 8, 4, 0)


@pytest.fixture
def written(make_repo: Callable[[str], Repo], tmp_path: Path) -> Written:
    repo = make_repo("plain")
    body = "def total():\n" + "".join(f"    add(value_{number})\n" for number in range(20))
    repo.commit("first", {"first.py": body})
    grow(repo, 12)
    repo.commit("a copy", {"copy.py": body})
    folder = tmp_path / "out"
    cut(repo.path, folder)
    run_stage(tokenizer.STAGE, folder, mode="standalone")
    run_stage(dataset_builder.STAGE, folder, **WINDOW)
    vocabulary = Vocabulary.load(folder / "vocab.json", folder / "tokenizer")
    history = TokenHistory.load(folder / "tokens.pt", vocabulary.markers, vocabulary.size)
    commits = in_order(list(history.commits()), folder / "commits.json", "date")
    rule = dataset_builder.rule_of(dataset_builder.DatasetBuilderConfig())
    splits, _ = split(commits, rule, vocabulary.origin["learnt_until"], None)
    copies = duplicates.find(history, splits, least_tokens=32, similarity=0.8)
    for one in splits:
        one.left_out = {copy.sequence for copy in copies.get(one.name, ()) if copy.kind != "earlier version"}
        one.lay_out(history)
    files = {name: folder / file for name, file in dataset_builder.FILES.items()}
    return Written(files, history, splits, vocabulary.origin["learnt_until"], vocabulary.markers)


def test_what_the_stage_writes_holds(written: Written) -> None:
    done = written.check()
    assert len(done) == 6
    assert all(one["result"] == "holds" and one["checked"] > 0 for one in done)


def test_tokens_of_another_split_in_a_file(written: Written) -> None:
    train, val = (load(written.files[name], ["stream"])["stream"].clone() for name in ("train", "val"))
    written.rewrite("val", torch.cat([val, train[:50]]))
    with pytest.raises(StageError, match="the val file holds 50 tokens that are not its own"):
        written.check()
    written.rewrite("val", torch.cat([train[-20:], val]))
    with pytest.raises(StageError, match="does not hold its own commits"):
        written.check()


def test_a_commit_in_two_splits(written: Written) -> None:
    splits = deepcopy(written.splits)
    splits[2].commits.insert(0, splits[0].commits[-1])
    splits[2].lay_out(written.history)
    written.rewrite("test", torch.from_numpy(SplitTokens(splits[2], written.history)[:].astype(np.int64)))
    with pytest.raises(StageError, match=r"is a target in train and in test|is in train too"):
        written.check(splits=splits)


def test_overlapping_targets(written: Written) -> None:
    splits = deepcopy(written.splits)
    start, end = splits[1].ranges[0]
    splits[1].ranges[0] = (start - 60, end)  # the end of training, once more
    written.rewrite("val", torch.from_numpy(SplitTokens(splits[1], written.history)[:].astype(np.int64)))
    with pytest.raises(StageError, match="is a target in train and in val"):
        written.check(splits=splits)


def test_windows_beyond_their_stream(written: Written) -> None:
    made = windows(load(written.files["val"], ["stream"])["stream"].clone(), 32, 8, 4)
    save(written.files["val"], {**made, "target_masks": torch.ones_like(made["target_masks"])})
    with pytest.raises(StageError, match="targets of the val file"):
        written.check()


def test_a_child_before_its_parent(written: Written) -> None:
    splits = deepcopy(written.splits)
    splits[0].commits[0].parents = (splits[2].commits[0].hash,)
    with pytest.raises(StageError, match="has a parent in a later split"):
        written.check(splits=splits)


def test_a_vocabulary_that_has_seen_the_test(written: Written) -> None:
    with pytest.raises(StageError, match="which is not in the training split"):
        written.check(learned_until={"": written.splits[2].commits[0].hash})
    with pytest.raises(StageError, match="which is not in the training split"):
        written.check(learned_until={"": "f" * 40})


def test_a_copy_left_in_a_later_split(written: Written) -> None:
    splits = deepcopy(written.splits)
    for one in splits:
        one.left_out = set()
        one.lay_out(written.history)
        written.rewrite(one.name, torch.from_numpy(SplitTokens(one, written.history)[:].astype(np.int64)))
    with pytest.raises(StageError, match="stands in an earlier split too"):
        written.check(splits=splits)


def test_the_stage_publishes_nothing_that_leaks(
    make_repo: Callable[[str], Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo("leak")
    grow(repo, 8)
    cut(repo.path, tmp_path / "out")
    run_stage(tokenizer.STAGE, tmp_path / "out", mode="standalone")

    def leaking(*arguments: Any, **options: Any) -> tuple[list[Split], Boundaries]:
        splits, boundaries = split(*arguments, **options)
        splits[1].commits.insert(0, splits[0].commits[-1])
        return splits, boundaries

    monkeypatch.setattr("core.dataset.splits.split", leaking)
    with pytest.raises(StageError, match="the splits leak"):
        run_stage(dataset_builder.STAGE, tmp_path / "out", **WINDOW)
    assert not (tmp_path / "out" / "dataset_stats.json").exists()
