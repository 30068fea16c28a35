"""A second run reads only what is new, and its result is that of a run that reads everything."""

from __future__ import annotations

import importlib
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Program, Repo, Scraped, grow, scrape

import git_scraper
from core.errors import UserError
from core.history import writer

Change = Callable[[Repo], None]


def refreshed(repo: Repo, folder: Path, change: Change, **settings: object) -> tuple[Scraped, Scraped]:
    """(the refreshed result, the one from scratch) after a change of the repository."""
    before = scrape(repo.path, folder / "before", **settings)
    change(repo)
    return scrape(repo.path, folder / "after", last=before, **settings), scrape(repo.path, folder / "anew", **settings)


def add(repo: Repo) -> None:
    grow(repo, 3)


def amend(repo: Repo) -> None:
    repo.write({"README.md": "amended\n"})
    repo.git("commit", "-q", "-a", "--amend", "-m", "amended")


def rewind(repo: Repo) -> None:
    repo.git("reset", "-q", "--hard", "HEAD~4")


def rewrite_from_the_root(repo: Repo) -> None:
    repo.git("checkout", "-q", "--orphan", "anew")
    grow(repo, 4)
    repo.git("branch", "-q", "-M", "main")


def new_branch(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "a-side", "HEAD~5")
    repo.commit("on the side", {"side": "x\n"})


def tag_and_delete(repo: Repo) -> None:
    repo.git("tag", "v1", "HEAD~6")
    repo.git("branch", "-q", "-D", "feature")


def merge_something_old(repo: Repo) -> None:
    """A branch whose commits are older than what was read already."""
    clock = repo.clock
    repo.clock = 1_500_000_000
    repo.git("checkout", "-q", "-b", "old", "HEAD~8")
    repo.commit("old work", {"old": "1\n"})
    repo.commit("old work goes on", {"old": "2\n"})
    repo.clock = clock + 7200
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge old", "old")


def cherry_pick(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "picked", "HEAD~1")
    repo.clock += 3600
    repo.git("cherry-pick", "-x", "feature")


def repack(repo: Repo) -> None:
    repo.git("gc", "-q", "--prune=now")
    repo.git("pack-refs", "--all")


def drop_the_original_of_a_duplicate(repo: Repo) -> None:
    cherry_pick(repo)
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-q", "-D", "feature")


CHANGES = [
    add,
    amend,
    rewind,
    rewrite_from_the_root,
    new_branch,
    tag_and_delete,
    merge_something_old,
    cherry_pick,
    repack,
]


@pytest.fixture
def repo(history: Repo) -> Repo:
    """With a branch that lives on."""
    history.git("checkout", "-q", "-b", "feature", "HEAD~2")
    history.commit("feature\n\nFixes #7", {"feature": "x\n"})
    history.git("checkout", "-q", "main")
    return history


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("settings", [{}, {"expand_branches": True}, {"exclude_paths": ("*.md",), "bots": False}])
def test_refresh_equals_a_full_run(repo: Repo, tmp_path: Path, change: Change, settings: dict[str, object]) -> None:
    after, anew = refreshed(repo, tmp_path, change, **settings)
    assert after.text == anew.text
    index, fresh = ((one.folder / "commits.index").read_bytes() for one in (after, anew))
    assert index == fresh


def test_many_refreshes_in_a_row_equal_a_full_run(repo: Repo, tmp_path: Path) -> None:
    dice = random.Random(7)
    last = scrape(repo.path, tmp_path / "start")
    for step in range(12):
        change = dice.choice([add, amend, rewind, merge_something_old])
        if change is merge_something_old and repo.git("branch", "--list", "old"):
            repo.git("branch", "-q", "-D", "old")
        if int(repo.git("rev-list", "--first-parent", "--count", "HEAD")) < 12:
            grow(repo, 9)
        change(repo)
        last = scrape(repo.path, tmp_path / f"step{step}", last=last)
        assert last.text == scrape(repo.path, tmp_path / f"anew{step}").text, change


