"""Citations hold, or they are refused: planted wrong ones, other commits, moved lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from builders import Repo

from chat.citations import Citation, Citations, address

LINES = [f"def part_{number}():  # {number * number}" for number in range(60)]
OTHER = [f"let value_{number} = {number};" for number in range(60)]


def text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


@pytest.fixture
def repo(make_repo: object) -> Repo:
    repo = make_repo("cited")  # type: ignore[operator]
    repo.commit("add two files\n\nThey are needed.", {"a/one.py": text(LINES), "other.rs": text(OTHER)})
    return repo  # type: ignore[no-any-return]


@pytest.fixture
def citations(repo: Repo) -> Iterator[Citations]:
    with Citations(repo.path / ".git") as found:
        yield found


def cited(citations: Citations, commit: str, first: int = 10, last: int = 12) -> Citation:
    found = citations.cite("a/one.py", first, last, commit)
    assert found
    return found


def test_what_is_made_holds(repo: Repo, citations: Citations) -> None:
    found = cited(citations, head := repo.git("rev-parse", "HEAD"))
    assert found.quote == "\n".join(LINES[9:12])
    assert str(found) == f"a/one.py:10-12@{head[:9]}"
    assert citations.problem(found) == ""
    assert address(str(found)) == ("a/one.py", 10, 12, head[:9])
    assert address("a/one.py:10") is None


def test_planted_wrong_ones_are_refused(repo: Repo, citations: Citations) -> None:
    before = repo.git("rev-parse", "HEAD")
    after = repo.commit("insert a line", {"a/one.py": text(["# first", *LINES])})
    draw = random.Random(1)
    passed = 0
    for _ in range(100):
        first = draw.randint(1, 50)
        good = cited(citations, before, first, first + draw.randint(0, 6))
        place = draw.randrange(len(good.quote))
        edited = good.quote[:place] + ("y" if good.quote[place] == "x" else "x") + good.quote[place + 1 :]
        shift = draw.choice([-1, 1, 3])
        wrong = [
            replace(good, quote=edited),
            replace(good, quote=good.quote + " "),
            replace(good, path="other.rs"),
            replace(good, path="a/two.py"),
            replace(good, first=good.first + shift, last=good.last + shift),
            replace(good, last=good.last + 1),
            replace(good, commit=after),
            replace(good, commit="0" * 40),
            replace(good, commit=before[:12]),
            replace(good, blob="f" * 40),
        ]
        passed += sum(not citations.problem(one) for one in wrong)
        assert citations.problem(good) == ""
    assert passed == 0


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "a/../other.rs", "a\nHEAD:other.rs", "", "./other.rs", "a//one.py"]
)
def test_only_files_of_the_commit_are_read(repo: Repo, citations: Citations, path: str) -> None:
    head = repo.git("rev-parse", "HEAD")
    assert citations.cite(path, 1, 1, head) is None
    assert citations.problem(replace(cited(citations, head), path=path))


@pytest.mark.parametrize("name", ["HEAD^{tree}", "v1", "HEAD:a/one.py"])
def test_only_a_commit_is_cited(repo: Repo, citations: Citations, name: str) -> None:
    good = cited(citations, repo.git("rev-parse", "HEAD"))
    repo.git("tag", "-a", "-m", "add two files", "v1")
    other = repo.git("rev-parse", name)
    assert citations.cite("a/one.py", 10, 12, other) is None
    assert citations.problem(replace(good, commit=other)) == "there is no such commit"
    assert citations.problem(Citation(other, "add two files")) == "there is no such commit"


@pytest.mark.parametrize(("first", "last"), [(0, 3), (5, 4), (60, 61), (-3, -1)])
def test_lines_that_are_not_there_cannot_be_cited(repo: Repo, citations: Citations, first: int, last: int) -> None:
    head = repo.git("rev-parse", "HEAD")
    assert citations.cite("a/one.py", first, last, head) is None
    assert citations.problem(replace(cited(citations, head), first=first, last=last))


def test_a_commit_is_cited_by_its_own_words(repo: Repo, citations: Citations) -> None:
    head = repo.git("rev-parse", "HEAD")
    found = citations.cite_commit(head, "They are needed.")
    assert found
    assert str(found) == f"commit {head[:9]}"
    assert citations.cite_commit(head, "They are not needed.") is None
    assert citations.problem(replace(found, commit="1" * 40))
    assert citations.problem(replace(found, quote=" "))


def test_carriage_returns_and_other_encodings_are_quoted_as_they_are(make_repo: object, tmp_path: Path) -> None:
    repo = make_repo("odd")  # type: ignore[operator]
    head = repo.commit("odd", {"odd.txt": b"one\rtwo\r\nna\xefve\n\xff\xfelast"})
    with Citations(repo.path / ".git") as citations:
        assert citations.lines("odd.txt", head) == ["one\rtwo\r", "na\xefve", "\xff\xfelast"]
        found = citations.cite("odd.txt", 1, 3, head)
        assert found
        assert not citations.problem(found)


def test_an_old_one_is_moved_by_what_changed_before_it(repo: Repo, citations: Citations) -> None:
    old = cited(citations, repo.git("rev-parse", "HEAD"))
    edited = ["# new", "# new", *LINES[:3], *LINES[5:20], "# between", *LINES[20:]]
    now = repo.commit("edit elsewhere", {"a/one.py": text(edited)})
    moved = citations.moved(old, now)
    assert moved.citation
    assert (moved.citation.first, moved.citation.last, moved.citation.quote) == (10, 12, old.quote)
    repo.git("mv", "a/one.py", "a/first.py")
    now = repo.commit("rename", {"a/first.py": text(["# top", *edited])})
    moved = citations.moved(old, now)
    assert moved.citation
    assert (moved.citation.path, moved.citation.first) == ("a/first.py", 11)
    assert not citations.problem(moved.citation)


def test_an_insertion_right_before_and_right_behind_is_no_change(repo: Repo, citations: Citations) -> None:
    old = cited(citations, repo.git("rev-parse", "HEAD"))
    now = repo.commit("both sides", {"a/one.py": text([*LINES[:9], "# a", *LINES[9:12], "# b", *LINES[12:]])})
    moved = citations.moved(old, now).citation
    assert moved
    assert (moved.first, moved.last) == (11, 13)


def test_lines_that_were_moved_within_the_file_are_found_again(repo: Repo, citations: Citations) -> None:
    old = cited(citations, repo.git("rev-parse", "HEAD"))
    now = repo.commit("to the end", {"a/one.py": text([*LINES[:9], *LINES[12:], *LINES[9:12]])})
    moved = citations.moved(old, now).citation
    assert moved
    assert (moved.first, moved.last) == (58, 60)


def test_what_was_changed_or_removed_is_said_to_be_gone(repo: Repo, citations: Citations) -> None:
    old = cited(citations, repo.git("rev-parse", "HEAD"))
    now = repo.commit("edit", {"a/one.py": text([*LINES[:10], "changed", *LINES[11:]])})
    assert citations.moved(old, now).problem == "these lines of a/one.py were changed"
    repo.git("rm", "-q", "a/one.py")
    now = repo.commit("remove")
    assert citations.moved(old, now).problem == "a/one.py is gone"
    assert citations.moved(replace(old, quote="invented"), now).problem == "these lines say something else"
