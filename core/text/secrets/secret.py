"""What a credential is: where it stands, and what it is for."""

from __future__ import annotations

from typing import NamedTuple

SECRET_KINDS = (
    *("aws", "azure", "basic_auth", "cloud", "discord", "github", "gitlab", "google", "huggingface", "jwt", "mail"),
    *("npm", "openai", "password", "payment", "private_key", "pypi", "slack", "telegram", "twilio", "other"),
)
"""What a credential is for; "cloud", "mail" and "payment" each stand for several providers."""


class Secret(NamedTuple):
    """Where a credential stands in a text, and its kind."""

    start: int
    end: int
    kind: str
