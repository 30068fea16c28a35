"""The HTTP server on its socket."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from core.errors import UserError
from core.logs import log

MOST_CONNECTIONS = 1000
"""More are answered 503, so that slow clients cannot take all memory."""
KEEP_ALIVE_S = 30


def listen(app: FastAPI, host: str, port: int, names: Sequence[str], *, verbose: bool) -> None:
    """Serve until interrupted. Raises UserError where the address cannot be listened on."""
    with bound(host, port) as place:
        log.info("listening on http://%s:%s (%s)", host, place.getsockname()[1], ", ".join(names))
        settings = uvicorn.Config(
            app,
            log_level="info" if verbose else "warning",
            access_log=verbose,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        uvicorn.Server(settings).run(sockets=[place])


def bound(host: str, port: int) -> socket.socket:
    """A socket that is bound. Raises UserError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once (TCP_NODELAY) only on sockets that say that they are TCP's.
    place = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            place.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        place.bind((host, port))
        place.listen()
    except OSError as error:
        place.close()
        raise UserError(f"{host}:{port} cannot be listened on: {error.strerror}", "choose another --port") from None
    return place
