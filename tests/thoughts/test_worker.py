"""One job in a process of its own: what it leaves is kept, what it may not is prevented, and all of it ends."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from builders import Repo
from kinds_made_up import KIND
from language_model import Model

from core.config import ChatConfig, StudyConfig
from core.git.refs import head
from stores.engine.database import Database
from thoughts.queue import Queue
from thoughts.studying import Study, opened
from thoughts.tables import SCHEMA
from thoughts.worker import MOST_LOG, Done, Log


@pytest.fixture
def study(forked: Repo, tmp_path: Path) -> Iterator[Study]:
    """The study of a small repository, which does errands."""
    with opened(str(forked.path), tmp_path, StudyConfig(), kinds_known={"errand": KIND}) as study:
        study.switch(on=True)
        yield study


def add(study: Study, **given: Any) -> int:
    with study.database.write() as connection:
        number = study.queue.add(connection, study.key, "errand", given, KIND.estimate(given))
    assert number is not None
    return number


def work(study: Study) -> Done:
    study.planned()  # looks at the newest commit
    done = study.work_one()
    assert done is not None
    return done


def log_of(study: Study, done: Done) -> str:
    return str(study.runs(done.job.id)[0]["log"])


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").exists() and b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()


def test_what_a_job_finds_is_kept_and_shown_with_its_proof(study: Study, forked: Repo) -> None:
    number = add(study, do="find", more=[{"do": "remember"}])
    done = work(study)
    assert (done.state, done.reason, done.insights) == ("done", "", 1)
    assert 0 < done.cost.cpu_s < 30
    (shown,) = study.insights.shown(study.key, study.state.git_dir)
    assert (shown.job_id, shown.kind, shown.title, shown.state) == (number, "errand", "There is a commit", "new")
    assert shown.statements[0].citations[0].commit == head(forked.path / ".git")
    assert study.artifacts.read(shown.log) == b"merge the side"
    assert study.runs(number)[0]["artifacts"] == {"log.txt": shown.log}
    after = work(study)
    assert study.job(after.job.id)["parent"] == number
    assert log_of(study, after) == "doing remember\nknown: ['merge the side']\n"
    assert study.work_one() is None


def test_a_key_reaches_the_model_of_a_job_that_may_ask_one_and_nothing_else(
    forked: Repo, tmp_path: Path, language_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLORE_CHAT_KEY", "glk-of-the-model")
    chat, settings = ChatConfig(url=language_model.url, model="m"), StudyConfig(model_minutes=5)
    with opened(str(forked.path), tmp_path, settings, chat=chat, kinds_known={"errand": KIND}) as study:
        study.switch(on=True)
        add(study, do="ask", model_s=20)
        assert log_of(study, work(study)) == f"doing ask\n{language_model.says}\nkeys around: []\n"
        add(study, do="ask")
        assert log_of(study, work(study)) == "doing ask\nnobody to ask\nkeys around: []\n"
    assert language_model.keys == ["Bearer glk-of-the-model"]


def test_an_insight_is_shown_only_while_it_can_be_proved(study: Study) -> None:
    add(study, do="lie")
    done = work(study)
    assert (done.state, done.insights) == ("done", 0)
    assert "left out “There is a commit”: commit" in done.reason
    assert "the message of the commit does not say this" in log_of(study, done)
    add(study, do="find")
    work(study)
    (shown,) = study.insights.shown(study.key, study.state.git_dir)
    study.insights.mark(study.key, shown.id, "read")
    add(study, do="find", again=1)  # says the same: still one insight, and still read
    work(study)
    (again,) = study.insights.shown(study.key, study.state.git_dir)
    assert (again.id, again.state) == (shown.id, "read")
    study.artifacts.path(shown.log).unlink()
    assert study.insights.shown(study.key, study.state.git_dir) == []


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        ("fail", "there is nothing here look elsewhere"),
        ("crash", "ValueError: not  a number"),
        ("die", "its process was killed by signal 9 without an answer; the end of the log may say why"),
        ("ask_for_nonsense", "it asks for errand of what that cannot be asked for"),
    ],
)
def test_what_fails_is_tried_again_later(study: Study, do: str, reason: str) -> None:
    number = add(study, do=do)
    done = work(study)
    assert done.state == "failed"
    assert done.reason.startswith(reason)
    job = study.job(number)
    assert (job["state"], job["attempts"]) == ("waiting", 1)
    assert 50 < job["run_at"] - time.time() <= 60
    assert ("Traceback" in log_of(study, done)) == (do == "crash")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"do": "sleep", "takes": 60, "seconds": 1}, "it took longer than 1 s"),
        ({"do": "spin", "cpu_s": 1}, "it used more than the 1 s of CPU time that it may use"),
    ],
)
def test_what_takes_more_than_it_may_is_ended(study: Study, given: dict[str, Any], reason: str) -> None:
    add(study, **given)
    done = work(study)
    assert (done.state, done.reason) == ("failed", reason)
    assert done.cost.seconds < 50


def test_a_job_has_no_keys_and_comes_after_everything_else(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLORE_TEAM_KEY", "secret")
    add(study, do="show_environment")
    log = log_of(study, work(study))
    assert "PATH" in log
    assert "GITLORE_TEAM_KEY" not in log
    assert "nice 10, in True" in log


def test_what_a_killed_worker_left_is_deleted(study: Study) -> None:
    scratch = study.artifacts.folder.with_name("scratch")
    (scratch / "999" / "of a killed run").mkdir(parents=True)
    add(study, do="show_environment")
    work(study)
    assert list(scratch.iterdir()) == []


def test_a_long_log_keeps_its_ends_and_no_credential(study: Study) -> None:
    add(study, do="shout")
    log = log_of(study, work(study))
    assert len(log) < MOST_LOG + 200
    assert log.startswith("doing shout\nbegin xxx")
    assert "bytes are left out" in log
    assert "ghp_" not in log
    assert log.endswith("end\n")


def test_a_short_log_is_whole() -> None:
    log = Log()
    for piece in (b"one ", b"two ", b"\xff\0"):
        log.add(piece)
    assert log.text == "one two \ufffd"


@pytest.mark.parametrize("takes", [0, 600])
def test_what_detaches_ends_with_its_job(study: Study, tmp_path: Path, takes: int) -> None:
    place = tmp_path / "daemon"
    number = add(study, do="detach", to=str(place), takes=takes)
    ended: list[float] = []

    def cancel() -> None:
        while not place.exists():
            time.sleep(0.05)
        with closing(Database(SCHEMA, study.place)) as database:
            Queue(database, "other").cancel(number)
        ended.append(time.monotonic())

    other = threading.Thread(target=cancel)
    if takes:
        other.start()
    done = work(study)
    assert done.state == ("cancelled" if takes else "done")
    assert not is_there(int(place.read_text()))
    if takes:
        other.join()
        assert study.job(number)["state"] == "cancelled"


def test_switched_off_it_ends_and_nothing_starts(study: Study) -> None:
    number = add(study, do="sleep", takes=600)
    threading.Timer(1.0, study.switch, kwargs={"on": False}).start()
    done = work(study)
    assert (done.state, done.reason) == ("stopped", "switched off")
    assert study.job(number)["state"] == "waiting"
    assert not study.is_on
    assert study.work_one() is None
    study.switch(on=True)
    assert study.is_on


# It may come while a file of /proc is being read, which nobody closes then.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_puts_the_job_back(study: Study, tmp_path: Path) -> None:
    place = tmp_path / "daemon"
    number = add(study, do="detach", to=str(place), takes=600)

    def interrupt() -> None:
        while not place.exists():
            time.sleep(0.05)
        os.kill(os.getpid(), 2)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        work(study)
    job, (run,) = study.job(number), study.runs(number)
    assert (job["state"], job["attempts"], run["state"], run["reason"]) == ("waiting", 0, "stopped", "interrupted")
    assert not is_there(int(place.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is adopted")
def test_a_worker_adopts_only_while_a_job_runs(study: Study) -> None:
    add(study, do="find")
    work(study)
    adopts = ctypes.c_int(-1)
    ctypes.CDLL(None).prctl(37, ctypes.byref(adopts), 0, 0, 0)  # PR_GET_CHILD_SUBREAPER
    assert adopts.value == 0
