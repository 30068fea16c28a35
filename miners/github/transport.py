"""How requests travel: cache on disk, then pacing, then the network. The token is added last, so nothing stores it.

An answer is taken from the cache for as long as the settings allow for its kind; after that it is requested with its
ETag, and a 304 costs no quota. A body must be complete JSON before it gets into the cache.
"""

from __future__ import annotations

import math
import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

import httpx
import msgspec
from hishel import (
    BaseFilter,
    CacheOptions,
    FilterPolicy,
    Response,
    SpecificationPolicy,
    SyncSqliteStorage,
)
from hishel.httpx import SyncCacheTransport

from core.files import remove
from core.logs import log
from core.records.lines import DAMAGED

MAX_BODY_BYTES = 100_000_000
SEARCH_INTERVAL_S = 2.0
"""GitHub allows thirty searches a minute."""
KEPT_S = 90 * 86400.0
"""Answers that were not used for longer leave the cache."""
_MILLISECONDS_FROM = 10**11
_KEPT = (httpx.codes.OK, httpx.codes.NOT_MODIFIED, httpx.codes.NOT_FOUND, httpx.codes.GONE)
_GONE_S = 86400.0
"""A missing repository may appear: such an answer is used for a day at most."""
_DROPPED = ("content-encoding", "content-length", "transfer-encoding", "expires", "pragma", "age", "vary")


def kind_of(path: str) -> str:
    """What an address is for: "search", "issues", "commits", "graphql" or "repository"."""
    if re.search(r"/search/", path):
        return "search"
    if path.endswith("/graphql"):
        return "graphql"
    if re.search(r"/(?:issues|pulls)\b", path):
        return "issues"
    return "commits" if re.search(r"/commits?\b", path) else "repository"


