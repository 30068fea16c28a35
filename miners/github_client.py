"""GitHub, politely: cached, paced, patient up to a point, and tolerant of what it answers.

githubkit sends the requests and knows about Enterprise addresses; what to cache and when to try again is decided
here and in `github_transport`. Without a token there are sixty requests an hour and no GraphQL.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from core.config import without_credentials
from core.errors import EXIT_ALREADY_RUNNING, GitloreError, StageError, UserError
from core.logs import log
from miners.settings import CACHE_HOURS, MiningSettings

if TYPE_CHECKING:
    import httpx
    from githubkit.exception import GitHubException
    from githubkit.retry import RetryOption

RecordT = TypeVar("RecordT")
RETRIES = 3
"""Times that a failing request is sent again, after 1, 4 and 9 seconds."""
RATE_RETRIES = 6
SECONDARY_WAIT_S = 60.0
"""GitHub wants at least a minute after a secondary limit that does not say how long, and twice as much each time."""
_PASSES = re.compile(r"something went wrong|timeout|timed out|try again", re.IGNORECASE)
"""Words of errors of queries that a second try may not meet."""
_CHECK_ADDRESS = "check github_miner.api_url"
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class ResumeLaterError(GitloreError):
    """GitHub wants a longer pause than we are willing to make; what is done is kept."""

    exit_code = EXIT_ALREADY_RUNNING


class UnreachableError(StageError):
    """Nobody answers: asking for other things is no use either."""


class Licence(msgspec.Struct):
    """Of a repository."""

    spdx_id: str | None = None


class Repository(msgspec.Struct, kw_only=True):
    """What we read of a repository; the rest is ignored."""

    id: int
    full_name: str
    clone_url: str = ""
    stargazers_count: int = 0
    license: Licence | None = None
    pushed_at: str | None = None
    disabled: bool = False
    topics: list[str] = []


class Found(msgspec.Struct):
    """A page of a search."""

    items: list[Repository] = []


class GitHubClient:
    """Use as a context manager."""

    def __init__(self, settings: MiningSettings, cache_dir: Path) -> None:
        """Reads the token from the environment; without one it is anonymous."""
        import httpx
        from githubkit import GitHub, UnauthAuthStrategy

        from miners.github.transport import Transport

        self._variable = settings.token_variable
        self._token = token_in(self._variable)
        base = _address(settings.api_url)
        lifetimes = {name: hours * 3600 for name, hours in {**CACHE_HOURS, **settings.cache_hours}.items()}
        # What one may see another may not: every token has a cache of its own, and so has none.
        asker = sha256(self._token.encode()).hexdigest()[:12] if self._token else "anonymous"
        self._transport = Transport(self._token, base, cache_dir / "github" / asker, lifetimes, settings.timeout_s)
        self._patience = Patience(settings.max_wait_s)
        self._github = GitHub(
            UnauthAuthStrategy(),  # the transport adds the token
            base_url=base,
            user_agent="gitlore",
            timeout=httpx.Timeout(settings.timeout_s),
            transport=self._transport,
            http_cache=False,  # the transport has a better one
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
        """What was asked, and how much of it the cache answered."""
        sent = self._transport.requests
        return {
            "requests to GitHub": sent,
            "answers without change": self._transport.not_modified,
            "answers from the cache": self._transport.seen - sent,
        }

    def repository(self, full_name: str) -> Repository | None:
        """A repository, also under an old name. None where GitHub has none that we may see."""
        body = self._get(f"/repos/{full_name}")
        return None if body is None else _decoded(body, Repository)

    def search(self, query: str, limit: int) -> Iterator[Repository]:
        """Repositories that a query finds, best first, at most `limit`."""
        parameters = {"q": query, "sort": "stars", "per_page": min(limit, 100)}
        for body in self._pages("/search/repositories", parameters):
            for item in _decoded(body, Found).items:
                if limit <= 0:
                    return
                limit -= 1
                yield item

    def pages(self, path: str, parameters: Mapping[str, Any]) -> Iterator[bytes]:
        """The pages of a list, one after the other; none where GitHub has no such list."""
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
            except GitHubException as error:  # among others a rate limit that is told in the body of a 200
                self._refuse_token(error)
                wait = self._patience(error, tried)
                if not wait.do_retry or wait.retry_after is None:
                    raise StageError(f"GitHub does not answer a query: {self._words(error)}") from None
                time.sleep(wait.retry_after.total_seconds())
            except (TypeError, ValueError, AttributeError):
                raise StageError("GitHub's answer to a query cannot be read", _CHECK_ADDRESS) from None
            else:
                return found if isinstance(found, dict) else None
        raise AssertionError("the loop ends by itself")

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
        """An answer; None for what is not there, or not for us."""
        from githubkit.exception import GitHubException, RequestFailed

        try:
            # Overrules githubkit's "no-cache": the cache knows how long an answer holds.
            asked = self._github.request("GET", url, params=parameters, headers={"Cache-Control": "max-stale=0"})
        except RequestFailed as error:
            self._refuse_token(error)
            status = error.response.status_code
            if status in (403, 404, 410, 451):
                log.debug("GitHub: %s for %s", status, url)
                return None
            raise StageError(f"GitHub answers {status} for {url}: {self._words(error)}") from None
        except GitHubException as error:
            raise UnreachableError(f"GitHub cannot be reached: {self._words(error)}", "check the network") from None
        return asked.raw_response

    def _refuse_token(self, error: GitHubException) -> None:
        response = getattr(error, "response", None)
        if getattr(response, "status_code", None) == 401:
            raise UserError(f"GitHub refuses the token in {self._variable}", "make a new one, or unset it") from None

    def _words(self, error: GitHubException) -> str:
        """What went wrong, without the token, whoever repeats it."""
        text = _words_of(error)
        return text.replace(self._token, "***") if self._token else text


class Patience:
    """When to send a request again: githubkit asks after each failure.

    Waits for rate limits add up to `max_wait_s` at most over one run; ResumeLaterError says when to come back.
    """

    def __init__(self, max_wait_s: float) -> None:
        self._left_s = max_wait_s

    def __call__(self, error: GitHubException, tried: int) -> RetryOption:
        """Whether and when to send it again."""
        from githubkit.retry import RetryOption

        response = getattr(getattr(error, "response", None), "raw_response", None)
        limited = None if response is None else rate_limit_wait_s(response, tried)
        if limited is None:
            if tried >= RETRIES or (response is not None and response.status_code < 500):
                return RetryOption(False)
            return RetryOption(True, timedelta(seconds=(tried + 1) ** 2))
        if limited > self._left_s or tried >= RATE_RETRIES:
            raise ResumeLaterError(
                f"GitHub asks for a pause of {_duration(limited)}, longer than github_miner.max_wait_s allows",
                f"run it again in {_duration(limited)}; it goes on where it stopped",
            )
        self._left_s -= limited
        log.info("GitHub asks for a pause: waiting %s", _duration(limited))
        return RetryOption(True, timedelta(seconds=limited))


def rate_limit_wait_s(response: httpx.Response, tried: int) -> float | None:
    """Seconds to wait where an answer says that there were too many requests; None where it says something else."""
    told: str | None = response.headers.get("retry-after")
    in_body = response.status_code == 200 and b"RATE_LIMIT" in response.content
    if response.status_code not in (403, 429) and not in_body and not (told and response.status_code == 503):
        return None
    if told:
        return float(told)
    reset: str | None = response.headers.get("x-ratelimit-reset")
    if reset and (response.headers.get("x-ratelimit-remaining") == "0" or in_body):
        return max(0.0, float(reset) - time.time()) + 1
    text = response.text.lower()
    if response.status_code == 429 or in_body or "secondary rate" in text or "abuse" in text or "rate limit" in text:
        return SECONDARY_WAIT_S * 2.0**tried
    return None


def token_in(variable: str) -> str:
    """The token in an environment variable, "" for none. Raises UserError for what cannot be one, not showing it."""
    token = os.environ.get(variable, "").strip()
    if not re.fullmatch(r"[\x21-\x7e]*", token):
        raise UserError(f"{variable} holds no token: it has spaces, line breaks or other odd characters", "set it anew")
    return token


def _address(url: str) -> httpx.URL:
    import httpx

    try:
        base = httpx.URL(url.rstrip("/") + "/")
        fits = base.scheme in ("http", "https") and bool(base.host)
    except httpx.InvalidURL:
        fits = False
    if not fits:
        raise UserError(
            f"github_miner.api_url is no address: {without_credentials(url)}", "such as https://HOST/api/v3"
        )
    return base


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _words_of(error: GitHubException) -> str:
    """What went wrong, without headers or addresses that could tell a secret."""
    response = getattr(error, "response", None)
    if response is not None and hasattr(response, "status_code"):
        try:
            message = msgspec.json.decode(response.content).get("message", "")
        except (msgspec.DecodeError, AttributeError):
            message = ""
        return f"{response.status_code} {message}".strip()
    cause = error.__cause__ or error
    return str(cause) or type(cause).__name__


def _decoded(body: bytes, kind: type[RecordT]) -> RecordT:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise StageError(f"GitHub's answer cannot be read: {error}", _CHECK_ADDRESS) from None
