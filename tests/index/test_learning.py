"""Weights are learned from a repository's own questions, when it is time, and kept with its index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from builders import Repo
from session_code import CODE

from index import examples, gate, learning, questions
from index.code_index import CodeIndex
from index.search import Learned, Weights, weighted


@pytest.fixture
def repo(make_repo: Callable[[str], Repo], monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.setattr(questions, "LEAST_CODE", 3)
    made = make_repo("learned")
    made.commit("Begin", {"sessions.py": CODE, **{f"part{one}.py": f"def part{one}(): ...\n" for one in range(3)}})
    for number in range(5):
        text = CODE.replace("return None", f"return {number}")
        made.commit(f"Return number {number} when closing a session fails", {"sessions.py": text})
    return made


def index(repo: Repo, cache: Path, commit: str = "HEAD") -> CodeIndex:
    known = CodeIndex(repo.path / ".git", cache)
    known.update(commit)
    return known


def test_the_same_commit_teaches_the_same(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "LEAST", 1)
    with index(repo, tmp_path / "one") as one, index(repo, tmp_path / "other", "HEAD~3") as other:
        asked: list[int] = []
        learned = learning.learn(one, asked.append)
        assert (learned.commit, learned.questions) == (one.commit, 11)  # 5 commits in two forms, one docstring
        assert asked == list(range(1, 12))
        assert one.learned == learned
        assert one.weights == learned.weights
        other.update("HEAD")
        assert learning.learn(other) == learned
        assert one.search("close a session") == other.search("close a session")


def test_learning_leaves_the_index_as_it_is(repo: Repo, tmp_path: Path) -> None:
    with index(repo, tmp_path) as known:
        before = known.commit, known.search("close a session")
        learning.learn(known)
        assert (known.commit, known.search("close a session")) == before


def test_it_is_due_at_first_and_after_many_commits(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MANY_NEW", 2)
    with CodeIndex(repo.path / ".git", tmp_path) as known:
        assert not learning.is_due(known)
        known.update("HEAD")
        assert learning.is_due(known)
        learned = learning.learn(known)
        assert not learning.is_due(known)
        for number, due in ((1, False), (2, True)):
            repo.commit(f"Commit {number}", {"part0.py": f"x = {number}\n"})
            known.update("HEAD")
            assert learning.is_due(known) == due
        known.keep(msgspec.structs.replace(learned, commit="1" * 40))
        known.update("HEAD~2")
        assert learning.is_due(known)


def test_hits_are_scored_by_what_was_learned(repo: Repo, tmp_path: Path) -> None:
    with index(repo, tmp_path) as known:
        assert known.weights == Weights.shipped()
        before = known.search("close a session")
        only = {"named": {"w_all": 3.0}, "plain": {"w_all": 3.0}}
        known.keep(Learned(known.commit or "", 1, Weights(Weights.shipped().files, only, []), ["symbols: by words"]))
        after = known.search("close a session")
        assert {name for hit in after for name in hit.features} == {"w_all"} != set(before[0].features)


def test_weights_of_files_are_for_whole_files(repo: Repo, tmp_path: Path) -> None:
    with index(repo, tmp_path) as known:
        before, files = known.search("close a session"), known.search_files("close a session")
        by_size = {"named": {"k_size": -3.0}, "plain": {"k_size": -3.0}}
        known.keep(Learned(known.commit or "", 1, Weights(by_size, Weights.shipped().documents, []), []))
        assert known.search("close a session") == before
        assert [hit.score for hit in known.search_files("close a session")] != [hit.score for hit in files]


def test_files_that_do_not_matter_are_left_out_of_a_question(repo: Repo, tmp_path: Path) -> None:
    with index(repo, tmp_path) as known:
        found = next(one for one in examples.answered(known, 9, 9) if one.kind == "full")
    whole = replace(found, document_files=np.full(len(found.document_files), 2, np.int32))
    kept_all = examples.narrowed(whole, Weights.shipped(), 4)
    assert kept_all.baseline.tolist() == whole.baseline.tolist()
    assert {values.dtype.name for values in (*kept_all.files.values(), *kept_all.documents.values())} == {"float32"}
    small = examples.narrowed(whole, Weights.shipped(), 1)
    best = int(np.argmax(weighted(whole.files, Weights.shipped().files[whole.of_class])))
    kept = sorted({2, best, *np.flatnonzero(whole.right_files).tolist()})
    assert len(kept) < 4
    assert small.baseline.tolist() == whole.baseline[kept].tolist()
    assert small.files["k_size"].tolist() == pytest.approx(whole.files["k_size"][kept].tolist())
    assert {kept[number] for number in small.document_files.tolist()} == {2}
    assert small.right_files.sum() == 1
