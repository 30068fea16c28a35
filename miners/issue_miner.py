"""Closed issues that name an error, and the commits that closed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from core.errors import StageError
from core.logs import log
from core.records.lines import DAMAGED
from core.records.mined import ClosedIssue
from core.text.redaction import Redactor
from miners.github.queries import CLOSED_ISSUES
from miners.github_client import GitHubClient
from miners.signals.error_texts import errors_in

PAGE = 50
MAX_BODY_CHARACTERS = 20_000
TITLE_CHARACTERS = 120
TIMELINES = 20
"""Maximum number of timelines to request without a token: each is one request, of sixty an hour."""


class _Issue(msgspec.Struct):
    """The fields of an issue that we read."""

    number: int = 0
    title: str | None = None
    body: str | None = None
    updated_at: str | None = None
    pull_request: Any = None


class _Commit(msgspec.Struct):
    oid: str | None = None


class _Closer(msgspec.Struct):
    """A commit, or a pull request with the commit that merged it."""

    oid: str | None = None
    mergeCommit: _Commit | None = None  # noqa: N815 - GitHub's names


class _ClosedEvent(msgspec.Struct):
    closer: _Closer | None = None


class _Closers(msgspec.Struct):
    nodes: list[_Closer | None] = []


class _Events(msgspec.Struct):
    nodes: list[_ClosedEvent | None] = []


class _Node(msgspec.Struct):
    """An issue as the query returns it."""

    number: int = 0
    title: str | None = None
    body: str | None = None
    updatedAt: str | None = None  # noqa: N815
    closedByPullRequestsReferences: _Closers | None = None  # noqa: N815
    timelineItems: _Events | None = None  # noqa: N815


class _PageInfo(msgspec.Struct):
    hasNextPage: bool = False  # noqa: N815
    endCursor: str | None = None  # noqa: N815


class _Page(msgspec.Struct):
    """One page of issues."""

    pageInfo: _PageInfo  # noqa: N815
    nodes: list[_Node | None] = []


class _Event(msgspec.Struct, kw_only=True):
    """The fields of a timeline that we read."""

    event: str = ""
    commit_id: str | None = None


def closed_issues(
    client: GitHubClient, full_name: str, since: str, limit: int, counts: Counter[str]
) -> Iterator[ClosedIssue]:
    """Issues that were closed and changed after `since` (ISO 8601, "" for all), oldest change first.

    `counts` gets how many were read and how many name an error. Uses GraphQL with a token, and REST without one;
    REST does not show what closed most issues, so that is left to the history.
    """
    source = _by_query if client.has_token else _by_rest
    for number, (issue, commits) in enumerate(source(client, full_name, since)):
        if number >= limit:
            return
        if since and (issue.updated_at or "") <= since:  # GitHub includes that moment itself, which has been read
            continue
        counts["issues"] += 1
        errors = errors_in(f"{issue.title or ''}\n{(issue.body or '')[:MAX_BODY_CHARACTERS]}")
        counts["issues that name an error"] += bool(errors)
        yield ClosedIssue(
            number=issue.number,
            title=_short(issue.title or ""),
            errors=errors,
            commits=commits(),
            updated_at=issue.updated_at or "",
        )


def _by_query(client: GitHubClient, full_name: str, since: str) -> Iterator[tuple[_Issue, Any]]:
    owner, _, name = full_name.partition("/")
    after: str | None = None
    while True:
        variables = {"owner": owner, "name": name, "since": since or None, "after": after, "first": PAGE}
        try:
            page = _page(client.graphql(CLOSED_ISSUES, variables))
        except StageError as error:
            if after:
                raise
            # An older Enterprise server, or a token without the right: REST gives less, but something.
            log.warning("%s: %s; reading its issues over REST instead", full_name, error.message)
            yield from _by_rest(client, full_name, since)
            return
        if page is None:
            return
        for node in page.nodes:
            if node and node.number:
                yield _Issue(node.number, node.title, node.body, node.updatedAt), lambda node=node: _closers(node)
        if not page.pageInfo.hasNextPage:
            return
        after = page.pageInfo.endCursor


def _page(data: dict[str, Any] | None) -> _Page | None:
    """The issues in the data; None where the repository shows none. Raises StageError for any other data."""
    try:
        issues = ((data or {}).get("repository") or {}).get("issues")
        return msgspec.convert(issues, _Page) if issues else None
    except (msgspec.ValidationError, AttributeError) as error:
        raise StageError(f"GitHub's answer about issues cannot be read: {error}") from None


def _closers(node: _Node) -> list[str]:
    """Commits that closed an issue: the merges of pull requests, then the commit that GitHub names."""
    events = node.timelineItems.nodes if node.timelineItems else []
    references = node.closedByPullRequestsReferences.nodes if node.closedByPullRequestsReferences else []
    closers = [*references, *(event.closer for event in events if event)]
    commits = (one.oid or (one.mergeCommit.oid if one.mergeCommit else None) for one in closers if one)
    return list(dict.fromkeys(filter(None, commits)))


def _by_rest(client: GitHubClient, full_name: str, since: str) -> Iterator[tuple[_Issue, Any]]:
    parameters = {"state": "closed", "sort": "updated", "direction": "asc", "per_page": 100}
    left = TIMELINES

    def commits(number: int) -> list[str]:
        nonlocal left
        left -= 1
        return _from_timeline(client, full_name, number) if left >= 0 else []

    for body in client.pages(f"/repos/{full_name}/issues", {**parameters, **({"since": since} if since else {})}):
        for issue in _decoded(body, list[_Issue | None]):
            if issue and issue.number and issue.pull_request is None:
                named = bool(errors_in(f"{issue.title or ''}\n{(issue.body or '')[:MAX_BODY_CHARACTERS]}"))
                yield issue, lambda issue=issue, named=named: commits(issue.number) if named else []


def _from_timeline(client: GitHubClient, full_name: str, number: int) -> list[str]:
    found: dict[str, None] = {}
    for body in client.pages(f"/repos/{full_name}/issues/{number}/timeline", {"per_page": 100}):
        for event in _decoded(body, list[_Event | None]):
            if event and event.event == "closed" and event.commit_id:
                found[event.commit_id] = None
    return list(found)


def _decoded(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except DAMAGED as error:
        raise StageError(f"GitHub's answer about issues cannot be read: {error}") from None


def _short(title: str) -> str:
    return Redactor().masked(" ".join(title.split()), TITLE_CHARACTERS)


def latest(issues: Iterable[ClosedIssue], since: str) -> str:
    """The change up to which issues have been read."""
    return max([since, *(issue.updated_at for issue in issues)])
