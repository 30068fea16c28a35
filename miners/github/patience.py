"""When to send a failed request to GitHub again, and when to give up until later."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from core.errors import EXIT_ALREADY_RUNNING, GitloreError
from core.logs import log

if TYPE_CHECKING:
    import httpx
    from githubkit.exception import GitHubException
    from githubkit.retry import RetryOption

RETRIES = 3
"""Times that a failing request is sent again, after 1, 4 and 9 seconds."""
RATE_RETRIES = 6
SECONDARY_WAIT_S = 60.0
"""GitHub wants at least a minute after a secondary limit that does not state a time, and twice as much each time."""


class ResumeLaterError(GitloreError):
    """GitHub wants a longer pause than the settings allow; what is done is kept."""

    exit_code = EXIT_ALREADY_RUNNING


class Patience:
    """When to send a request again: githubkit calls it after each failure.

    Waits for rate limits add up to at most `max_wait_s` in one run. For more, ResumeLaterError has the time to resume.
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
                f"run it again in {_duration(limited)}; it continues where it stopped",
            )
        self._left_s -= limited
        log.info("GitHub asks for a pause: waiting %s", _duration(limited))
        return RetryOption(True, timedelta(seconds=limited))


def rate_limit_wait_s(response: httpx.Response, tried: int) -> float | None:
    """Seconds to wait after an answer that reports too many requests; None for any other answer."""
    after: str | None = response.headers.get("retry-after")
    in_body = response.status_code == 200 and b"RATE_LIMIT" in response.content
    if response.status_code not in (403, 429) and not in_body and not (after and response.status_code == 503):
        return None
    if after:
        return float(after)
    reset: str | None = response.headers.get("x-ratelimit-reset")
    if reset and (response.headers.get("x-ratelimit-remaining") == "0" or in_body):
        return max(0.0, float(reset) - time.time()) + 1
    text = response.text.lower()
    if response.status_code == 429 or in_body or "secondary rate" in text or "abuse" in text or "rate limit" in text:
        return SECONDARY_WAIT_S * 2.0**tried
    return None


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"
