"""What a path reveals."""

from __future__ import annotations

import pytest
from builders import PROJECT

from core.code.languages import LANGUAGES, file_kind, file_type, is_manifest, language_of, module_path


@pytest.mark.parametrize(
    ("path", "kind", "language", "role"),
    [
        ("src/main.rs", "rs", "rust", "code"),
        ("README", "readme", "other", "documentation"),
        ("docs/a.MD", "md", "markdown", "documentation"),
        ("config.yaml", "yaml", "yaml", "configuration"),
        (".gitignore", "gitignore", "other", "configuration"),
        ("Makefile", "makefile", "make", "configuration"),
        ("CMakeLists.txt", "txt", "cmake", "configuration"),
        ("Rakefile", "rakefile", "ruby", "code"),
        ("data.bin", "bin", "other", "other"),
        ("a.tsx", "tsx", "tsx", "code"),
        (".bashrc", "bashrc", "shell", "code"),
    ],
)
def test_kinds_of_files(path: str, kind: str, language: str, role: str) -> None:
    assert (file_type(path), language_of(path), file_kind(path)) == (kind, language, role)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Cargo.toml", True),
        ("sub/requirements-dev.txt", True),
        ("requirements/base.in", True),
        ("package.json", True),
        ("go.mod", True),
        ("lib/x.gemspec", True),
        ("build-logic/src/main/kotlin/quality-conventions.gradle.kts", True),
        ("settings.gradle.kts", True),
        ("gradle/publish.gradle", True),
        ("src/main/kotlin/Gradle.kt", False),
        ("settings.json", False),
        ("cargo.toml.md", False),
    ],
)
def test_manifests(path: str, expected: bool) -> None:
    assert is_manifest(path) is expected


@pytest.mark.parametrize(
    ("path", "language", "module"),
    [
        ("crates/energy_market/src/disputes.rs", "rust", "energy_market::disputes"),
        ("energy_market/src/disputes/mod.rs", "rust", "energy_market::disputes"),
        ("tokio-util/src/codec/mod.rs", "rust", "tokio_util::codec"),
        ("src/tools/lint/src/rules/a.rs", "rust", "lint::rules::a"),
        ("src/lib.rs", "rust", ""),
        ("src/net/mod.rs", "rust", "net"),
        ("src/bin/tool.rs", "rust", "tool"),
        ("src/bin/tool/main.rs", "rust", "tool"),
        ("crates/x/tests/it.rs", "rust", "it"),
        ("tests/common/mod.rs", "rust", "common"),
        ("build.rs", "rust", "build"),
        ("src/pkg/module.py", "python", "pkg.module"),
        ("packages/a/src/pkg/__init__.py", "python", "pkg"),
        ("pkg/__init__.py", "python", "pkg"),
        ("pkg/sub/mod.py", "python", "pkg.sub.mod"),
        ("docs/guide/a.md", "markdown", "docs/guide"),
        ("a.md", "markdown", ""),
        (".", "markdown", ""),
        ("pkg/net/http.go", "go", "pkg/net"),
    ],
)
def test_module_paths(path: str, language: str, module: str) -> None:
    assert module_path(path, language) == module


def test_each_ending_and_name_belongs_to_one_language() -> None:
    endings = [one for language in LANGUAGES.values() for one in language.extensions.split()]
    names = [one for language in LANGUAGES.values() for one in language.names.split()]
    assert len(endings) == len(set(endings))
    assert len(names) == len(set(names))


def test_each_grammar_has_its_query_and_its_pin() -> None:
    pins = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
    for name, language in LANGUAGES.items():
        if language.wheel:
            assert (PROJECT / "core" / "code" / "queries" / f"{language.query or name}.scm").is_file()
            assert f"\n{language.wheel.replace('_', '-')}==" in pins


def test_each_query_belongs_to_a_language() -> None:
    used = {language.query or name for name, language in LANGUAGES.items() if language.wheel}
    assert {path.stem for path in (PROJECT / "core" / "code" / "queries").glob("*.scm")} == used
