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
RUBY = """module A
  class B
    def first
      1
    end

{broken}
    def last
      2
    end
  end
end

def after
end
"""
WHOLE = {
    "ruby": (RUBY, ["A", "A::B", "A::B::first", "A::B::last", "after"]),
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
        ("ruby", "    def broken(a)\n      b(1)\n      end\n    end\n"),
        ("ruby", "    broken.each do |a|\n      b(a)\n    end\n    end\n"),
        ("ruby", "    if broken\n    end end end\n"),
        ("ruby", "    def broken(a\n      b(1)\n    end\n"),
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


AROUND = {
    "a quote behind a string that is never closed": (
        "rust",
        """fn broken(a: u8) {
    b("a);
}

mod m {
    pub enum A {}

    pub enum B {}
}

/// 5" wide.
pub trait C {
    fn f();
}
""",
        ["m", "m::A", "m::B", "C", "C::f"],
    ),
    "a string of several lines behind it": (
        "javascript",
        """function broken() {
  b(`a);
}

class M {
  f() {}

  g() {}
}

function last() {
  c(`of {
    lines`);
}

function after() {}
""",
        ["M", "M.f", "M.g", "last", "after"],
    ),
    "a quote behind it in a comment": (
        "php",
        """<?php
class A {
    function broken() {
        b("a);
    }

    function f() {
        return 1;
    }

    // 5" wide
    function g() {
        return 2;
    }
}
""",
        ["A", "A\\f", "A\\g"],
    ),
    "a comment whose text is at the margin": (
        "rust",
        """mod m {
    /*
Words (
*/
    fn first() {}

    fn broken(a: u8) {
        if a {
            b(1);
    }

    fn last() {}
}
""",
        ["m", "m::first", "m::last"],
    ),
    "a comment with a brace": (
        "javascript",
        """class A {
  /*
It is {
  */
  first() {}

  broken(a) {
    if (a) {
      b(1)
  }

  last() {}
}
""",
        ["A", "A.first", "A.last"],
    ),
    "a comment with a bracket": (
        "java",
        """/*
Words (
*/
class A {
    /*
It's {
*/
    void first() {}

    void broken(int a) {
        if (a) {
            b(1);
    }

    void last() {}
}
""",
        ["A", "A.first", "A.last"],
    ),
    "a brace below a declaration of several lines": (
        "c",
        """extern "C" {

int first(int a);

int broken(int a) {
    if (a) {
        b(1);
}

int second(
    int a);

}
""",
        ["first", "second"],
    ),
    "a namespace behind a brace too many": (
        "cpp",
        """namespace a {

int broken(int a) {
  b(1);
  }
}

namespace b {

int f() { return 1; }

}
}
""",
        ["a", "a::b", "a::b::f"],
    ),
    "words behind the brace that ends a namespace": (
        "cpp",
        """namespace a {
int broken(int a) {
    }
}

namespace b {
    int f() { return 1; }

} // end of b
} // end of a
""",
        ["a", "a::b", "a::b::f"],
    ),
    "more of a namespace behind one in it at the margin": (
        "cpp",
        """namespace a {

namespace b {
    int f() { return 1; }
}

    int broken(int a) {
        b(1);
        }
    }

    int last() { return 2; }
}
""",
        ["a", "a::b", "a::b::f", "a::last"],
    ),
    "a namespace that is closed too early": (
        "cpp",
        """namespace {
int f() { return 1; }
}

namespace a {
    int broken(int a) {
        }
    }

    int g() { return 1; }

namespace b {
    int h() { return 1; }
} // b

int last() { return 2; }
} // a
""",
        ["f", "a", "a::g", "a::b", "a::b::h", "a::last"],
    ),
    "branches of a condition": (
        "c",
        """#if A
#define LOW 1
int broken(int a) {
  if (a) {
}
#else
#define HIGH 2
int other(void) { return 1; }
#endif
int last(void) { return 1; }
""",
        ["LOW", "HIGH", "other", "last"],
    ),
    "branches of a condition behind a brace too many": (
        "cpp",
        """#ifdef A
    namespace a {
        int f() { return 1; }
    }
#elif defined(B)
    int broken(int a) {
        }
    }
#else
    namespace b {
        int g() { return 1; }
    }
#endif
""",
        ["a", "a::f", "b", "b::g"],
    ),
    "settings in another branch": (
        "c",
        """#ifdef A
#ifdef B
#define SIZE 1
int broken(int a) {
  if (a) {
}
#else
#define SIZE 2
#endif
#else
#define WIDTH 3
#endif
""",
        ["SIZE", "SIZE", "WIDTH"],
    ),
}


@pytest.mark.parametrize("what", AROUND)
def test_what_is_around_a_broken_definition_does_no_harm(what: str) -> None:
    language, source, expected = AROUND[what]
    assert [name for name in names(source, language) if "broken" not in name] == expected


def test_comments_and_conditions_around_a_broken_definition_do_no_harm() -> None:
    broken = (
        "#if A\nint first(void) { return 1; }\n#endif\n\n/* of\nbroken */\n"
        "int broken(int a {\n  if (a) {\n  b(1;\n\n// of last\nint last(void) { return 2; }\n"
    )
    assert [name for name in names(broken, "c") if name != "broken"] == ["first", "last"]


def test_what_parses_is_left_alone() -> None:
    source = b"def a():\n    return 1\n\n\nclass B:\n    pass\n"
    assert list(repaired(source, lambda _: True)) == [source]


def test_what_does_not_parse_is_overwritten_and_nothing_else() -> None:
    source = b"fn a() {\n}\n\n@@ b {\n    @@\n}\n\nfn d() {\n}\n"
    (mended,) = repaired(source, lambda piece: b"@@" not in piece)
    assert mended == b"fn a() {\n}\n\n      \n      \n \n\nfn d() {\n}\n"


@given(
    st.lists(st.sampled_from(["a {", "    b", "    }", "}", "", "#if A", "'''", "        c(", "\r"]), max_size=40),
    st.integers(0, 3),
)
def test_every_byte_and_row_stays_where_it_is(lines: list[str], modulus: int) -> None:
    source = "\n".join(lines).encode()
    for text in repaired(source, lambda piece: bool(modulus) and len(piece) % modulus == 0, [b"'''"]):
        assert len(text) == len(source)
        assert [found.start() for found in re.finditer(rb"[\r\n]", text)] == [
            found.start() for found in re.finditer(rb"[\r\n]", source)
        ]
