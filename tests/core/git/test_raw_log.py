"""Commits without patches, as git lists them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Repo
from test_git_scraper_edges import made, tree

from core.git.raw_log import logged


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"\r\r\n"])
@pytest.mark.parametrize(
    ("lines", "title"),
    [
        ([b"Fix it", b"", b"Closes #3", b""], "Fix it"),
        ([b"", b"Fix it", b"in two lines", b"", b"", b"Body"], "Fix it in two lines"),
        (["Say\u2028this\x0cand\x85that".encode(), b""], "Say\u2028this\x0cand\x85that"),
        ([b"One line"], "One line"),
    ],
)
def test_titles_whatever_ends_their_lines(
    make_repo: Callable[[str], Repo], lines: list[bytes], title: str, end: bytes
) -> None:
    repo = make_repo("ends")
    tip = made(repo, tree(repo, []), end.join(lines))
    assert [commit.title for commit in logged(repo.path / ".git", tip)] == [title]