def test_only_new_commits_are_read(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = scrape(repo.path, tmp_path / "before")
    new = [repo.commit("one", {"n": "1\n"}), repo.commit("two", {"n": "2\n"})]
    asked: list[str] = []
    walk = git_scraper.Reader.read

    def read(self: git_scraper.Reader, hashes: object) -> object:
        asked.extend(listed := list(hashes))  # type: ignore[call-overload]
        return walk(self, listed)

    monkeypatch.setattr(git_scraper.Reader, "read", read)
    scrape(repo.path, tmp_path / "after", last=before)
    assert asked == new


@pytest.mark.parametrize("setting", [{"context_lines": 1}, {"extensions": (".rs",)}, {"incremental": False}])
def test_other_settings_read_everything(repo: Repo, tmp_path: Path, setting: dict[str, object]) -> None:
    before = scrape(repo.path, tmp_path / "before")
    after = scrape(repo.path, tmp_path / "after", last=before, **setting)
    assert not after.counts["of them from the last result"]
    assert after.text == scrape(repo.path, tmp_path / "anew", **setting).text


def test_vanished_commits_become_tombstones_until_they_are_back(
    repo: Repo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = scrape(repo.path, tmp_path / "first")
    assert first.tombstones == []
    lost = repo.git("rev-parse", "HEAD")
    amend(repo)
    repo.git("branch", "-q", "-D", "feature")
    second = scrape(repo.path, tmp_path / "second", last=first)
    by_hash = {line["commit"]["metadata"]["hash"]: line for line in second.tombstones}
    assert len(by_hash) == second.counts["vanished commits"] == 2
    assert by_hash[lost]["commit"]["diffs"]
    assert by_hash[lost]["vanished"].endswith("Z")
    assert "refs/heads/main was rewritten" in caplog.text
    assert "refs/heads/feature was deleted" in caplog.text
    add(repo)
    third = scrape(repo.path, tmp_path / "third", last=second)
    assert third.tombstones == second.tombstones
    repo.git("branch", "back", lost)
    fourth = scrape(repo.path, tmp_path / "fourth", last=third)
    assert [line["commit"]["metadata"]["hash"] for line in fourth.tombstones] == [h for h in by_hash if h != lost]


def test_a_narrower_scope_makes_no_tombstones(repo: Repo, tmp_path: Path) -> None:
    before = scrape(repo.path, tmp_path / "before")
    assert scrape(repo.path, tmp_path / "after", last=before, since="2020-09-14").tombstones == []


def test_objects_that_turn_up_again_are_read(repo: Repo, tmp_path: Path) -> None:
    whole = scrape(repo.path, tmp_path / "whole")
    lost = repo.git("rev-parse", "HEAD~3:src/lib.rs")
    path = repo.path / ".git" / "objects" / lost[:2] / lost[2:]
    content = path.read_bytes()
    path.unlink()
    without = scrape(repo.path, tmp_path / "without")
    assert without.head.missing_file_changes
    path.write_bytes(content)
    repo.git("tag", "something-moved")
    again = scrape(repo.path, tmp_path / "again", last=without)
    assert again.head.missing_file_changes == 0
    assert [commit.diffs for commit in again.commits] == [commit.diffs for commit in whole.commits]


def test_a_killed_run_resumes_from_its_checkpoint(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = scrape(repo.path, tmp_path / "plain")
    monkeypatch.setattr(writer, "CHECKPOINT_S", -1.0)
    written = writer.HistoryWriter._write
    left = 7

    def stop(self: writer.HistoryWriter, *arguments: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        written(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(writer.HistoryWriter, "_write", stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            scrape(repo.path, tmp_path / "out")
        left = 3
    left = 10**6
    done = scrape(repo.path, tmp_path / "out")
    assert done.text == plain.text
    assert done.counts["of them from the last result"] == 8


@pytest.mark.slow
def test_kills_at_any_moment_change_nothing(repo: Repo, program: Program) -> None:
    grow(repo, 30)
    arguments = ("--repo", str(repo.path), "--output", "out/commits.json")
    assert program.run("git_scraper.py", "--help").returncode == 0  # the first start is slow
    started = time.monotonic()
    assert program.run("git_scraper.py", *arguments[:3], "plain/commits.json").returncode == 0
    took_s = time.monotonic() - started
    dice = random.Random(3)
    for number in range(6):
        process = program.start("git_scraper.py", *arguments)
        time.sleep(took_s * (0.2 + 0.8 * dice.random()))
        if number % 2:
            process.kill_all()
        else:
            process.kill()
        process.communicate()
    assert program.run("git_scraper.py", *arguments).returncode == 0
    folders = [program.folder / name for name in ("plain", "out")]
    one, other = (Scraped(folder, {}, None).text for folder in folders)  # type: ignore[arg-type]
    assert one == other


def test_the_program_refreshes_and_force_does_not(repo: Repo, program: Program) -> None:
    arguments = ("--repo", str(repo.path), "--output", "out/commits.json")
    assert "from the last result" not in program.run("git_scraper.py", *arguments).stdout
    add(repo)
    assert "13 of them from the last result" in program.run("git_scraper.py", *arguments).stdout
    assert "from the last result" not in program.run("git_scraper.py", *arguments, "--no-incremental").stdout
    with (program.folder / "out" / "commits.json").open("ab") as file:
        file.write(b" ")  # no longer what was written
    assert "from the last result" not in program.run("git_scraper.py", *arguments).stdout
    (program.folder / "config.yaml").write_text(f'pipeline: {{outputs: out}}\ngit_scraper: {{repo: "{repo.path}"}}\n')
    forced = program.run("pipeline.py", "--until", "git_scraper", "--force")
    assert "from the last result" not in forced.stdout


@pytest.mark.parametrize("settings", [{}, {"exclude_authors": ("bob",)}, {"extensions": (".py", ".txt")}])
@pytest.mark.parametrize("stop", [1, 3])
def test_an_interrupted_refresh_counts_nothing_twice(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], stop: int
) -> None:
    bob = {"GIT_AUTHOR_NAME": "Bob", "GIT_AUTHOR_EMAIL": "bob@example.org"}
    repo.commit("by Bob", {"bob.txt": "x\n"}, **bob)
    before = scrape(repo.path, tmp_path / "before", **settings)
    merge_something_old(repo)
    written = writer.HistoryWriter._write
    left = stop

    def fail(self: writer.HistoryWriter, *arguments: object) -> None:
        nonlocal left
        written(self, *arguments)  # type: ignore[arg-type]
        left -= 1
        if not left:
            raise KeyboardInterrupt

    monkeypatch.setattr(writer.HistoryWriter, "_write", fail)
    with pytest.raises(KeyboardInterrupt):
        scrape(repo.path, tmp_path / "after", last=before, **settings)
    after = scrape(repo.path, tmp_path / "after", last=before, **settings)
    anew = scrape(repo.path, tmp_path / "anew", **settings)
    assert after.text == anew.text
    index, fresh = ((one.folder / "commits.index").read_bytes() for one in (after, anew))
    assert index == fresh


def test_tombstones_survive_a_change_of_settings(repo: Repo, tmp_path: Path) -> None:
    first = scrape(repo.path, tmp_path / "first")
    lost = repo.git("rev-parse", "HEAD")
    amend(repo)
    second = scrape(repo.path, tmp_path / "second", last=first, since="2000-01-01")
    assert [line["commit"]["metadata"]["hash"] for line in second.tombstones] == [lost]


def test_tombstones_are_of_this_repository_and_sound(
    repo: Repo, tmp_path: Path, make_repo: Callable[[str], Repo]
) -> None:
    first = scrape(repo.path, tmp_path / "first")
    amend(repo)
    second = scrape(repo.path, tmp_path / "second", last=first)
    assert second.tombstones
    other = make_repo("other")
    grow(other, 2)
    assert scrape(other.path, tmp_path / "other", last=second).tombstones == []
    (second.folder / "tombstones.jsonl").write_bytes(b"\xff\n")
    with pytest.raises(UserError, match="line 1"):
        scrape(repo.path, tmp_path / "third", last=second)


def test_tombstones_are_redacted_too(repo: Repo, tmp_path: Path) -> None:
    first = scrape(repo.path, tmp_path / "first")
    amend(repo)
    second = scrape(repo.path, tmp_path / "second", last=first)
    repo.clock += 3600
    amend(repo)
    third = scrape(repo.path, tmp_path / "third", last=second, redact_emails=True)
    assert len(third.tombstones) == 2
    assert b"example.org" not in (third.folder / "tombstones.jsonl").read_bytes()


def test_another_key_reads_everything(repo: Repo, tmp_path: Path) -> None:
    salt = tmp_path / "salt"
    salt.write_text("one")
    settings = {"redact_emails": True, "email_salt_file": str(salt)}
    first = scrape(repo.path, tmp_path / "first", **settings)
    add(repo)
    salt.write_text("other")
    second = scrape(repo.path, tmp_path / "second", last=first, **settings)
    assert second.head.total_authors == 1
    assert second.text == scrape(repo.path, tmp_path / "anew", **settings).text


@pytest.mark.parametrize("settings", [{}, {"extensions": (".bin", ".txt")}])
@pytest.mark.parametrize("what", ["HEAD:moved.bin", "HEAD:folder", "HEAD~1:folder"])
def test_everything_that_turns_up_again_is_read(
    repo: Repo, tmp_path: Path, settings: dict[str, object], what: str
) -> None:
    repo.commit("binary", {"a.bin": b"\0" * 50, "folder/in.txt": "1\n", "folder/in.rs": "1\n"})
    repo.git("mv", "a.bin", "moved.bin")
    repo.commit("renamed", {"folder/in.txt": "2\n"})
    lost = repo.git("rev-parse", what)
    path = repo.path / ".git" / "objects" / lost[:2] / lost[2:]
    content = path.read_bytes()
    path.unlink()
    without = scrape(repo.path, tmp_path / "without", **settings)
    assert without.head.missing_file_changes
    path.write_bytes(content)
    repo.git("tag", "something-moved")
    again = scrape(repo.path, tmp_path / "again", last=without, **settings)
    assert again.text == scrape(repo.path, tmp_path / "anew", **settings).text


@pytest.mark.parametrize("where", ["core.records.commit_files.CommitWriter._put", "core.history.writer.Rows.append"])
@pytest.mark.parametrize("calls", [12, 17])
def test_an_interrupt_inside_a_line_damages_nothing(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, calls: int
) -> None:
    plain = scrape(repo.path, tmp_path / "plain")
    module, kind, name = where.rsplit(".", 2)
    owner = getattr(importlib.import_module(module), kind)
    function = getattr(owner, name)
    left = calls if name == "_put" else calls // 2

    def interrupted(*arguments: object) -> None:
        nonlocal left
        left -= 1
        function(*arguments)
        if left == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(KeyboardInterrupt):
        scrape(repo.path, tmp_path / "out")
    done = scrape(repo.path, tmp_path / "out")
    assert done.counts["of them from the last result"] > 3
    assert done.text == plain.text
    assert (done.folder / "commits.index").read_bytes() == (plain.folder / "commits.index").read_bytes()
