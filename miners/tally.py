"""What was seen, what was left out, and which repositories could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.errors import GitloreError
from core.logs import log


@dataclass
class MiningTally:
    """Counts over all repositories."""

    counts: Counter[str] = field(default_factory=Counter)
    """What was seen."""
    drops: Counter[str] = field(default_factory=Counter)
    """What was left out, by reason."""
    failed: list[str] = field(default_factory=list)
    """What could not be read, one sentence each."""

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Whatever fails inside is a failure of this repository alone: it is reported, and the run continues."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a defect in reading one must not cost the others
            log.debug("%s cannot be read", name, exc_info=True)
            self.fail("repositories that cannot be read", f"{name}: {reason_of(error)}")

    def fail(self, drop: str, sentence: str) -> None:
        """Count a failure under the name of a drop, and keep and log its sentence."""
        self.drops[drop] += 1
        self.failed.append(sentence)
        log.warning("%s", sentence)


def reason_of(error: Exception) -> str:
    """The failure in words; one that nothing foresaw is called a defect."""
    if isinstance(error, GitloreError):
        return error.message
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    return f"{type(error).__name__}: {error} (a defect of Gitlore; the debug log has its trace)"
