"""Errors that cost no symbol are distinguished from those that do."""

from __future__ import annotations

import pytest

from core.chunking import parsing
from core.chunking.outline import Outline

RUST = """mod m {
    fn first() -> A {
        A {
            one: one!(b),
%s
        }
    }

    fn last() { b(); }
}
"""
CPP = """namespace a
{
int first(int b)
{
%s
}
} // namespace a

int last(int b)
{
    return b;
}
"""
CONTAINED = {
    "a macro as a value": ("rust", RUST % "            two: try!(b),"),
    "several errors": ("rust", RUST % "            two: try!(b),\n            three: try!(c),"),
    "what C++ does not know": ("cpp", CPP % "    b $ c;"),
    "an annotation of a parameter": ("cpp", "int a(\n    _In_ int b,\n    int c\n)\n{\n    return b;\n}\n"),
    "of a prototype": ("cpp", "class A {\n    int a(\n        _In_ int b,\n        int c);\n    int d();\n};\n"),
    "what Python does not know": (
        "python",
        "class A:\n    def a():\n        b = $c\n        return b\n    d = 1\n",
    ),
    "of several rows": ("rust", "fn first() {\n    $ $ $\n    $ $ b;\n}\n"),
    "a condition in a switch": (
        "csharp",
        (
            "class A {\n    int a(int b) {\n        switch (b) {\n#if C\n            case 1:\n#endif\n"
            "            default:\n                return 1;\n        }\n    }\n}\n"
        ),
    ),
    "a last row without an end": ("csharp", "class A {\n    int a() { return 1; }\n}\n#pragma warning restore 618"),
    "what JavaScript does not know": ("javascript", "export function a() {\n  b = c # d\n  return b\n}\n"),
}
REACHING = {
    "a brace too few": ("cpp", CPP % "    if (b) {\n    b $ c;"),
    "a brace too many": ("cpp", CPP % "    b $ c;\n    }"),
    "a string that is never closed": (
        "rust",
        'fn first() {\n    a("b);\n}\n\nfn second() {\n    a();\n}\n\nfn last() {\n    a("b");\n}\n',
    ),
    "of several rows with a brace": ("rust", "fn first() {\n    a b => {} $\n    c => d;\n}\n"),
    "of several rows in Python": ("python", "def a():\n    b = 1\n    c = $ $\n    $ d\n    return b\n"),
    "a brace that is missing at the end": ("cpp", "int a() { return 1; }\n\nint b() {\n"),
    "outside of functions": ("python", "def a():\n    return 1\n\n$b = 1\n"),
    "text further out": ("python", "def a():\n    b = $c\n    return '''\ntext\n'''\n"),
    "in a type": ("rust", "struct A {\n    a: u8 $ u8,\n    b: u8,\n}\n"),
}


def is_mended(language: str, source: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    mended = []

    def note(self: object, broken: Outline, *_: object) -> Outline:
        mended.append(broken)
        return broken

    monkeypatch.setattr(parsing._Reader, "_mended", note)
    found = parsing.outline(source.encode(), language, "x")
    assert found is None or found.has_error
    return bool(mended)


@pytest.mark.parametrize("what", CONTAINED)
def test_an_error_in_one_row_of_a_function_needs_no_mending(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_mended(*CONTAINED[what], monkeypatch)


@pytest.mark.parametrize("what", REACHING)
def test_an_error_that_may_cost_symbols_does(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_mended(*REACHING[what], monkeypatch)
