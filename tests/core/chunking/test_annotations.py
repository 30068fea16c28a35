"""Classes of Kotlin that its grammar takes for expressions, for the annotations before them."""

from __future__ import annotations

import pytest

from core.chunking.annotations import as_comments
from core.chunking.parsing import outline, parser


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@A\n@B\nannotation class C\n", [("class", "C", 0, 2, "annotation class C")]),
        (
            "@OptIn(U::class)\nactual class C {\n  private var c = d(0u)\n\n  fun f() {}\n}\n",
            [("class", "C", 0, 5, "actual class C"), ("function", "C.f", 4, 4, "fun f()")],
        ),
        (
            "@A(X::class)\n@B\nclass C\n\n@A(\n  Y::class,\n)\nclass D {\n  @T\n  fun f(): P {\n    return p\n  }\n}\n",
            [
                ("class", "C", 0, 2, "class C"),
                ("class", "D", 4, 12, "@A( Y::class, ) class D"),
                ("function", "D.f", 8, 11, "@T fun f(): P"),
            ],
        ),
        (
            "/** Says. */\n@A\nactual class C {\n  actual fun f() {}\n}\n\nfun g() {}\n",
            [
                ("class", "C", 0, 4, "actual class C"),
                ("function", "C.f", 3, 3, "actual fun f()"),
                ("function", "g", 6, 6, "fun g()"),
            ],
        ),
    ],
)
def test_the_class_is_found_with_its_annotations(source: str, expected: list[tuple[str, str, int, int, str]]) -> None:
    found = outline(source.encode(), "kotlin", "x.kt")
    assert found is not None
    symbols = [(found.symbol(one), *found.rows(one)) for one in found.owners()]
    assert [(one.kind, one.qualified_name, *rows, one.signature) for one, *rows in symbols] == expected
    assert found.source == source.encode()


@pytest.mark.parametrize(
    "source", ["@A class C { fun f() {} }\n", "@A\nfun f() {}\n", "val a = @B g { h() }\n", "@A\nrun { class Inner }\n"]
)
def test_what_is_read_right_stays_as_it_is(source: str) -> None:
    text = source.encode()
    assert as_comments(parser("kotlin").parse(text), text) is text
