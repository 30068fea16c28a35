"""Symbols against oracles: Python's own ast, and a Rust file whose answer was written by hand."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from conftest import PROJECT

from core.languages import Symbol, file_change_type, file_type, language_of, module_path, symbols


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


PYTHON_FILES = [*PROJECT.glob("*.py"), *PROJECT.glob("core/*.py"), Path(ast.__file__), Path(pytest.__file__)]


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: path.name)
def test_python_symbols_equal_ast(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    ours = {(s.kind, s.qualified_name, s.first_line, s.last_line) for s in symbols(source.encode(), "python", "x.py")}
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
fn top_level() {}
#[latest]
fn no_test() {}
"""


def test_rust_symbols() -> None:
    found = {(s.kind, s.qualified_name, s.first_line, s.last_line, s.is_test) for s in symbols(RUST, "rust", "x.rs")}
    assert found == {
        ("struct", "Point", 4, 8, False),
        ("impl", "fmt::Display for Point<T>", 10, 17, False),
        ("function", "fmt::Display for Point<T>::fmt", 11, 16, False),
        ("function", "fmt::Display for Point<T>::fmt::inner", 14, 14, False),
        ("impl", "Point<u8>", 19, 21, False),
        ("function", "Point<u8>::zero2", 20, 20, False),
        ("enum", "Kind", 23, 23, False),
        ("trait", "Draw", 24, 24, False),
        ("type", "Draw::Out", 24, 24, False),
        ("function", "Draw::draw", 24, 24, False),
        ("constant", "LIMIT", 25, 25, False),
        ("constant", "NAME", 26, 26, False),
        ("type", "Alias", 27, 27, False),
        ("macro", "twice", 28, 28, False),
        ("module", "tests", 30, 36, True),
        ("function", "tests::works", 32, 33, True),
        ("function", "tests::helper", 35, 35, True),
        ("function", "top_level", 38, 39, True),
        ("function", "no_test", 40, 41, False),
    }


def test_outer_symbols_come_first() -> None:
    lines = [s.first_line for s in symbols(RUST, "rust", "x.rs")]
    assert lines == sorted(lines)


@pytest.mark.parametrize("source", [b"", b"\x00\xff fn", b"fn broken( {", b"def f(:\n  class"])
@pytest.mark.parametrize("language", ["rust", "python"])
def test_broken_source_is_survived(source: bytes, language: str) -> None:
    assert all(isinstance(symbol, Symbol) for symbol in symbols(source, language, "x"))


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("tests/test_a.py", "test_x", True),
        ("a_test.py", "test_x", True),
        ("pkg/a.py", "test_x", False),
        ("tests/test_a.py", "helper", False),
    ],
)
def test_pytest_tests(path: str, name: str, expected: bool) -> None:
    assert symbols(f"def {name}(): pass\n".encode(), "python", path)[0].is_test is expected


@pytest.mark.parametrize(
    ("path", "kind", "language", "change"),
    [
        ("src/main.rs", "rs", "rust", "other"),
        ("README", "readme", "other", "documentation"),
        ("docs/a.MD", "md", "markdown", "documentation"),
        ("Cargo.toml", "toml", "toml", "dependency"),
        ("sub/requirements-dev.txt", "txt", "text", "dependency"),
        ("config.yaml", "yaml", "yaml", "configuration"),
        (".gitignore", "gitignore", "other", "configuration"),
        ("Makefile", "makefile", "make", "configuration"),
        ("data.bin", "bin", "other", "other"),
    ],
)
def test_kinds_of_files(path: str, kind: str, language: str, change: str) -> None:
    assert (file_type(path), language_of(path), file_change_type(path)) == (kind, language, change)


@pytest.mark.parametrize(
    ("path", "language", "module"),
    [
        ("crates/energy_market/src/disputes.rs", "rust", "energy_market::disputes"),
        ("src/lib.rs", "rust", ""),
        ("src/net/mod.rs", "rust", "net"),
        ("src/pkg/module.py", "python", "pkg.module"),
        ("pkg/__init__.py", "python", "pkg"),
        ("docs/guide/a.md", "markdown", "docs/guide"),
        ("a.md", "markdown", ""),
    ],
)
def test_module_paths(path: str, language: str, module: str) -> None:
    assert module_path(path, language) == module
