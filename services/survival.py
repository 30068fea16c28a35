"""What became of a pattern's lines, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def in_words(found: Mapping[str, Any] | None, digits: int = 40) -> str:
    """Empty where nobody has looked. `digits` of the commit's hash are named."""
    if not found:
        return ""
    if found["ended_by"]:
        how = "taken back" if found["taken_back"] else "replaced"
        return f"{how} after {found['days']:.0f} days by {found['ended_by'][:digits]}"
    return f"{found['alive']} of {found['lines']} lines stand after {found['days']:.0f} days"
