"""The command study.py."""

from __future__ import annotations

import json
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


def test_what_was_found_is_marked_and_reported(ask: Callable[..., Result], tmp_path: Path) -> None:
    page = tmp_path / "reports" / "study.md"
    ask("--minutes", "5", "--report", str(page))
    first = page.read_text()
    assert re.search(r"^From .*: 2 new insights; 2 runs in [\d.]+ s of CPU time\.$", first, re.MULTILINE), first
    assert re.search(r"^\| scan\\?_diff \| 1 \| 1 \| [\d.]+ \| [\d.]+ \|$", first, re.MULTILINE), first
    found = json.loads(ask("insights", "--json").stdout)
    assert [one["kind"] for one in found] == ["digest", "scan_diff"]
    digest, scan = found
    cited = digest["statements"][0]["citations"][0]
    assert (cited["at"], cited["path"]) == (f"commit {cited['commit'][:9]}", "")
    assert digest["state"] == "new"
    assert cited["quote"] in Path(digest["log"]).read_text()
    ask("keep", str(digest["id"]))
    ask("dismiss", str(scan["id"]))
    assert [one["state"] for one in json.loads(ask("insights", "--json").stdout)] == ["kept"]
    assert [one["state"] for one in json.loads(ask("insights", "--all", "--json").stdout)] == ["kept", "dismissed"]
    assert ask("insights", "--state", "dismissed", "--kind", "digest").stdout == "nothing was found yet\n"
    assert "error: there is no insight 99 of this repository" in ask("read", "99").stderr
    second = json.loads(ask("report", "--json").stdout)
    assert (second["new"], second["marked"], second["costs"]) == ([], {"kept": 1, "dismissed": 1}, [])
    Path(digest["log"]).unlink()
    assert "- " + digest["title"] in ask("report").stdout.partition("## No longer true")[2]
    week = json.loads(ask("report", "--since", "1w", "--json").stdout)
    assert [one["runs"] for one in week["costs"]] == [1, 1]
    assert "error: 'soon' is no time" in ask("report", "--since", "soon").stderr
    assert f"error: {tmp_path} is a folder" in ask("report", "--output", str(tmp_path)).stderr


def test_jobs_and_their_state_are_json(ask: Callable[..., Result]) -> None:
    ask("--minutes", "5")
    jobs = json.loads(ask("list", "--json").stdout)
    assert {one["kind"]: one["state"] for one in jobs} == {"digest": "done", "scan_diff": "done"}
    (number,) = [one["id"] for one in jobs if one["kind"] == "digest"]
    assert [one["id"] for one in json.loads(ask("list", "--kind", "digest", "--json").stdout)] == [number]
    assert ask("list", "--state", "dead").stdout == "no jobs yet\n"
    shown = json.loads(ask("show", str(number), "--json").stdout)
    (run,) = shown["runs"]
    assert run["cost"]["cpu_s"] > 0
    assert Path(run["files"]["commits.txt"]).is_file()
    assert [one["state"] for one in shown["insights"]] == ["new"]
    ask("show", str(number))
    assert [one["state"] for one in json.loads(ask("show", str(number), "--json").stdout)["insights"]] == ["read"]
    state = json.loads(ask("status", "--json").stdout)
    assert (state["on"], state["waiting"], state["kinds"]["scan_diff"]["trigger"]) == (True, 0, "commit")
    assert state["budget"]["cpu_s"]["left"] < state["budget"]["cpu_s"]["cap"] == 7200
    again = json.loads(ask("--schedules", "{digest: commit}", "status", "--json").stdout)
    assert again["kinds"]["digest"] == {"trigger": "commit", "next_at": None}


def test_switched_off_nothing_is_studied(ask: Callable[..., Result]) -> None:
    ask("off")
    assert ask("status").stdout.splitlines()[0].endswith(": off")
    assert "the study of this repository is switched off; study.py on lets it go on" in ask("--minutes", "1").stdout
    ask("on")
    assert ask("status").stdout.splitlines()[0].endswith(": on")
    ask("off", "--everywhere")
    assert ask("status").stdout.splitlines()[0].endswith(": off, as all repositories are")
    assert "the study of all repositories is switched off; study.py on --everywhere" in ask("--minutes", "1").stdout
    assert json.loads(ask("status", "--json").stdout)["off_by"] == "everywhere"
    ask("on", "--everywhere")
    assert json.loads(ask("status", "--json").stdout)["on"]


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
