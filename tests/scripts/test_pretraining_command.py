"""The commands for cron and for people, as processes."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Program, Repo, grow
from filelock import FileLock

from stores import VVectorStore


@pytest.fixture
def repos(make_repo: Callable[[str], Repo]) -> list[Repo]:
    made = [make_repo(name) for name in ("one", "two", "three")]
    for repo in made:
        repo.commit(f"Begin {repo.path.name}")
        grow(repo, 4)
        repo.commit("Fix KeyError", {"pkg/part_0.py": "def part(x):\n    if x is None:\n        return\n"})
    return made


def arguments(repos: list[Repo], *more: str) -> list[str]:
    named = [word for repo in repos for word in ("--repos", str(repo.path))]
    return ["--stores", "stores", "--no-github", *named, *more]


def test_a_refresh_reads_what_is_new_and_a_second_one_changes_nothing(program: Program, repos: list[Repo]) -> None:
    (program.folder / "config.yaml").write_text("pipeline: {cache_dir: cache}\n")
    first = program.run("scripts/pretrain_from_github.py", *arguments(repos, "--report", "report.json"))
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("pretrained: 3 repositories read, 3 with news, 0 failed | v_vector_history: ")
    assert json.loads((program.folder / "report.json").read_bytes())["seen"]["repositories"] == 3
    files = {path: path.read_bytes() for path in (program.folder / "stores").glob("*.db")}
    again = program.run("scripts/refresh_pretraining.py", *arguments(repos))
    assert again.returncode == 0
    assert "3 repositories read, 0 with news, 0 failed | nothing new" in again.stdout
    assert files == {path: path.read_bytes() for path in (program.folder / "stores").glob("*.db")}
    repos[0].commit("Fix more", {"pkg/part_1.py": "x = 1\n"})
    news = program.run("scripts/refresh_pretraining.py", *arguments(repos))
    assert "3 repositories read, 1 with news" in news.stdout
    with VVectorStore(program.folder / "stores") as store:
        assert store.check() == []
        assert store.stats()["runs"] == 2
    assert len(list((program.folder / "stores" / "backups").iterdir())) == 3


def test_a_missing_repository_does_not_stop_the_others(program: Program, repos: list[Repo], tmp_path: Path) -> None:
    broken = Repo(tmp_path / "missing")
    done = program.run("scripts/refresh_pretraining.py", *arguments([broken, *repos], "--report", "report.json"))
    assert done.returncode == 1
    (sentence,) = json.loads((program.folder / "report.json").read_bytes())["failed"]
    assert sentence.endswith(f"repository not found: {broken.path}")
    assert "3 repositories read, 3 with news, 1 failed" in done.stdout
    assert "repository not found" in done.stderr
    alone = program.run("scripts/refresh_pretraining.py", *arguments([broken]))
    assert alone.returncode == 2
    assert "no repository could be read" in alone.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--no-github"], "nothing to mine"),
        (["--config", "nothing.yaml"], "config file not found"),
        (["--stores", "postgresql://nobody@localhost:1/x", "--no-github", "--repos", "."], "connect"),
    ],
)
def test_wrong_input_is_reported(program: Program, words: list[str], message: str) -> None:
    done = program.run("scripts/refresh_pretraining.py", *words)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_run_ends_at_once(program: Program, repos: list[Repo]) -> None:
    (program.folder / "stores").mkdir()
    with FileLock(program.folder / "stores" / "seeding.lock"):
        done = program.run("scripts/refresh_pretraining.py", *arguments(repos))
    assert done.returncode == 75
    assert "stores is running" in done.stderr


def test_kills_and_interrupts_at_any_moment_leave_whole_stores(program: Program, repos: list[Repo]) -> None:
    started = time.monotonic()
    whole = program.run("scripts/refresh_pretraining.py", *arguments(repos), "--stores", "elsewhere")
    took_s = time.monotonic() - started
    assert whole.returncode == 0, whole.stderr
    for number, share in enumerate((0.5, 0.65, 0.8, 0.95)):
        process = program.start("scripts/refresh_pretraining.py", *arguments(repos))
        time.sleep(share * took_s)
        process.send_signal(signal.SIGKILL if number % 2 else signal.SIGINT)
        process.communicate(timeout_s=60)
        if (program.folder / "stores" / "v_vector_history.db").exists():
            with VVectorStore(program.folder / "stores") as store:
                assert store.check() == []
    done = program.run("scripts/refresh_pretraining.py", *arguments(repos))
    assert done.returncode == 0, done.stderr
    with VVectorStore(program.folder / "stores") as store:
        assert store.check() == []
        assert len(store.evidence.states()) == 3


def test_the_replay_writes_a_report(program: Program, repos: list[Repo]) -> None:
    named = [word for repo in repos for word in ("--repos", str(repo.path))]
    done = program.run("scripts/evaluate_stores.py", *named, "--output", "evaluated")
    assert done.returncode == 0, done.stderr
    assert "repair_strategy lines" in done.stdout
    report = json.loads((program.folder / "evaluated" / "evaluation.json").read_bytes())
    assert report["repositories"] == ["one", "two", "three"]
    page = (program.folder / "evaluated" / "report.html").read_text()
    assert "Do seeded stores help?" in page
    assert page.count("<svg") >= 2
    both = program.run("scripts/evaluate_stores.py", *named, "--stores", "x")
    assert (both.returncode, "either clones or stores" in both.stderr) == (2, True)


def test_the_replay_continues_without_a_damaged_clone(program: Program, repos: list[Repo]) -> None:
    shutil.rmtree(repos[1].path / ".git" / "objects" / "pack", ignore_errors=True)
    for folder in (repos[1].path / ".git" / "objects").glob("??"):
        shutil.rmtree(folder)
    named = [word for repo in repos for word in ("--repos", str(repo.path))]
    done = program.run("scripts/evaluate_stores.py", *named)
    assert done.returncode == 1, done.stderr
    report = json.loads((program.folder / "evaluated" / "evaluation.json").read_bytes())
    assert report["repositories"] == ["one", "three"]
    assert len(report["failed"]) == report["left out"]["repositories that cannot be read"] == 1
    alone = program.run("scripts/evaluate_stores.py", "--repos", str(repos[1].path))
    assert (alone.returncode, "no repository could be read" in alone.stderr) == (2, True)


def test_bugs_of_bugsinpy_are_held_out(program: Program, repos: list[Repo], make_repo: Callable[[str], Repo]) -> None:
    bugs = make_repo("BugsInPy")
    known = repos[0].git("rev-parse", "HEAD")
    bugs.commit(
        "bugs", {"projects/one/bugs/1/bug.info": f'fixed_commit_id="{known}"\r\nbuggy_commit_id="{"0" * 40}"\r\n'}
    )
    named = [word for repo in repos for word in ("--repos", str(repo.path))]
    done = program.run("scripts/evaluate_stores.py", *named, "--bugsinpy", str(bugs.path))
    assert done.returncode == 0, done.stderr
    assert "BugsInPy: 1 of 1 known fixes found by their messages, 1 with source files" in done.stdout
    wrong = program.run("scripts/evaluate_stores.py", *named, "--bugsinpy", str(repos[0].path))
    assert (wrong.returncode, "holds no bugs of BugsInPy" in wrong.stderr) == (2, True)
