"""Teams and patterns for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from patterns.memory.identity import Identity, now
from patterns.memory.operations import Add, NewConvention, NewPattern, Outcome, Unvote, Vote
from patterns.memory.team_memory import Team, TeamMemory

ROLES_OF = {"ada": "admin", "max": "maintainer", "mia": "member", "moe": "member", "rob": "reader"}


def new(number: int = 0, **values: Any) -> NewPattern:
    """A pattern; each number is another one."""
    filled = {
        "problem_type": "bug_fix",
        "before_code": f"return total_{number} / count",
        "after_code": f"return total_{number} / count if count else 0",
        "commit_msg": f"Fix the mean of nothing, {number}",
        "pattern_id": f"{number:016x}",
        "author": "Ada <ada@example.org>",
        "date": "2026-01-02T03:04:05Z",
        "confidence": 0.75,
        "repository": "a" * 40,
        "commit": "b" * 40,
        "language": "python",
        "file_path": f"shop/figures_{number}.py",
        "symbol": "mean",
        "with_test": True,
        "survival": {"born": "b" * 40, "until": "c" * 40, "days": 30.0, "lines": 1, "alive": 1},
    }
    return NewPattern.model_validate(filled | values)


def convention(number: int = 0, **values: Any) -> NewConvention:
    """A convention of files of Python, seen today; each number is another one."""
    filled = {
        "template_id": f"{number:016x}",
        "repository": "a" * 40,
        "language": "python",
        "before": f"self . assertEqual ( v0 , s{number} )",
        "after": f"assert v0 == s{number}",
        "steps": 5,
        "authors": 2,
        "share": 0.9,
        "fired": 10,
        "right": 9,
        "confidence": 0.6,
        "first_seen": "b" * 40,
        "last_seen": "c" * 40,
        "last_seen_at": now(),
        "paths": ["tests/test_shop.py"],
    }
    return NewConvention.model_validate(filled | values)


@dataclass(frozen=True)
class MadeTeam:
    """A team in which each role has a member; two have the role member."""

    memory: TeamMemory
    admin: Identity

    def of(self, name: str) -> Team:
        """The team as a member sees it."""
        if name == "ada":
            return self.memory.team(self.admin)
        people = self.memory.team(self.admin).people
        if name not in [one["name"] for one in people.members()]:
            people.add_member(name, ROLES_OF.get(name, "member"))
        return self.memory.team(replace(self.admin, member=name, role=ROLES_OF.get(name, "member")))

    def key(self, name: str) -> str:
        """A key of a member's."""
        self.of(name)
        return self.memory.team(self.admin).people.make_key(name)[0].text

    def add(self, name: str, *patterns: NewPattern) -> list[Outcome]:
        """What becomes of patterns that a member adds."""
        return self.of(name).apply([Add(pattern=one) for one in patterns])

    def vote(self, name: str, pattern: str, helpful: bool | None, **more: Any) -> Outcome:
        """What becomes of a vote; None takes it back."""
        one = Unvote(id=pattern, **more) if helpful is None else Vote(id=pattern, helpful=helpful, **more)
        return self.of(name).apply([one])[0]
