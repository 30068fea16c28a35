"""Fingerprints of changes, equal for equal changes wherever they were made: `git patch-id --stable`.

The rule is git's (builtin/patch-id.c): per file a SHA-1 of headers and lines without any white
space, line numbers and blob ids left out; the files' digests are added up, so their order is free.
"""

from __future__ import annotations

import hashlib
import re

from core.history.overlay import quoted
from core.records.commits import FileDiff

_SPACE = b" \t\n\r"  # what git takes for white space
_NO_NEWLINE = re.compile(rb"\n\\ [^\n]*")


def of_file(header: bytes, hunks: bytes) -> int:
    """The part of one file; `hunks` starts with its first `@@` line, and is empty where there is none."""
    digest = hashlib.sha1(header.translate(None, _SPACE), usedforsecurity=False)
    if b"\n\\ No newline at end" in hunks:
        hunks = _NO_NEWLINE.sub(b"", hunks)
    end = 0 if hunks else -1
    while end >= 0:
        start = hunks.index(b"\n", end + 1)
        end = hunks.find(b"\n@@ -", start)
        digest.update(hunks[start : end if end >= 0 else None].translate(None, _SPACE))
    return int.from_bytes(digest.digest(), "little")


def of_commit(parts: int) -> str | None:
    """The fingerprint of a commit from the sum of those of its files; None for one that changes nothing."""
    total = parts % (1 << 160)
    return total.to_bytes(20, "little").hex() if total else None


def header(diff: FileDiff, old: bytes, new: bytes, *, with_names: bool) -> bytes:
    """The lines git writes above the hunks of a file, but for blob ids; `with_names` adds the last two of them."""
    status = diff.change_type
    old_name, new_name = quoted(b"a/" + old), quoted(b"b/" + new)
    lines = b"diff --git " + old_name + new_name
    if status == "A":
        lines += b"new file mode " + diff.new_mode.encode()
        old_name = b"/dev/null"
    elif status == "D":
        lines += b"deleted file mode " + diff.old_mode.encode()
        new_name = b"/dev/null"
    elif diff.old_mode != diff.new_mode:
        lines += f"old mode {diff.old_mode}new mode {diff.new_mode}".encode()
    if diff.similarity is not None:
        word = b"rename" if status == "R" else b"copy"
        lines += b"similarity index %d%%%s from %s%s to %s" % (diff.similarity, word, quoted(old), word, quoted(new))
    return lines + (b"--- " + old_name + b"+++ " + new_name if with_names else b"")
