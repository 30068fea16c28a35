"""How a server is heard: an exchange as a whole is bounded in time, and its answer in size."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

MOST_BYTES = 10_000_000
"""Of an answer, with all that is around its text."""


class Transport(httpx2.HTTPTransport):
    """Ends an exchange after some seconds or MOST_BYTES; the client's own limit begins again with each part.

    Heeds no proxy. A request, and the stream of its answer, raise ReadTimeout or ReadError.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(trust_env=False)
        self._seconds = seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        deadline = _Deadline(self._seconds)
        request.extensions = {**request.extensions, "trace": deadline.watch}
        try:
            response = super().handle_request(request)
        except httpx2.TransportError:
            deadline.cancel()
            deadline.check()
            raise
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream, deadline)
        return response


class _Deadline:
    """Closes the connection when the time is over, whatever waits for it then: headers have no other limit."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._close)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of the connection that is made."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    def cancel(self) -> None:
        """Leave the connection alone."""
        self._timer.cancel()

    def check(self) -> None:
        """Raises ReadTimeout where the time is over."""
        if time.monotonic() >= self._end:
            raise httpx2.ReadTimeout("the answer takes too long") from None

    def _close(self) -> None:
        if self._socket:
            with contextlib.suppress(OSError):  # it may be closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # TLS would drop what another thread reads with


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        try:
            for part in self._stream:
                size += len(part)
                self._deadline.check()
                if size > MOST_BYTES:
                    raise httpx2.ReadError(f"it answered with more than {MOST_BYTES / 1e6:g} MB")
                yield part
        except httpx2.TransportError:
            self._deadline.check()
            raise
        self._deadline.check()  # without a length, a closed connection looks like the end

    def close(self) -> None:
        self._deadline.cancel()
        self._stream.close()
