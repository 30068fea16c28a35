"""What became of a change, and that a walk that goes on is the walk from the beginning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import Repo

from core.git import main_line
from core.progress import Progress
from core.records.patterns import Survival
from patterns import survival
from patterns.line_fates import LineFates, word_of
from patterns.moves import essence
from patterns.survival import AddedLines, Survivals


def walk(repo: Repo, state: Path | None = None) -> LineFates:
    with Progress("walking") as progress:
        return survival.walk(repo.path / ".git", repo.git("rev-parse", "HEAD"), progress, state)


def outcome(repo: Repo, commit: str, added: str, removed: str = "", path: str = "a.py", at: int = 1) -> Survival | None:
    words = [word_of(essence(line.encode())) for line in added.split("\n")]
    gone = frozenset(word_of(essence(line.encode())) for line in removed.split("\n")) - {0}
    change = AddedLines(commit, path.encode(), (at, at + len(words) - 1), words, gone)
    return Survivals(walk(repo), main_line.parents(repo.path / ".git", "HEAD")).of(change)


def test_a_change_ends_where_less_than_half_of_it_is_left(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    born = repo.commit("a", {"a.py": "w1\nw2\nw3\nw4\n"})
    repo.commit("b", {"a.py": "w1\nw2\n"})
    found = outcome(repo, born, "w1\nw2\nw3\nw4")
    assert found
    assert (found.born, found.lines, found.alive, found.ended_by) == (born, 4, 2, "")
    ended = repo.commit("c", {"a.py": "w1\nother\n"})
    last = repo.commit("d", {"b.py": "x\n"})
    found = outcome(repo, born, "w1\nw2\nw3\nw4")
    assert found
    assert (found.until, found.alive, found.ended_by, found.taken_back) == (last, 1, ended, False)
    assert found.days == round(2 * 3600 / 86400, 2)


def test_a_change_that_restores_what_was_there_takes_it_back(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "value = 1\n"})
    born = repo.commit("b", {"a.py": "value = 2\n"})
    repo.commit("c", {"a.py": "value = 1\n"})
    found = outcome(repo, born, "value = 2", "value = 1")
    assert found
    assert found.taken_back


def test_a_commit_that_names_it_takes_it_back(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    born = repo.commit("b", {"a.py": "value = 2\n"})
    reverting = repo.commit("c", {"a.py": "nothing\n"})
    change = AddedLines(born, b"a.py", (1, 1), [word_of(b"value=2")])
    parents = main_line.parents(repo.path / ".git", "HEAD")
    found = [Survivals(walk(repo), parents, by.get).of(change) for by in ({}, {born: reverting})]
    assert [one.taken_back for one in found if one] == [False, True]


def test_a_merged_commit_lives_from_its_merge(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "zero\n"})
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit("b", {"a.py": "zero\none\ntwo\nthree\n"})
    repo.commit("undo a part", {"a.py": "zero\none\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("c", {"a.py": "top\nzero\n"})
    repo.git("merge", "-q", "--no-ff", "side", "-m", "merge")
    merge = repo.git("rev-parse", "HEAD")
    found = outcome(repo, side, "one\ntwo\nthree", at=2)
    assert found
    assert (found.born, found.alive, found.lines, found.ended_by, found.days) == (merge, 1, 3, merge, 0)


def test_a_commit_beside_the_main_line_has_none(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "zero\n"})
    repo.git("checkout", "-q", "-b", "side")
    side = repo.commit("b", {"a.py": "one\n"})
    repo.git("checkout", "-q", "main")
    assert outcome(repo, side, "one") is None


def test_a_walk_goes_on_where_the_last_one_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = Repo.new(tmp_path / "r")
    for number in range(6):
        repo.commit(f"c{number}", {"a.py": "x\n" * number + f"line {number}\n", f"{number % 2}.bin": b"\0%d" % number})
    first, second, scratch = (tmp_path / name for name in ("first", "second", "scratch"))
    survival.save(walk(repo), first)
    middle = repo.git("rev-parse", "HEAD")
    repo.commit("more", {"a.py": "x\nx\nlast\n", "b.py": "b\n"})
    walked_from: list[str] = []
    original = main_line.steps

    def noted(git_dir: Path, tip: str, last: str = "") -> Iterator[main_line.Step]:
        walked_from.append(last)
        return original(git_dir, tip, last)

    monkeypatch.setattr(main_line, "steps", noted)
    survival.save(walk(repo, first), second)
    survival.save(walk(repo), scratch)
    assert second.read_bytes() == scratch.read_bytes()
    assert walked_from == [middle, ""]


@pytest.mark.parametrize("damage", ["rewritten", "version", "cut off"])
def test_a_walk_of_another_history_begins_again(tmp_path: Path, damage: str) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "x\n"})
    repo.commit("b", {"a.py": "x\ny\n"})
    state, again, scratch = (tmp_path / name for name in ("state", "again", "scratch"))
    survival.save(walk(repo), state)
    if damage == "rewritten":
        repo.git("commit", "--amend", "-q", "-m", "other")
    elif damage == "version":
        state.write_bytes(state.read_bytes().replace(b"1 little", b"0 little").replace(b"1 big", b"0 big"))
    else:
        state.write_bytes(state.read_bytes()[:50])
    survival.save(walk(repo, state), again)
    survival.save(walk(repo), scratch)
    assert again.read_bytes() == scratch.read_bytes()
