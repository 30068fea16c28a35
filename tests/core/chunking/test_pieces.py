# ruff: noqa: E501 - source code, a version in a line
"""What kind of change a symbol's lines show: layout, comments, order, code."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping

import pytest
from builders import Repo
from test_semantic_chunker import assert_sound, last

from core.records.chunks import Chunk

MakeRepo = Callable[[str], Repo]
_NUMBERS = itertools.count()

C = "#include <a.h>\n\n" + "".join(
    f"int f{n}(int a)\n{{\n  if (a)\n    return {n};\n  return a;\n}}\n\n" for n in range(4)
)
PYTHON = "import os\n\n\nclass A:\n    x = 1\n\n    def f(self, a):\n        if a:\n            return os\n        return 2\n"
CSHARP = (
    "using System;\n\nnamespace App.Core\n{\n    [Serializable]\n    public class Foo\n    {\n        int One(int x)\n"
    "        {\n            if (x > 1)\n            {\n                return x * 2;\n            }\n            return x;\n"
    "        }\n\n        int Two() { return 2; }\n    }\n\n    enum E { A, B }\n}\n"
)
PHP = "<?php\nnamespace App {\n    class A\n    {\n        function f($x)\n        {\n            return $x;\n        }\n    }\n}\n"
CPP = "namespace a {\n{int}\nint f(int x) {\n  if (x)\n    return 1;\n  return 0;\n}\n\nclass B {\n  int g() { return 2; }\n};\n}\n"
RUST = "mod a {\n    pub fn f(x: u8) -> u8 {\n        let y = x;\n        y + 1\n    }\n\n    struct S;\n}\n"


def dedented(text: str, first: int, end: int) -> str:
    """Some lines, one level further out."""
    return "".join(line.removeprefix("    ") for line in text.splitlines(keepends=True)[first:end])


def changed(make_repo: MakeRepo, path: str, before: str, after: str, message: str = "x") -> Mapping[str | None, Chunk]:
    """The chunks of a change by their new names; every line is in one of them, and message words change nothing."""
    repo = make_repo(f"kinds-{next(_NUMBERS)}")
    repo.commit("base", {path: before.encode()})
    repo.commit(message, {path: after.encode()})
    assert_sound(repo)
    return {name: chunk for (_, name), chunk in last(repo).items()}


LAYOUT = {
    "line ends to CRLF": ("a.c", C, C.replace("\n", "\r\n")),
    "line ends to LF": ("a.py", PYTHON.replace("\n", "\r\n"), PYTHON),
    "blanks to tabs": ("a.c", C, C.replace("  ", "\t")),
    "blanks to tabs in python": ("a.py", PYTHON, PYTHON.replace("    ", "\t")),
    "blanks at line ends": ("A.java", "class A {  \n  int f() { \n    return 1; \n  } \n}\n", "class A {\n  int f() {\n    return 1;\n  }\n}\n"),
    "indentation of a whole file": ("a.js", "function f(a) {\n  return a;\n}\nfunction g() {\n  f(1);\n}\n", "    function f(a) {\n      return a;\n    }\n    function g() {\n      f(1);\n    }\n"),
    "braces on their own lines": ("a.c", C, C.replace(")\n{", ") {")),
    "namespace of a file in C#": ("A.cs", CSHARP, "using System;\n\nnamespace App.Core;\n\n" + dedented(CSHARP, 4, 20)),
    "namespace block in C#": ("A.cs", "using System;\n\nnamespace App.Core;\n\n" + dedented(CSHARP, 4, 20), CSHARP),
    "namespace of a file in PHP": ("a.php", PHP, "<?php\nnamespace App;\n\n" + dedented(PHP, 2, 9)),
    "namespace indented in C++": ("a.cc", CPP.replace("{int}\n", ""), CPP.replace("{int}\n", "").replace("\n", "\n    ").replace("    }\n    ", "}\n").replace("return 0;\n}\n", "return 0;\n    }\n")),
    "module of Rust without indentation": ("a.rs", RUST, dedented(RUST, 0, 9)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUT)
def test_layout_alone_is_formatting(make_repo: MakeRepo, name: str) -> None:
    found = changed(make_repo, *LAYOUT[name], message="Fix crash in parser")
    assert found
    assert {(chunk.change_type, chunk.moved, chunk.renamed, chunk.modified) for chunk in found.values()} == {
        ("formatting", False, False, False)
    }


def test_names_stay_when_a_namespace_block_becomes_that_of_a_file(make_repo: MakeRepo) -> None:
    found = changed(make_repo, *LAYOUT["namespace of a file in C#"])
    assert set(found) == {"App.Core", "App.Core.Foo", "App.Core.Foo.One", "App.Core.Foo.Two", "App.Core.E"}
    assert not any(chunk.old_qualified_name for chunk in found.values())


def test_nested_namespaces_in_one(make_repo: MakeRepo) -> None:
    """The functions in `a::b` are where they were."""
    body = "int f() {\n  return 1;\n}\n\nint g(int x) {\n  return x;\n}\n"
    found = changed(
        make_repo,
        "a.cc",
        f"namespace a {{\nnamespace b {{\n{body}}}\n}}\n",
        "namespace a::b {\n" + body.replace("\n", "\n    ") + "\n}\n",
    )
    assert {name: chunk.change_type for name, chunk in found.items()} == {
        "a": "deleted_module",
        "a::b": "formatting",
        "a::b::f": "formatting",
        "a::b::g": "formatting",
    }


def test_a_module_that_goes_to_a_file_of_its_own_changes(make_repo: MakeRepo) -> None:
    found = changed(make_repo, "src/lib.rs", RUST, "mod a;\n")
    assert found["a"].change_type == "modified_module"
    found = changed(make_repo, "src/lib.rs", RUST, RUST.replace("mod a", "pub mod a"))
    assert found["a"].change_type == "modified_module"


CODE = {
    "a block under a new condition": (PYTHON.replace("        if a:\n            return os\n", "        run()\n        stop()\n"), PYTHON.replace("            return os\n", "            run()\n            stop()\n")),
    "a line into the block above": (PYTHON.replace("return os", "run()"), PYTHON.replace("return os", "run()").replace("        return 2", "            return 2")),
    "an order of statements": (PYTHON.replace("        return 2\n", "        b()\n        c()\n        d()\n"), PYTHON.replace("        return 2\n", "        c()\n        d()\n        b()\n")),
    "code commented out": (PYTHON.replace("        return 2", "        b()\n        return 2"), PYTHON.replace("        return 2", "        # b()\n        return 2")),
}  # fmt: skip


@pytest.mark.parametrize("name", CODE)
def test_code_is_not_formatting(make_repo: MakeRepo, name: str) -> None:
    found = changed(make_repo, "a.py", *CODE[name])
    assert {(name, chunk.change_type, chunk.moved) for name, chunk in found.items()} == {
        ("A.f", "modified_function", False)
    }


def test_code_between_comment_marks_is_no_code_any_more(make_repo: MakeRepo) -> None:
    """Git shows two lines of comments; the function has lost a statement."""
    before = "int f() {\n  a();\n  b();\n  return 1;\n}\n"
    found = changed(make_repo, "a.c", before, before.replace("  b();\n", "  /*\n  b();\n  */\n"))
    assert found["f"].change_type == "modified_function"


def test_statements_outside_symbols_in_another_order(make_repo: MakeRepo) -> None:
    found = changed(make_repo, "a.py", "a()\nb()\nc()\n", "b()\nc()\na()\n")
    assert found[None].change_type == "modified_module"


COMMENTS = {
    "a comment behind code": (C, C.replace("return 2;", "return 2; // two")),
    "comments and layout": (C, C.replace("return 2;", "return 2; // two").replace("\n", "\r\n")),
    "the marks of comments": (C.replace("int f2", "// about\nint f2"), C.replace("int f2", "/* about */\nint f2")),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_comments_alone_are_documentation(make_repo: MakeRepo, name: str) -> None:
    found = changed(make_repo, "a.c", *COMMENTS[name], message="Fix crash")
    assert found["f2"].change_type == "documentation"
    assert {chunk.change_type for chunk in found.values()} <= {"documentation", "formatting"}
    assert not any(chunk.moved for chunk in found.values())


FUNCTIONS = [f"int f{n}(int a)\n{{\n  call{n}(a, {n});\n  return other{n}(a);\n}}\n\n" for n in range(5)]


def test_moved_means_another_order_of_neighbours(make_repo: MakeRepo) -> None:
    a, b, c, d, e = FUNCTIONS
    found = changed(make_repo, "a.c", a + b + c + d + e, b + c + d + a + e)
    assert {name: (chunk.change_type, chunk.moved) for name, chunk in found.items() if name} == {"f0": ("move", True)}


def test_a_move_is_seen_while_all_lines_change(make_repo: MakeRepo) -> None:
    a, b, c, d, e = FUNCTIONS
    found = changed(make_repo, "a.c", a + b + c + d + e, (b + c + d + a + e).replace("\n", "\r\n"))
    assert {name for name, chunk in found.items() if chunk.moved} == {"f0"}
    assert {chunk.change_type for name, chunk in found.items() if name != "f0"} == {"formatting"}


def test_lines_that_shift_are_no_move(make_repo: MakeRepo) -> None:
    """Everything before the function goes, and all of the function's own lines change."""
    a, b, c, *_ = FUNCTIONS
    found = changed(make_repo, "a.c", a * 1 + b + c, c.replace("call2", "call9").replace("  ", "\t").replace("{", "{ "))
    assert (found["f2"].change_type, found["f2"].moved) == ("modified_function", False)


