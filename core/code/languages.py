"""From a path to its language, the kind of file, the module.

Adding a language: one entry in `LANGUAGES`; with symbols also one file in `queries/` and its grammar's
wheel in requirements.txt. docs/languages.md leads through it.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

FileKind = Literal["code", "configuration", "documentation", "other"]

SYMBOL_KINDS = (
    *("function", "class", "struct", "enum", "trait", "interface", "impl", "type", "constant", "macro", "module"),
    *("section", "table", "key"),
)
"""What a query file may capture: eleven kinds of code, then the parts of documents and settings."""


NEVER = r"(?!)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language by its files and, where symbols are known, by its grammar."""

    extensions: str = ""
    names: str = ""
    """Names of whole files, in lower case."""
    kind: FileKind = "code"
    wheel: str = ""
    """Module of the tree-sitter grammar; empty where the language has none."""
    entry: str = "language"
    """The wheel's function that returns the grammar."""
    query: str = ""
    """File in queries/, without .scm; that of the language's name unless set."""
    separator: str = "."
    """Between the names of a symbol and of what is around it."""
    wrappers: tuple[str, ...] = ()
    """Nodes around a definition that belong to it: decorators, export, template."""
    containers: tuple[str, ...] = ()
    """Definitions with a field `body` full of definitions; sections, which have others behind their heading."""
    nested: str = ""
    """Words that definitions inside functions begin with: regular expression, set where there are no others."""
    rest_of_file: tuple[str, ...] = ()
    """Definitions that, without a body, hold all that follows: namespaces of a whole file."""
    leading: tuple[str, ...] = ()
    """Nodes before a definition that belong to it: attributes, doc comments."""
    leading_text: str = ""
    """Regular expression that such a node must start with; any comment right above otherwise."""
    indented: bool = False
    """Indentation changes what code does."""
    incremental: bool = False
    """Parsing from the tree of another version was seen to give the same tree, over whole histories."""
    from_root: bool = False
    """The query names the way from the root, so that deeper nodes of the same type do not match."""
    preprocessor: Literal["", "macros", "conditions", "annotations"] = ""
    """What is taken away before the language's grammar holds: macros and conditions, these alone, or annotations."""
    long_quotes: tuple[str, ...] = ()
    """Around strings of several lines."""
    opening: str = ""
    """What a piece of a file needs above it to be code."""
    stray: str = ""
    """What closes a block and is a name to the grammar where there is none."""
    leaves_out: tuple[str, ...] = ()
    """Kinds of symbols whose changes are left out and counted: what a program wrote into the file."""
    scripts: Literal["", "javascript", "typescript"] = ""
    """The code is in `<script>` elements, in this language unless they name another; the rest is markup."""
    has_statements: bool = False
    """Symbols are what statements define; they are read without a grammar, since none knows all dialects."""
    too_deep: str = ""
    """What the grammar cannot survive; such a file is chunked as a whole."""
    test_head: str = NEVER
    """What makes a test: regular expression for the text before a symbol's body, with attributes, without comments."""
    test_doc: str = NEVER
    """The same for its doc comment."""
    test_path: str = NEVER
    """Files in which names make tests."""
    test_name: str = NEVER
    """Signatures of tests in such files, from their start."""
    test_member: str = NEVER
    """Signatures of tests directly in a class that is a test."""
    support_head: str = NEVER
    """What is no test whatever its name, such as a fixture: regular expression as in `test_head`."""

    @property
    def has_symbols(self) -> bool:
        """True where the parts of a file are known."""
        return bool(self.wheel) or self.has_statements

    @property
    def has_c_comments(self) -> bool:
        """Comments are written as in C."""
        return "//" in self.leading_text


_C_COMMENTS = r"/\*|//"
_CALLED_TESTS = r"^\s*(?:describe|it|test|suite)(?:\s*\(\s*[\"'`]|(?:\s*\.\s*\w+)+\s*[(<`])"
"""`it("adds", …)` and `test.each(…)`, not a method of such a name: `test(value) {`."""

