"""The walk over the main line gives each line of the last step its owner, whatever happened to files."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import Repo

from core.git.blobs import BlobReader
from core.git.main_line import steps
from patterns.line_fates import LineFates, lines_of, word_of
from patterns.moves import essence


def walked(repo: Repo) -> LineFates:
    fates = LineFates()
    with BlobReader(repo.path / ".git") as blobs:
        for step in steps(repo.path / ".git", "HEAD"):
            fates.take(step, blobs.read)
    return fates


def assert_exact(repo: Repo, fates: LineFates) -> None:
    """Each line of each file of HEAD is owned by a line with its words that stands; there is nothing else."""
    listing = repo.git("ls-tree", "-r", "-z", "HEAD").encode("utf-8", "surrogateescape").split(b"\0")
    files = {}
    for entry in filter(None, listing):
        meta, _, path = entry.partition(b"\t")
        if meta.startswith(b"160000"):
            continue
        files[path] = meta.split()[2].decode()
    assert set(fates.owners) == set(files)
    with BlobReader(repo.path / ".git") as blobs:
        for path, blob in files.items():
            content, owners = blobs.read(blob), fates.owners[path]
            assert content is not None
            if b"\0" in content:
                assert owners is None
                continue
            assert owners is not None
            assert [fates.words[line] for line in owners] == [word_of(essence(line)) for line in lines_of(content)]
            assert {fates.ended(line) for line in owners} <= {None}


def test_every_kind_of_change_leaves_each_line_with_its_owner(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    lines = "".join(f"line {number}\n" for number in range(20))
    repo.commit("a", {"a.py": lines, "b.py": "one\ntwo\n", "mode.sh": "echo\n", "d.bin": b"\0\1\2", "x/y.txt": "y"})
    (repo.path / "mode.sh").chmod(0o755)
    repo.commit("mode and a copy", {"copy.py": lines, "x/y.txt": "y\n"})
    (repo.path / "a.py").rename(repo.path / "renamed é.py")
    repo.commit("rename and edit", {"renamed é.py": lines.replace("line 7", "line seven"), "a.py": "new a\n"})
    repo.commit("binary to text and back", {"d.bin": "text\nnow\n", "b.py": b"\0"})
    repo.commit("and back", {"d.bin": b"\0\3", "b.py": "one\nagain"})
    repo.commit("line ends", {"copy.py": lines.replace("\n", "\r\n"), "x/y.txt": ""})
    repo.write({b"caf\xe9.py".decode("utf-8", "surrogateescape"): "latin\n"})
    (repo.path / "mode.sh").unlink()
    (repo.path / "mode.sh").symlink_to("b.py")
    repo.commit("a link, and a name that is not UTF-8")
    swapped = (repo.path / "b.py").read_bytes(), (repo.path / "a.py").read_bytes()
    repo.commit("swap", {"a.py": swapped[0], "b.py": swapped[1]})
    (repo.path / "x/y.txt").unlink()
    (repo.path / "x").rmdir()
    repo.commit("a file where a folder was", {"x": "file\n"})
    assert_exact(repo, walked(repo))


def test_merges_and_a_submodule(tmp_path: Path) -> None:
    repo, sub = Repo.new(tmp_path / "r"), Repo.new(tmp_path / "sub")
    sub.commit("s", {"s": "s"})
    repo.commit("a", {"a.py": "1\n2\n3\n", "module": "a file first\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("b", {"a.py": "1\n2\n3\n4\n", "b.py": "b\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("c", {"a.py": "0\n1\n2\n3\n"})
    repo.git("merge", "-q", "--no-ff", "side", "-m", "merge")
    (repo.path / "module").unlink()
    repo.git("clone", "-q", str(sub.path), "module")
    repo.commit("a submodule")
    repo.commit("more", {"a.py": "0\n1\n4\n"})
    fates = walked(repo)
    assert_exact(repo, fates)
    assert len(fates.commits) == 5


def test_a_shallow_clone_begins_where_it_ends(tmp_path: Path) -> None:
    whole = Repo.new(tmp_path / "whole")
    for number in range(5):
        whole.commit(f"c{number}", {"a.py": "".join(f"{one}\n" for one in range(number * 3))})
    whole.git("clone", "-q", "--depth=2", f"file://{whole.path}", str(tmp_path / "shallow"))
    repo = Repo(tmp_path / "shallow")
    fates = walked(repo)
    assert_exact(repo, fates)
    assert len(fates.commits) == 2


def test_a_line_ends_where_it_is_removed_not_where_it_moves(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("a", {"a.py": "first_one(1, 2)\nsecond(3)\nthird(4)\n"})
    repo.commit("format", {"a.py": "first_one(\n    1,\n    2,\n)\nsecond( 3 )\nthird(4)\n"})
    repo.commit("move", {"a.py": "second( 3 )\n", "b.py": "first_one(\n    1,\n    2,\n)\n"})
    fates = walked(repo)
    assert_exact(repo, fates)
    lines = dict(fates.added(0, b"a.py"))
    assert [fates.ended(lines[number]) for number in (1, 2, 3)] == [None, None, 2]
    assert fates.born(lines[3]) == 0
    assert {number for number, _ in fates.added(1, b"a.py")} == {1, 2, 3, 4, 5}


def test_formatting_a_file_ends_next_to_nothing(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    wide = "".join(f"def f{n}(a, b, c):\n    return g{n}(a, 'b', [c, {n}])\n\n" for n in range(30))
    tall = "".join(
        f'def f{n}(\n    a,\n    b,\n    c,\n):\n    return g{n}(\n        a, "b", [c, {n}],\n    )\n\n\n'
        for n in range(30)
    )
    repo.commit("a", {"a.py": wide})
    repo.commit("format", {"a.py": tall})
    fates = walked(repo)
    counted = [line for _, line in fates.added(0, b"a.py") if fates.words[line]]
    assert len(counted) == 60
    assert sum(fates.ended(line) is not None for line in counted) <= 0.05 * len(counted)


@pytest.mark.parametrize(("content", "count"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\n\n", 2), (b"\r", 1)])
def test_lines_are_those_that_git_counts(content: bytes, count: int) -> None:
    assert len(lines_of(content)) == count
