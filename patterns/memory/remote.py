"""A team's server, as a member's machine speaks with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, get_args

import httpx2 as httpx
import msgspec

from core.errors import StageError, UserError
from patterns.memory.operations import Operation
from patterns.memory.refusals import Code, RefusedOperationError

TIMEOUT_S = 60.0
MOST_TRIES = 5
MOST_WAIT_S = 30.0


class Remote:
    """Asks a server with the key of one of the team's members."""

    def __init__(self, url: str, key: str, client: httpx.Client | None = None) -> None:
        """`url` is where the service is, without a path. Raises UserError for what is no URL, or without a key."""
        if not url.startswith(("http://", "https://")):
            raise UserError(f"--remote {url}: this is no URL of a server", "for example https://team.example.org")
        if not key:
            raise UserError(
                "the server asks for a key", "set GITLORE_TEAM_KEY to yours, as an admin has given it to you"
            )
        self.url = url.rstrip("/")
        self._client = client or httpx.Client(timeout=TIMEOUT_S)
        self._headers = {"Authorization": f"Bearer {key}"}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def whoami(self) -> dict[str, Any]:
        """Who the key says one is."""
        return self.ask("GET", "/whoami")

    def push(self, operations: Sequence[Operation]) -> list[dict[str, Any]]:
        """What became of operations, each with the pattern as it then stands."""
        body = {"ops": [one.model_dump(mode="json") for one in operations]}
        results = self.ask("POST", "/sync", json=body)["results"]
        if [one["uid"] for one in results] != [one.uid for one in operations]:
            raise StageError(f"{self.url} answers for other operations than it was sent", "update the server")
        return list(results)

    def pull(self, cursor: str, limit: int) -> dict[str, Any]:
        """What has changed since a cursor. Raises RefusedOperationError where everything must be read again."""
        return self.ask("GET", "/sync", params={"cursor": cursor, "limit": limit})

    def ask(
        self, method: str, path: str, *, body: Callable[[], Iterable[bytes]] | None = None, **more: Any
    ) -> dict[str, Any]:
        """What it answers as JSON; `body` gives one that is sent part by part.

        Raises RefusedOperationError where it refuses, StageError where it cannot be reached.
        """
        for _ in range(MOST_TRIES):
            with self._reached():
                content = body() if body else None
                answer = self._client.request(method, self.url + path, content=content, **self._with_key(more))
            if answer.status_code != 429:
                return self._read(answer)
            time.sleep(min(float(answer.headers.get("retry-after", 1)), MOST_WAIT_S))
        raise StageError(f"{self.url} is asked too often with this key", "try again later")

    def download(self, path: str, target: IO[bytes]) -> None:
        """Write what it answers into a file; errors as of `ask`."""
        with self._reached(), self._client.stream("GET", self.url + path, **self._with_key({})) as answer:
            if not answer.is_success:
                answer.read()
                self._read(answer)
            for part in answer.iter_bytes():
                target.write(part)

    def _with_key(self, more: dict[str, Any]) -> dict[str, Any]:
        return {**more, "headers": {**self._headers, **more.get("headers", {})}}

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            hint = "try again later; what stands in the outbox is kept until it is delivered"
            raise StageError(f"{self.url} cannot be reached: {error}", hint) from None

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            found = msgspec.json.decode(answer.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            found = {}
        said = found.get("error")
        said = said if isinstance(said, dict) else {}
        if answer.status_code == 401:
            raise UserError(f"{self.url} does not know the key", "is it whole, and was it not revoked?")
        if answer.status_code == 410:
            raise RefusedOperationError("cursor_expired", str(said.get("message", "read everything again")))
        if answer.is_success and found:
            return found
        if said.get("code") in get_args(Code):
            raise RefusedOperationError(said["code"], str(said.get("message", "the server refuses")))
        message = said.get("message") or f"it answers {answer.status_code}, not as a team's server does"
        raise StageError(f"{self.url}: {message}", "is this the address of a team's server?")
