"""Requests to GitHub: cached, paced, retried, and tolerant of incomplete answers.

githubkit sends the requests and knows Enterprise addresses. What to cache is decided in `github.transport`, when to
try again in `github.patience`. Without a token there are sixty requests an hour and no GraphQL.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from core.config import without_credentials
from core.errors import StageError, UserError
from core.logs import log
from core.records.lines import DAMAGED
from miners.github.patience import RETRIES, Patience
from miners.settings import CACHE_HOURS, MiningSettings

if TYPE_CHECKING:
    import httpx
    from githubkit.exception import GitHubException

RecordT = TypeVar("RecordT")
_PASSES = re.compile(r"something went wrong|timeout|timed out|try again", re.IGNORECASE)
"""Errors of queries that may disappear when they are sent again."""
_CHECK_ADDRESS = "check github_miner.api_url"
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class UnreachableError(StageError):
    """GitHub does not answer at all, so other requests would fail too."""


class Licence(msgspec.Struct):
    """A repository's licence."""

    spdx_id: str | None = None


class GitHubRepository(msgspec.Struct, kw_only=True):
    """The fields of a repository that we read."""

    id: int
    full_name: str
    clone_url: str = ""
    stargazers_count: int = 0
    license: Licence | None = None
    pushed_at: str | None = None
    disabled: bool = False
    topics: list[str] = []


class SearchPage(msgspec.Struct):
    """One page of a search."""

    items: list[GitHubRepository] = []


