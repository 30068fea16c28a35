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


WIDE = {
    **{
        name: lambda text, name=name: ("\ufeff" + text).encode(name) for name in ("utf-16-le", "utf-16-be", "utf-32-le")
    },
    "utf-16-le unmarked": lambda text: text.encode("utf-16-le"),
    "utf-16-be unmarked": lambda text: text.encode("utf-16-be"),
}
"""How a text becomes bytes, by Python's name of the encoding."""


@pytest.mark.parametrize("path", ["a.c", "a.txt"])
@pytest.mark.parametrize("kind", WIDE)
def test_text_that_git_calls_binary_is_text(make_repo: MakeRepo, kind: str, path: str) -> None:
    name, is_marked = kind.split(maxsplit=1)[0], "unmarked" not in kind
    mark = "\ufeff" if is_marked else ""
    one, two = f"// one\r\n{JAPANESE}", f"// one\r\n{JAPANESE.replace('1; ', '22;')}"
    repo = make_repo("wide")
    repo.commit("new", {path: WIDE[kind](one)})
    repo.commit("edit", {path: WIDE[kind](two)})
    repo.commit("to utf-8", {path: f"{mark}{one}"})
    repo.commit("back", {path: WIDE[kind](two)})
    (repo.path / path).unlink()
    repo.commit("gone")
    assert_sound(repo)
    found, drops, _ = chunks_of(repo)
    changes = [[one for one in chunks if one.qualified_name or path == "a.txt"] for _, chunks in found]
    names = [[(one.encoding, one.old_encoding) for one in chunks] for chunks in changes]
    assert names == [[(name, UNSET)], [(name, UNSET)], [("utf-8", name)], [(name, "utf-8")], [(name, UNSET)]]
    _, (edited,), to_utf8, back, _ = changes
    assert "-    return 1; // 戻る\n+    return 22;// 戻る\n" in edited.patch
    assert (edited.additions, edited.deletions) == (1, 1)
    assert [(one.additions, one.deletions) for one in (*to_utf8, *back)] == [(1, 1)] * 2
    assert edited.encoding_guessed is (UNSET if is_marked else True)
    assert not drops


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-be"])
def test_text_that_git_calls_binary_may_become_one_in_an_old_encoding(make_repo: MakeRepo, name: str) -> None:
    repo = make_repo("wide")
    repo.commit("wide", {"a.c": WIDE["utf-16-le"]("int a;\n// 外部依存\n"), "b.c": JAPANESE.encode("cp932")})
    repo.commit("turned", {"a.c": "int b;\n// 外部依存\n".encode("cp932"), "b.c": ("\ufeff" + JAPANESE).encode(name)})
    assert_sound(repo)
    chunks = last(repo)
    a = chunks["a.c", None]
    assert (a.encoding, a.old_encoding) == ("cp932", "utf-16-le")
    assert a.old_code.replace("\ufeff", "").replace("int a", "int b") == a.new_code
    assert {(one.encoding, one.old_encoding) for one in chunks.values() if one.file_path == "b.c"} == {(name, "cp932")}


def test_only_the_byte_order_of_a_text_changes(make_repo: MakeRepo) -> None:
    repo = make_repo("wide")
    repo.commit("one", {"a.c": WIDE["utf-16-le"](JAPANESE), "b.txt": "x\n"})
    repo.commit("other", {"a.c": WIDE["utf-16-be"](JAPANESE), "b.txt": "y\n"})
    found, drops, _ = chunks_of(repo)
    assert [one.file_path for one in found[-1][1]] == ["b.txt"]
    assert dict(drops) == {"file changes without changed lines": 1}


def test_a_text_that_git_calls_binary_is_named_where_it_is_not_read(make_repo: MakeRepo) -> None:
    repo = make_repo("wide")
    repo.commit("one", {"a.c": WIDE["utf-16-le"](JAPANESE), "b.txt": WIDE["utf-16-be"]("one\n" * 100)})
    repo.commit("two", {"a.c": JAPANESE.replace("1", "2"), "b.txt": WIDE["utf-16-be"]("two\n" * 100)})
    assert_sound(repo, max_file_bytes=10)
    names = {path: (one.encoding, one.old_encoding) for (path, _), one in last(repo, max_file_bytes=10).items()}
    assert names == {"a.c": ("utf-8", "utf-16-le"), "b.txt": ("utf-16-be", UNSET)}
