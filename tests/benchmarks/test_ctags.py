"""Symbols of files in symbols/, as their lines say, as the chunker finds them, and as ctags does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from benchmarks.ctags import Tag, compared, kinds_of, main, of_ctags, of_ours

FOLDER = Path(__file__).parent / "symbols"
FILES = {
    "c": "symbols.c", "cpp": "symbols.cc", "go": "symbols.go", "java": "Symbols.java", "javascript": "symbols.js",
    "rust": "symbols.rs", "typescript": "symbols.ts",
}  # fmt: skip
needs_ctags = pytest.mark.skipif(shutil.which("ctags") is None, reason="needs Universal Ctags")


def answers(source: bytes) -> set[Tag]:
    """What is said behind each line: `//= function main`."""
    lines = source.decode().splitlines()
    said = ((number, re.search(r"(?://|/\*)= (\w+) (\S+)", line)) for number, line in enumerate(lines, 1))
    return {Tag(one[1], one[2], number) for number, one in said if one}


@pytest.mark.parametrize("language", FILES)
def test_symbols_are_those_that_a_file_says(language: str) -> None:
    source = (FOLDER / FILES[language]).read_bytes()
    ours = {tag for tag in of_ours(source, language, FILES[language]) if tag.kind in kinds_of(language)}
    assert ours == answers(source)


@needs_ctags
@pytest.mark.parametrize("language", FILES)
def test_symbols_are_those_of_ctags(language: str) -> None:
    path = FILES[language]
    source = (FOLDER / path).read_bytes()
    theirs = of_ctags({path: source}, language)
    for kind in kinds_of(language):
        found = compared(kind, language, {path: answers(source)}, theirs)
        assert (found.missed, found.unconfirmed) == ([], [])


FUNCTIONS = "int f(int a) { return a; }\nint g(void);\nint TEST_ALL(f) { return 1; }\nnumber (h)(int a);\n"
"""ctags takes the last one for a function `number`."""


@needs_ctags
def test_the_command_prints_recall_precision_and_what_only_one_side_has(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("one")
    repo.commit("begin", {"src/a.c": FUNCTIONS, "src/b.h": "#define EMPTY\n#define TWO 2\n", "c.py": "x = 1\n"})
    done = CliRunner().invoke(main, ["c", str(repo.path), "--show", "9"])
    assert done.exit_code == 0, done.output
    assert [" ".join(line.split()) for line in done.output.splitlines()] == [
        "files: 2",
        "kind ctags ours recall precision",
        "function 3 3 0.667 0.667",
        "only ctags: src/a.c:4 number | number (h)(int a);",
        "only ours: src/a.c:4 h | number (h)(int a);",
        "macro 1 1 1.000 1.000",
    ]
    done = CliRunner().invoke(main, ["c", str(repo.path), "--under", "src/b"])
    assert done.output.startswith("files: 1\n")
    assert "function" not in done.output


@needs_ctags
def test_a_repository_without_the_language_is_an_error(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("one")
    repo.commit("begin", {"a.c": FUNCTIONS})
    done = CliRunner().invoke(main, ["java", str(repo.path)])
    assert done.exit_code == 2
    assert "has no file in Java" in done.output


@pytest.mark.parametrize("script", ["", "#!/bin/sh\necho Exuberant Ctags 5.8\n"])
def test_another_program_of_that_name_is_not_used(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if script:
        (tmp_path / "ctags").write_text(script)
        (tmp_path / "ctags").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(main, ["c", "."])
    assert done.exit_code == 2
    assert "Universal Ctags is not installed\n  hint: on Debian and Ubuntu: apt install universal-ctags" in done.output
