"""Which kind of sandbox works on this machine, tried once; where none does, nothing is run and this says why."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import GitloreError, StageError, UserError
from thoughts.sandbox.limits import Ended, Limits
from thoughts.sandbox.running import Sandbox
from thoughts.sandbox.tiers import TIERS, Tier

_SETTINGS = (
    ("user/max_user_namespaces", "0", "allow them: sysctl user.max_user_namespaces=15000"),
    ("kernel/unprivileged_userns_clone", "0", "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor forbids user namespaces: allow them to bwrap by a profile, as docs/sandbox.md shows",
    ),
)
"""Settings of the kernel that forbid namespaces: below /proc/sys, the value, and what to do."""


@dataclass(frozen=True)
class Standing:
    """What works here."""

    reasons: dict[str, str]
    """For each kind, best first, why it does not work; "" for one that does."""

    @property
    def working(self) -> list[Tier]:
        """The kinds that work, best first."""
        return [tier for tier in TIERS if not self.reasons[tier.name]]

    def sentence(self) -> str:
        """What is used, in words for a page of the state."""
        if self.working:
            return f"commands run in a sandbox made by {self.working[0].name}"
        return "no command is run, because no sandbox works here: " + "; ".join(
            f"{name}: {reason}" for name, reason in self.reasons.items()
        )


@cache
def standing() -> Standing:
    """Try every kind once in the life of this process."""
    return Standing({tier.name: why_not(tier) for tier in TIERS})


def best_tier() -> Tier:
    """The best kind that works here. Raises UserError where none does, with what to do."""
    now = standing()
    if now.working:
        return now.working[0]
    raise UserError(now.sentence(), advice())


def why_not(tier: Tier) -> str:
    """Why one kind does not work here, "" where it does."""
    if sys.platform != "linux":
        return "it needs Linux"
    if not Path("/proc/thread-self/children").exists():
        return "the kernel does not list the children of a process (CONFIG_PROC_CHILDREN)"
    with tempfile.TemporaryDirectory(prefix="gitlore-sandbox-") as folder:
        try:
            result = Sandbox(tier, writable=Path(folder), limits=Limits(seconds=20)).run(["/bin/true"])
        except StageError as error:
            return error.message.rpartition("could not be made: ")[2]
        except GitloreError as error:
            return error.message
    if result.ended is Ended.DONE and result.exit_code == 0:
        return ""
    return f"an empty command did not end well in it: {result.why}, exit code {result.exit_code}"


def advice(proc: Path = Path("/proc/sys"), container: Path = Path("/.dockerenv")) -> str:
    """What would make a sandbox possible on this machine."""
    wanted = [
        hint
        for name, value, hint in _SETTINGS
        if (proc / name).is_file() and (proc / name).read_text().strip() == value
    ]
    if container.exists():
        wanted.append("this is a container: start it with the options in docs/sandbox.md")
    return "; ".join(wanted) or "install bubblewrap (apt-get install bubblewrap); docs/sandbox.md says more"
