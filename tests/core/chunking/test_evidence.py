"""What a change touches, and what a message speaks of."""

from __future__ import annotations

import pytest

from core.chunking.evidence import differences, role, signatures_differ
from core.chunking.parsing import outline
from core.code.languages import language_of


def differ(before: str, after: str, language: str) -> tuple[bool, bool]:
    """(code, comments) over all lines."""
    old, new = outline(before.encode(), language, "x"), outline(after.encode(), language, "x")
    assert old is not None
    assert new is not None
    return differences(old, range(len(old)), new, range(len(new)))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("fn a() { b(1, 2) }\n", "fn a() {\n    b(\n        1,\n        2,\n    )\n}\n", (False, False)),
        ("fn a() { b(1) }\n", "fn a() { b(2) }\n", (True, False)),
        ("/// One.\nfn a() {}\n", "/// Two.\nfn a() {}\n", (False, True)),
        ("/* one\n   two */\nfn a() {}\n", "/* one\n   three */\nfn a() {}\n", (False, True)),
        ("fn a() { b((1,)) }\n", "fn a() { b((1)) }\n", (True, False)),
        ('fn a() { b("x  y") }\n', 'fn a() { b("x y") }\n', (True, False)),
        ("fn a() { b(--c) }\n", "fn a() { b(- -c) }\n", (True, False)),
        ("fn a() {} // x\n", "fn a() { } // x\n", (False, False)),
        ('fn a() { "// x" }\n', 'fn a() { "// y" }\n', (True, False)),
    ],
)
def test_differences_in_rust(before: str, after: str, expected: tuple[bool, bool]) -> None:
    assert differ(before, after, "rust") == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("if a:\n    b()\nc()\n", "if a:\n    b()\n    c()\n", (True, False)),
        ("f(a,\n  b)\n", "f(\n    a,\n    b,\n)\n", (False, False)),
        ("x = 1   \n", "x = 1\n", (False, False)),
        ('def f():\n    """One."""\n', 'def f():\n    """Two."""\n', (False, True)),
        ('"""One."""\nx = 1\n', '"""Two."""\nx = 1\n', (False, True)),
        ('x = """One."""\n', 'x = """Two."""\n', (True, False)),
        ("# a\nx = 1\n", "# b\nx = 1\n", (False, True)),
        ("def f(a):\n    return a\n", 'def f(a):\n    """Says."""\n    return a\n', (False, True)),
        ("def f(a,\n      b):\n    return a\n", 'def f(a, b):\n    """Says."""\n    return a\n', (False, True)),
        ('class A:\n    """Says."""\n    x = 1\n', "class A:\n    x = 1\n", (False, True)),
        ("if a:\n    b()\n# c\nd(1,\n  2)\n", "if a:\n    b()\n    # c\n    d(1, 2)\n", (True, False)),
    ],
)
def test_differences_in_python(before: str, after: str, expected: tuple[bool, bool]) -> None:
    assert differ(before, after, "python") == expected


def test_signatures() -> None:
    def symbol(text: str) -> object:
        found = outline(text.encode(), "rust", "x.rs")
        assert found is not None
        return found.symbol(next(found.owners()))

    a = symbol("fn a(x: u8) -> u8 { 1 }\n")
    assert not signatures_differ(a, symbol("fn b(\n    x: u8,\n) -> u8 { 2 }\n"))  # type: ignore[arg-type]
    assert signatures_differ(a, symbol("fn a(x: u16) -> u8 { 1 }\n"))  # type: ignore[arg-type]
    assert signatures_differ(a, symbol("pub fn a(x: u8) -> u8 { 1 }\n"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "before", "after", "expected"),
    [
        ("kotlin", "@JvmStatic\n@Old fun a(x: Int) = 1\n", "@JvmStatic fun a(x: Int) = 1\n", False),
        ("kotlin", '@Deprecated("(", ReplaceWith("b()")) fun a() = 1\n', "fun a() = 1\n", False),
        ("kotlin", "@A fun a(x: Int) = 1\n", "@B fun a(x: Long) = 1\n", True),
        ("java", "class C { void a() {} }\n", "class C { @Override @a.b.Nullable() void a() {} }\n", False),
        ("java", "class C { @A void a() {} }\n", "class C { @A public void a() {} }\n", True),
        ("swift", "func a() {}\n", "@available(macOS 15, *)\n@MainActor func a() {}\n", False),
        ("csharp", "class C { [A] void a() {} }\n", 'class C { [A, B("x")] [return: D] void a() {} }\n', False),
        ("csharp", "class C { [A] void a() {} }\n", "class C { [A] static void a() {} }\n", True),
        # A comment is none either.
        ("cpp", "int f(int a,\n int b)\n{\n}\n", "int f(int a, //!< [in] one\n int b /* two */)\n{\n}\n", False),
        ("cpp", "A::A(int x) : a(x), b(0)\n{\n}\n", "A::A(int x)\n{\n}\n", False),
        ("cpp", "class A { A(int x) : a(x) {} };\n", "class A { A(int x) : a(x), b{1} {} };\n", False),
        ("cpp", "A::A(int x) : a(x) {}\n", "A::A(long x) noexcept : a(x) {}\n", True),
        ("typescript", "function f(\n a: A) {\n}\n", "function f(\n /** one */ a: A) {\n}\n", False),
        ("go", "func f(a int,\n) {\n}\n", "func f(a int, // one\n) {\n}\n", False),
        ("go", "func f(a int, // one\n) {\n}\n", "func f(a uint, // one\n) {\n}\n", True),
        ("php", "<?php\nclass C { #[A(1)] function a() {} }\n", "<?php\nclass C { function a() {} }\n", False),
    ],
)
def test_what_is_no_signature(language: str, before: str, after: str, expected: bool) -> None:
    old, new = outline(before.encode(), language, "x"), outline(after.encode(), language, "x")
    assert old is not None
    assert new is not None
    assert signatures_differ(old.symbol([*old.owners()][-1]), new.symbol([*new.owners()][-1])) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/a.rs", "code"),
        ("docs/a.rst", "documentation"),
        ("a.yaml", "configuration"),
        ("tests/data/a.json", "other"),
        ("tests/fixtures/notes.txt", "other"),
        ("tests/test_a.py", "code"),
        ("x.bin", "other"),
    ],
)
def test_roles(path: str, expected: str) -> None:
    assert role(path, language_of(path)) == expected
