"""Functions are known by their heads alone where no word in them begins a definition."""

from __future__ import annotations

import pytest

from core.chunking.outline import Symbol
from core.chunking.parsing import outline

# In place of WORD, a comment with one of the words that begin a definition has all of the tree searched.
_FUNCTIONS = {
    "rust": """\
/// Doubles.
#[inline]
pub fn f<T>(a: T) -> T
where
    T: Copy,
{
    // WORD
    const A: u8 = 1;
    a
}
""",
    "python": '''\
@cached
async def f(
    a: int = 1,
) -> int:
    """Doubles."""
    # WORD
    return a
''',
    "go": """\
package a

// Doubles.
func (one *Set[T]) f(a int) (int, error) {
\t// WORD
\tvar b = a
\treturn b, nil
}
""",
}


def symbols(source: str, language: str) -> list[Symbol]:
    found = outline(source.encode(), language, "x")
    assert found is not None
    return [found.symbol(one) for one in found.owners()]


@pytest.mark.parametrize("language", _FUNCTIONS)
def test_a_function_is_the_same_by_its_head_as_by_all_of_its_tree(language: str) -> None:
    word = "def " if language == "python" else "type"
    by_head, searched = (symbols(_FUNCTIONS[language].replace("WORD", one), language) for one in ("none", word))
    assert by_head == searched
    assert [(one.name, one.doc) for one in by_head] == [("f", "Doubles.")]


@pytest.mark.parametrize(
    ("language", "inner", "name"),
    [
        ("rust", "fn a() {}", "a"),
        ("rust", "struct A;", "A"),
        ("rust", "union A { b: u8 }", "A"),
        ("rust", "enum A { B }", "A"),
        ("rust", "trait A {}", "A"),
        ("rust", "impl A {}", "A"),
        ("rust", "mod a {}", "a"),
        ("rust", "macro_rules! a { () => {} }", "a"),
        ("rust", "type A = u8;", "A"),
        ("python", "def a(): pass", "a"),
        ("python", "async  def a(): pass", "a"),
        ("python", "class\tA: pass", "A"),
        ("go", "type A = int", "A"),
        ("go", "type ( A struct { b int } )", "A"),
    ],
)
def test_what_is_defined_in_a_function_is_found(language: str, inner: str, name: str) -> None:
    heads = {
        "rust": "fn f() {\n    %s\n}\n",
        "python": "def f():\n    %s\n",
        "go": "package a\n\nfunc f() {\n\t%s\n}\n",
    }
    assert [one.name for one in symbols(heads[language] % inner, language)] == ["f", name]


def test_a_constant_inside_an_enum_is_found() -> None:
    """It is no variable, as one in a function is."""
    assert [one.name for one in symbols("enum E { A = { const B: isize = 1; B } }\n", "rust")] == ["E", "B"]


def test_sections_are_found_wherever_they_are_in_a_section() -> None:
    source = "intro\n\n# A\ntext\n\n* x\n\n  # B\n\n> # C\n\n## D\n\n### E\ntext\n\n## F\n# G\n"
    found = [(one.qualified_name, one.first, one.last) for one in symbols(source, "markdown")]
    assert found == [
        ("A", 0, 14),
        ("A > B", 5, 6),
        ("A > C", 7, 7),
        ("A > D", 9, 13),
        ("A > D > E", 11, 13),
        ("A > F", 14, 14),
        ("G", 0, 0),
    ]
