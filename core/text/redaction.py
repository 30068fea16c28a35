"""Masking text: credentials by kind, and e-mail addresses if wanted."""

from __future__ import annotations

from collections.abc import Sequence

from core.history.messages import EMAIL_ADDRESS
from core.text.grammar import EMAIL, SECRETS, Marker, Text, plain
from core.text.secrets import find, suspects

_SHORT = 200
_LOOKED_BEYOND = 4_000
"""Characters behind a cut in which a credential that begins before it may end."""
_MOST_REMEMBERED = 50_000


class Redactor:
    """Turns text into text with masks."""

    def __init__(self, *, secrets: bool = True, emails: bool = False) -> None:
        self._secrets, self._emails = secrets, emails
        self._remembered: dict[str, Text] = {}  # paths, names and modules come again and again

    def suspects(self, texts: Sequence[str]) -> bool:
        """False where nothing in the texts is to be masked: one fast pass over all of them."""
        return (self._secrets and suspects(texts)) or (self._emails and any("@" in text for text in texts))

    def clean(self, text: str) -> Text:
        """The text with a mask in the place of each credential and address."""
        if len(text) > _SHORT:
            return self._clean(text)
        known = self._remembered.get(text)
        if known is None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[text] = self._clean(text)
        return known

    def masked(self, text: str, most: int | None = None) -> str:
        """A text with masks spelled out, and cut only after that, so that no part of a credential is left."""
        return "".join(self.clean(text if most is None else text[: most + _LOOKED_BEYOND]))[:most]

    def around(self, text: str) -> str:
        """A text with a space in the place of each credential and address."""
        return "".join(" " if isinstance(piece, Marker) else piece for piece in self.clean(text))

    def has_secret(self, *texts: str) -> bool:
        """True where a credential stands in one of the texts."""
        return any(isinstance(piece, Marker) and piece != EMAIL for text in texts for piece in self.clean(text))

    def _clean(self, text: str) -> Text:
        found = [(start, end, SECRETS[kind]) for start, end, kind in find(text)] if self._secrets else []
        if self._emails and "@" in text:
            for match in EMAIL_ADDRESS.finditer(text):
                if not any(match.start() < end and start < match.end() for start, end, _ in found):
                    found.append((*match.span(), EMAIL))
            found.sort()
        pieces: list[str] = []
        last = 0
        for start, end, mask in found:
            pieces += [*plain(text[last:start]), mask]
            last = end
        return (*pieces, *plain(text[last:]))
