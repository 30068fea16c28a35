from __future__ import annotations

import hashlib
import os
import zlib
from collections import Counter
from pathlib import Path

import pytest
from builders import Repo

from core.errors import UserError
from thoughts.sandbox import trees
from thoughts.sandbox.trees import Bounds, Written, read_result, remove_folder, write_tree

Entry = tuple[str, bytes, str]
"""Mode, name and id."""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.new(tmp_path / "repo")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, beside one that is not to be touched."""
    (tmp_path / "beside").write_text("untouched")
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def kept(repo: Repo, content: bytes, kind: str = "blob") -> str:
    """The id of an object put into the repository, however odd it is."""
    whole = b"%s %d\0%s" % (kind.encode(), len(content), content)
    one = hashlib.sha1(whole).hexdigest()
    file = repo.path / ".git/objects" / one[:2] / one[2:]
    file.parent.mkdir(exist_ok=True)
    if not file.exists():
        file.write_bytes(zlib.compress(whole, 1))
    return one


def tree_of(repo: Repo, *entries: Entry) -> str:
    return kept(
        repo, b"".join(b"%s %s\0%s" % (m.encode(), name, bytes.fromhex(one)) for m, name, one in entries), "tree"
    )


def commit_of(repo: Repo, *entries: Entry) -> str:
    people = "author Ada <a@example.org> 0 +0000\ncommitter Ada <a@example.org> 0 +0000"
    return kept(repo, f"tree {tree_of(repo, *entries)}\n{people}\n\nodd\n".encode(), "commit")


def written(repo: Repo, commit: str, folder: Path, **bounds: int) -> Written:
    return write_tree(repo.path / ".git", commit, folder, Bounds(**bounds))


def all_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_files_are_as_git_keeps_them(repo: Repo, folder: Path) -> None:
    repo.write({"a.txt": b"one\r\n", "sub/deep/b.sh": b"two", ".gitattributes": b"* text eol=crlf\n"})
    (repo.path / "sub/deep/b.sh").chmod(0o755)
    commit = repo.commit("files")

    result = written(repo, commit, folder)

    assert (folder / "a.txt").read_bytes() == b"one\n"
    assert os.access(folder / "sub/deep/b.sh", os.X_OK)
    assert not os.access(folder / "a.txt", os.X_OK)
    assert (result.entries, result.bytes, result.is_cut_off) == (5, 23, False)
    assert not result.left_out


def test_a_commit_may_be_named_by_a_branch(repo: Repo, folder: Path) -> None:
    repo.commit("files", {"sub/a": b"x"})

    written(repo, "main", folder)
    assert all_below(folder) == ["sub", "sub/a"]


def test_a_commit_that_is_not_there_is_said(repo: Repo, folder: Path) -> None:
    with pytest.raises(UserError, match="no commit is named 'none'"):
        written(repo, "none", folder)


@pytest.mark.parametrize(
    "name",
    [b"..", b".", b"", b".git", b".GIT", b"a/../../beside", b"/etc/x", b"../beside", b"n" * 300],
    ids=repr,
)
def test_names_that_lead_elsewhere_are_left_out(repo: Repo, folder: Path, name: bytes) -> None:
    blob, inner = kept(repo, b"x"), tree_of(repo, ("100644", b"hooks", kept(repo, b"y")))
    commit = commit_of(repo, ("100644", name, blob), ("40000", name, inner), ("120000", name, blob))

    result = written(repo, commit, folder)

    assert result.left_out == Counter({trees.NO_NAME: 3})
    assert all_below(folder) == []
    assert (folder.parent / "beside").read_text() == "untouched"


@pytest.mark.parametrize("name", ["a\nb", "--help", "$(touch x)", "\x1b[31mred", "a\\b", "ä" * 100, " "], ids=repr)
def test_odd_names_are_written(repo: Repo, folder: Path, name: str) -> None:
    written(repo, commit_of(repo, ("100644", name.encode(), kept(repo, b"x"))), folder)
    assert (folder / name).read_bytes() == b"x"


def test_only_some_files_may_be_wanted(repo: Repo, folder: Path) -> None:
    repo.commit("begin", {"a/b/c.py": "1", "a/c.py": "2", "c.py": "3", "a/b/large.bin": "4" * 99})
    done = write_tree(repo.path / ".git", "HEAD", folder, Bounds(file_bytes=9), {"a/b/c.py", "c.py", "gone.py"})
    assert all_below(folder) == ["a", "a/b", "a/b/c.py", "c.py"]
    assert (done.entries, done.bytes, done.left_out) == (4, 2, Counter())


def test_names_in_other_encodings_are_written_as_they_are_spelt_elsewhere(repo: Repo, folder: Path) -> None:
    written(repo, commit_of(repo, ("100644", b"caf\xe9", kept(repo, b"x"))), folder)
    assert all_below(folder) == ["café"]


@pytest.mark.parametrize(
    ("target", "stays"),
    [
        ("file", True),
        ("sub/file", True),
        ("..", False),
        ("../beside", False),
        ("/etc/passwd", False),
        ("sub/../../beside", False),
        ("sub/..", False),
        ("", False),
        ("a" * 5000, False),
    ],
)
def test_links_are_written_where_they_stay(repo: Repo, folder: Path, target: str, stays: bool) -> None:
    result = written(repo, commit_of(repo, ("120000", b"link", kept(repo, target.encode()))), folder)

    assert (folder / "link").is_symlink() == stays
    assert bool(result.left_out) != stays


def test_links_may_lead_up_as_far_as_they_are_deep(repo: Repo, folder: Path) -> None:
    inner = tree_of(repo, ("120000", b"one", kept(repo, b"../file")), ("120000", b"two", kept(repo, b"../../beside")))
    result = written(repo, commit_of(repo, ("40000", b"sub", inner)), folder)

    assert all_below(folder) == ["sub", "sub/one"]
    assert result.left_out == Counter({trees.OUTWARD: 1})


def test_a_folder_does_not_follow_a_link_of_its_name(repo: Repo, folder: Path) -> None:
    inner = tree_of(repo, ("100644", b"file", kept(repo, b"x")))
    commit = commit_of(
        repo,
        ("120000", b"a", kept(repo, b"b")),
        ("40000", b"b", tree_of(repo)),
        ("40000", b"a", inner),
    )

    assert written(repo, commit, folder).left_out == Counter({trees.TWICE: 1})
    assert all_below(folder) == ["a", "b"]


def test_large_files_are_left_out(repo: Repo, folder: Path) -> None:
    commit = repo.commit("large", {"large": bytes(3 << 20), "small": b"x"})

    result = written(repo, commit, folder, file_bytes=1 << 20)

    assert all_below(folder) == ["small"]
    assert result.left_out == Counter({trees.TOO_LARGE: 1})


def test_what_is_missing_or_damaged_is_counted(repo: Repo, folder: Path) -> None:
    commit = commit_of(
        repo,
        ("100644", b"gone", "1" * 40),
        ("40000", b"gone-too", "2" * 40),
        ("40000", b"broken", kept(repo, b"100644 name", "tree")),
        ("160000", b"module", "3" * 40),
        ("100644", b"there", kept(repo, b"x")),
    )

    result = written(repo, commit, folder)

    assert result.left_out == Counter({trees.MISSING: 3, trees.SUBMODULE: 1})
    assert (folder / "there").read_bytes() == b"x"


def test_all_files_together_are_bounded(repo: Repo, folder: Path) -> None:
    commit = repo.commit("files", {f"f{number}": bytes(100) for number in range(10)})

    result = written(repo, commit, folder, bytes=350)

    assert (result.entries, result.bytes, result.is_cut_off) == (3, 300, True)


def test_a_tree_that_grows_by_repetition_is_bounded(repo: Repo, folder: Path) -> None:
    tree = tree_of(repo)
    for _ in range(12):  # 10^12 folders in 13 objects
        tree = tree_of(repo, *(("40000", b"%d" % number, tree) for number in range(10)))

    result = written(repo, commit_of(repo, ("40000", b"top", tree)), folder, entries=500)

    assert (result.entries, result.is_cut_off) == (500, True)


def test_depth_is_bounded(repo: Repo, folder: Path) -> None:
    tree = tree_of(repo)
    for _ in range(1500):
        tree = tree_of(repo, ("40000", b"d", tree))

    result = written(repo, commit_of(repo, ("40000", b"d", tree)), folder)

    assert result.entries == 100
    assert result.left_out == Counter({trees.TOO_DEEP: 1})


def test_results_are_read_without_following_anything(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "report").write_bytes(b"result")
    (folder / "out").symlink_to(folder.parent / "beside")
    (folder / "up").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe")

    assert read_result(folder, "sub/report", 100) == b"result"
    assert read_result(folder, "sub/report", 5) is None
    for name in ("out", "up/beside", "pipe", "sub", "none", "", "/", "../beside", "sub/../../beside"):
        assert read_result(folder, name, 100) is None, name


def test_folders_that_resist_are_removed(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=place)
        below = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    (folder / "closed").mkdir(mode=0)
    (folder / "link").symlink_to(folder.parent)

    remove_folder(folder)

    assert not folder.exists()
    assert (folder.parent / "beside").read_text() == "untouched"
