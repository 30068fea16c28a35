"""What became of a change, and that a walk that goes on is the walk from the beginning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

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

    def noted(git_dir: Path, tip: str, last: str = "", **more: bool) -> Iterator[main_line.Step]:
        walked_from.append(last)
        return original(git_dir, tip, last, **more)

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
        state.write_bytes(state.read_bytes().replace(b"2 little", b"0 little").replace(b"2 big", b"0 big"))
    else:
        state.write_bytes(state.read_bytes()[:50])
    survival.save(walk(repo, state), again)
    survival.save(walk(repo), scratch)
    assert again.read_bytes() == scratch.read_bytes()


def grown(folder: Path, random: Random, commits: int) -> Repo:
    """A history that edits, moves, renames, adds and deletes lines and files."""
    repo, files, count = Repo.new(folder), dict[str, list[str]](), 0
    for number in range(commits):
        for _ in range(random.randint(1, 3)):
            new = [f"value_{count + one} = compute({count + one})" for one in range(random.randint(1, 6))]
            count += len(new)
            if len(files) < 3 or random.random() < 0.2:
                files[f"f{count}.py"] = new
                continue
            lines = files[random.choice(sorted(files))]
            at = random.randint(0, len(lines))
            taken = lines[at : at + random.randint(0, 3)]
            del lines[at : at + len(taken)]
            kind = random.random()
            if kind < 0.4:
                lines[at:at] = new
            elif kind < 0.7:
                files[random.choice(sorted(files))] += taken
            elif kind < 0.85:
                files[f"r{count}.py"] = [*files.pop(random.choice(sorted(files))), *new[:1]]
            else:
                files.pop(random.choice(sorted(files)))
        for old in repo.path.glob("*.py"):
            old.unlink()
        repo.commit(f"c{number}", {name: "".join(f"{line}\n" for line in lines) for name, lines in files.items()})
    return repo


def every_change(repo: Repo) -> list[AddedLines]:
    """Each run of lines that a step added."""
    found = []
    for step in main_line.steps(repo.path / ".git", "HEAD"):
        for edit in step.edits:
            for hunk in edit.hunks:
                added, removed = ([word_of(essence(line)) for line in side] for side in (hunk.added, hunk.removed))
                lines = hunk.new_at, hunk.new_at + len(added) - 1
                found.append(AddedLines(step.hash, edit.new_path, lines, added, frozenset(removed)))
    return found


def lose_blobs(repo: Repo, random: Random, count: int) -> dict[Path, bytes]:
    """Take some blobs away; what their files held."""
    names = [line.split() for line in repo.git("rev-list", "--objects", "HEAD").splitlines()]
    blobs = sorted({words[0] for words in names if len(words) == 2})
    files = [repo.path / ".git" / "objects" / blob[:2] / blob[2:] for blob in random.sample(blobs, count)]
    held = {file: file.read_bytes() for file in files}
    for file in files:
        file.unlink()
    return held


@pytest.mark.parametrize("seed", range(5))
def test_what_is_known_where_blobs_are_missing_is_what_a_whole_clone_says(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    repo = grown(tmp_path / "r", random, 14)
    changes, parents = every_change(repo), main_line.parents(repo.path / ".git", "HEAD")
    whole = [*map(Survivals(walk(repo), parents).of, changes)]
    lost = lose_blobs(repo, random, 2)
    survivals = Survivals(walk(repo), parents)
    part = [*map(survivals.of, changes)]
    assert [one for one, other in zip(part, whole, strict=True) if one is not None and one != other] == []
    assert 0 < survivals.unread == sum(one is None for one in part) < len(part)
    assert survivals.fates.absent == {f"{file.parent.name}{file.name}" for file in lost}


def test_a_walk_goes_on_where_blobs_are_missing_and_begins_again_when_they_come(tmp_path: Path) -> None:
    random = Random(7)
    repo = grown(tmp_path / "r", random, 12)
    lost = lose_blobs(repo, random, 3)
    tip = repo.git("rev-parse", "HEAD")
    states = {name: tmp_path / name for name in ("middle", "on", "scratch", "came", "whole")}
    for middle in range(1, 12, 2):
        repo.git("update-ref", "HEAD", f"{tip}~{11 - middle}")
        survival.save(walk(repo), states["middle"])
        repo.git("update-ref", "HEAD", tip)
        survival.save(walk(repo, states["middle"]), states["on"])
        survival.save(walk(repo), states["scratch"])
        assert states["on"].read_bytes() == states["scratch"].read_bytes()
    for file, held in lost.items():
        file.write_bytes(held)
    survival.save(walk(repo, states["on"]), states["came"])
    survival.save(walk(repo), states["whole"])
    assert states["came"].read_bytes() == states["whole"].read_bytes() != states["on"].read_bytes()
