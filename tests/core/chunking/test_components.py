"""Single-file components by the symbols of their scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from builders import Repo
from hypothesis import given
from hypothesis import strategies as st
from test_semantic_chunker import assert_sound, last

from core.chunking.components import scripts_of
from core.chunking.parsing import outline


def symbols(source: str, language: str = "vue") -> list[str]:
    """Kind, qualified name and lines of what is found."""
    found = outline(source.encode(), language, "x")
    assert found is not None
    named = [(found.symbol(one), found.rows(one)) for one in found.owners()]
    return [f"{symbol.kind} {symbol.qualified_name} {first + 1}-{last + 1}" for symbol, (first, last) in named]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<script>\nfunction f() {}\n</script>\n", ["function f 2-2"]),
        ("<script lang=ts>\ntype A = string\n</script>\n", ["type A 2-2"]),
        ("<script lang='tsx'>\nconst f = () => <b>a</b>\n</script>\n", ["function f 2-2"]),
        ("<script lang='jsx'>\nconst f = () => <b>a</b>\n</script>\n", ["function f 2-2"]),
        ('<script lang="ts" setup>\nconst f = <T>(a: T) => <T>a\n</script>\n', ["function f 2-2"]),
        ("<script>\nlet a;\n</script>\n<script lang='ts'>\nenum E { A }\n</script>\n", ["enum E 5-5"]),
        ("<script>\r\nfunction f() {\r\n}\r\n</script>\r\n", ["function f 2-3"]),
        ("<SCRIPT>\nfunction f() {}\n</SCRIPT >\n", ["function f 2-2"]),
        ('<script generic="T extends A<B>" lang="ts">\nfunction f(a: T) {}\n</script>\n', ["function f 2-2"]),
        ('<template><p v-if="a > b">{{ c }}</p></template><script>\nfunction f() {}\n</script>', ["function f 2-2"]),
        ("<script>\n// Doc.\nfunction f() {}\n", ["function f 2-3"]),
        ("<script>\nfunction f() {}\nfunction g( {\n</script>\n", ["function f 2-2"]),
    ],
)
def test_a_script_is_read_in_its_language(source: str, expected: list[str]) -> None:
    assert symbols(source) == expected
    assert symbols(source, "svelte") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("---\nconst f = (a: number): number => a;\n---\n<p>{f(1)}</p>\n", ["function f 2-2"]),
        ("\n---\r\n// Doc.\r\nfunction f() {}\r\n---\r\n<p />\r\n", ["function f 3-4"]),
        (
            "---\nenum E { A }\nif (!E.A) return Astro.redirect('/');\nfunction f() {}\n---\n",
            ["enum E 2-2", "function f 4-4"],
        ),
        ("---\n---\n<p/>\n<script>\nfunction f(a: string) {}\n</script>\n", ["function f 5-5"]),
        ("<p/>\n<script is:inline define:vars={{ a: { b: 1 } }}>\nfunction f() {}\n</script>\n", ["function f 3-3"]),
        ("<head>\n  <script>\n  interface A { b: 1 }\n  </script>\n</head>\n", ["interface A 3-3"]),
        ("---\nfunction f() {}\n", ["function f 2-2"]),
        ("<p>---</p>\n---\nfunction f() {}\n---\n", []),
    ],
)
def test_astro_has_a_script_in_front(source: str, expected: list[str]) -> None:
    assert symbols(source, "astro") == expected


@pytest.mark.parametrize(
    "source",
    [
        "",
        "<script",
        "<script src='a.js' />\nfunction f() {}\n",
        "<script src='a.js'></script>\nfunction f() {}\n",
        "<!--\n<script>\nfunction f() {}\n</script>\n-->\n",
        "<!--\n<script>\nfunction f() {}\n</script>\n",
        "<style>\n/* </script> */\n</style>\n<p>'<script>function f() {}</script>'</p>\n",
        "<template>\n  <script>\n  function f() {}\n  </script>\n</template>\n",
        "<script type='application/ld+json'>\nfunction f() {}\n</script>\n",
        "<script-loader>\nfunction f() {}\n</script-loader>\n",
        "<script lang='coffee'>\nfunction f() {}\n</script>\n",
    ],
)
def test_what_is_no_script_of_the_component_has_no_symbols(source: str) -> None:
    assert symbols(source) == []


def test_markup_that_is_never_closed_hides_no_script_at_the_margin() -> None:
    assert symbols("<template>\n  <template>\n</template>\n<script>\nfunction f() {}\n</script>\n") == [
        "function f 5-5"
    ]


@given(
    st.lists(
        st.sampled_from(
            [
                *"<>\"'{}/ \n\r",
                "é",
                "---\n",
                "<script",
                "</script>",
                "<template",
                "</template>",
                "<!--",
                "-->",
                "lang=ts",
                "a()",
            ]
        ),
        max_size=40,
    )
)
def test_every_byte_and_row_stays_where_it_is(parts: list[str]) -> None:
    source = "".join(parts).encode()
    _, code = scripts_of(source, "typescript")
    assert len(code) == len(source)
    assert all(new in (old, ord(" ")) for old, new in zip(source, code, strict=True))
    assert re.findall(rb"[\r\n]", code) == re.findall(rb"[\r\n]", source)


BEFORE = """<script setup lang="ts">
import { a } from './a'

function load(id: number) {
  return a(id)
}
</script>

<template>
  <p>{{ load(1) }}</p>
</template>
"""


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("A.vue", "return a(id)", "return a(id + 1)", ("modified_function", "function", "load")),
        ("A.svelte", "return a(id)", "return a(id + 1)", ("modified_function", "function", "load")),
        ("A.astro", "return a(id)", "return a(id + 1)", ("modified_function", "function", "load")),
        ("A.vue", "function load", "/** Loads. */\nfunction load", ("documentation", "function", "load")),
        ("A.vue", "  return a(id)", "    return a(id)", ("formatting", "function", "load")),
        ("A.vue", "load(1)", "load(2)", ("modified_module", "module", None)),
    ],
)
def test_a_change_is_that_of_the_scripts_symbol(
    make_repo: Callable[[str], Repo], path: str, old: str, new: str, expected: tuple[str, str, str | None]
) -> None:
    repo = make_repo("component")
    repo.commit("base", {path: BEFORE})
    repo.commit("edit", {path: BEFORE.replace(old, new)})
    assert_sound(repo)
    (chunk,) = last(repo).values()
    assert (chunk.change_type, chunk.symbol_kind, chunk.qualified_name) == expected
    assert chunk.language == path.split(".")[1]
