"""Closed issues that name an error, and the commits that closed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from core.records import ClosedIssue
from core.redaction import Redactor
from miners.error_texts import errors_in
from miners.github_client import GitHubClient
from miners.github_queries import CLOSED_ISSUES

PAGE = 50
MAX_BODY_CHARACTERS = 20_000
TITLE_CHARACTERS = 120
TIMELINES = 20
"""Issues without a token whose timeline is asked for: a request each, of sixty an hour."""


class _Issue(msgspec.Struct, kw_only=True):
    """What we read of an issue over REST."""

    number: int = 0
    title: str | None = None
    body: str | None = None
    updated_at: str = ""
    pull_request: Any = None


class _Event(msgspec.Struct, kw_only=True):
    """What we read of a timeline."""

    event: str = ""
    commit_id: str | None = None


def closed_issues(
    client: GitHubClient, full_name: str, since: str, limit: int, counts: Counter[str]
) -> Iterator[ClosedIssue]:
    """Issues that were closed and changed after `since` (ISO 8601, "" for all), oldest change first.

    `counts` gets how many were read and how many name an error. Over GraphQL with a token, else over REST, where
    the history has to tell what closed most of them.
    """
    source = _by_query if client.has_token else _by_rest
    for number, (issue, commits) in enumerate(source(client, full_name, since)):
        if number >= limit:
            return
        counts["issues"] += 1
        errors = errors_in(f"{issue.title or ''}\n{(issue.body or '')[:MAX_BODY_CHARACTERS]}")
        counts["issues that name an error"] += bool(errors)
        yield ClosedIssue(
            number=issue.number,
            title=_short(issue.title or ""),
            errors=errors,
            commits=commits(),
            updated_at=issue.updated_at,
        )


def _by_query(client: GitHubClient, full_name: str, since: str) -> Iterator[tuple[_Issue, Any]]:
    owner, _, name = full_name.partition("/")
    after: str | None = None
    while True:
        variables = {"owner": owner, "name": name, "since": since or None, "after": after, "first": PAGE}
        data = client.graphql(CLOSED_ISSUES, variables)
        issues = ((data or {}).get("repository") or {}).get("issues")
        if not issues:
            return
        for node in issues["nodes"]:
            issue = _Issue(number=node["number"], title=node["title"], body=node["body"], updated_at=node["updatedAt"])
            yield issue, lambda node=node: list(_closers(node))
        if not issues["pageInfo"]["hasNextPage"]:
            return
        after = issues["pageInfo"]["endCursor"]


def _closers(node: dict[str, Any]) -> Iterator[str]:
    """Commits that closed an issue: the merges of pull requests, then the commit that GitHub names."""
    found: dict[str, None] = {}
    references = (node.get("closedByPullRequestsReferences") or {}).get("nodes") or ()
    events = (node.get("timelineItems") or {}).get("nodes") or ()
    for one in (*references, *((event or {}).get("closer") for event in events)):
        if one:
            commit = one.get("oid") or (one.get("mergeCommit") or {}).get("oid")
            if commit:
                found[commit] = None
    yield from found


def _by_rest(client: GitHubClient, full_name: str, since: str) -> Iterator[tuple[_Issue, Any]]:
    parameters = {"state": "closed", "sort": "updated", "direction": "asc", "per_page": 100}
    left = TIMELINES

    def commits(number: int) -> list[str]:
        nonlocal left
        left -= 1
        return _from_timeline(client, full_name, number) if left >= 0 else []

    for body in client.pages(f"/repos/{full_name}/issues", {**parameters, **({"since": since} if since else {})}):
        for issue in msgspec.json.decode(body, type=list[_Issue | None]):
            if issue and issue.number and issue.pull_request is None:
                named = bool(errors_in(f"{issue.title or ''}\n{(issue.body or '')[:MAX_BODY_CHARACTERS]}"))
                yield issue, lambda issue=issue, named=named: commits(issue.number) if named else []


def _from_timeline(client: GitHubClient, full_name: str, number: int) -> list[str]:
    found: dict[str, None] = {}
    for body in client.pages(f"/repos/{full_name}/issues/{number}/timeline", {"per_page": 100}):
        for event in msgspec.json.decode(body, type=list[_Event | None]):
            if event and event.event == "closed" and event.commit_id:
                found[event.commit_id] = None
    return list(found)


def _short(title: str) -> str:
    return "".join(map(str, Redactor().clean(" ".join(title.split())[:TITLE_CHARACTERS])))


def latest(issues: Iterable[ClosedIssue], since: str) -> str:
    """The change up to which issues have been read."""
    return max([since, *(issue.updated_at for issue in issues)])
