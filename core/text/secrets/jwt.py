"""JSON web tokens."""

from __future__ import annotations

from collections.abc import Iterator

from core.text.secrets.patterns import Pattern
from core.text.secrets.secret import Secret

_MOST = 65_536
_ANCHORS = Pattern("eyJ[A-Za-z0-9_=-]{8}")
_RUN = Pattern("[A-Za-z0-9_=-]*")
_REST = Pattern(r"\.[A-Za-z0-9_=-]{4}[A-Za-z0-9_=-]*(?:\.[A-Za-z0-9_.+/=-]*)?")


class WebTokens:
    """Header, claims and signature, each of any length: what follows the first part is looked at once for each run."""

    anchor = _ANCHORS.source

    def find(self, data: bytes) -> Iterator[Secret]:
        """Those in a text, as `searched` makes it."""
        done = 0
        for start, end in _ANCHORS.each(data):
            if start < done:
                continue
            run = _RUN.at(data, end, min(end + _MOST, len(data)))
            done = run[1] if run else end
            if rest := _REST.at(data, done, min(done + _MOST, len(data))):
                done = rest[1]
                yield Secret(start, done, "jwt")
