"""Every way out, as root and as an ordinary user: it has to work outside, and to be denied in every kind of sandbox."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shutil
import subprocess
import sys
import termios
from functools import cache
from pathlib import Path

import pytest
from builders import PROJECT
from click.testing import CliRunner

from thoughts.sandbox import __main__ as command
from thoughts.sandbox.escapes import ESCAPES
from thoughts.sandbox.probing import DETACHED, OUTSIDE, Attempt
from thoughts.sandbox.standing import Standing
from thoughts.sandbox.tiers import TIERS

ROOT = os.geteuid() == 0
USERS = ("root", "nobody") if ROOT else ("user",)
NAMES = (*ESCAPES, DETACHED)
DEPENDS_ON_THE_MACHINE = {
    *("type_into_terminal", "trace_process", "network", "other_sockets", "keyring", "user_namespace", "mount"),
    *("devices", "kernel_settings", "raise_privileges"),
}
"""What many machines deny by themselves, or only to ordinary users."""
SCRIPT = """
import dataclasses, json
from thoughts.sandbox import probing, standing
found = [dataclasses.asdict(one) for one in probing.attempts()]
print(json.dumps([standing.standing().reasons, found]))
"""


def python_for_all() -> str:
    """An interpreter that any user may run: ours may be in somebody's home."""
    for path in (str(Path(sys.executable).resolve()), "/usr/bin/python3.12", "/usr/bin/python3.11"):
        line = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c", f"exec {path} -c ''"]
        if Path(path).exists() and subprocess.run(line, check=False, capture_output=True).returncode == 0:
            return path
    return ""


@cache
def found(user: str) -> tuple[dict[str, str], dict[tuple[str, str], Attempt]]:
    """Why tiers do not work, and what became of each (name, place); all tried once, by a process with a terminal."""
    line = [sys.executable]
    if user == "nobody":
        python = python_for_all()
        if not python or not shutil.which("setpriv"):
            pytest.skip("no Python that an ordinary user may run")
        line = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python]
    master, slave = pty.openpty()
    done = subprocess.run(
        [*line, "-B", "-c", SCRIPT],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT)},
        stdin=slave,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        check=True,
    )
    os.close(master)
    os.close(slave)
    reasons, attempts = json.loads(done.stdout)
    return reasons, {(one["name"], one["place"]): Attempt(**one) for one in attempts}


@pytest.mark.slow
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_way_out_works_outside(name: str, user: str) -> None:
    attempt = found(user)[1][name, OUTSIDE]
    if not attempt.tried:
        pytest.skip(attempt.what)
    if name in DEPENDS_ON_THE_MACHINE and not attempt.reached:
        pytest.skip(f"denied without a sandbox: {attempt.what}")
    assert attempt.reached, attempt.what


@pytest.mark.slow
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("tier", [tier.name for tier in TIERS])
@pytest.mark.parametrize("name", NAMES)
def test_a_way_out_is_denied(name: str, tier: str, user: str) -> None:
    reasons, attempts = found(user)
    if reasons[tier]:
        pytest.skip(f"no sandbox by {tier} on this machine: {reasons[tier]}")
    assert not attempts[name, tier].reached, attempts[name, tier].what


def test_what_becomes_of_each_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempts(names: list[str]) -> list[Attempt]:
        return [Attempt(name, OUTSIDE, True, "text") for name in names]

    monkeypatch.setattr(command, "attempts", attempts)
    monkeypatch.setattr(command, "standing", lambda: Standing({one.name: "no namespaces" for one in TIERS}))

    shown = CliRunner().invoke(command.main, [])
    assert shown.exit_code == 0
    assert "read a file of the host" in shown.output
    assert "900 MiB" not in shown.output
    assert "unshare does not work here: no namespaces" in shown.output
    assert "hint: " in shown.output
    assert "900 MiB" in CliRunner().invoke(command.main, ["--all"]).output


def test_something_reached_from_inside_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempts(names: list[str]) -> list[Attempt]:
        places = (OUTSIDE, TIERS[0].name)
        return [Attempt(name, place, True, "text") for name in names for place in places]

    monkeypatch.setattr(command, "attempts", attempts)
    monkeypatch.setattr(command, "standing", lambda: Standing({TIERS[0].name: "", TIERS[1].name: "missing"}))

    shown = CliRunner().invoke(command.main, ["--json"])
    assert shown.exit_code == 1
    assert json.loads(shown.output)["kinds"] == {TIERS[0].name: "", TIERS[1].name: "missing"}