class Transport(httpx.BaseTransport):
    """The cache and the network behind it. `seen` counts all requests, `requests` those that reached the network."""

    def __init__(
        self, token: str, base: httpx.URL, folder: Path, lifetimes_s: Mapping[str, float], timeout_s: float
    ) -> None:
        self._network = Network(token, base, lifetimes_s, timeout_s)
        self._folder, self._query_lifetime_s = folder, lifetimes_s["issues"] or 0.001
        self._open_cache()
        self.seen = 0

    def _open_cache(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        documents = SyncSqliteStorage(database_path=self._folder / "documents.db", default_ttl=KEPT_S)
        queries = SyncSqliteStorage(database_path=self._folder / "queries.db", default_ttl=self._query_lifetime_s)
        standard = SpecificationPolicy(cache_options=CacheOptions(shared=False))
        self._documents = SyncCacheTransport(self._network, documents, standard)
        whole = FilterPolicy(response_filters=[_WithoutErrors()])
        whole.use_body_key = True
        self._queries = SyncCacheTransport(self._network, queries, whole)

    @property
    def requests(self) -> int:
        """Requests that went over the network."""
        return self._network.requests

    @property
    def not_modified(self) -> int:
        """Those of them that were answered by 304."""
        return self._network.not_modified

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer from the cache, or over the network."""
        self.seen += 1
        try:
            return self._cached(request)
        except sqlite3.OperationalError:  # locked, or the disk is full: the next time may work
            raise
        except sqlite3.DatabaseError as error:
            log.warning("the cache of GitHub's answers in %s is damaged (%s): starting a new one", self._folder, error)
            remove(self._folder)
            self._open_cache()
            return self._cached(request)

    def _cached(self, request: httpx.Request) -> httpx.Response:
        cache = self._queries if kind_of(request.url.path) == "graphql" else self._documents
        return cache.handle_request(request)

    def close(self) -> None:
        """Close network and cache."""
        self._documents.close()
        self._queries.close()


class Network(httpx.BaseTransport):
    """One request after the other, with the token, within its time, and with a complete answer."""

    def __init__(
        self,
        token: str,
        base: httpx.URL,
        lifetimes_s: Mapping[str, float],
        timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token, self._base, self._lifetimes_s, self._timeout_s = token, base, lifetimes_s, timeout_s
        proxy = None if proxy_bypass(base.host) else getproxies().get(base.scheme)
        self._inner = httpx.HTTPTransport(retries=0, proxy=proxy)
        self._sleep = sleep
        self._last_search = float("-inf")
        self.requests = self.not_modified = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises httpx.TransportError for what can be tried again."""
        kind = kind_of(request.url.path)
        if kind == "search":
            self._sleep(max(0.0, self._last_search + SEARCH_INTERVAL_S - time.monotonic()))
            self._last_search = time.monotonic()
        # A redirect must not carry the token to another host, nor in clear text to the same one.
        if self._token and (request.url.scheme, request.url.netloc) == (self._base.scheme, self._base.netloc):
            request.headers["Authorization"] = f"Bearer {self._token}"
        self.requests += 1
        response = self._inner.handle_request(request)
        try:
            body = self._read(response, request)
        finally:
            response.close()
        self.not_modified += response.status_code == httpx.codes.NOT_MODIFIED
        return self._answer(response, body, kind, request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _read(self, response: httpx.Response, request: httpx.Request) -> bytes:
        """The body; the time limit also holds for a server that sends it slowly."""
        until = time.monotonic() + self._timeout_s
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if time.monotonic() > until:
                raise httpx.ReadTimeout(f"the answer took longer than {self._timeout_s:g} s", request=request)
            if size > MAX_BODY_BYTES:
                raise httpx.RemoteProtocolError("the answer is too large", request=request)
        return b"".join(parts)

    def _answer(self, response: httpx.Response, body: bytes, kind: str, request: httpx.Request) -> httpx.Response:
        given = [_in_seconds(name.lower(), value) for name, value in response.headers.multi_items()]
        headers = [(name, value) for name, value in given if value and name not in _DROPPED]
        if response.status_code in _KEPT:
            if response.status_code == httpx.codes.OK and not _is_json(body):
                raise httpx.RemoteProtocolError("the answer is not whole JSON", request=request)
            # The cache obeys headers, so ours replace GitHub's: they give the lifetime of this kind of answer.
            gone = response.status_code not in (httpx.codes.OK, httpx.codes.NOT_MODIFIED)
            age = int(min(self._lifetimes_s.get(kind, 0), _GONE_S if gone else math.inf))
            headers = [(name, value) for name, value in headers if name not in ("cache-control", "date")]
            headers += [("Cache-Control", f"private, max-age={age}"), ("Date", formatdate(usegmt=True))]
        else:
            headers = [(name, value) for name, value in headers if name != "cache-control"]
            headers.append(("Cache-Control", "no-store"))
        return httpx.Response(response.status_code, headers=headers, content=body, request=request)


class _WithoutErrors(BaseFilter[Response]):
    """Keeps answers with errors out of the cache of queries."""

    def needs_body(self) -> bool:
        """Errors are in the body."""
        return True

    def apply(self, item: Response, body: bytes | None) -> bool:
        """True for answers without errors."""
        return (
            item.status_code == httpx.codes.OK and body is not None and '"errors"' not in body.decode(errors="replace")
        )


def _in_seconds(name: str, value: str) -> tuple[str, str]:
    """A header with its times in seconds, as githubkit expects them; "" for an invalid one.

    Some proxies and recordings give the time of a reset in milliseconds, and Retry-After may be a date.
    """
    if name == "retry-after" and not value.strip().isdigit():
        try:
            return name, str(max(0, math.ceil(parsedate_to_datetime(value).timestamp() - time.time())))
        except (ValueError, TypeError):
            return name, ""
    if name == "x-ratelimit-reset":
        if not value.strip().isdigit():
            return name, ""
        reset = int(value)
        return name, str(reset // 1000 if reset > _MILLISECONDS_FROM else reset)
    return name, value


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except DAMAGED:
        return False
    return True
