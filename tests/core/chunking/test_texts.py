"""Files that are not in UTF-8, or not always: what their chunks hold as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Repo
from msgspec import UNSET
from test_semantic_chunker import assert_sound, chunks_of, last

from core.records.chunks import Chunk

MakeRepo = Callable[[str], Repo]
JAPANESE = "// 表示する\nint show(void)\n{\n    return 1; // 戻る\n}\n"
COMMENTS = {
    "cp932": "// 表示する、一覧ソート",
    "euc_jp": "// 表示する、一覧ソート",
    "gb18030": "// 读取文件内容，失败则返回错误",
    "big5": "// 初始化設定，讀取檔案內容",
    "cp949": "// 설정을 읽는다. 오류가 나면 종료",
    "koi8-r": "// Ошибка чтения файла",
    "cp1251": "// Ошибка чтения файла",
    "cp1250": "// zażółć gęślą jaźń, część źródła",
    "cp1253": "// ανάγνωση ρυθμίσεων",
    "cp1255": "// קריאת הגדרות",
}
"""By Python's name of the encoding."""


def source(name: str, value: int) -> str:
    return f"{COMMENTS[name].rstrip()}\nint show(void)\n{{\n    return {value};\n}}\n"


def only_chunks(repo: Repo) -> list[Chunk]:
    """Of commits with one each."""
    assert_sound(repo)
    return [chunk for _, chunks in chunks_of(repo)[0] for chunk in chunks]


@pytest.mark.parametrize("path", ["a.c", "a.txt"])
@pytest.mark.parametrize("name", COMMENTS)
def test_each_side_has_its_own_encoding(make_repo: MakeRepo, name: str, path: str) -> None:
    text = source(name, 1)
    comment = text.split("\n", maxsplit=1)[0]
    repo = make_repo("encodings")
    repo.commit("old", {path: text.encode(name)})
    repo.commit("utf-8", {path: text})
    repo.commit("back", {path: text.encode(name)})
    old, utf8, back = only_chunks(repo)
    for one in (old, utf8, back):
        assert comment in one.new_code
        assert f"+{comment}\n" in one.patch
        assert one.encoding_guessed is True
    for one in (utf8, back):
        assert comment in one.old_code
        assert f"-{comment}\n" in one.patch
    assert (old.encoding, old.old_encoding) == (name, UNSET)
    assert (utf8.encoding, utf8.old_encoding) == ("utf-8", name)
    assert (back.encoding, back.old_encoding) == (name, "utf-8")


@pytest.mark.parametrize("name", COMMENTS)
def test_an_edit_in_an_old_encoding(make_repo: MakeRepo, name: str) -> None:
    repo = make_repo("encodings")
    repo.commit("old", {"a.c": source(name, 1).encode(name)})
    repo.commit("edit", {"a.c": source(name, 2).encode(name)})
    *_, edit = only_chunks(repo)
    assert (edit.old_code, edit.new_code) == (source(name, 1), source(name, 2))
    assert (edit.encoding, edit.old_encoding, edit.change_type) == (name, UNSET, "modified_function")


@pytest.mark.parametrize("path", ["a.c", "a.txt"])
def test_the_new_side_tells_what_the_old_one_means(make_repo: MakeRepo, path: str) -> None:
    repo = make_repo("encodings")
    repo.commit("old", {path: "int a; // 外部依存\n".encode("cp932")})
    repo.commit("utf-8", {path: "int a; // 外部依存\n"})
    (edit,) = last(repo).values()
    assert (edit.old_code, edit.old_encoding) == (edit.new_code, "cp932")


def test_a_change_of_encoding_alone_is_no_change_of_code(make_repo: MakeRepo) -> None:
    repo = make_repo("encodings")
    repo.commit("old", {"a.c": JAPANESE.encode("cp932")})
    repo.commit("utf-8", {"a.c": JAPANESE})
    assert [one.change_type for one in last(repo).values()] == ["formatting"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.c", "// 表示する\n#include <a.h>\n\nint show(void)\n{\n    return 1; // 戻る\n}\n"),
        ("a.c", JAPANESE),
        ("a.py", "import os\n\n\ndef show():\n    return '表示する'\n"),
    ],
)
@pytest.mark.parametrize("name", ["utf-8", "cp932"])
def test_a_byte_order_mark_is_layout(make_repo: MakeRepo, path: str, text: str, name: str) -> None:
    repo = make_repo("mark")
    repo.commit("without", {path: text.encode(name)})
    repo.commit("with", {path: text.encode("utf-8-sig")})
    assert {(one.change_type, one.modified) for one in last(repo).values()} == {("formatting", False)}
    repo.commit("without", {path: text.encode(name)})
    assert {(one.change_type, one.modified) for one in last(repo).values()} == {("formatting", False)}


def test_second_bytes_that_look_like_a_backslash(make_repo: MakeRepo) -> None:
    """In Shift-JIS the last byte of 表 and ソ is one: before a quote, the string would go on."""
    two = "int two(void)\n{\n    return 2;\n}\n"
    text = f'const char *NAME = "ソース表";\n\nint one(void)\n{{\n    return 1; // 一覧表\n}}\n\n{two}'
    repo = make_repo("encodings")
    repo.commit("old", {"a.c": text.encode("cp932")})
    assert_sound(repo)
    (_, chunks), *_ = chunks_of(repo)[0]
    assert {chunk.qualified_name for chunk in chunks} >= {"one", "two"}
    assert [one.new_code for one in chunks if one.qualified_name == "two"] == [two]


def test_a_declared_encoding_is_no_guess(make_repo: MakeRepo) -> None:
    repo = make_repo("encodings")
    repo.commit("old", {"a.py": "# coding: iso-8859-15\nPRICE = '5 €'\n".encode("iso-8859-15")})
    assert {(one.encoding, one.encoding_guessed) for one in only_chunks(repo)} == {("iso8859-15", UNSET)}


def test_without_a_sure_guess_it_is_latin_1(make_repo: MakeRepo) -> None:
    repo = make_repo("encodings")
    repo.commit("old", {"a.c": JAPANESE.encode("cp932"), "b.c": b"int b; // caf\xe9\n"})
    chunks = last(repo, min_encoding_confidence=1.0).values()
    assert {(one.encoding, one.encoding_guessed) for one in chunks} == {("latin-1", UNSET)}
    assert {one.encoding for one in last(repo).values()} == {"cp932", "latin-1"}


def test_text_that_git_calls_binary_is_counted(make_repo: MakeRepo) -> None:
    repo = make_repo("wide")
    wide = ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
    marks = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}
    files = {f"{name}.c": (marks.get(name, "") + JAPANESE).encode(name) for name in wide}
    repo.commit("wide", {**files, "a.png": b"\x89PNG\r\n\x1a\n\0\0", "b.bin": b"\xff\xfe\0\xd8\0"})
    assert dict(chunks_of(repo)[1]) == {"text in UTF-16 or UTF-32, binary to git": 4, "binary files": 2}
