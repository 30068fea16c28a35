"""Texts that are not UTF-8."""

from __future__ import annotations

import pytest

from core.git.encodings import Encoding, agreed, encoding_of, texts_of, voted, wide_encoding_of, with_line_feeds


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("// 設定を読み込む\n", "cp932"),
        ("// Ошибка чтения файла\n", "koi8-r"),
        ("// Ошибка чтения файла\n", "cp1251"),
        ("// 初始化設定，讀取檔案內容\n", "big5"),
        ("// ファイルを開く\n", "euc_jp"),
        ("// 读取文件内容，失败则返回错误\n", "gb18030"),
        ("// 설정을 읽는다\n", "cp949"),
        ("// zażółć gęślą jaźń, część źródła\n", "cp1250"),
        ("// ανάγνωση ρυθμίσεων\n", "cp1253"),
        ("// kullanıcı ayarlarını oku, değişkenleri denetle\n", "cp1254"),
        ("// קריאת הגדרות\n", "cp1255"),
    ],
)
def test_letters_speak_for_an_encoding(text: str, name: str) -> None:
    found = encoding_of(text.encode(name))
    assert found is not None
    assert found.is_guessed
    assert found.to_utf8(text.encode(name)).decode() == text
    assert encoding_of(text.encode(name), 1.0) is None


@pytest.mark.parametrize(
    "data",
    [
        b"ascii\n",
        "größe\n".encode(),
        b"caf\xe9\n",
        b"gr\xf6\xdfe\n",
        "これは、設定".encode()[:-1],
        b"\xe4\n" + "表\n".encode(),
    ],
)
def test_no_guess_without_need_or_evidence(data: bytes) -> None:
    assert encoding_of(data) is None


@pytest.mark.parametrize(
    "head",
    ["# -*- coding: iso-8859-15 -*-\n", "#!/usr/bin/python\n# vim: set fileencoding=iso-8859-15\n",
     '<?xml version="1.0" encoding="ISO-8859-15"?>\n'],
)  # fmt: skip
def test_a_declared_encoding_is_no_guess(head: str) -> None:
    found = encoding_of(head.encode() + b"5 \xa4\n")
    assert found is not None
    assert (found.name, found.is_guessed) == ("iso8859-15", False)


def test_latin_1_is_what_is_read_without_a_name() -> None:
    assert encoding_of("# coding: latin-1\n# “Ошибка чтения файла”\n".encode("cp1251")) is None


@pytest.mark.parametrize(
    "data", ["© 2001 Foo\n§ 5\n× 3\n".encode("latin-1"), b"\xa9", b"25 \xb0C\n", b"\xa9 2001 Foo\n"]
)
def test_signs_far_apart_are_no_words(data: bytes) -> None:
    assert encoding_of(data) is None


def test_western_text_is_named_only_where_latin_1_would_read_it_wrong() -> None:
    text = "Größe und Länge der Übersicht, natürlich für später möglich"
    assert encoding_of(text.encode("cp1252")) is None
    found = encoding_of(f"„{text}“".encode("cp1252"))
    assert found is not None
    assert found.name == "cp1252"


def test_a_version_that_says_little_takes_the_encoding_of_the_other() -> None:
    old, new = "表示".encode("cp932"), "// 表示、戻る、設定を読み込む".encode("cp932")
    sure = encoding_of(new)
    assert sure is not None
    assert encoding_of(old) is None
    assert agreed(old, new, None, sure) == (sure, sure)
    assert agreed(new, old, sure, None) == (sure, sure)
    assert agreed(b"\x81\xff", new, None, sure) == (None, sure)  # but not what has no meaning in it
    assert agreed("表示".encode(), new, None, sure) == (None, sure)  # nor what is UTF-8


def test_versions_with_a_line_in_common_have_one_encoding() -> None:
    text = "// Ошибка чтения файла\n".encode("cp1251")
    surer, other = Encoding("cp1251", 0.5, is_guessed=True), Encoding("koi8-r", 0.1, is_guessed=True)
    assert agreed(text + b"// \xe4\xe0\n", text, other, surer) == (surer, surer)
    assert agreed(text + b"// \x98\n", text, other, surer) == (None, None)


