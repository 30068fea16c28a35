"""Symbols against oracles: Python's own ast, and samples answered by hand; tests/benchmarks/test_ctags.py has ctags."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest
from builders import PROJECT
from hypothesis import given, settings
from hypothesis import strategies as st

from core.chunking import parsing
from core.chunking.edits import Edits
from core.chunking.outline import Outline, Symbol
from core.chunking.parsing import outline
from core.code.languages import LANGUAGES, language_of


def located(source: bytes, language: str, path: str = "x") -> list[tuple[Symbol, int, int]]:
    """(symbol, first line, last line), 1-based."""
    found = outline(source, language, path)
    assert found is not None
    return [(found.symbol(one), *(row + 1 for row in found.rows(one))) for one in found.owners()]


def by_ast(source: str) -> set[tuple[str, str, int, int]]:
    found = set()

    def visit(node: ast.AST, scope: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{scope}.{child.name}" if scope else child.name
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                kind = "class" if isinstance(child, ast.ClassDef) else "function"
                found.add((kind, name, first, child.end_lineno or 0))
                visit(child, name)
            else:
                visit(child, scope)

    visit(ast.parse(source), "")
    return found


PYTHON_FILES = [
    *PROJECT.glob("*.py"),
    *PROJECT.glob("core/**/*.py"),
    *PROJECT.glob("tests/*.py"),
    *Path(ast.__file__).parent.glob("asyncio/*.py"),
    *(Path(ast.__file__).parent / name for name in ("ast.py", "dataclasses.py", "typing.py", "unittest/mock.py")),
    Path(pytest.__file__),
]


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: path.name)
def test_python_symbols_equal_ast(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    ours = {(s.kind, s.qualified_name, first, last) for s, first, last in located(source.encode(), "python", "x.py")}
    assert ours == by_ast(source)


RUST = b"""//! Crate docs.
use std::fmt;

/// A point.
#[derive(Debug)]
pub struct Point<T> {
    x: T,
}

impl<T> fmt::Display for Point<T> {
    /// Writes it.
    #[inline]
    fn fmt(&self) -> fmt::Result {
        const LOCAL: u8 = 1;
        fn inner() {}
        inner()
    }
}

impl Point<u8> {
    pub(crate) async unsafe fn zero2() -> Self { todo!() }
}

enum Kind { A, B }
pub trait Draw { type Out; fn draw(&self); }
const LIMIT: u8 = 1;
static NAME: &str = "x";
type Alias = u8;
macro_rules! twice { ($x:expr) => { $x; $x } }

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn works() {}

    fn helper() {}
}

