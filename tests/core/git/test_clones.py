"""Repositories at URLs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from builders import Program, wait_for


@pytest.mark.parametrize("command", ["git_scraper.py", "predict.py"])
def test_sigterm_while_a_server_is_silent_is_a_sentence_and_ends_git_too(
    program: Program, tmp_path: Path, command: str
) -> None:
    silent = tmp_path / "ssh"
    silent.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexec cat\n")  # like ssh it ends when git does
    silent.chmod(0o755)
    output = ("--output", "commits.json") if command == "git_scraper.py" else ("--task", "x")
    running = program.start(command, "--repo", "ssh://host/a.git", *output, GIT_SSH_COMMAND=str(silent))
    wait_for((tmp_path / "asked").exists)
    os.kill(running.pid, signal.SIGTERM)
    _, err = running.communicate(60)
    assert running.wait() == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    wait_for(lambda: not group_is_alive(running.pid))


def group_is_alive(leader: int) -> bool:
    """Whether a process of the group is left."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True