def test_a_version_in_doubt_takes_the_surer_encoding_of_the_other() -> None:
    old, new = "// да\n".encode("cp1251"), "// чтение\n".encode("cp1251")
    weak, sure = Encoding("cp1255", 0.09, is_guessed=True), Encoding("cp1251", 0.3, is_guessed=True)
    assert agreed(old, new, weak, sure) == agreed(new, old, sure, weak) == (sure, sure)
    declared = Encoding("cp1251", 1.0, is_guessed=False)
    assert agreed(old, new, weak, declared) == (declared, declared)
    assert agreed(old, new, weak, weak._replace(name="cp1251")) == (weak, weak._replace(name="cp1251"))
    assert agreed(old, new, sure._replace(name="koi8-r"), sure) == (sure._replace(name="koi8-r"), sure)


def guessed(name: str, confidence: float = 0.3) -> Encoding:
    return Encoding(name, confidence, is_guessed=True)


@pytest.mark.parametrize(
    ("text", "own", "others", "expected"),
    [
        ("да".encode("koi8-r"), None, [guessed("koi8-r")], "koi8-r"),
        ("да".encode("koi8-r"), guessed("cp1251", 0.08), [guessed("koi8-r")] * 2, "koi8-r"),
        ("да".encode("koi8-r"), guessed("cp1251", 0.08), [guessed("koi8-r", 0.15)], "cp1251"),
        ("да".encode("koi8-r"), guessed("cp1251", 0.08), [guessed("koi8-r"), guessed("cp866")], "cp1251"),
        ("да".encode("koi8-r"), guessed("cp1251", 0.2), [guessed("koi8-r")] * 9, "cp1251"),
        ("да".encode("koi8-r"), guessed("cp949", 0.08), [guessed("koi8-r")] * 9, "cp949"),
        ("да".encode("koi8-r"), guessed("cp949", 0.03), [guessed("koi8-r")] * 9, "koi8-r"),
        ("読込".encode("cp932"), guessed("big5", 0.08), [guessed("cp932")] * 2, "cp932"),
        ("読込".encode("cp932")[:-1], None, [guessed("cp932")] * 2, None),
        (b"gr\xf6\xdfe", guessed("cp1252", 0.04), [guessed("koi8-r")] * 9, "cp1252"),
        (b"gr\xf6\xdfe", guessed("cp1252", 0.04), [guessed("cp1250")] * 9, "cp1252"),
        (b"gr\xf6\xdfe", guessed("cp1252", 0.04), [guessed("gb18030")] * 9, "cp1252"),
        ("ステータスバー".encode("cp932"), guessed("iso8859-2", 0.003), [guessed("cp932")] * 2, "cp932"),
        ("追加".encode("cp932"), guessed("cp1252", 0.03), [guessed("cp932")] * 2, "cp932"),
        ("追加".encode("cp932"), guessed("cp1252", 0.06), [guessed("cp932")] * 2, "cp1252"),
        ("да".encode("cp1251"), guessed("cp1252", 0.03), [guessed("cp1251")] * 2, "cp1252"),
        (b"gr\xf6\xdfe", guessed("cp1250", 0.08), [guessed("cp1252")] * 9, "cp1252"),
        (b"\xa9 2001", None, [guessed("cp932")] * 9, None),
        ("да".encode("koi8-r"), None, [], None),
    ],
)
def test_similar_texts_settle_a_doubt(
    text: bytes, own: Encoding | None, others: list[Encoding], expected: str | None
) -> None:
    found = voted(text, own, others)
    assert (found and found.name) == expected


def test_a_file_may_go_from_one_old_encoding_to_another() -> None:
    old, new = ("// Ошибка чтения файла\n".encode(name) for name in ("koi8-r", "cp1251"))
    encodings = encoding_of(old), encoding_of(new)
    assert agreed(old, new, *encodings) == encodings
    assert [one and one.name for one in encodings] == ["koi8-r", "cp1251"]


