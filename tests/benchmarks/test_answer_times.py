"""Questions where symbols are, and the time that answers take."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from benchmarks.answer_times import main, questions_about
from core.errors import StageError
from index.code_index import CodeIndex
from tests.services.conftest import BASKET, ON_LOOPBACK


def test_symbols_are_asked_for_by_name_and_by_docstring(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "shop")
    repo.commit("begin", {"basket.py": BASKET, "plain.py": "def plain():\n    return 1\n"})
    with closing(CodeIndex(repo.path / ".git", tmp_path / "cache")) as index:
        index.update("HEAD")
        found = list(questions_about(index, 0, 40))
        assert set(found[::2]) == {
            "Where is this: Reduce the total of a large order by a tenth.",
            "Where is this: Take the money for a basket.",
        }
        assert {"Where is plain defined?", "Where is checkout defined?"} <= set(found[1::2])
        assert found == list(questions_about(index, 0, 40)) != list(questions_about(index, 1, 40))
    repo.commit("without", {"basket.py": "def plain():\n    return 1\n"})
    with closing(CodeIndex(repo.path / ".git", tmp_path / "cache")) as index:
        index.update("HEAD")
        with pytest.raises(StageError, match="no symbol of this repository has a docstring"):
            list(questions_about(index, 0, 1))


@pytest.mark.slow
@ON_LOOPBACK
def test_a_service_is_started_asked_and_ended(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "shop")
    repo.commit("begin", {"basket.py": BASKET})
    done = CliRunner().invoke(main, ["--repo", str(repo.path), "--questions", "4"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "2 symbols" in done.output
    assert "wait of 4 questions: median" in done.output
    assert "CPU time of 4 questions: median" in done.output
