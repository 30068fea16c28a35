"""A stage for tests of the runner: writes its setting; misbehaves on request through files in its folder."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import time
from pathlib import Path

from core.config import Section
from core.engine.stage import Context, Stage
from core.errors import StageError, UserError


class FirstConfig(Section):
    """Settings of the first toy."""

    text: str = "one"
    """What is written."""
    behaviour: str = "work"
    """How it ends."""


def run(ctx: Context[FirstConfig]) -> None:
    """Write first.txt."""
    output = ctx.output("first.txt")
    output.write_text(ctx.config.text)
    match ctx.config.behaviour:
        case "fail":
            raise StageError("it does not feel like it", "ask again")
        case "user":
            raise UserError("the input is wrong")
        case "bug":
            raise KeyError("surprise")
        case "full":
            raise OSError(errno.ENOSPC, "No space left on device", str(output))
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "slow":
            try:
                (ctx.cache_dir / "started").write_text(str(os.getpid()))
                time.sleep(60)
            except KeyboardInterrupt:
                time.sleep(0.5)  # saving takes its time; a second interrupt would break it off
                (ctx.cache_dir / "saved").write_text("whole")
                raise
        case "stuck":
            child = subprocess.Popen(["sleep", "300"], stderr=subprocess.DEVNULL)
            # Like an endless match it keeps the interpreter's lock, which CDLL does not, and no signal ends it.
            signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
            (ctx.cache_dir / "started").write_text(f"{os.getpid()} {child.pid}")
            ctypes.PyDLL(None).sleep(300)
        case "lazy":
            output.unlink()
    ctx.count("files")
    ctx.drop("nothing much", 3)


STAGE = Stage(
    name="first",
    help="write a file",
    config=FirstConfig,
    run=run,
    outputs=("first.txt",),
    sources=lambda config: {"outside": Path(os.environ.get("TOY_SOURCE", "/dev/null")).read_text()},
)
