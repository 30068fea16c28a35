"""The GraphQL queries. A test validates them against GitHub's published schema."""

from __future__ import annotations

CLOSED_ISSUES = """
query ClosedIssues($owner: String!, $name: String!, $since: DateTime, $after: String, $first: Int!) {
  repository(owner: $owner, name: $name) {
    issues(
      states: CLOSED
      first: $first
      after: $after
      orderBy: {field: UPDATED_AT, direction: ASC}
      filterBy: {since: $since, states: [CLOSED]}
    ) {
      pageInfo { hasNextPage endCursor }
      nodes {
        number
        title
        body
        updatedAt
        closedByPullRequestsReferences(first: 3, includeClosedPrs: false) {
          nodes { number merged mergeCommit { oid } }
        }
        timelineItems(itemTypes: [CLOSED_EVENT], last: 1) {
          nodes {
            ... on ClosedEvent {
              closer {
                __typename
                ... on Commit { oid }
                ... on PullRequest { number merged mergeCommit { oid } }
              }
            }
          }
        }
      }
    }
  }
}
"""

ALL = {"CLOSED_ISSUES": CLOSED_ISSUES}