LANGUAGES = {
    "rust": Language(
        extensions="rs",
        wheel="tree_sitter_rust",
        long_quotes=('"',),
        containers=("impl_item", "trait_item", "mod_item"),
        nested=r"(?:fn|struct|union|enum|trait|impl|mod|macro_rules|type)\b",
        incremental=True,
        separator="::",
        leading=("attribute_item", "line_comment", "block_comment"),
        leading_text=r"#|///(?!/)|/\*\*(?![*/])",
        test_head=r"(?:^|\])\s*#\s*\[\s*(?:\w+\s*::\s*)*(?:test|rstest|test_case|quickcheck|proptest|wasm_bindgen_test)\b"
        r"|(?:^|\])\s*#\s*\[\s*cfg\s*\((?![^\]]*\bnot\s*\(\s*test\b)(?:[^\]]*[(,\s])?test\s*[,)][^\]]*\]"
        r"(?:\s*#\s*\[[^\]]*\])*\s*(?:pub\b\s*(?:\([^)]*\)\s*)?)?mod\b",
    ),
    "python": Language(
        extensions="py pyi pyw",
        wheel="tree_sitter_python",
        long_quotes=('"""', "'''"),
        containers=("class_definition",),
        nested=r"(?:def|class)\b",
        indented=True,
        incremental=True,
        wrappers=("decorated_definition",),
        test_head=r"class\s+\w+\s*\([^)]*TestCase\b",
        test_path=r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests?/(?:.*/)?[^/]*)\.py$",
        test_name=r"(?:async )?def test|class Test",
        test_member=r"(?:async )?def test|class Test",
        support_head=r"^\s*@(?:\w+\.)*fixture\b",
    ),
    "javascript": Language(
        extensions="js jsx mjs cjs",
        wheel="tree_sitter_javascript",
        long_quotes=("`",),
        containers=("class_declaration",),
        wrappers=("export_statement", "expression_statement", "lexical_declaration", "variable_declaration"),
        leading=("comment",),
        leading_text=_C_COMMENTS,
        test_head=_CALLED_TESTS,
    ),
    "typescript": Language(
        extensions="ts mts cts",
        wheel="tree_sitter_typescript",
        long_quotes=("`",),
        containers=("class_declaration", "abstract_class_declaration", "interface_declaration"),
        entry="language_typescript",
        wrappers=(
            *("export_statement", "expression_statement", "ambient_declaration"),
            *("lexical_declaration", "variable_declaration"),
        ),
        leading=("comment", "decorator"),
        leading_text=_C_COMMENTS + "|@",
        test_head=_CALLED_TESTS,
    ),
    "tsx": Language(
        extensions="tsx",
        wheel="tree_sitter_typescript",
        long_quotes=("`",),
        containers=("class_declaration", "abstract_class_declaration", "interface_declaration"),
        entry="language_tsx",
        query="typescript",
        wrappers=(
            *("export_statement", "expression_statement", "ambient_declaration"),
            *("lexical_declaration", "variable_declaration"),
        ),
        leading=("comment", "decorator"),
        leading_text=_C_COMMENTS + "|@",
        test_head=_CALLED_TESTS,
    ),
    "go": Language(
        extensions="go",
        wheel="tree_sitter_go",
        long_quotes=("`",),
        nested=r"type\b",
        wrappers=("type_declaration", "const_declaration", "var_declaration"),
        leading=("comment",),
        leading_text=_C_COMMENTS,
        test_path=r"_test\.go$",
        test_name=r"func (?:(?:Test|Benchmark|Fuzz)(?![a-z])\w*\(\s*\w+ \*(?:\w+\.)?[TBF],?\s*\)"
        r"|Example(?![a-z])\w*\(\s*\)|\([^)]*\) Test(?![a-z])\w*\(\s*\))",
    ),
    "java": Language(
        extensions="java",
        wheel="tree_sitter_java",
        long_quotes=('"""',),
        containers=("class_declaration", "interface_declaration"),
        leading=("block_comment", "line_comment"),
        leading_text=_C_COMMENTS,
        test_head=r"@(?:\w+\.)*(?:Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate|Property)\b"
        r"|\bclass\s+\w+\s+extends\s+[\w.]*TestCase\b",
        test_member=r"(?:\w+ )*void test\w*\(\s*\)",
    ),
    "kotlin": Language(
        extensions="kt kts",
        wheel="tree_sitter_kotlin",
        long_quotes=('"""',),
        leading=("block_comment", "line_comment"),
        leading_text=_C_COMMENTS + "|@",
        preprocessor="annotations",
        test_head=r"@(?:\w+\.)*(?:Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate|Property)\b"
        r"|\bclass\s+\w+\s*(?:\([^)]*\)\s*)?:[^{]*\bTestCase\s*\(",
        test_member=r"(?:\w+ )*fun test\w*\(\s*\)",
    ),
    "c": Language(
        extensions="c h",
        wheel="tree_sitter_c",
        preprocessor="macros",
        separator="::",
        leading=("comment",),
        leading_text=_C_COMMENTS,
    ),
    "cpp": Language(
        extensions="cc cpp cxx c++ hpp hh hxx h++ ipp inl cu cuh",
        wheel="tree_sitter_cpp",
        preprocessor="macros",
        containers=("namespace_definition", "class_specifier", "struct_specifier"),
        separator="::",
        wrappers=("template_declaration",),
        leading=("comment",),
        leading_text=_C_COMMENTS,
        test_head=r"\b(?:TYPED_TEST(?:_P)?|TEST(?:_F|_P|_METHOD|_CASE(?:_METHOD|_FIXTURE|_TEMPLATE)?)?"
        r"|TEMPLATE_(?:\w+_)?TEST_CASE\w*|SCENARIO(?:_METHOD)?|BOOST_\w*TEST_CASE\w*)\s*\(",
    ),
    "csharp": Language(
        extensions="cs csx",
        wheel="tree_sitter_c_sharp",
        long_quotes=('"""', '"'),
        preprocessor="conditions",
        containers=("namespace_declaration", "class_declaration", "struct_declaration", "interface_declaration"),
        rest_of_file=("file_scoped_namespace_declaration",),
        leading=("comment",),
        leading_text=_C_COMMENTS,
        test_head=r"^\s*(?:\[[^\]]*\]\s*)*\[(?:[^\]]*,)?\s*(?:\w+\.)*(?:\w*(?:Fact|Theory)|Test|TestCase(?:Source)?"
        r"|(?:Data)?TestMethod|TestClass|TestFixture(?:Source)?)(?:Attribute)?\s*[](,]",
    ),
    "ruby": Language(
        extensions="rb rake gemspec ru",
        names="rakefile gemfile podfile vagrantfile",
        wheel="tree_sitter_ruby",
        stray="end",
        containers=("module", "class"),
        separator="::",
        leading=("comment",),
        leading_text="#",
        test_head=r"^\s*(?:RSpec\.)?(?:describe|context|feature|it|specify|scenario|test)\b(?!\s*=)"
        r"|^\s*class\s+\S+\s*<\s*\S*(?:TestCase|Minitest::Test)",
        test_path=r"_test\.rb$|(?:^|/)test_[^/]*\.rb$",
        test_name=r"def test_|class (?:Test|\w*Test\b)",
        test_member=r"def test_",
    ),
    "php": Language(
        extensions="php phtml",
        wheel="tree_sitter_php",
        long_quotes=('"', "'"),
        containers=("class_declaration", "trait_declaration", "interface_declaration"),
        entry="language_php",
        opening="<?php",
        separator="\\",
        leading=("comment",),
        leading_text=_C_COMMENTS + "|#",
        rest_of_file=("namespace_definition",),
        test_head=r"\bclass\s+\w+\s+extends\s+\S*TestCase\b|#\[[^\]]*\bTest\b",
        test_doc=r"^@test\b",
        test_member=r"(?:\w+ )*function test",
    ),
    "swift": Language(
        extensions="swift",
        wheel="tree_sitter_swift",
        long_quotes=('"""',),
        containers=("class_declaration", "protocol_declaration"),
        leading=("comment", "multiline_comment"),
        leading_text=_C_COMMENTS,
        test_head=r"\bclass\s+\w+\s*:[^{]*TestCase\b|\bextension\s+[\w.]+Tests?\b|@(?:Test|Suite)\b",
        test_member=r"(?:[\w@]+ )*func test\w*\(\s*\)",
    ),
    "shell": Language(
        extensions="sh bash zsh ksh bats",
        names="bashrc zshrc profile bash_profile",
        wheel="tree_sitter_bash",
        long_quotes=('"', "'"),
        leading=("comment",),
        leading_text=r"#(?!!)",
    ),
    "sql": Language(
        extensions="sql ddl psql pgsql plsql pks pkb pls pck prc fnc trg tps tpb tsql", has_statements=True
    ),
    "markdown": Language(
        extensions="md markdown mdown mkd",
        kind="documentation",
        wheel="tree_sitter_markdown",
        containers=("section",),
        incremental=True,
        separator=" > ",
    ),
    "toml": Language(extensions="toml", kind="configuration", wheel="tree_sitter_toml", from_root=True),
    "yaml": Language(
        extensions="yaml yml",
        names="clang-format clang-tidy",
        kind="configuration",
        wheel="tree_sitter_yaml",
        # Its scanner ends the process at some 250 levels, each of which takes a column.
        too_deep=r"(?m)^[ \t?-]{200}",
        leading=("comment",),
        from_root=True,
    ),
    "json": Language(
        extensions="json jsonc json5 webmanifest", kind="configuration", wheel="tree_sitter_json", from_root=True
    ),
    "notebook": Language(extensions="ipynb", wheel="tree_sitter_json", from_root=True, leaves_out=("key",)),
    "fish": Language(extensions="fish"),
    "powershell": Language(extensions="ps1 psm1"),
    "scala": Language(extensions="scala sc"),
    "objective-c": Language(extensions="m mm"),
    "html": Language(extensions="html htm"),
    "css": Language(extensions="css scss sass less"),
    "vue": Language(
        extensions="vue",
        wheel="tree_sitter_typescript",
        entry="language_typescript",
        query="typescript",
        scripts="javascript",
    ),
    "svelte": Language(
        extensions="svelte",
        wheel="tree_sitter_typescript",
        entry="language_typescript",
        query="typescript",
        scripts="javascript",
    ),
    "astro": Language(
        extensions="astro",
        wheel="tree_sitter_typescript",
        entry="language_typescript",
        query="typescript",
        scripts="typescript",
    ),
    "verilog": Language(extensions="v sv svh vh"),
    "coq": Language(),
    "v": Language(),
    "fsharp": Language(extensions="fs fsi fsx"),
    "glsl": Language(extensions="glsl vert frag"),
    "forth": Language(extensions="fth 4th"),
    "pascal": Language(extensions="pas dpr lpr"),
    "assembly": Language(extensions="asm s"),
    "turing": Language(),
    "matlab": Language(),
    "prolog": Language(),
    "lua": Language(extensions="lua"),
    "perl": Language(extensions="pl pm"),
    "r": Language(extensions="r"),
    "haskell": Language(extensions="hs"),
    "elixir": Language(extensions="ex exs"),
    "zig": Language(extensions="zig"),
    "dart": Language(extensions="dart"),
    "julia": Language(extensions="jl"),
    "protobuf": Language(extensions="proto"),
    "restructuredtext": Language(extensions="rst", kind="documentation"),
    "asciidoc": Language(extensions="adoc asciidoc", kind="documentation"),
    "text": Language(extensions="txt", kind="documentation"),
    "ini": Language(extensions="ini cfg conf properties editorconfig", kind="configuration"),
    "xml": Language(extensions="xml", kind="configuration"),
    "make": Language(extensions="mk", names="makefile gnumakefile justfile", kind="configuration"),
    "cmake": Language(extensions="cmake", names="cmakelists.txt", kind="configuration"),
    "dockerfile": Language(extensions="dockerfile", names="dockerfile containerfile", kind="configuration"),
    "nix": Language(extensions="nix", kind="configuration"),
    "other": Language(kind="other"),
}
"""Every language by name. One without a wheel is known by its files alone, and chunked by file."""

