"""Names of a repository: for people, and for its folder."""

from __future__ import annotations

import pytest

from core.git.names import display_name, folder_name


@pytest.mark.parametrize(
    ("location", "git_dir", "name"),
    [
        ("https://user:secret@github.com/a/block.git", "/cache/block-1234.git", "block"),
        ("https://github.com/a/block/", "", "block"),
        (".", "/home/ada/My Project/.git", "My Project"),
        ("mirrors/block.git", "/srv/mirrors/block.git", "block"),
        ("block, tokio", "", "block, tokio"),  # several histories as one
    ],
)
def test_reports_show_the_name_of_the_repository(location: str, git_dir: str, name: str) -> None:
    assert display_name(location, git_dir) == name


@pytest.mark.parametrize(
    ("location", "name"),
    [("https://host/a/My%20Project.git", "My-20Project"), ("/srv/My Project", "My-Project"), ("/", "repository")],
)
def test_a_folder_gets_a_name_that_every_system_can_hold(location: str, name: str) -> None:
    assert folder_name(location) == name
