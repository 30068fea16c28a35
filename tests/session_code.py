"""A repository with little code, for questions about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from builders import Repo

from index.code_index import CodeIndex

CODE = '''def open_session(user):
    """Open the session that belongs to a user."""
    return user.session


def close_session(user):
    return None
'''


def begun(make_repo: Callable[[str], Repo]) -> Repo:
    """A repository with that code, a test, and three files beside it."""
    made = make_repo("questions")
    others = {f"part{number}.py": f"def part{number}():\n    return {number}\n" for number in range(3)}
    made.commit("Begin", {"sessions.py": CODE, "tests/test_sessions.py": "def test(): ...\n", **others})
    return made


def known(repo: Repo, cache: Path) -> CodeIndex:
    """Its index, at HEAD."""
    index = CodeIndex(repo.path / ".git", cache)
    index.update("HEAD")
    return index