_BY_EXTENSION = {extension: name for name, one in LANGUAGES.items() for extension in one.extensions.split()}
_BY_NAME = {file: name for name, one in LANGUAGES.items() for file in one.names.split()}
_DEPENDENCY = re.compile(
    r"(?:^|/)(?:cargo\.(?:toml|lock)|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|go\.(?:mod|sum|work)"
    r"|gemfile(?:\.lock)?|[^/]*\.gemspec|pipfile(?:\.lock)?|poetry\.lock|uv\.lock|pdm\.lock"
    r"|(?:[^/]*[-_.])?requirements[^/]*\.(?:txt|in)|requirements/[^/]*\.(?:txt|in)|constraints[^/]*\.txt"
    r"|pyproject\.toml|setup\.cfg|pom\.xml|[^/]*\.gradle(?:\.kts)?|libs\.versions\.toml|composer\.(?:json|lock)"
    r"|[^/]*\.csproj|packages\.config|environment\.ya?ml|package\.swift|podfile)$",
    re.IGNORECASE,
)
_DOCUMENTATION_NAMES = frozenset(
    (
        *("readme", "license", "licence", "unlicense", "copying", "copyright", "notice", "changelog", "changes"),
        *("history", "news", "authors", "contributors", "contributing", "maintainers", "todo", "install", "security"),
        *("code_of_conduct", "codeofconduct"),
    )
)