#[test]
// a note between
fn top_level() {}
#[latest]
fn no_test() {}
cfg_net! {
    /// In a macro.
    pub fn hidden() {}
    impl Kind {
        cfg_more! { fn deep(&self) {} }
    }
}
union Both { a: u8, b: i8 }
#[cfg(all(test, unix))]
fn unix_only() {}
println!("{}", { fn not_a_symbol() {} });
"""


def test_rust_symbols() -> None:
    found = {(s.kind, s.qualified_name, first, last, s.is_test) for s, first, last in located(RUST, "rust", "x.rs")}
    assert found == {
        ("struct", "Point", 4, 8, False),
        ("impl", "<Point<T> as fmt::Display>", 10, 18, False),
        ("function", "<Point<T> as fmt::Display>::fmt", 11, 17, False),
        ("function", "<Point<T> as fmt::Display>::fmt::inner", 15, 15, False),
        ("impl", "Point<u8>", 20, 22, False),
        ("function", "Point<u8>::zero2", 21, 21, False),
        ("enum", "Kind", 24, 24, False),
        ("trait", "Draw", 25, 25, False),
        ("type", "Draw::Out", 25, 25, False),
        ("function", "Draw::draw", 25, 25, False),
        ("constant", "LIMIT", 26, 26, False),
        ("constant", "NAME", 27, 27, False),
        ("type", "Alias", 28, 28, False),
        ("macro", "twice", 29, 29, False),
        ("module", "tests", 31, 37, True),
        ("function", "tests::works", 33, 34, True),
        ("function", "tests::helper", 36, 36, False),
        ("function", "top_level", 39, 41, True),
        ("function", "no_test", 42, 43, False),
        ("struct", "Both", 51, 51, False),
        ("function", "unix_only", 52, 53, False),
    }


def test_signature_doc_and_name() -> None:
    symbols = {s.qualified_name: s for s, _, _ in located(RUST, "rust", "x.rs")}
    method = symbols["<Point<T> as fmt::Display>::fmt"]
    assert (method.name, method.signature, method.doc) == ("fmt", "fn fmt(&self) -> fmt::Result", "Writes it.")
    assert symbols["<Point<T> as fmt::Display>"].name == "Point"
    assert symbols["Point"].doc == "A point."
    source = b'@deco\nclass A(B):\n    """Says it.\n\n    Twice.\n    """\n    def f(self, x: int = 1) -> str: pass\n'
    symbols = {s.qualified_name: s for s, _, _ in located(source, "python", "x.py")}
    assert symbols["A"].doc.split() == ["Says", "it.", "Twice."]
    assert symbols["A.f"].signature == "def f(self, x: int = 1) -> str"


SAMPLES: dict[str, set[tuple[str, str, int, int]]] = {
    "sample.js": {
        ("class", "A", 1, 4),
        ("function", "A.run", 3, 3),
        ("function", "f", 5, 7),
        ("function", "thing", 8, 10),
        ("function", "thing.works", 9, 9),
        ("constant", "options", 11, 11),
    },
    "sample.ts": {
        ("interface", "I", 1, 3),
        ("function", "I.m", 2, 2),
        ("type", "U", 4, 4),
        ("enum", "E", 5, 5),
        ("module", "N", 6, 10),
        ("class", "N.C", 7, 9),
        ("function", "N.C.y", 8, 8),
        ("function", "over", 11, 12),
    },
    "sample.vue": {
        ("interface", "Props", 6, 8),
        ("function", "load", 14, 17),
        ("function", "last", 18, 18),
    },
    "sample.svelte": {
        ("function", "load", 5, 7),
        ("constant", "count", 10, 10),
        ("function", "add", 12, 14),
    },
    "sample.ipynb": {
        ("section", "markdown", 3, 10),
        ("section", "code", 11, 33),
        ("key", "code.execution_count", 13, 13),
        ("key", "code.outputs", 15, 28),
    },
    "sample.go": {
        ("function", "F", 3, 7),
        ("function", "S.M", 9, 9),
        ("struct", "S", 10, 12),
        ("interface", "I", 14, 14),
        ("function", "I.X", 14, 14),
        ("type", "A", 15, 15),
        ("constant", "C", 17, 17),
    },
    "sample.java": {
        ("class", "A", 3, 10),
        ("function", "A.A", 6, 6),
        ("function", "A.m", 7, 8),
        ("enum", "A.E", 9, 9),
        ("interface", "I", 11, 11),
        ("function", "I.x", 11, 11),
    },
    "sample.kt": {
        ("class", "A", 3, 6),
        ("function", "A.m", 5, 5),
        ("function", "ext", 7, 7),
        ("class", "O", 8, 9),
    },
    "sample.c": {
        ("function", "f", 1, 4),
        ("struct", "s", 5, 7),
        ("struct", "t", 8, 10),
        ("enum", "e", 11, 11),
        ("macro", "M", 12, 12),
        ("function", "g", 13, 13),
    },
    "sample.cc": {
        ("module", "a", 1, 8),
        ("class", "a::C", 2, 7),
        ("function", "a::C::C", 5, 5),
        ("function", "a::C::m", 6, 6),
        ("function", "a::C::n", 9, 10),
        ("function", "Suite::Name", 11, 12),
        ("type", "X", 13, 13),
    },
    "sample.cs": {
        ("module", "A.B", 1, 9),
        ("class", "A.B.C", 2, 8),
        ("function", "A.B.C.P", 4, 4),
        ("function", "A.B.C.M", 5, 7),
    },
    "sample.rb": {
        ("module", "M", 1, 8),
        ("class", "M::A", 3, 7),
        ("function", "M::A::s", 4, 5),
        ("function", "M::A::m", 6, 6),
        ("function", "x", 9, 12),
        ("function", "x::works", 10, 11),
    },
    "sample.php": {
        ("module", "A", 2, 8),
        ("class", "A\\C", 3, 6),
        ("function", "A\\C\\testX", 5, 5),
        ("function", "A\\f", 7, 7),
        ("interface", "A\\I", 8, 8),
    },
    "sample.swift": {
        ("class", "A", 1, 5),
        ("function", "A.init", 3, 3),
        ("function", "A.m", 4, 4),
        ("struct", "S", 6, 7),
        ("interface", "P", 8, 10),
        ("function", "P.q", 9, 9),
        ("function", "f", 11, 11),
    },
    "sample.sh": {
        ("function", "foo", 3, 6),
        ("function", "bar", 7, 7),
    },
    "sample.sql": {
        ("table", "foo.bar", 1, 4),
        ("table", "v", 5, 5),
    },
    "sample.astro": {
        ("interface", "Props", 4, 7),
        ("function", "title", 9, 12),
        ("function", "toggle", 25, 27),
    },
    "sample.md": {
        ("section", "Title", 3, 14),
        ("section", "Title > Sub", 7, 14),
        ("section", "Next", 15, 17),
    },
    "sample.toml": {
        ("key", "x", 1, 1),
        ("table", "package", 3, 5),
        ("table", "bin", 6, 7),
    },
    "sample.yaml": {
        ("key", "a", 1, 1),
        ("key", "b", 2, 4),
        ("key", "c", 5, 5),
    },
    "sample.json": {
        ("key", "a", 2, 4),
        ("key", "c", 5, 5),
    },
}
"""(kind, qualified name, first line, last line) of everything in samples/."""


@pytest.mark.parametrize("name", SAMPLES)
def test_symbols_of_the_other_languages(name: str) -> None:
    source = (Path(__file__).parent / "samples" / name).read_bytes()
    assert {(s.kind, s.qualified_name, *lines) for s, *lines in located(source, language_of(name))} == SAMPLES[name]


def test_every_language_with_symbols_has_a_sample() -> None:
    with_symbols = {name for name, one in LANGUAGES.items() if one.has_symbols}
    assert with_symbols == {*map(language_of, SAMPLES), "rust", "python", "tsx"}


@pytest.mark.parametrize(
    ("language", "path", "source", "tests"),
    [
        ("python", "tests/test_a.py", "def test_x(): pass\n", {"test_x"}),
        ("python", "a_test.py", "def test_x(): pass\n", {"test_x"}),
        ("python", "pkg/a.py", "def test_x(): pass\n", set()),
        ("python", "tests/test_a.py", "def helper(): pass\n", set()),
        ("python", "t.py", "class A(unittest.TestCase):\n    def test_a(self): pass\n", {"A", "A.test_a"}),
        ("python", "tests/test_a.py", "class TestA:\n    def test_a(self): pass\n", {"TestA", "TestA.test_a"}),
        ("rust", "a.rs", "// #[test]\nfn a() {}\n", set()),
        ("rust", "a.rs", "#[cfg(not(test))]\nfn a() {}\n", set()),
        ("rust", "a.rs", '#[doc = "as in #[test]"]\nfn a() {}\n', set()),
        ("rust", "a.rs", "#[cfg(all(unix, test))]\nmod a {}\n", {"a"}),
        ("javascript", "a.js", "function init(a) {}\nclass R {\n  emit(e) {}\n}\n", set()),
        ("ruby", "a.rb", "class Unit\n  def edit\n  end\nend\n", set()),
        ("rust", "a.rs", "#[rstest]\nfn a() {}\n", {"a"}),
        ("go", "a_test.go", "package p\nfunc TestA(t *T) {}\nfunc Testify() {}\n", {"TestA"}),
        ("go", "a.go", "package p\nfunc TestA(t *T) {}\n", set()),
        ("java", "A.java", "class A {\n  @Test\n  void m() {}\n  void n() {}\n}\n", {"A.m"}),
        ("csharp", "A.cs", "class A {\n  [Fact]\n  void M() {}\n}\n", {"A.M"}),
        ("cpp", "a.cc", "TEST(A, B) {\n}\n", {"A::B"}),
        ("javascript", "a.js", "it('works', () => {});\nfunction f() {}\n", {"works"}),
        ("php", "A.php", "<?php\nclass A extends TestCase {\n  function testA() {}\n}\n", {"A", "A\\testA"}),
        ("swift", "A.swift", "class A: XCTestCase {\n  func testA() {}\n}\n", {"A", "A.testA"}),
        ("ruby", "a_spec.rb", "describe 'a' do\n  it 'b' do\n  end\nend\n", {"a", "a::b"}),
        ("kotlin", "A.kt", "class A {\n  @Test fun m() {}\n}\n", {"A.m"}),
    ],
)  # fmt: skip
def test_tests_are_known(language: str, path: str, source: str, tests: set[str]) -> None:
    assert {s.qualified_name for s, _, _ in located(source.encode(), language, path) if s.is_test} == tests


@pytest.mark.parametrize(
    "source", [b"", b"\x00\xff fn", b"fn broken( {", b"def f(:\n  class", b"\r\r\n\r", b"\xef\xbb\xbfx"]
)
@pytest.mark.parametrize("language", [name for name, one in LANGUAGES.items() if one.has_symbols])
def test_broken_source_does_not_crash_the_parser(source: bytes, language: str) -> None:
    found = outline(source, language, "x")
    for one in found.owners() if found else ():
        assert found is not None
        assert found.own_runs(one) is not None


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("yaml", "- " * 300 + "a\n"),
        ("yaml", "".join(" " * depth + "a:\n" for depth in range(300))),
        ("rust", "mod a {" * 600 + "}" * 600),
        ("java", "class A {" * 600 + "}" * 600),
        ("rust", "m! {" * 300 + "fn a() {}" + "}" * 300),
    ],
)
def test_deep_nesting_does_not_crash_the_parser(language: str, source: str) -> None:
    found = outline(source.encode(), language, "x")
    assert found is None or list(found.owners()) is not None


def test_members_found_one_by_one_and_at_once_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [(RUST, "rust"), *((path.read_bytes(), "python") for path in PYTHON_FILES[:12])]
    sources += [((Path(__file__).parent / "samples" / name).read_bytes(), language_of(name)) for name in SAMPLES]
    one_by_one = [located(source, language) for source, language in sources]
    parsing._reader.cache_clear()
    for language in {language for _, language in sources if LANGUAGES[language].wheel}:
        monkeypatch.setattr(parsing._reader(language).units, "_containers", frozenset())
    assert one_by_one == [located(source, language) for source, language in sources]
    parsing._reader.cache_clear()


def test_a_signature_is_short_where_there_is_no_body() -> None:
    assert [s.signature for s, _, _ in located(b"# One\ntext\n## Sub ##\nmore\n", "markdown")] == ["# One", "## Sub ##"]
    assert [s.name for s, _, _ in located(b"## Sub ##\nmore\n", "markdown")] == ["Sub"]
    assert [s.signature for s, _, _ in located(b"a:\n  b: 1\n", "yaml")] == ["a"]


def test_what_is_found_does_not_depend_on_what_was_read_before() -> None:
    """Units are remembered by content; a comment before one must not become part of it elsewhere."""
    item = b"/// Doc.\nfn a() {}\n"
    for lead, first in ((b"fn b() {} ", 2), (b"\n", 2), (b"// plain\n", 2)):
        lines = [line for s, line, _ in located(lead + item, "rust") if s.name == "a"]
        assert lines in ([first], [1], [2])
        assert lines == [line for s, line, _ in located(lead + item + b"\n", "rust") if s.name == "a"]


def summary(found: Outline) -> list[tuple[int, int, tuple[Symbol, ...]]]:
    return [(place.row, place.start, place.unit.symbols) for place in found.places]


PIECES = st.sampled_from(
    [
        b"fn a() {\n", b"}\n", b"    let x = 1;\n", b"struct S;\n", b"impl S {\n", b"mod m {\n", b"#[test]\n",
        b"/// doc\n", b"\n", b"use z;\n", b"cfg! {\n", b"    pub fn b(&self) {}\n", b"fn c() {}\n", b"/* x\n", b"*/\n",
    ]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.lists(PIECES, max_size=14), min_size=2, max_size=4))
def test_parsing_from_the_version_before_changes_nothing(versions: Sequence[list[bytes]]) -> None:
    import difflib

    before: Outline | None = None
    lines: list[bytes] = []
    for version in versions:
        patch = "".join(
            list(difflib.unified_diff([one.decode() for one in lines], [one.decode() for one in version], n=1))[2:]
        )
        source = b"".join(version)
        found = outline(source, "rust", "x.rs", before, Edits.of_patch(patch).edits)
        anew = outline(source, "rust", "x.rs")
        assert (found is None) == (anew is None)
        if found is None or anew is None:
            return
        assert summary(found) == summary(anew)
        before, lines = found, version
