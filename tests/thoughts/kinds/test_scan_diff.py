"""Which symbols changed between two commits."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import msgspec
from builders import Repo
from click.testing import CliRunner

from chat.citations import Citations
from core.git.repositories import open_repository
from thoughts.changes.__main__ import main
from thoughts.changes.symbols import differing
from thoughts.kind import Context, Fact, State
from thoughts.kinds.scan_diff import KIND, LOG, RECORD

BEFORE = '''class Cart:
    """What is to be paid."""

    limit = 3

    def add(self, item):
        self.items.append(item)

    def total(self):
        return sum(self.items)


def empty():
    return Cart()
'''
AFTER = BEFORE.replace("append(item)", "append(item.price)").replace("def empty():", "def new_cart():")


def state_of(repo: Repo, tmp_path: Path, before: str = "") -> State:
    from datetime import UTC, datetime

    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    return State(str(repo.path), git_dir, tmp_path, repo.git("rev-parse", "HEAD"), before, datetime.now(UTC))


def test_symbols_are_named_once_with_the_innermost_that_changed(
    make_repo: Callable[[str], Repo], tmp_path: Path
) -> None:
    repo = make_repo("shop")
    old = repo.commit(
        "begin", {"cart.py": BEFORE, "moved.py": "def same():\n    return 1\n", "gone.py": "def away(): 1\n"}
    )
    repo.git("mv", "moved.py", "kept.py")
    repo.git("rm", "-q", "gone.py")
    repo.commit("charge prices", {"cart.py": AFTER})
    state = state_of(repo, tmp_path, old)
    (given,) = KIND.inputs(state)
    facts = [Fact("card", "cart.py", 1, old, repo.git("rev-parse", f"{old}:cart.py"))]
    facts += [Fact("card", "kept.py", 2, old, repo.git("rev-parse", "HEAD:kept.py")), Fact("all", "", 3, old)]
    outcome = KIND.run(given, Context(state, tmp_path, lambda _: facts))
    record, log = ({one.name: one.data for one in outcome.artifacts}[name] for name in (RECORD, LOG))
    found = msgspec.json.decode(record)
    assert [(one["what"], one["name"]) for one in found["symbols"]] == [
        ("changed", "Cart.add"),
        ("added", "new_cart"),
        ("removed", "empty"),
        ("removed", "away"),
    ]
    assert found["stale"] == [{"name": "card", "scope": "cart.py"}]
    assert b"changed  function   cart.py:6-7 Cart.add\n" in log or b"changed  method     cart.py:6-7 Cart.add\n" in log
    (insight,) = outcome.insights
    assert insight.title.endswith("1 added, 1 changed, 2 removed")
    assert CliRunner().invoke(main, shlex.split(insight.command)[3:]).stdout.encode() == log
    assert [said.text for said in insight.statements] == [
        "cart.py: added new_cart; changed Cart.add; removed empty.",
        "gone.py: removed away.",
    ]
    with Citations(state.git_dir) as citations:
        assert {citations.problem(one) for said in insight.statements for one in said.citations} == {""}


def test_from_where_it_looks(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("line")
    hashes = [repo.commit(f"commit {number}", {"a.txt": f"{number}\n"}) for number in range(12)]
    last = {"new": hashes[-1]}
    assert KIND.inputs(state_of(repo, tmp_path)) == [{"old": hashes[1], **last}]
    assert KIND.inputs(state_of(repo, tmp_path, "f" * 40)) == [{"old": hashes[1], **last}]
    assert KIND.inputs(state_of(repo, tmp_path, hashes[5])) == [{"old": hashes[5], **last}]
    assert KIND.inputs(state_of(repo, tmp_path, hashes[-1])) == []


def test_the_only_commit_is_compared_with_nothing(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("one")
    repo.commit("begin", {"a.py": "def f(): pass\n"})
    assert KIND.inputs(state_of(repo, tmp_path)) == []


def test_a_change_without_symbols_says_nothing(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("text")
    old = repo.commit("begin", {"a.txt": "one\n"})
    repo.commit("go on", {"a.txt": "two\n"})
    state = state_of(repo, tmp_path, old)
    outcome = KIND.run({"old": old, "new": state.commit}, Context(state, tmp_path))
    assert (outcome.insights, outcome.artifacts) == ((), ())


def test_moved_files_do_not_differ() -> None:
    before = {"a": "1", "b": "2", "c": "3", "e": "3"}
    after = {"a": "1", "d": "3", "f": "4", "b": "5"}
    assert differing(before, after) == ["b", "c", "f"]
