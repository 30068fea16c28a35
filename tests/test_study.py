"""The command study.py."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Program, Repo, wait_for
from click.testing import CliRunner, Result

import study


@pytest.fixture
def ask(history: Repo, tmp_path: Path) -> Callable[..., Result]:
    """Runs the command on a small repository."""

    def run(*words: str) -> Result:
        kinds = ("--kinds", "digest", "--kinds", "scan_diff")
        line = ["--repo", str(history.path), "--cache-dir", str(tmp_path / "cache"), *kinds, *words]
        done = CliRunner().invoke(study.main, line)
        assert done.exit_code == (2 if "error" in done.stderr else 0), done.output
        return done

    return run


def test_a_repository_is_studied_and_what_was_found_can_be_looked_at(ask: Callable[..., Result]) -> None:
    assert "digest of new" in ask("--dry-run").stdout
    assert ask("list").stdout == "no jobs yet\n"
    done = ask("--minutes", "5")
    assert "2 done, in " in done.stdout
    assert "left of the budget: 120.0 of 120 minutes of CPU time, 50.0 of 50 GB of I/O" in done.stdout
    assert "commits by 1 person in the week up to " in done.stdout
    assert "nothing was to be done" in ask().stdout
    assert ask("--dry-run").stdout == "nothing new to study\n"
    assert "commits by 1 person in the week up to " in ask("insights").stdout
    listed = ask("list").stdout
    number = re.findall(r"^ +(\d+)  done       digest of", listed, re.MULTILINE)[0]
    shown = ask("show", number).stdout
    assert re.search(r"^run \d+ by \S+ at .*, done at .* s of CPU time", shown, re.MULTILINE)
    assert "  again: git log --no-merges" in shown
    ask("rerun", number)
    assert re.search(rf"^ +{number}  waiting    digest of", ask("list").stdout, re.MULTILINE)
    ask("cancel", number)
    assert re.search(rf"^ +{number}  cancelled  digest of", ask("list").stdout, re.MULTILINE)


def test_switched_off_nothing_is_studied(ask: Callable[..., Result]) -> None:
    ask("off")
    assert ask("status").stdout.splitlines()[0].endswith(": off")
    assert "the study of this repository is switched off; study.py on lets it go on" in ask("--minutes", "1").stdout
    ask("on")
    assert ask("status").stdout.splitlines()[0].endswith(": on")


def test_mistakes_are_sentences(ask: Callable[..., Result]) -> None:
    assert "error: there is no job 99 of this repository" in ask("show", "99").stderr
    assert "error: there is no kind of study called 'digset'" in ask("--kinds", "digset").stderr
    assert "error: 'night' are no hours of a day" in ask("--quiet-hours", "night").stderr


def test_an_interrupted_study_goes_on_the_next_time(program: Program, history: Repo) -> None:
    words = ("--repo", str(history.path), "--cache-dir", "cache")
    running = program.start("study.py", *words, "--follow")
    wait_for((program.folder / "cache" / "study" / "artifacts").exists)  # the first job has found something
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(60)
    assert running.wait() == 130, err
    assert " done, in " in out
    assert "Traceback" not in err
    assert "interrupted" in err
