"""Each line gets an answer in its place, also one that cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from builders import Repo, grow

from core.prediction import batch
from core.prediction.files import FileAsker
from core.prediction.question import Question
from index.repository import RepositoryIndex


def test_lines_are_answered_in_order(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("repo")
    grow(repo, 6)
    asker = FileAsker(str(repo.path), tmp_path / "cache", RepositoryIndex)

    def answers(*lines: object) -> list[dict[str, Any]]:
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        return list(batch.answered(asker, texts, Question(top=2)))

    head, first = repo.git("rev-parse", "HEAD"), repo.git("rev-list", "--max-parents=0", "HEAD")
    one, other, third = answers(
        {"id": "a", "task": "part"},
        "",
        {"id": 7, "at": first, "top": 1},
        {"changed": ["pkg/part_0.py"], "new_files": False},
    )
    assert (one["id"], one["at"], one["mode"], len(one["files"])) == ("a", head, "task", 2)
    assert (other["id"], other["at"], other["mode"], len(other["files"])) == (7, first, "history", 1)
    assert third["mode"] == "change"
    assert "pkg/part_0.py" not in [file["name"] for file in third["files"]]
    wrong = answers(
        {"id": 1, "at": "nothing"}, "{", {"id": 3, "tasks": "x"}, {"id": 4, "top": 0}, "x" * 2_000_000, {"id": 6}
    )
    assert [line["id"] for line in wrong] == [1, 2, 3, 4, 5, 6]
    assert ["error" in line for line in wrong] == [True, True, True, True, True, False]
    assert wrong[0]["error"] == "no commit is named 'nothing'"
