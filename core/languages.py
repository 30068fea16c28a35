"""What a path tells (language, kind of file, module) and what tree-sitter tells (symbols).

Adding a language with symbols: one entry in `GRAMMARS`, one file in `queries/`.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser, Query

GRAMMARS = {"rust": "tree_sitter_rust", "python": "tree_sitter_python"}
"""Languages whose symbols are known, and the wheel with their grammar."""

SYMBOL_KINDS = (
    "function",
    "struct",
    "enum",
    "trait",
    "impl",
    "class",
    "type",
    "constant",
    "macro",
    "module",
)

_LANGUAGES = {
    "rust": "rs",
    "python": "py pyi",
    "javascript": "js jsx mjs cjs",
    "typescript": "ts tsx mts cts",
    "go": "go",
    "java": "java",
    "kotlin": "kt kts",
    "c": "c h",
    "cpp": "cc cpp cxx hpp hh hxx",
    "csharp": "cs",
    "ruby": "rb rake gemspec",
    "php": "php",
    "swift": "swift",
    "scala": "scala",
    "shell": "sh bash zsh fish",
    "powershell": "ps1",
    "sql": "sql",
    "html": "html htm",
    "css": "css scss sass less",
    "markdown": "md markdown",
    "restructuredtext": "rst",
    "asciidoc": "adoc asciidoc",
    "text": "txt",
    "toml": "toml",
    "yaml": "yaml yml",
    "json": "json jsonc json5",
    "ini": "ini cfg conf properties editorconfig",
    "xml": "xml",
    "make": "mk",
    "dockerfile": "dockerfile",
    "protobuf": "proto",
    "lua": "lua",
    "perl": "pl pm",
    "r": "r",
    "haskell": "hs",
    "elixir": "ex exs",
    "zig": "zig",
    "nix": "nix",
    "vue": "vue",
    "svelte": "svelte",
}
_BY_EXTENSION = {extension: name for name, endings in _LANGUAGES.items() for extension in endings.split()}
_BY_NAME = {"makefile": "make", "dockerfile": "dockerfile", "justfile": "make", "rakefile": "ruby", "gemfile": "ruby"}
_DEPENDENCY = re.compile(
    r"(^|/)(cargo\.(toml|lock)|package(-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|go\.(mod|sum)|gemfile(\.lock)?"
    r"|pipfile(\.lock)?|poetry\.lock|uv\.lock|pdm\.lock|requirements[^/]*\.(txt|in)|pyproject\.toml|setup\.cfg"
    r"|pom\.xml|build\.gradle(\.kts)?|composer\.(json|lock))$",
    re.IGNORECASE,
)
_DOCUMENTATION_NAMES = frozenset(
    (
        *("readme", "license", "licence", "unlicense", "copying", "notice", "changelog", "changes", "history", "news"),
        *("authors", "contributors", "contributing", "todo", "install", "security", "code_of_conduct"),
    )
)
_DOCUMENTATION = frozenset(("markdown", "restructuredtext", "asciidoc", "text"))
_CONFIGURATION = frozenset(("toml", "yaml", "json", "ini", "xml", "make", "dockerfile", "nix"))


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named piece of a file. Lines are 1-based and include attributes, decorators and doc comments."""

    kind: str
    name: str
    qualified_name: str
    first_line: int
    last_line: int
    is_test: bool

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same symbol on the other side of a change."""
        return self.kind, self.qualified_name


def file_type(path: str) -> str:
    """Extension without the dot, in lower case; the file's name where it has none."""
    name = PurePosixPath(path).name.lower()
    stem, dot, extension = name.rpartition(".")
    return extension if dot and stem else name.lstrip(".")


def language_of(path: str) -> str:
    """Name of the language, "other" where the path does not tell."""
    kind = file_type(path)
    return _BY_EXTENSION.get(kind) or _BY_NAME.get(kind, "other")


def file_change_type(path: str) -> str:
    """Change type of a file without known symbols: dependency, configuration, documentation or other."""
    language, pure = language_of(path), PurePosixPath(path)
    if _DEPENDENCY.search(path):
        return "dependency"
    if language in _DOCUMENTATION or pure.name.lower().split(".")[0] in _DOCUMENTATION_NAMES:
        return "documentation"
    if language in _CONFIGURATION or pure.name.startswith("."):
        return "configuration"
    return "other"


