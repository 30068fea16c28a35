"""What a grammar does not know costs itself and none of its neighbours."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chunking.parsing import outline
from core.chunking.repairs import repaired


def names(source: str, language: str) -> list[str]:
    found = outline(source.encode(), language, "x")
    assert found is not None
    return [found.symbol(one).qualified_name for one in found.owners()]


C_SHARP = """namespace A
{{
    public class B
    {{
        public int First() {{ return 1; }}

{broken}
        public int Last() {{ return 2; }}
    }}

    public class C {{ }}
}}
"""
RUST = """mod a {{
    struct S;

    impl S {{
        fn first() {{}}

{broken}
        fn last() {{}}
    }}
}}

fn after() {{}}
"""
PYTHON = """class A:
    def first(self):
        return 1

{broken}
    def last(self):
        return 2


def after():
    return '''
not indented
'''
"""
SWIFT = """struct A {{
    func first() {{ }}

{broken}
    func last() {{ }}
}}

func after() {{ }}
"""
MOCHA = """describe('a', function () {{
  it('first', function () {{ f(1) }})

{broken}
  describe('b', function () {{
    it('last', function () {{ f(2) }})
  }})
}})
"""
GENERICS = """export interface A<
  out Output = unknown,
> extends B<Output> {{
  first(): void;
}}

{broken}
export function last() {{ return 1; }}
"""
SPACES = """namespace a {{

int first() {{ return 1; }}

{broken}
int second() {{ return 2; }}

int third() {{ return 3; }}

int fourth() {{ return 4; }}

}}  // namespace a
"""
WHOLE = {
    "javascript": (MOCHA, ["a", "a.first", "a.b", "a.b.last"]),
    "typescript": (GENERICS, ["A", "A.first", "last"]),
    "cpp": (SPACES, ["a", "a::first", "a::second", "a::third", "a::fourth"]),
    "csharp": (C_SHARP, ["A", "A.B", "A.B.First", "A.B.Last", "A.C"]),
    "rust": (RUST, ["a", "a::S", "a::S", "a::S::first", "a::S::last", "after"]),
    "python": (PYTHON, ["A", "A.first", "A.last", "after"]),
    "swift": (SWIFT, ["A", "A.first", "A.last", "after"]),
}


@pytest.mark.parametrize(
    ("language", "broken"),
    [
        ("csharp", "        int Broken(int a) {\n            if (a) {\n                B(1);\n        }\n"),
        ("csharp", "        gizmo broken<~> => with @@ {\n            $$ a ->> b <~ c\n        }\n"),
        ("csharp", '        int Broken(int a) {\n            B("a);\n        }\n        }\n'),
        ("rust", "        fn broken(a: u8) {\n            if a {\n                b(1);\n        }\n"),
        ("rust", "        fn broken(a: u8 {\n            b(1;\n        }\n"),
        ("rust", "        gizmo broken => with @@ {\n            $$ a ->> b <~ c\n"),
        ("javascript", "  function broken(a) {\n    if (a) {\n      b(1)\n  }\n"),
        ("javascript", "  gizmo broken<~> => with @@ {\n    $$ a ->> b <~ c\n  }\n"),
        ("typescript", "function broken(a: any {\n  b(1;\n}\n"),
        ("cpp", "int broken(int a) {\n  b(1);\n  }\n}\n"),
        ("cpp", "int broken(int a) {\n  if (a) {\n  b(1);\n}\n"),
        ("python", "    def broken(a:\n        b(1\n        return a\n"),
        ("python", "    gizmo broken <~> => with @@:\n        $$ a ->> b <~ c\n"),
        ("python", "    def broken(a):\n            b(1)\n        return [\n"),
        ("swift", "    func broken(a: Int) {\n        if a {\n            b(1)\n    }\n"),
        ("swift", "    func broken(a: Int) {\n        b(1)\n        }\n    }\n"),
        ("swift", "    gizmo broken<~> => with @@ {\n        $$ a ->> b <~ c\n    }\n"),
    ],
)
def test_a_broken_definition_costs_no_neighbour(language: str, broken: str) -> None:
    template, expected = WHOLE[language]
    assert names(template.format(broken=""), language) == expected
    assert [name for name in names(template.format(broken=broken), language) if "roken" not in name] == expected


def test_comments_and_conditions_around_a_broken_definition_do_no_harm() -> None:
    broken = (
        "#if A\nint first(void) { return 1; }\n#endif\n\n/* of\nbroken */\n"
        "int broken(int a {\n  if (a) {\n  b(1;\n\n// of last\nint last(void) { return 2; }\n"
    )
    assert [name for name in names(broken, "c") if name != "broken"] == ["first", "last"]


def test_what_parses_is_left_alone() -> None:
    source = b"def a():\n    return 1\n\n\nclass B:\n    pass\n"
    assert repaired(source, lambda _: True) == source


def test_what_does_not_parse_is_overwritten_and_nothing_else() -> None:
    source = b"fn a() {\n}\n\n@@ b {\n    @@\n}\n\nfn d() {\n}\n"
    assert repaired(source, lambda piece: b"@@" not in piece) == b"fn a() {\n}\n\n      \n      \n \n\nfn d() {\n}\n"


@given(
    st.lists(st.sampled_from(["a {", "    b", "    }", "}", "", "#if A", "'''", "        c(", "\r"]), max_size=40),
    st.integers(0, 3),
)
def test_every_byte_and_row_stays_where_it_is(lines: list[str], modulus: int) -> None:
    source = "\n".join(lines).encode()
    text = repaired(source, lambda piece: bool(modulus) and len(piece) % modulus == 0, [b"'''"])
    assert len(text) == len(source)
    assert [found.start() for found in re.finditer(rb"[\r\n]", text)] == [
        found.start() for found in re.finditer(rb"[\r\n]", source)
    ]
