"""The HTTP server on its socket."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from core.errors import UserError
from core.logs import log
from services.http.connections import BoundedConnection, allow_connections

KEEP_ALIVE_S = 30


def listen(app: FastAPI, host: str, port: int, names: Sequence[str], *, verbose: bool) -> None:
    """Serve until interrupted. Raises UserError where the address cannot be listened on."""
    with bound(host, port) as place:
        shown = f"[{host}]" if ":" in host else host
        log.info("listening on http://%s:%s (%s)", shown, place.getsockname()[1], ", ".join(names))
        server_of(app, verbose=verbose).run(sockets=[place])


def server_of(app: FastAPI, *, verbose: bool = False) -> uvicorn.Server:
    """What answers with the app."""
    BoundedConnection.most = allow_connections()
    settings = uvicorn.Config(
        app,
        http=BoundedConnection,
        ws="none",
        log_level="info" if verbose else "warning",
        access_log=verbose,
        limit_concurrency=BoundedConnection.most + 1,  # answered 503: all others are asked something, none gives way
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    return uvicorn.Server(settings)


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
    except (OSError, UnicodeError, TypeError) as error:  # the last two: no name of a host
        place.close()
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{host}:{port} cannot be listened on: {reason}", "choose another --port or --host") from None
    return place
