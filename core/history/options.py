"""What decides the record of a commit, apart from the commit itself."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import expand
from core.errors import UserError
from core.files import atomic_write
from core.git.refs import mailmap
from core.history.messages import Pseudonyms


@dataclass(frozen=True)
class ReadOptions:
    """How commits are read."""

    rename_similarity: int = 50
    """Percent of likeness from which a removed and an added file count as a rename."""
    context_lines: int = 3
    max_patch_bytes: int = 1_000_000
    max_file_bytes: int = 5_000_000
    mailmap: str = ""
    """Blob of the mailmap to follow, as git names it; "" for none."""
    pseudonyms: Pseudonyms | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any], git_dir: Path, cache_dir: Path) -> ReadOptions:
        """From the settings of git_scraper, as they are now or as a model recorded them; others are ignored."""
        numbers = ("rename_similarity", "context_lines", "max_patch_bytes", "max_file_bytes")
        salt = settings.get("redact_emails") and read_salt(settings.get("email_salt_file", ""), cache_dir)
        return cls(
            **{name: settings[name] for name in numbers if name in settings},
            mailmap=mailmap(git_dir) if settings.get("mailmap") else "",
            pseudonyms=Pseudonyms(salt) if salt else None,
        )


def read_salt(path: str, cache_dir: Path) -> bytes:
    """The key of redacted addresses: the user's file, or one that is made once in the cache folder.

    Raises UserError for a file that is empty or cannot be read.
    """
    file = expand(path) if path else cache_dir / "email_salt"
    if not path and not file.exists():
        with atomic_write(file) as new:
            os.fchmod(new.fileno(), 0o600)
            new.write(secrets.token_hex(32).encode())
    try:
        salt = file.read_bytes().strip()
    except OSError as error:
        raise UserError(f"the salt file cannot be read: {file}: {error.strerror}", "check email_salt_file") from None
    if not salt:
        raise UserError(f"the salt file is empty: {file}", "put some secret text into it")
    return salt
