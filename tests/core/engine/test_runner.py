"""The runner on two toy stages: skipping, reasons, failures, kills, locks."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from toys import first, second

from core.config import Config, PipelineConfig
from core.engine.results import Run
from core.engine.runner import Layout, Runner
from core.errors import AlreadyRunningError


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def runner(home: Path, cache: Path, upper: bool = False, **settings: Any) -> Runner:
    stages = {"first": first.FirstConfig(**settings), "second": second.SecondConfig(upper=upper)}
    config = Config(PipelineConfig(outputs=str(home), cache_dir=str(cache)), stages)
    return Runner((first.STAGE, second.STAGE), config, Layout(home))


def run(home: Path, cache: Path, **settings: Any) -> Run:
    chosen = runner(home, cache, **{k: v for k, v in settings.items() if k not in ("force", "continue_on_error")})
    options = {k: v for k, v in settings.items() if k in ("force", "continue_on_error")}
    return chosen.run(chosen.stages, **options)


def statuses(done: Run) -> list[str]:
    return [entry.status for entry in done.stages]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_second_run_does_nothing(home: Path, cache: Path) -> None:
    assert statuses(run(home, cache)) == ["ran", "ran"]
    again = run(home, cache)
    assert statuses(again) == ["up to date", "up to date"]
    assert again.stages[0].counts == {"files": 1}
    assert again.stages[0].drops == {"nothing much": 3}
    assert again.exit_code == 0


def test_changed_setting_runs_its_stage_and_what_follows(home: Path, cache: Path) -> None:
    run(home, cache)
    again = run(home, cache, text="two")
    assert statuses(again) == ["ran", "ran"]
    assert again.stages[0].reasons == ['setting first.text changed: "one" -> "two"']
    assert again.stages[1].reasons == ["input first.txt changed", 'setting first.text changed: "one" -> "two"']
    last = run(home, cache, text="two", upper=True)
    assert statuses(last) == ["up to date", "ran"]
    assert (home / "second" / "copy.txt").read_text() == "TWO"


def test_upstream_settings_count_even_where_the_bytes_are_the_same(home: Path, cache: Path) -> None:
    run(home, cache)
    again = run(home, cache, behaviour="same bytes")
    assert statuses(again) == ["ran", "ran"]
    assert again.stages[1].reasons == ['setting first.behaviour changed: "work" -> "same bytes"']


def test_same_bytes_from_another_source_leave_downstream_alone(
    home: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.write_text("1")
    monkeypatch.setenv("TOY_SOURCE", str(source))
    run(home, cache)
    source.write_text("2")
    again = run(home, cache)
    assert again.stages[0].reasons == ["source outside changed"]
    assert statuses(again) == ["ran", "up to date"]


def test_output_touched_by_hand_is_made_again(home: Path, cache: Path) -> None:
    run(home, cache)
    (home / "first.txt").write_text("edited")
    (home / "second" / "copy.txt").unlink()
    again = run(home, cache)
    assert again.stages[0].reasons == ["output first.txt was changed by something else"]
    assert statuses(again) == ["ran", "ran"]
    assert (home / "second" / "copy.txt").read_text() == "one"


def test_an_input_that_is_not_as_it_was_made_is_reported(
    home: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(home, cache)
    runner(home, cache).run([second.STAGE], force=True)
    assert "changed by something else" not in caplog.text
    (home / "first.txt").write_text("damaged")
    runner(home, cache).run([second.STAGE])
    assert f"{home / 'first.txt'} was changed by something else since it was made" in caplog.text


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[]", '{"facts": 1, "outputs": {}}', '{"facts": {}, "outputs": {"a": 1}}']
)
def test_a_damaged_record_counts_as_none(home: Path, cache: Path, text: str) -> None:
    run(home, cache)
    (home / ".gitlore" / "records" / "first.json").write_text(text)
    (home / ".gitlore" / "digests.json").write_text(text)
    assert run(home, cache).stages[0].reasons == ["it has not run here yet"]


@pytest.mark.parametrize(
    ("behaviour", "code", "words"),
    [
        ("fail", 1, "it does not feel like it"),
        ("user", 2, "the input is wrong"),
        ("bug", 1, "KeyError"),
        ("full", 1, "no space left"),
        ("killed", 1, "killed by SIGKILL"),
        ("lazy", 1, "without writing first.txt"),
    ],
)
def test_failed_stage_keeps_last_good_output(home: Path, cache: Path, behaviour: str, code: int, words: str) -> None:
    run(home, cache)
    failed = run(home, cache, text="two", behaviour=behaviour)
    assert statuses(failed) == ["failed", "not reached"]
    assert words in failed.stages[0].error
    assert failed.exit_code == code
    assert (home / "first.txt").read_text() == "one"
    assert not list((home / ".gitlore" / "staging").iterdir())
    assert json.loads((home / "pipeline_results.json").read_text())["exit_code"] == code
    assert statuses(run(home, cache)) == ["up to date", "up to date"]


def test_continue_on_error_names_the_blocked_stages(home: Path, cache: Path) -> None:
    done = run(home, cache, behaviour="fail", continue_on_error=True)
    assert statuses(done) == ["failed", "blocked"]
    assert done.stages[1].reasons == ["first failed"]
    assert done.exit_code == 1


def test_missing_input_is_the_users_error(home: Path, cache: Path) -> None:
    chosen = runner(home, cache)
    done = chosen.run([second.STAGE])
    assert done.exit_code == 2
    assert "first.txt is missing" in done.stages[0].error
    assert "--until first" in done.stages[0].hint


def test_force_runs_what_is_up_to_date(home: Path, cache: Path) -> None:
    run(home, cache)
    assert statuses(run(home, cache, force=True)) == ["ran", "ran"]


def test_plan_touches_nothing(home: Path, cache: Path) -> None:
    plan = runner(home, cache).plan((first.STAGE, second.STAGE))
    assert [bool(why) for _, why in plan] == [True, True]
    assert not home.exists()


def test_plan_of_a_fresh_folder_reads_no_code(home: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        raise AssertionError("facts were computed")

    monkeypatch.setattr("core.engine.fingerprint.facts", read)
    plan = runner(home, cache).plan((first.STAGE, second.STAGE))
    assert [why[0] for _, why in plan] == ["it has not run here yet", "it has not run here yet"]


def test_plan_says_that_downstream_may_run(home: Path, cache: Path) -> None:
    run(home, cache)
    plan = runner(home, cache, text="two").plan((first.STAGE, second.STAGE))
    assert plan[1][1] == ["first.txt may change, as first would run"]


@pytest.fixture(params=["slow"])
def slow_run(
    request: pytest.FixtureRequest, home: Path, cache: Path, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Another process whose first stage is at work ("slow", or as a test asks) and will not end by itself.

    "impatient" is a stuck stage whose run is interrupted again while it reports the first interrupt.
    """
    behaviour = {"impatient": "stuck"}.get(request.param, request.param)
    again = (
        "from core import logs\n"
        "def interrupt(record):\n"
        "    if 'letting the stage save' in record.msg:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return True\n"
        "logs.log.addFilter(interrupt)\n"
    )
    script = tmp_path / "slow.py"
    tests = Path(__file__).resolve().parents[2]
    script.write_text(
        f"import os, signal, sys; sys.path[:0] = {[str(tests.parent), str(tests)]!r}\n"
        "from pathlib import Path\n"
        "from core.config import Config, PipelineConfig\n"
        "from core.engine.command import with_exit_codes\n"
        "from core.engine.runner import Layout, Runner\n"
        "from toys import first, second\n"
        f"{again if request.param == 'impatient' else ''}"
        "if __name__ == '__main__':\n"
        f"    settings = first.FirstConfig(text='slow', behaviour={behaviour!r})\n"
        "    stages = {'first': settings, 'second': second.SecondConfig()}\n"
        f"    config = Config(PipelineConfig(outputs={str(home)!r}, cache_dir={str(cache)!r}), stages)\n"
        f"    chosen = Runner((first.STAGE, second.STAGE), config, Layout(Path({str(home)!r})))\n"
        "    sys.exit(with_exit_codes(chosen.run)(chosen.stages).exit_code)\n"
    )
    run(home, cache)
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not (cache / "started").exists() or not (cache / "started").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield process
    for pid in (process.pid, *map(int, (cache / "started").read_text().split())):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended; one that nobody has waited for counts."""
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_runs_at_once(slow_run: subprocess.Popen[bytes], home: Path, cache: Path) -> None:
    with pytest.raises(AlreadyRunningError) as caught:
        run(home, cache)
    assert caught.value.exit_code == 75


def test_killed_run_leaves_outputs_lock_and_child_clean(
    slow_run: subprocess.Popen[bytes], home: Path, cache: Path
) -> None:
    child = int((cache / "started").read_text())
    slow_run.kill()
    slow_run.wait()
    assert (home / "first.txt").read_text() == "one"
    again = run(home, cache)
    assert statuses(again) == ["up to date", "up to date"]
    assert not (home / ".gitlore" / "staging").exists()
    wait_until_gone(child)


@pytest.mark.parametrize("slow_run", ["stuck"], indirect=True)
def test_a_stage_within_a_library_dies_with_its_killed_run(slow_run: subprocess.Popen[bytes], cache: Path) -> None:
    child, _ = map(int, (cache / "started").read_text().split())
    slow_run.kill()
    slow_run.wait()
    wait_until_gone(child)


@pytest.mark.parametrize("slow_run", ["stuck"], indirect=True)
def test_a_second_signal_ends_the_stage_and_all_that_it_started(
    slow_run: subprocess.Popen[bytes], home: Path, cache: Path
) -> None:
    assert slow_run.stderr is not None
    os.kill(slow_run.pid, signal.SIGTERM)
    while b"letting the stage save its work" not in slow_run.stderr.readline():
        assert slow_run.poll() is None
    os.kill(slow_run.pid, signal.SIGTERM)
    slow_run.wait(timeout=60)
    assert slow_run.returncode == 130
    for process in map(int, (cache / "started").read_text().split()):
        wait_until_gone(process)
    results = json.loads((home / "pipeline_results.json").read_text())
    assert [stage["status"] for stage in results["stages"]] == ["interrupted", "not reached"]


@pytest.mark.parametrize("slow_run", ["impatient"], indirect=True)
def test_a_second_signal_is_heard_while_the_first_is_reported(
    slow_run: subprocess.Popen[bytes], home: Path, cache: Path
) -> None:
    os.kill(slow_run.pid, signal.SIGTERM)
    slow_run.communicate(timeout=60)
    assert slow_run.returncode == 130
    for process in map(int, (cache / "started").read_text().split()):
        wait_until_gone(process)
    results = json.loads((home / "pipeline_results.json").read_text())
    assert [stage["status"] for stage in results["stages"]] == ["interrupted", "not reached"]


def test_a_signal_waits_while_results_are_written(home: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Run.finish

    def interrupted(self: Run, not_reached: list[str], *, write_: Any = write, **given: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        write_(self, not_reached, **given)

    monkeypatch.setattr(Run, "finish", interrupted)
    ended = threading.Event()
    other = threading.Thread(target=ended.wait)  # the system may give it the signal
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(home, cache)
    finally:
        ended.set()
        other.join()
    results = json.loads((home / "pipeline_results.json").read_text())
    assert [stage["status"] for stage in results["stages"]] == ["ran", "ran"]


def test_sigterm_to_every_process_at_once_is_one_interrupt(
    slow_run: subprocess.Popen[bytes], home: Path, cache: Path
) -> None:
    child = int((cache / "started").read_text())  # saves what it can in an `except KeyboardInterrupt`
    os.kill(child, signal.SIGTERM)
    os.kill(slow_run.pid, signal.SIGTERM)
    slow_run.communicate(timeout=30)
    assert slow_run.returncode == 130
    assert (home / "first.txt").read_text() == "one"
    assert (cache / "saved").read_text() == "whole"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_stops_the_stage(slow_run: subprocess.Popen[bytes], home: Path, number: signal.Signals) -> None:
    os.kill(slow_run.pid, number)
    slow_run.communicate(timeout=30)
    assert slow_run.returncode == 130
    assert (home / "first.txt").read_text() == "one"
    results = json.loads((home / "pipeline_results.json").read_text())
    assert [stage["status"] for stage in results["stages"]] == ["interrupted", "not reached"]


def test_children_are_gone_after_a_run(home: Path, cache: Path) -> None:
    run(home, cache)
    assert multiprocessing.active_children() == []


def test_a_source_that_cannot_be_read_is_a_failure_on_record(
    home: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_SOURCE", str(tmp_path / "gone"))
    done = run(home, cache)
    assert statuses(done) == ["failed", "not reached"]
    assert "gone" in done.stages[0].error
    assert json.loads((home / "pipeline_results.json").read_text())["exit_code"] == 1