@pytest.mark.parametrize(
    ("text", "name"), [("外部依存", "cp932"), ("ソ", "euc_jp"), ("да", "koi8-r"), ("“é”", "cp1252")]
)
def test_a_version_in_utf8_tells_what_the_other_means(text: str, name: str) -> None:
    old, new = f"//{text}\r\nint a;\r\n".encode(name), f"\ufeff// x\n//{text}\nint a;\n".encode()
    assert encoding_of(old) is None
    told, none = agreed(old, new, None, None)
    assert told is not None
    assert (told.name, told.is_guessed, none) == (name, True, None)
    assert agreed(new, old, None, None) == (None, told)
    assert agreed(old, b"// another\n", None, None) == (None, None)


def test_latin_1_is_told_by_no_name() -> None:
    assert agreed("é\n".encode("latin-1"), "é\n".encode(), None, None) == (None, None)


@pytest.mark.parametrize(
    "data",
    [
        "длина строки".encode()[:-1] + b" x\n",
        "połączenie z bazą".encode()[:-1],
        "// für\n".encode() + "// 설정을\n".encode("cp949"),
    ],
    ids=["cut", "cut at the end", "several encodings"],
)
def test_utf8_that_is_damaged_is_no_other_encoding(data: bytes) -> None:
    assert encoding_of(data) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"one\r\ntwo\r\n", b"one\ntwo\n"),
        (b"one\rtwo\r\rthree", b"one\ntwo\n\nthree"),
        (b"one\r\r\ntwo", b"one\ntwo"),
        (b"one\n\rtwo\r", b"one\n\ntwo\n"),
        ("one\u2028two\u2029\x0cthree\x0bfour\x85five\x1csix\n".encode(),) * 2,
    ],
)
def test_carriage_returns_and_line_feeds_end_the_lines_of_a_message(message: bytes, expected: bytes) -> None:
    assert with_line_feeds(message) == expected


@pytest.mark.parametrize(
    ("parts", "declared", "expected"),
    [
        (["größe".encode(), b"a"], "latin-1", (["größe", "a"], "utf-8", False)),
        ([b"gr\xf6\xdfe", b"a"], "iso-8859-15", (["größe", "a"], "iso8859-15", False)),
        (["исправлена ошибка чтения".encode("cp1251")], "", (["исправлена ошибка чтения"], "cp1251", True)),
        ([b"gr\xf6\xdfe"], "no-such-thing", (["größe"], "latin-1", False)),
    ],
)
def test_texts_of_a_commit(parts: list[bytes], declared: str, expected: tuple[list[str], str, bool]) -> None:
    assert texts_of(parts, declared) == expected


@pytest.mark.parametrize("text", ["int a;\n", "// 表示する\n", "a 😀\r\n"])
@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_mark_names_what_git_calls_binary(text: str, name: str) -> None:
    found = wide_encoding_of(f"\ufeff{text}".encode(name))
    assert found == Encoding(name, 1.0, is_guessed=False)
    assert found.to_utf8(f"\ufeff{text}".encode(name)).decode() == f"\ufeff{text}"


@pytest.mark.parametrize("text", ["#define ID 1\r\n", "a = b\tc\n\x0c// größe\n", "// 表示する\nint show(void);\n"])
@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_without_a_mark_letters_tell_utf16(text: str, name: str) -> None:
    assert wide_encoding_of(text.encode(name)) == Encoding(name, 1.0, is_guessed=True)


@pytest.mark.parametrize(
    "data",
    [
        b"text\n",
        "größe\n".encode(),
        b"\xff\xfe\0\xd8\0",
        b"\xff\xfea\0b\0c",
        b"\xff\xfea\0\0\0b\0",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01",
        b"a\0b\0",
        b"".join(bytes((n % 7, 0)) for n in range(500)),
        b"n\0a\0m\0e\0\0\0" * 20,
        "表示する".encode("utf-16-le") * 20 + b"\0\0",
        ("name" + "\ue000\u0378").encode("utf-16-le") * 5,
        b"RIFF\0\0\0\0" * 50,
    ],
)
def test_what_is_no_text_in_utf16(data: bytes) -> None:
    assert wide_encoding_of(data) is None