@functools.lru_cache(maxsize=1 << 16)
def file_type(path: str) -> str:
    """Extension without the dot, in lower case; the file's name where it has none."""
    name = PurePosixPath(path).name.lower()
    stem, dot, extension = name.rpartition(".")
    return extension if dot and stem else name.lstrip(".")


@functools.lru_cache(maxsize=1 << 16)
def language_of(path: str) -> str:
    """Name of the language, "other" for unknown endings."""
    name = PurePosixPath(path).name.lower().lstrip(".")
    return _BY_NAME.get(name) or _BY_EXTENSION.get(file_type(path), "other")


@functools.lru_cache(maxsize=1 << 16)
def is_manifest(path: str) -> bool:
    """True for files in which a project declares its dependencies."""
    return bool(_DEPENDENCY.search(path))


@functools.lru_cache(maxsize=1 << 16)
def file_kind(path: str) -> FileKind:
    """Whether a file holds code, settings, documentation, or something else."""
    name = PurePosixPath(path).name
    kind = LANGUAGES[language_of(path)].kind
    if kind == "documentation" or (kind == "other" and name.lower().split(".")[0] in _DOCUMENTATION_NAMES):
        return "documentation"
    return "configuration" if kind == "other" and name.startswith(".") else kind


@functools.lru_cache(maxsize=1 << 16)
def module_path(path: str, language: str) -> str:
    """The module that a file stands for, as its language writes it (`a::b`, `a.b`), else its folder.

    Rust: the crate is the folder above the last `src`, with `_` for `-`; `lib.rs`, `main.rs` and
    `mod.rs` stand for their folder, and a file in `bin`, `tests`, `examples` or `benches` is a
    crate of its own. Python: the part below the last `src`, if there is one.
    """
    pure = PurePosixPath(path)
    parts = list((pure.with_suffix("") if pure.name else pure).parts)  # a broken tree may hold the name "."
    if language == "rust":
        return "::".join(_rust_module(parts))
    if language == "python":
        below = parts[_last(parts, "src") + 1 :]
        return ".".join(below[:-1] if below and below[-1] in ("__init__", "__main__") else below)
    folder = PurePosixPath(path).parent.as_posix()
    return "" if folder == "." else folder


def _rust_module(parts: list[str]) -> list[str]:
    source = _last(parts, "src")
    targets = max(_last(parts, name) for name in ("tests", "examples", "benches"))
    if source >= 0:
        crate, below = parts[max(source - 1, 0) : source], parts[source + 1 :]
        if below[:1] == ["bin"]:
            crate, below = [], below[1:]
    elif targets >= 0:
        crate, below = [], parts[targets + 1 :]
    else:
        crate, below = [], [part for part in parts if part != "crates"]
    if below and below[-1] in ("lib", "main", "mod"):
        below = below[:-1]
    return [part.replace("-", "_") for part in (*crate, *below)]


def _last(parts: list[str], name: str) -> int:
    """Index of the last folder of this name, -1 where there is none."""
    return max((place for place, part in enumerate(parts[:-1]) if part == name), default=-1)
