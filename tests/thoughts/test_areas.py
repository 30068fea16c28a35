"""Areas: what can be one, which files are in it, and how studies get them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from core.config import StudyConfig
from core.errors import UserError
from core.git.repositories import open_repository
from thoughts import areas, kinds
from thoughts.kind import Input
from thoughts.rendering import input_words
from thoughts.studying import opened


def test_folders_are_named_as_git_does_and_once() -> None:
    assert areas.checked(["src/", "./libs//core", "libs/core/.", "src"]) == ("src", "libs/core")
    assert areas.checked([]) == ()


@pytest.mark.parametrize("wrong", ["/src", "../src", "src/../lib", "", ".", "a\nb", "caf\udce9"])
def test_what_can_be_no_folder_of_a_repository_is_refused(wrong: str) -> None:
    with pytest.raises(UserError, match="is no folder within a repository"):
        areas.checked([wrong])


@pytest.mark.parametrize(
    ("path", "area", "is_in"),
    [
        ("src/a.py", "src", True),
        ("src/a/b.py", "src/a", True),
        ("srcs/a.py", "src", False),
        ("lib/src/a.py", "src", False),
        ("src", "src", False),
        ("a.py", "", True),
    ],
)
def test_files_are_in_the_folders_above_them(path: str, area: str, is_in: bool) -> None:
    assert areas.is_below(path, area) is is_in


@pytest.mark.parametrize(
    ("given", "area"),
    [({"path": "src/a"}, "src/a"), ({"path": ""}, ""), ({"path": ["src"]}, ""), ({"commit": "c"}, "")],
)
def test_a_job_is_about_the_folder_that_its_input_names(given: Input, area: str) -> None:
    assert areas.area_in(given) == area


def test_a_folder_is_looked_for_in_the_commit(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("deep")
    commit = repo.commit("begin", {"services/payments/a.py": "x = 1\n", "a.py": "x = 1\n"})
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    for area in ("services", "services/payments", ""):
        assert areas.found(git_dir, commit, area) == area
    assert areas.found(git_dir, commit, "services/payments/") == "services/payments"
    with pytest.raises(UserError, match=r"no folder 'services/payment'(.|\n)*did you mean 'services/payments'"):
        areas.found(git_dir, commit, "services/payment")
    with pytest.raises(UserError, match=r"no folder 'a\.py'"):
        areas.found(git_dir, commit, "a.py")


def test_kinds_that_look_at_files_are_asked_for_each_area(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("two")
    repo.commit("begin", {"a/a.py": "x = 1\n", "b/b.py": "x = 1\n"})
    chosen = kinds.chosen(["risk", "smell_hunt", "summarize", "digest", "map_repo"])
    settings = StudyConfig(areas=("a/", "b"))
    with opened(str(repo.path), tmp_path, settings, kinds_known=chosen) as study:
        due = [(one.kind.name, areas.area_in(one.input)) for one in study.planned()]
    both = {(name, area) for name in ("risk", "smell_hunt", "summarize") for area in "ab"}
    assert sorted(due) == sorted({*both, ("digest", ""), ("map_repo", "")})
    with (
        pytest.raises(UserError, match="is no folder within a repository"),
        opened(str(repo.path), tmp_path, StudyConfig(areas=("..",)), kinds_known=chosen),
    ):
        pass


def test_a_long_area_is_not_cut_as_a_hash_is() -> None:
    area = "services/payments/providers/eu/invoices/x"
    assert input_words({"path": area}) == f"path {area}"
    assert input_words({"commit": "1f" * 20}) == f"commit {'1f' * 4}1"
