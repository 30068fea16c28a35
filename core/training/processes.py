"""Several processes that train one model together, as `accelerate launch` or `torchrun` starts them."""

from __future__ import annotations

import os


def rank() -> int:
    """The number of this process; 0 where there is one, and for the one that writes."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """How many there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """True for the process that logs, scores and writes."""
    return rank() == 0