class GitHubClient:
    """Requests with one token; use as a context manager."""

    def __init__(self, settings: MiningSettings, cache_dir: Path) -> None:
        """Reads the token from the environment; without one requests are anonymous."""
        import httpx
        from githubkit import GitHub, UnauthAuthStrategy

        from miners.github.transport import Transport

        self._variable = settings.token_variable
        self._token = token_in(self._variable)
        base = _address(settings.api_url)
        lifetimes = {name: hours * 3600 for name, hours in {**CACHE_HOURS, **settings.cache_hours}.items()}
        # One user may see what another may not, so every token has its own cache, and anonymous requests have one.
        user = sha256(self._token.encode()).hexdigest()[:12] if self._token else "anonymous"
        self._transport = Transport(self._token, base, cache_dir / "github" / user, lifetimes, settings.timeout_s)
        self._patience = Patience(settings.max_wait_s)
        self._github = GitHub(
            UnauthAuthStrategy(),  # the transport adds the token
            base_url=base,
            user_agent="gitlore",
            timeout=httpx.Timeout(settings.timeout_s),
            transport=self._transport,
            http_cache=False,  # the transport has its own
            auto_retry=self._patience,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        self._github.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._github.__exit__(kind, error, at)

    @property
    def has_token(self) -> bool:
        """False for an anonymous client."""
        return bool(self._token)

    @property
    def traffic(self) -> dict[str, int]:
        """How many requests there were, and how many of them the cache answered."""
        sent = self._transport.requests
        return {
            "requests to GitHub": sent,
            "answers without change": self._transport.not_modified,
            "answers from the cache": self._transport.seen - sent,
        }

    def repository(self, full_name: str) -> GitHubRepository | None:
        """A repository, also under an old name. None if GitHub does not show it."""
        body = self._get(f"/repos/{full_name}")
        return None if body is None else _decoded(body, GitHubRepository)

    def search(self, query: str, limit: int) -> Iterator[GitHubRepository]:
        """Repositories that a query finds, best first, at most `limit`."""
        parameters = {"q": query, "sort": "stars", "per_page": min(limit, 100)}
        for body in self._pages("/search/repositories", parameters):
            for item in _decoded(body, SearchPage).items:
                if limit <= 0:
                    return
                limit -= 1
                yield item

    def pages(self, path: str, parameters: Mapping[str, Any]) -> Iterator[bytes]:
        """The pages of a list, one after the other; empty if GitHub does not have the list."""
        yield from self._pages(path, parameters)

    def graphql(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any] | None:
        """The data that answers a query. None where the repository cannot be seen.

        Raises StageError where GitHub refuses the query, ResumeLaterError where it wants a long pause.
        """
        from githubkit.exception import GitHubException, GraphQLFailed

        for tried in itertools.count():
            try:
                found = self._github.graphql.request(query, dict(variables))
            except GraphQLFailed as error:
                problems = error.response.errors or []
                kinds = {str(one.type) for one in problems}
                if kinds and kinds <= {"NOT_FOUND", "FORBIDDEN"}:
                    return None
                words = "; ".join(str(one.message) for one in problems)
                if not _PASSES.search(words) or tried >= RETRIES:
                    raise StageError(f"GitHub refuses a query: {words}") from None
                time.sleep((tried + 1) ** 2)
            except GitHubException as error:  # also a rate limit in the body of a 200
                self._refuse_token(error)
                wait = self._patience(error, tried)
                if not wait.do_retry or wait.retry_after is None:
                    raise StageError(f"GitHub does not answer a query: {self._words(error)}") from None
                time.sleep(wait.retry_after.total_seconds())
            except (TypeError, ValueError, AttributeError):
                raise StageError("GitHub's answer to a query cannot be read", _CHECK_ADDRESS) from None
            else:
                return found if isinstance(found, dict) else None
        raise AssertionError("the loop returns or raises")

    def _get(self, url: str, parameters: Mapping[str, Any] | None = None) -> bytes | None:
        response = self._response(url, parameters)
        return None if response is None else response.content

    def _pages(self, url: str, parameters: Mapping[str, Any]) -> Iterator[bytes]:
        known: Mapping[str, Any] | None = parameters
        seen = set()
        while url and url not in seen:
            seen.add(url)
            response = self._response(url, known)
            if response is None:
                return
            yield response.content
            following = _NEXT.search(response.headers.get("link", ""))
            url, known = (following[1] if following else ""), None

    def _response(self, url: str, parameters: Mapping[str, Any] | None) -> httpx.Response | None:
        """An answer; None if the resource does not exist or is hidden."""
        from githubkit.exception import GitHubException, RequestFailed

        try:
            # Overrides githubkit's "no-cache": the cache knows how long an answer may be used.
            sent = self._github.request("GET", url, params=parameters, headers={"Cache-Control": "max-stale=0"})
        except RequestFailed as error:
            self._refuse_token(error)
            status = error.response.status_code
            if status in (403, 404, 410, 451):
                log.debug("GitHub: %s for %s", status, url)
                return None
            raise StageError(f"GitHub answers {status} for {url}: {self._words(error)}") from None
        except GitHubException as error:
            raise UnreachableError(f"GitHub cannot be reached: {self._words(error)}", "check the network") from None
        return sent.raw_response

    def _refuse_token(self, error: GitHubException) -> None:
        response = getattr(error, "response", None)
        if getattr(response, "status_code", None) == 401:
            raise UserError(f"GitHub refuses the token in {self._variable}", "create a new one, or unset it") from None

    def _words(self, error: GitHubException) -> str:
        """What went wrong; without the token, in case an answer repeats it."""
        text = _words_of(error)
        return text.replace(self._token, "***") if self._token else text


def token_in(variable: str) -> str:
    """The token in an environment variable, "" if unset. Raises UserError if it cannot be a token."""
    token = os.environ.get(variable, "").strip()
    if not re.fullmatch(r"[\x21-\x7e]*", token):
        raise UserError(f"{variable} is not a token: it contains spaces or other odd characters", "set it again")
    return token


def _address(url: str) -> httpx.URL:
    import httpx

    try:
        base = httpx.URL(url.rstrip("/") + "/")
        fits = base.scheme in ("http", "https") and bool(base.host)
    except httpx.InvalidURL:
        fits = False
    if not fits:
        raise UserError(f"github_miner.api_url is not a URL: {without_credentials(url)}", "such as https://HOST/api/v3")
    return base


def _words_of(error: GitHubException) -> str:
    """What went wrong, without headers or addresses, which could contain a secret."""
    response = getattr(error, "response", None)
    if response is not None and hasattr(response, "status_code"):
        try:
            message = msgspec.json.decode(response.content).get("message", "")
        except (*DAMAGED, AttributeError):
            message = ""
        return f"{response.status_code} {message}".strip()
    cause = error.__cause__ or error
    return str(cause) or type(cause).__name__


def _decoded(body: bytes, kind: type[RecordT]) -> RecordT:
    try:
        return msgspec.json.decode(body, type=kind)
    except DAMAGED as error:
        raise StageError(f"GitHub's answer cannot be read: {error}", _CHECK_ADDRESS) from None
