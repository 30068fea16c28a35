"""How a server is heard: an answer as a whole is bounded in time and size."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2

MOST_BYTES = 10_000_000
"""Of an answer, with all that is around its text."""


class Transport(httpx2.HTTPTransport):
    """Ends an answer after some seconds or MOST_BYTES; the client's own limit begins again with each part.

    Heeds no proxy. The stream of an answer raises ReadTimeout or ReadError.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(trust_env=False)
        self._seconds = seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        deadline = time.monotonic() + self._seconds
        response = super().handle_request(request)
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream, deadline)
        return response


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._stream:
            size += len(part)
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer takes too long")
            if size > MOST_BYTES:
                raise httpx2.ReadError(f"it answered with more than {MOST_BYTES / 1e6:g} MB")
            yield part

    def close(self) -> None:
        self._stream.close()
