"""What is preprocessed stretch by stretch is what is preprocessed at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chunking import stretches
from core.chunking.preprocessor import Around, preprocessed
from core.chunking.stretches import Stretches

FUNCTION = b"API int %s(int b) {\n    TRACE(b)\n    return b;\n}\n"
CLASS = b"class API A {\n    Q_OBJECT\npublic slots:\n    void a()\n    {\n    }\n};\n"
OPENING = {
    "a namespace": (b"namespace a {\n", b"}\n"),
    "a type, whose name may follow": (b"struct API A {\nint b;\n}\n", b"API a;\n"),
    "a type, behind which nothing begins": (b'struct API A {\nint b;\n}\nTEST("a b") {\n}\n', b""),
    "a condition": (b"#if A\n", b"#endif\n"),
    "a condition that cuts": (b"#if A\nint a() {\n#else\nint a(int b) {\n#endif\n", b"}\n"),
    "a comment": (b"/* {\n", b"*/\n"),
    "a string": (b'char a[] = R"x({\n', b')x";\n'),
    "a string behind what looks like one": (b'// R"(\nchar a[] = R"x(\n)"\n}\n', b')x";\n'),
    "a list": (b"enum A {\n", b'#include "a.def"\n};\n'),
    "a list in a list": (b"struct A a[] = {\n{\n", b'}\n,\n#include "a.def"\n};\n'),
    "a directive": (b"#define A(b) \\\n", b"int a;\n"),
    "a comment in a directive": (b"#define A /*\n", b"*/\nint a;\n"),
    "C#": (b'class A {\nstring a = @"\n', b'";\n}\n'),
    "raw strings of C#": (b'class A {\nstring a = """\n', b'""";\n}\n'),
}
ROWS = (
    b"namespace a {",
    b"class API A {",
    b"class A : B",
    b"enum A {",
    b"API int a(int b) {",
    b"= {",
    b"    MACRO(b)",
    b"MACRO",
    b"a, b",
    b"}",
    b"};",
    b"}  // a",
    b"    }",
    b"#if A",
    b"#else",
    b"#endif",
    b'#include "a"',
    b"#define A \\",
    b"/*",
    b"*/",
    b'R"(',
    b')";',
    b'@"',
    b'"""',
    b"int a;",
    b"public:",
)


@pytest.mark.parametrize("what", OPENING)
@pytest.mark.parametrize("macros", [True, False])
def test_what_is_open_goes_on_in_the_next_stretch(what: str, macros: bool) -> None:
    first, last = OPENING[what]
    source = FUNCTION % b"first" + first + FUNCTION % b"inner" + CLASS + last + FUNCTION % b"last"
    assert Stretches(macros=macros).preprocessed(source) == preprocessed(source, macros=macros)[0]


@given(st.lists(st.sampled_from(ROWS), max_size=40), st.booleans())
def test_cuts_change_nothing(rows: list[bytes], macros: bool) -> None:
    source = b"\n".join(rows)
    of_all = Stretches(macros=macros)
    whole = preprocessed(source, macros=macros)[0]
    assert [of_all.preprocessed(source) for _ in range(2)] == [whole, whole]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything that is preprocessed from here on."""
    found = []

    def note(text: bytes, around: Around, *, macros: bool) -> tuple[bytes, Around | None]:
        found.append(text)
        return preprocessed(text, around, macros=macros)

    monkeypatch.setattr(stretches, "preprocessed", note)
    return found


def test_only_what_is_new_is_preprocessed(texts: list[bytes]) -> None:
    one, two, three = (FUNCTION % name for name in (b"one", b"two", b"three"))
    of_all = Stretches(macros=True)
    of_all.preprocessed(one + two)
    of_all.preprocessed(one + three + two)
    assert texts == [one, two, three]


def test_braces_in_braces_do_not_cost_more_with_each(texts: list[bytes]) -> None:
    source = b"void a() {\n" * 2_000 + b"}\n" * 2_000
    assert Stretches(macros=True).preprocessed(source) == preprocessed(source, macros=True)[0]
    assert len(texts) < 20


def test_little_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "KEPT_BYTES", 2_000)
    of_all = Stretches(macros=True)
    for number in range(20):
        of_all.preprocessed(FUNCTION % b"a%d" % number)
    assert 0 < len(of_all._kept) < 10
