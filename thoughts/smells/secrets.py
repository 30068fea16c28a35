"""Credentials that stand in code and settings. A finding never has the credential itself."""

from __future__ import annotations

from collections.abc import Iterator

from core.code.languages import LANGUAGES
from core.text.secrets import find
from thoughts.smells.findings import Finding
from thoughts.smells.per_file import PerFile

SUFFIXES = tuple(
    sorted(f".{one}" for kind in LANGUAGES.values() if kind.kind != "documentation" for one in kind.extensions.split())
)


def read(path: str, data: bytes) -> Iterator[Finding]:
    """Where credentials stand, by what they are for."""
    text = data.decode(errors="replace")
    row = at = 0
    for one in find(text):
        row, at = row + text.count("\n", at, one.start), one.start
        yield Finding(f"secrets {one.kind}", path, row + 1, row + 1, f"A credential stands here ({one.kind})")


def tool() -> PerFile:
    """As the study asks it."""
    return PerFile("secrets", "1", __name__, SUFFIXES)