def test_members_in_another_order(make_repo: MakeRepo) -> None:
    methods = [f"    def m{n}(self):\n        first{n}()\n        return second{n}()\n\n" for n in range(4)]
    before, after = ("class A:\n" + "".join(methods[n] for n in order) for order in ([0, 1, 2, 3], [1, 2, 3, 0]))
    found = changed(make_repo, "a.py", before, after)
    assert {name for name, chunk in found.items() if chunk.moved} == {"A.m0"}


def test_who_moved_is_who_git_shows(make_repo: MakeRepo) -> None:
    """Of two that change places, the longer one keeps its lines."""
    long = "int long_one(int a)\n{\n" + "".join(f"  step{n}(a);\n" for n in range(20)) + "  return a;\n}\n\n"
    for before, after in ((FUNCTIONS[0] + long, long + FUNCTIONS[0]), (long + FUNCTIONS[0], FUNCTIONS[0] + long)):
        found = changed(make_repo, "a.c", before, after)
        assert {name for name, chunk in found.items() if chunk.moved} == {"f0"}


@pytest.mark.parametrize("seed", range(3))
def test_layout_never_moves_or_modifies(make_repo: MakeRepo, seed: int) -> None:
    """Whatever blanks change, in a language that does not read them."""
    dice = random.Random(seed)
    before = "".join(dice.sample(FUNCTIONS, 5))
    after = "".join(
        " " * dice.randrange(3) + line.strip() + " " * dice.randrange(2) + "\n" for line in before.split("\n")
    )
    found = changed(make_repo, "a.c", before, after, message="Fix crash")
    assert {(chunk.change_type, chunk.moved) for chunk in found.values()} == {("formatting", False)}
