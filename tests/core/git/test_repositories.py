"""Which places are opened as repositories, and what is said of those that are not."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import pytest
from builders import Program, Repo

from core.errors import UserError
from core.git.names import by_folder
from core.git.repositories import open_repository, state

DASHED = ["--upload-pack=touch ran@host:y", "--server-option=a@host:y", "-oProxyCommand=x", "-"]


@pytest.mark.parametrize("location", DASHED)
def test_what_git_would_take_for_an_option_is_refused(location: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="begins with a dash"):
        open_repository(location, tmp_path)
    with pytest.raises(UserError, match="begins with a dash"):
        state(location, ["branches"])


@pytest.mark.parametrize("location", DASHED)
def test_so_is_a_line_of_a_list(location: str, tmp_path: Path) -> None:
    (tmp_path / "repos.txt").write_text(f"https://example.org/a\n{location}\n")
    with pytest.raises(UserError, match="begins with a dash"):
        by_folder([str(tmp_path / "repos.txt")])


def test_a_folder_within_a_repository_stands_for_all_of_it(
    history: Repo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deep = history.path / "pkg" / "new"
    deep.mkdir()
    (tmp_path / "link").symlink_to(deep)
    with caplog.at_level(logging.INFO, "gitlore"):
        for place in (deep, tmp_path / "link", deep):
            opened = open_repository(str(place), tmp_path)
            assert (opened.location, opened.git_dir) == (str(history.path), history.path / ".git")
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"{place} is a folder within a repository; all of {history.path} is read"
                    for place in (deep, tmp_path / "link")]  # fmt: skip
    assert state(str(deep), ["branches"]) == state(str(history.path), ["branches"])
    caplog.clear()
    open_repository(str(history.path), tmp_path)
    assert not caplog.records


def test_a_file_does_not_stand_for_its_repository(history: Repo, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a git repository"):
        open_repository(str(history.path / "pkg" / "part_0.py"), tmp_path)


def test_a_path_that_is_not_utf8_is_a_sentence(history: Repo, program: Program) -> None:
    place = program.folder / os.fsdecode(b"caf\xe9")
    history.path.rename(place)
    for call in (("git_scraper.py", "--repo", str(place)), ("predict.py", "--repo", str(place), "--task", "x")):
        done = program.run(*call)
        assert done.returncode == 2
        assert re.search(r"caf\\xe9\"? is not UTF-8", done.stderr)
        assert "Traceback" not in done.stderr
    outside = program.run("git_scraper.py", "--repo", ".", "--output", f"{place}/commits.json")
    assert (outside.returncode, "is not UTF-8" in outside.stderr) == (2, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_url_of_another_owners_folder_says_how_to_allow_it(
    history: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # nobody has allowed it yet
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for path in (history.path, history.path / ".git"):
        os.chown(path, 65534, 65534)
    with pytest.raises(UserError, match="dubious ownership") as caught:
        open_repository(history.path.as_uri(), tmp_path / "cache")
    assert f"git config --global --add safe.directory {history.path}" in caught.value.hint
    open_repository(str(history.path), tmp_path)
