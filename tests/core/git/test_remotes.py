"""Where a repository is published."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Repo

from core.git.remotes import published_at
from core.git.repositories import open_repository


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://github.com/a/b.git", True),
        ("git@gitlab.com:a/b.git", True),
        ("https://user:secret@github.com/a/b", True),
        ("https://git.example.org/a/b", False),
        ("/srv/github.com/b", False),
    ],
)
def test_a_remote_at_a_public_host_is_found(make_repo: Callable[..., Repo], url: str, public: bool) -> None:
    repo = make_repo()
    repo.git("remote", "add", "origin", url)
    where = published_at("/somewhere", str(open_repository(str(repo.path), repo.path).git_dir))
    assert bool(where) == public
    assert "secret" not in where


def test_the_location_counts_too_and_a_repository_that_is_gone_is_no_error() -> None:
    assert published_at("https://codeberg.org/a/b", "") == "https://codeberg.org/a/b"
    assert published_at("/somewhere", "/nowhere/at/all") == ""
