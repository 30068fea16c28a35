"""The tables of `python -m benchmarks.files`."""

from __future__ import annotations

from collections.abc import Callable

from builders import Program, Repo, grow


def test_repositories_are_listed_and_pooled(make_repo: Callable[[str], Repo], program: Program) -> None:
    for name in ("first", "second"):
        grow(make_repo(name), 8)
    places = [str(program.folder.parent / name) for name in ("first", "second")]
    done = program.run("-m", "benchmarks.files", *places, "--commits", "4", "--cache-dir", "cache")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("routine commits: ")
    assert [line for line in lines if line.startswith("**")] == [
        "**With the title** (right at 1 / at 5)",
        "**With the title, without words of the paths** (right at 1 / at 5)",
        "**Without any text** (right at 1 / at 5)",
        "**The forgotten file, given the others** (right at 1 / at 5)",
    ]
    assert len([line for line in lines if line.startswith("| first | 4 |")]) == 4
    assert len([line for line in lines if line.startswith("| pooled | 8 |")]) == 4
