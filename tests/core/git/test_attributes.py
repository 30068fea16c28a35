"""Encodings that .gitattributes declare, as git itself reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from builders import Repo

from core.git.attributes import Attributes
from core.git.blobs import BlobReader
from core.git.encodings import codec_of

MakeRepo = Callable[[str], Repo]
PATHS = (
    *("a.c", "b.c", "A.c", "a.h", "src/a.c", "src/b.cpp", "src/deep/a.c", "src/deep/er/a.h", "lib/src/a.c"),
    *("with space/a.c", "with space/b c.h", "x[1].c", "src/deep/größe.c"),
)
FILES = {
    "name": "*.c encoding=cp932\n",
    "path": "src/*.c encoding=cp932\n/b.c encoding=koi8-r\n",
    "last counts": "*.c encoding=cp932\na.c encoding=euc-jp\nsrc/deep/*.c encoding=big5\n",
    "taken back": "* encoding=cp932\n*.h -encoding\nb.c !encoding\nA.c encoding\n",
    "folders": "src/** encoding=cp932\n**/deep/*.h encoding=euc-jp\nlib/**/a.c encoding=koi8-r\n**/b.c encoding=big5\n",
    "letters": "[ab].c encoding=cp932\n?.h encoding=euc-jp\n[!a].c encoding=big5\nx\\[1\\].c encoding=koi8-r\n",
    "quotes": '"with space/*" encoding=cp932\n"b c.h" encoding=euc-jp\n',
    "odd": "\ufeff*.c encoding=cp932\r\n# *.c encoding=big5\n\n!b.c encoding=big5\nsrc/ encoding=big5\n"
    "  a.h\ttext encoding=koi8-r eol=lf\n[attr]x encoding=big5\n",
    "stars": "***.c encoding=cp932\nsrc/**.cpp encoding=euc-jp\n*/a.c encoding=koi8-r\nsrc* encoding=big5\n",
}


@pytest.fixture
def attributes(make_repo: MakeRepo) -> Iterator[tuple[Repo, Attributes]]:
    repo = make_repo("attributes")
    with BlobReader(repo.path / ".git") as blobs:
        yield repo, Attributes(blobs)


def by_git(repo: Repo, name: str = "encoding") -> dict[str, str]:
    listing = repo.git("check-attr", "-z", name, "--", *PATHS).split("\0")[:-1]
    values = dict(zip(listing[::3], listing[2::3], strict=True))
    return {path: "" if codec_of(value) == "utf-8" else codec_of(value) for path, value in values.items()}


@pytest.mark.parametrize("kind", FILES)
def test_one_file_counts_as_for_git(attributes: tuple[Repo, Attributes], kind: str) -> None:
    repo, known = attributes
    commit = repo.commit("one", {".gitattributes": FILES[kind]})
    expected = by_git(repo)
    assert {path: known.encoding(commit, path) for path in PATHS} == expected
    assert len(set(expected.values())) > 1


def test_deeper_files_count_first(attributes: tuple[Repo, Attributes]) -> None:
    repo, known = attributes
    files: dict[str, str | bytes] = {
        ".gitattributes": "*.c encoding=cp932\nsrc/deep/** encoding=big5\n",
        "src/.gitattributes": "deep/a.c encoding=koi8-r\n/b.cpp encoding=euc-jp\n",
        "src/deep/.gitattributes": "*.h !encoding\n",
        "with space/.gitattributes": "b*.h encoding=cp1251\n",
    }
    commit = repo.commit("several", files)
    expected = by_git(repo)
    assert {path: known.encoding(commit, path) for path in PATHS} == expected
    assert len(set(expected.values())) == 6


def test_the_commit_decides(attributes: tuple[Repo, Attributes]) -> None:
    repo, known = attributes
    none = repo.commit("none", {"a.c": "int a;\n"})
    one = repo.commit("one", {".gitattributes": "*.c encoding=cp932\n"})
    two = repo.commit("two", {".gitattributes": "*.c encoding=euc-jp\n"})
    repo.write({".gitattributes": "*.c encoding=big5\n", ".git/info/attributes": "*.c encoding=big5\n"})
    assert [known.encoding(commit, "a.c") for commit in (none, one, two)] == ["", "cp932", "euc_jp"]


def test_what_a_file_is_stored_from_counts_second(attributes: tuple[Repo, Attributes]) -> None:
    repo, known = attributes
    lines = "*.c working-tree-encoding=cp932\nb.c encoding=euc-jp\na.h working-tree-encoding=UTF-16\nA.c encoding=hex\n"
    commit = repo.commit("both", {".gitattributes": lines})
    assert [known.encoding(commit, path) for path in ("a.c", "b.c", "a.h", "A.c")] == ["cp932", "euc_jp", "", "cp932"]


def test_a_large_file_is_not_read(attributes: tuple[Repo, Attributes]) -> None:
    repo, known = attributes
    small = repo.commit("small", {".gitattributes": "#\n" * 1000 + "*.c encoding=cp932\n"})
    large = repo.commit("large", {".gitattributes": "#\n" * 40_000 + "*.c encoding=cp932\n"})
    assert [known.encoding(commit, "a.c") for commit in (small, large)] == ["cp932", ""]