def module_path(path: str, language: str) -> str:
    """The module a file stands for, written as its language does (`a::b`, `a.b`), else its folder."""
    parts = list(PurePosixPath(path).with_suffix("").parts)
    if language == "rust":
        parts = [part for part in parts if part not in ("src", "crates")]
        return "::".join(parts[:-1] if parts and parts[-1] in ("lib", "main", "mod") else parts)
    if language == "python":
        parts = parts[1:] if parts[0] == "src" else parts
        return ".".join(parts[:-1] if parts and parts[-1] == "__init__" else parts)
    folder = PurePosixPath(path).parent.as_posix()
    return "" if folder == "." else folder


def symbols(source: bytes, language: str, path: str) -> list[Symbol]:
    """All symbols of a source file, outer before inner, in the order of the file.

    `language` must be a key of `GRAMMARS`. Broken source gives what tree-sitter could still read.
    """
    tree = parser(language).parse(source)
    found = sorted(_matches(tree.root_node, language), key=lambda item: (item[1].start_byte, -item[1].end_byte))
    result: list[Symbol] = []
    open_scopes: list[tuple[int, Symbol]] = []
    separator = "::" if language == "rust" else "."
    for kind, node, name in found:
        while open_scopes and open_scopes[-1][0] <= node.start_byte:
            open_scopes.pop()
        outer = open_scopes[-1][1] if open_scopes else None
        first = _first_node(node, language)
        symbol = Symbol(
            kind=kind,
            name=name,
            qualified_name=f"{outer.qualified_name}{separator}{name}" if outer else name,
            first_line=first.start_point.row + 1,
            last_line=node.end_point.row + (1 if node.end_point.column else 0),
            is_test=(outer is not None and outer.is_test) or _is_test(kind, name, first, node, language, path),
        )
        result.append(symbol)
        open_scopes.append((node.end_byte, symbol))
    return result


def _matches(root: Node, language: str) -> Iterator[tuple[str, Node, str]]:
    """(kind, node, name) of each symbol; the order is not defined."""
    from tree_sitter import QueryCursor

    for _, captures in QueryCursor(_query(language)).matches(root):
        name = _text(captures["name"][0])
        if "scope" in captures:
            name = f"{_text(captures['scope'][0])} for {name}"
        kind = next(key for key in captures if key not in ("name", "scope"))
        yield kind, captures[kind][0], name


def _first_node(node: Node, language: str) -> Node:
    """The node that a person would say the symbol starts at: its first attribute, doc comment or decorator."""
    if language == "python":
        outer = node.parent
        return outer if outer is not None and outer.type == "decorated_definition" else node
    first = node
    while (before := first.prev_sibling) is not None and (
        before.type == "attribute_item"
        or (before.type in ("line_comment", "block_comment") and before.child_by_field_name("outer") is not None)
    ):
        first = before
    return first


def _is_test(kind: str, name: str, first: Node, node: Node, language: str, path: str) -> bool:
    if language == "python":
        file = PurePosixPath(path)
        in_test_file = file.name.startswith("test_") or file.stem.endswith("_test") or "tests" in file.parts
        return in_test_file and (name.startswith("test") if kind == "function" else name.startswith("Test"))
    attribute: Node | None = first
    while attribute is not None and attribute.id != node.id:
        if attribute.type == "attribute_item" and re.search(
            r"^#\s*\[\s*(\w+\s*::\s*)*(test|rstest|test_case|quickcheck|proptest)\b|^#\s*\[\s*cfg\s*\(.*\btest\b",
            _text(attribute),
        ):
            return True
        attribute = attribute.next_sibling
    return False


def _text(node: Node) -> str:
    return " ".join((node.text or b"").decode(errors="replace").split())


@functools.cache
def _grammar(language: str) -> Language:
    from tree_sitter import Language

    return Language(importlib.import_module(GRAMMARS[language]).language())


@functools.cache
def parser(language: str) -> Parser:
    """The tree-sitter parser of a language in `GRAMMARS`."""
    from tree_sitter import Parser

    return Parser(_grammar(language))


@functools.cache
def _query(language: str) -> Query:
    from tree_sitter import Query

    text = (Path(__file__).parent / "queries" / f"{language}.scm").read_text(encoding="utf-8")
    return Query(_grammar(language), text)
