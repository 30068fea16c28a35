"""How long a connection may keep the service waiting, and which one gives way where there are too many."""

from __future__ import annotations

import asyncio
import resource
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS = 1000
HEADER_S = 10.0
"""From a connection's beginning, or the first byte of a further request, to the end of the request's header."""
UNREAD_S = 30.0
"""How long a client may leave an answer unread."""
OTHER_FILES = 200
"""Open files that are not connections: indexes, repositories, pipes."""


class BoundedConnection(H11Protocol):
    """A connection that is closed where its request's header, or its reading of an answer, takes too long.

    uvicorn bounds neither. Where there are more than `most`, the one that has waited longest without a request gives
    way, so that clients that only connect keep nobody out.
    """

    most: ClassVar[int] = MOST_CONNECTIONS
    _silent: ClassVar[dict[BoundedConnection, None]] = {}
    """Connections without a request, those that have waited longest first."""
    _header_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self._wait_for_header()
        if len(self.connections) > self.most:
            next(iter(self._silent)).give_way()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._unset_keepalive_if_required()  # uvicorn keeps its timer where a client has reset the connection
        self._stop_waiting()
        self._read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        super().data_received(data)
        if self._is_asked:
            self._stop_waiting()
        elif self._header_timer is None and not self.transport.is_closing():
            self._wait_for_header()

    def on_response_complete(self) -> None:
        """An answer is written; the connection is kept for another request."""
        super().on_response_complete()
        if not self._is_asked and not self.transport.is_closing():  # else by a request that came with the last one
            self._silent[self] = None

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        super().pause_writing()
        self._unread_timer = self._unread_timer or self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        self._read()

    def give_way(self) -> None:
        """Close it in favour of another."""
        self._stop_waiting()
        self.timeout_keep_alive_handler()

    @property
    def _is_asked(self) -> bool:
        """Whether a request is to be answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_header(self) -> None:
        self._silent[self] = None
        self._header_timer = self.loop.call_later(HEADER_S, self.give_way)

    def _stop_waiting(self) -> None:
        self._silent.pop(self, None)
        if self._header_timer:
            self._header_timer.cancel()
            self._header_timer = None

    def _read(self) -> None:
        if self._unread_timer:
            self._unread_timer.cancel()
            self._unread_timer = None


def allow_connections() -> int:
    """Raise the process's limit of open files as far as needed and allowed; how many connections it leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted - OTHER_FILES, wanted // 2)
