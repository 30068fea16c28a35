from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import wait_for

from core.errors import StageError, UserError
from thoughts.sandbox.limits import Ended, Limits, Result
from thoughts.sandbox.running import ENVIRONMENT, Sandbox
from thoughts.sandbox.standing import standing
from thoughts.sandbox.tiers import TIERS, Tier
from thoughts.sandbox.watching import Use, use_below

PYTHON = "/usr/bin/python3"
MIB = 1 << 20


@pytest.fixture(params=TIERS, ids=lambda tier: tier.name)
def tier(request: pytest.FixtureRequest) -> Tier:
    """Each way to make a sandbox that works on this machine."""
    one: Tier = request.param
    if reason := standing().reasons[one.name]:
        pytest.skip(f"no sandbox by {one.name} on this machine: {reason}")
    return one


def shell(tier: Tier, folder: Path, script: str, **limits: float) -> Result:
    """What a shell script in a sandbox ends with."""
    return Sandbox(tier, writable=folder, limits=Limits(**limits)).run(["/bin/sh", "-c", script])  # type: ignore[arg-type]


def running(words: str) -> list[str]:
    """Processes of this machine with these words in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += [process.name] if words.encode() in (process / "cmdline").read_bytes() else []
        except OSError:
            continue
    return found


@contextlib.contextmanager
def cancelling_at(sandbox: Sandbox, file: Path) -> Iterator[None]:
    """Cancel from another thread as soon as a file is there."""

    def cancel() -> None:
        wait_for(file.exists)
        sandbox.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    yield
    thread.join()


def test_output_and_exit_code_come_back(tier: Tier, tmp_path: Path) -> None:
    result = shell(tier, tmp_path, "echo out; echo err >&2; pwd; exit 3")

    assert result.ended is Ended.DONE
    assert result.exit_code == 3
    assert result.stdout.decode() == f"out\n{tmp_path}\n"
    assert result.stderr == b"err\n"


def test_a_signal_is_an_exit_code(tier: Tier, tmp_path: Path) -> None:
    assert shell(tier, tmp_path, "kill -TERM $$").exit_code == 128 + 15


def test_a_command_that_is_not_there_is_said(tier: Tier, tmp_path: Path) -> None:
    result = Sandbox(tier, writable=tmp_path).run(["/usr/bin/no-such-program"])

    assert result.exit_code == 127
    assert b"no-such-program" in result.stderr


def test_files_written_stay(tier: Tier, tmp_path: Path) -> None:
    shell(tier, tmp_path, "echo kept > kept; echo gone > /tmp/gone; echo gone > /dev/shm/gone")

    assert (tmp_path / "kept").read_text() == "kept\n"
    assert not Path("/tmp/gone").exists()


def test_readable_folders_can_be_read_only(tier: Tier, tmp_path: Path) -> None:
    (tmp_path / "readable").mkdir()
    (tmp_path / "readable" / "file").write_text("text")
    (tmp_path / "writable").mkdir()
    sandbox = Sandbox(tier, writable=tmp_path / "writable", readable=[tmp_path / "readable"])

    result = sandbox.run(["/bin/sh", "-c", f"cat {tmp_path}/readable/file; echo x > {tmp_path}/readable/file"])

    assert result.stdout == b"text"
    assert result.exit_code != 0
    assert (tmp_path / "readable" / "file").read_text() == "text"


def test_a_folder_below_a_readable_one_can_be_writable(tier: Tier, tmp_path: Path) -> None:
    (tmp_path / "writable").mkdir()
    sandbox = Sandbox(tier, writable=tmp_path / "writable", readable=[tmp_path])

    assert sandbox.run(["/bin/sh", "-c", "echo x > file && ! echo x > ../file"]).exit_code == 0


def test_the_environment_is_what_was_given(tier: Tier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLORE_TEAM_KEY", "secret")
    result = Sandbox(tier, writable=tmp_path, environment={"SEED": "7"}).run(["/usr/bin/env"])

    given = dict(line.split("=", 1) for line in result.stdout.decode().splitlines())
    assert {name: given[name] for name in given if name not in ("PWD", "OLDPWD", "SHLVL", "_")} == {
        **ENVIRONMENT,
        "SEED": "7",
    }


def test_the_environment_does_not_reach_what_makes_the_sandbox(tier: Tier, tmp_path: Path) -> None:
    result = Sandbox(tier, writable=tmp_path, environment={"LD_PRELOAD": "/none.so"}).run(["/bin/true"])

    assert result.exit_code == 0
    assert result.stderr.count(b"/none.so") == 3  # nice, prlimit and true complain, nothing outside does


def test_no_descriptor_of_ours_is_left_open(tier: Tier, tmp_path: Path) -> None:
    shown = shell(tier, tmp_path, "ls /proc/self/fd").stdout.split()
    assert shown == [b"0", b"1", b"2", b"3"]  # 3 is ls reading the folder


def test_its_own_loopback_works(tier: Tier, tmp_path: Path) -> None:
    script = (
        "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname(), timeout=5)\nprint('connected')"
    )
    assert Sandbox(tier, writable=tmp_path).run([PYTHON, "-c", script]).stdout == b"connected\n"


def test_time_is_limited(tier: Tier, tmp_path: Path) -> None:
    result = shell(tier, tmp_path, "echo begun; sleep 86398.5", seconds=3)

    assert result.ended is Ended.TIMEOUT
    assert result.exit_code == 137
    assert "longer" in result.why
    assert running("86398.5") == []


def test_output_is_limited(tier: Tier, tmp_path: Path) -> None:
    result = shell(tier, tmp_path, "yes", output_bytes=100_000)

    assert result.ended is Ended.OUTPUT
    assert 100_000 < len(result.stdout) < 10 * MIB


def test_what_was_used_is_counted(tier: Tier, tmp_path: Path) -> None:
    script = "import time\nx = bytearray(b'x') * (80 << 20)\nopen('file', 'wb').write(x[:30 << 20])\ntime.sleep(1)"
    result = Sandbox(tier, writable=tmp_path).run([PYTHON, "-c", script])

    assert result.ended is Ended.DONE
    assert result.cpu_seconds > 0
    assert 80 * MIB < result.peak_memory_bytes < 200 * MIB
    assert result.seconds > 1


def test_what_was_used_is_counted_of_what_was_ended(tier: Tier, tmp_path: Path) -> None:
    sandbox = Sandbox(tier, writable=tmp_path)
    work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"

    with cancelling_at(sandbox, tmp_path / "done"):
        result = sandbox.run(["/bin/sh", "-c", f"{work}; touch done; sleep 60"])

    assert result.ended is Ended.CANCELLED
    assert result.cpu_seconds > 0.2


def test_what_was_there_before_does_not_count_as_written(tier: Tier, tmp_path: Path) -> None:
    (tmp_path / "before").write_bytes(bytes(3 * MIB))
    assert shell(tier, tmp_path, "sleep .3", disk_bytes=MIB).ended is Ended.DONE


def test_what_has_left_its_parent_ends_with_the_command(tier: Tier, tmp_path: Path) -> None:
    result = shell(tier, tmp_path, "(setsid sleep 86397.5 >/dev/null 2>&1 </dev/null &); sleep .3; exit 4")

    assert result.exit_code == 4
    assert running("86397.5") == []


def test_cancelling_ends_what_runs_and_what_comes(tier: Tier, tmp_path: Path) -> None:
    sandbox = Sandbox(tier, writable=tmp_path)

    with cancelling_at(sandbox, tmp_path / "begun"):
        result = sandbox.run(["/bin/sh", "-c", "(setsid sleep 86396.5 &); touch begun; sleep 60"])

    assert result.ended is Ended.CANCELLED
    assert running("86396.5") == []
    assert sandbox.run(["/bin/sh", "-c", "sleep 60"]).ended is Ended.CANCELLED


def test_nothing_is_left_after_an_interrupt(tier: Tier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(first: int, most: int) -> Use:
        if (tmp_path / "begun").exists():
            raise KeyboardInterrupt
        return use_below(first, most)

    monkeypatch.setattr("thoughts.sandbox.running.use_below", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Sandbox(tier, writable=tmp_path).run(["/bin/sh", "-c", "touch begun; sleep 86394.5"])

    wait_for(lambda: not running("86394.5"))


def test_nothing_is_left_when_this_process_is_killed(tier: Tier, tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\nfrom thoughts.sandbox.running import Sandbox\n"
        "from thoughts.sandbox.tiers import TIERS\n"
        f"tier = next(one for one in TIERS if one.name == {tier.name!r})\n"
        f"Sandbox(tier, writable=Path({str(tmp_path)!r})).run(['/bin/sh', '-c', 'touch begun; sleep 86395.5'])"
    )
    child = os.posix_spawn(PYTHON, [PYTHON, "-c", script], {"PYTHONPATH": str(Path.cwd())})
    wait_for((tmp_path / "begun").exists)
    wait_for(lambda: running("86395.5"))
    os.kill(child, 9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9

    wait_for(lambda: not running("86395.5"))


def test_a_sandbox_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    broken = Tier("broken", "", "", lambda *_: ["/bin/sh", "-c", "echo no namespaces >&2; exit 1"])

    with pytest.raises(StageError, match="no namespaces"):
        Sandbox(broken, writable=tmp_path).run(["/bin/true"])


@pytest.mark.parametrize("path", ["/", "/dev", "/proc/self", "/tmp"])
def test_whole_systems_are_not_shown(tmp_path: Path, path: str) -> None:
    with pytest.raises(UserError, match="not shown"):
        Sandbox(TIERS[0], writable=tmp_path, readable=[Path(path)])


def test_folders_have_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        Sandbox(TIERS[0], writable=tmp_path / "none")
    with pytest.raises(UserError, match="is not there"):
        Sandbox(TIERS[0], writable=tmp_path, readable=[tmp_path / "none"])
