"""Which tests change with a file, asked of cards and of simpler ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from builders import Repo
from click.testing import CliRunner

from benchmarks.tests_of import main, questions


def test_a_commit_of_one_source_file_and_its_tests_is_a_question(
    make_repo: Callable[[str], Repo], tmp_path: Path
) -> None:
    repo = make_repo("asked")
    test = "from shop import price_of, tax_of\n\n\ndef test_it():\n    assert price_of(1) > tax_of(1)\n"
    code = "def price_of(x):\n    return x\n\n\ndef tax_of(x):\n    return 0\n"
    repo.commit("begin", {"shop.py": code, "tests/test_all.py": test, "tests/test_shop.py": "\n"})
    before = repo.git("rev-parse", "HEAD")
    repo.commit("only code", {"shop.py": code.replace("return x", "return x + 1")})
    parent = repo.git("rev-parse", "HEAD")
    repo.commit("both", {"shop.py": code.replace("return x", "return x + 2"), "tests/test_all.py": test + "\n"})
    (one,) = questions(str(repo.path), tmp_path, 5)
    assert (one.commit, one.path, one.tests) == (parent, "shop.py", frozenset({"tests/test_all.py"}))
    assert [commit.hash for commit in one.before] == [before, parent]
    done = CliRunner().invoke(main, [str(repo.path), "--cache-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "| asked | 1 | 1.000 | 0.000 | 0.000 | 1.000 |" in done.stdout
    assert "card over called after it: +1.000" in done.stdout
