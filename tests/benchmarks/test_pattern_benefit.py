"""What counts as a name that a fix needed, and as shown."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from patterns_made_up import chunk, pattern

from benchmarks import pattern_benefit
from benchmarks.pattern_benefit import (
    Outcome,
    PlainCode,
    Shown,
    Tried,
    error_of,
    fix,
    floors,
    outcome,
    outcomes_of,
    row,
    ways_of_team,
)

BEFORE = "def close(self):\n    self.socket.close()"
AFTER = 'def close(self):\n    # guarded\n    if self.is_open:\n        self.socket.close("quietly")'


def test_needed_are_the_added_names_that_the_question_and_everybody_do_not_have() -> None:
    one = pattern(before_code=BEFORE, after_code=AFTER, commit_msg="Close twice")
    shown = [Shown(frozenset(("is_open", "close", "other")), AFTER)]
    found = outcome(one, shown, common=("if",))
    assert found == Outcome(one.commit, needed=1, found=1, shown=2, likeness=1.0)
    told = pattern(before_code=BEFORE, after_code=AFTER, commit_msg="Ask is_open")
    assert outcome(told, shown, common=("if",)) is None  # nothing was needed
    assert outcome(one, [], common=()) == Outcome(one.commit, needed=2, found=0, shown=0, likeness=None)


def test_a_fix_shows_its_diff_alone() -> None:
    before = "\n".join([*(f"far{number}()" for number in range(9)), "near()", "old()"])
    shown = fix(pattern(before_code=before, after_code=before.replace("old", "new")))
    assert {"near", "old", "new"} <= shown.names
    assert "far0" not in shown.names


def test_plain_code_is_as_it_was_and_never_the_symbol_itself(tmp_path: Path) -> None:
    path = tmp_path / "chunks.jsonl"
    open_, shut, locked = "def open(): door()", "def shut(): door()", "def shut(): lock()"
    codes = [("a", "open", open_), ("b", "shut", shut), ("c", "shut", locked)]
    made = [chunk("", commit_hash=commit, qualified_name=name, new_code=code) for commit, name, code in codes]
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in made))
    asked = pattern(before_code="door", file_path="src/a.py", symbol="open")
    assert [one.code for one in PlainCode(path, "b").nearest(asked)] == [shut]
    assert [one.code for one in PlainCode(path, "c").nearest(asked)] == [locked]


def test_the_teams_search_is_asked_by_code_by_task_and_by_error() -> None:
    codes = ("jar cookie", "jar cookie redirect", "socket")
    known = [pattern(before_code=code, symbol="", file_path="a.py", commit_msg="", after_code=code) for code in codes]
    ways = ways_of_team(known)
    asked = pattern(before_code="jar cookie redirect", file_path="", commit_msg="Cookie\n\nKeyError: no jar\nmore")
    assert [one.code for one in ways["team, code and task"](asked) or []] == [codes[1], codes[0]]
    assert [one.code for one in ways["team, near 0.9"](asked) or []] == [codes[1]]
    assert error_of(asked) == "KeyError: no jar"
    assert {one.code for one in ways["team, error"](asked) or []} == set(codes[:2])
    assert ways["team, error"](pattern(commit_msg="Close it")) is None
    assert outcomes_of(ways["team, error"], [pattern(commit_msg="Close it")], ()) == []


def test_tables() -> None:
    outcomes = [Outcome("a", 2, 1, 4, 0.5, match=0.35), Outcome("b", 1, 0, 6, None, match=0.12)] * 2
    line = row("fixes", outcomes)
    assert line.split()[:2] == ["fixes", "0.250"]
    assert line.split()[-4:] == ["50%", "0.100", "0.500", "50%"]
    assert [one.split()[0] for one in floors(outcomes).splitlines()[1:]] == ["0.10", "0.30"]
    both = Tried(10, 4, 3, 2, 0) + Tried(5, 0, 0, 0, 0)
    assert both.row("all").split() == ["all", "15", "4", "3", "0.75", "2", "0"]


def test_without_folders_it_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["pattern_benefit"])
    with pytest.raises(SystemExit, match=r"python -m benchmarks\.pattern_benefit"):
        pattern_benefit.main()
