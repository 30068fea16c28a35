"""What a team's memory refuses, as errors with a code that programs read."""

from __future__ import annotations

from typing import Literal

from core.errors import UserError

Code = Literal[
    "not_allowed", "not_found", "exists", "own_pattern", "deleted", "key_reused", "holds_secret", "invalid",
    "cursor_expired", "invalid_cursor", "last_admin", "too_large", "not_better", "changed_meanwhile", "queue_full",
]  # fmt: skip


class RefusedOperationError(UserError):
    """An operation that is refused, whoever retries it."""

    def __init__(self, code: Code, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code
