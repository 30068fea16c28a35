"""Which grammar the versions of a file are read by."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Repo
from test_semantic_chunker import assert_sound, last


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        (
            "de.ts",
            '<?xml version="1.0"?>\n<TS>\n<source>A</source>\n</TS>\n',
            '<?xml version="1.0"?>\n<TS>\n<source>B</source>\n</TS>\n',
            ("xml", "configuration", "file", None),
        ),
        ("f.m", "function f(x)\n  x;\nend\n", "function f(x)\n  x + 1;\nend\n", ("matlab", "other", "file", None)),
        (
            "a.h",
            "class A {\n  int f() { return 1; }\n};\n",
            "class A {\n  int f() { return 2; }\n};\n",
            ("cpp", "modified_function", "function", "A::f"),
        ),
        (
            "run",
            "#!/usr/bin/python3\ndef f():\n    return 1\n",
            "#!/usr/bin/python3\ndef f():\n    return 2\n",
            ("python", "modified_function", "function", "f"),
        ),
        ("NOTES", "one\n", "two\n", ("other", "other", "file", None)),
    ],
)
def test_the_content_decides_where_the_path_does_not(
    make_repo: Callable[[str], Repo], path: str, before: str, after: str, expected: tuple[str, str, str, str | None]
) -> None:
    repo = make_repo("told")
    repo.commit("base", {path: before.encode()})
    repo.commit("edit", {path: after.encode()})
    assert_sound(repo)
    (chunk,) = last(repo).values()
    assert (chunk.language, chunk.change_type, chunk.symbol_kind, chunk.qualified_name) == expected


def test_a_header_may_become_another_language(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("turned")
    repo.commit("base", {"a.h": b"struct s {\n  int x;\n};\n\nint f(void);\n"})
    repo.commit("edit", {"a.h": b"struct s {\n  int x;\n};\n\nnamespace a {\nint g();\n}\n\nint f(void);\n"})
    assert_sound(repo)
    assert {(chunk.language, name) for (_, name), chunk in last(repo).items() if name} == {
        ("cpp", "a"),
        ("cpp", "a::g"),
    }
