"""What became of the findings of each rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from core.git.repositories import open_repository
from thoughts.smells.findings import Finding, Looked
from thoughts.smells.uptake import (
    FEWEST,
    MOST_A_RULE,
    MOST_TRIED,
    YEAR_S,
    Changed,
    Fates,
    Rule,
    Uptake,
    Window,
    changed_in,
    fates_of,
    uptake_of,
    windows,
    worth_showing,
)

MONTH_S = 30 * 86_400


def found(rule: str, path: str = "a.py", first: int = 1, last: int = 0) -> Finding:
    return Finding(rule, path, first, last or first, "")


@pytest.fixture
def years(make_repo: Callable[[str], Repo]) -> Repo:
    """A commit every 30 days for nearly three years."""
    repo = make_repo("years")
    for number in range(35):
        repo.commit(f"month {number}", {"a.py": f"x = {number}\n"})
        repo.clock += MONTH_S
    return repo


def test_windows_are_the_past_years_up_to_the_month(years: Repo, tmp_path: Path) -> None:
    git_dir = open_repository(str(years.path), tmp_path).git_dir
    some = windows(git_dir, years.git("rev-parse", "HEAD"))
    assert len(some) == 2
    assert some[0].old == some[1].new
    times = [[int(years.git("show", "-s", "--format=%ct", one)) for one in window] for window in some]
    assert all(YEAR_S - 2 * MONTH_S < new - old < YEAR_S + 2 * MONTH_S for old, new in times)
    years.clock = int(years.git("show", "-s", "--format=%ct", "HEAD"))
    later = years.commit("the same day", {"b.py": "y = 1\n"})
    assert windows(git_dir, later or years.git("rev-parse", "HEAD")) == some


def test_a_young_history_has_no_window(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("young")
    repo.commit("begin", {"a.py": "x = 1\n"})
    assert windows(open_repository(str(repo.path), tmp_path).git_dir, repo.git("rev-parse", "HEAD")) == []


def test_changed_lines_are_those_of_the_old_side(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("changed")
    body = [f"x{number} = {number}" for number in range(20)]
    repo.commit(
        "begin", {"old.py": "\n".join(body) + "\n", "gone.py": "x = 1\n", "notes.md": "a\n", "same.py": "x = 1\n"}
    )
    old = repo.git("rev-parse", "HEAD")
    repo.git("rm", "-q", "gone.py")
    repo.git("mv", "old.py", "new.py")
    body[4] = "changed = 1"
    del body[10:12]
    body.insert(0, "import os")
    repo.commit("change", {"new.py": "\n".join(body) + "\n", "notes.md": "b\n"})
    changed = changed_in(
        open_repository(str(repo.path), tmp_path).git_dir, Window(old, repo.git("rev-parse", "HEAD")), [".py"]
    )
    assert changed == Changed({"old.py": {5, 11, 12}}, {"gone.py"})
    assert changed.touches("old.py", 1, 5)
    assert not changed.touches("old.py", 6, 10)
    assert not changed.touches("same.py", 1, 1)


def test_findings_of_files_that_are_gone_do_not_count() -> None:
    looked = Looked(
        [found("A"), found("A", first=2), found("B", "gone.py"), found("B", "b.py", 3, 6)],
        {"a.py": 10, "b.py": 20, "gone.py": 30},
    )
    fates = fates_of(looked, Changed({"a.py": {2}, "b.py": {6}}, {"gone.py"}))
    assert (fates.taken, fates.found) == ({"A": 1, "B": 1}, {"A": 2, "B": 1})
    assert (fates.changed, fates.lines) == (2, 30)


def test_chance_is_what_as_many_lines_anywhere_would_have() -> None:
    looked = Looked([found("one"), found("one", first=7), found("four", first=3, last=6)], {"a.py": 40, "b.py": 60})
    fates = fates_of(looked, Changed({"a.py": {1, 20, 21}}, set()))
    assert fates.chance["one"] == pytest.approx(2 * 3 / 100)
    assert fates.chance["four"] == pytest.approx((1 + 5) / 100)  # of pieces of four lines, one and five have a change


def test_newer_years_count_more_and_each_tool_has_its_mean() -> None:
    new = Fates({"A": 10, "B": 0}, {"A": 10, "B": 10}, {"A": 1.0, "B": 1.0}, changed=10, lines=100)
    old = Fates({"A": 0, "B": 10}, {"A": 10, "B": 10}, {"A": 5.0, "B": 5.0}, changed=50, lines=100)
    other = Fates({"C": 0}, {"C": 2}, {"C": 0.0}, changed=0, lines=10)
    uptake = uptake_of({"ab": [new, old], "c": [other]})
    rules, weight = uptake.rules, 0.5**0.5
    assert rules["A"].share == pytest.approx((10 + 2 * 0.5) / (10 + 10 * weight + 2))
    assert rules["A"].share > 0.5 > rules["B"].share
    assert (rules["A"].changed, rules["A"].found) == (10, 20)
    assert rules["A"].chance == pytest.approx((1 + weight * 5) / (10 + weight * 10))
    assert rules["C"].share == 0
    assert uptake.bases == {"ab": pytest.approx((10 + weight * 50) / (100 + weight * 100)), "c": 0}


def test_no_past_is_worth_nothing() -> None:
    uptake = uptake_of({"ruff": []})
    assert uptake == Uptake({}, {})
    assert uptake.worth("A") == 0
    assert worth_showing([found("A")], uptake, 10) == []


def test_only_rules_well_above_chance_are_shown() -> None:
    uptake = Uptake(
        {
            "good": Rule(9, 10, 0.9, 0.2), "fair": Rule(4, 10, 0.4, 0.2), "noise": Rule(4, 10, 0.39, 0.2),
            "rare": Rule(4, FEWEST - 1, 0.9, 0.1), "never": Rule(0, 10, 0.0, 0.0),
        },
        {"ruff": 0.1},
    )  # fmt: skip
    some = [found(one) for one in ("noise", "fair", "unknown", "rare", "never")]
    some += [found("good", first=one) for one in range(9, 0, -1)]
    shown = worth_showing(some, uptake, 20)
    assert [one.first for one in shown if one.rule == "good"] == list(range(1, MOST_A_RULE + 1))
    assert [one.rule for one in shown] == ["good"] * MOST_A_RULE + ["fair"]
    assert worth_showing(some, uptake, 2) == shown[:2]
    others = worth_showing(some, uptake, 20, lambda one: one.first <= 2)  # the next ones of the rule come instead
    assert [one.first for one in others] == [3, 4, 5, 6, 7]


def test_only_some_findings_of_a_rule_are_tried() -> None:
    uptake, tried = Uptake({"good": Rule(9, 10, 0.9, 0.2)}, {}), []
    some = [found("good", first=row) for row in range(1, MOST_TRIED + 9)]
    assert worth_showing(some, uptake, 10, lambda one: bool(tried.append(one) or True)) == []
    assert tried == some[:MOST_TRIED]
