"""The table that sets coverage beside the score that ships."""

from __future__ import annotations

from collections.abc import Callable

from builders import Repo
from click.testing import CliRunner

from benchmarks.risk_coverage import main


def repaired_again(repo: Repo, *, is_covered: Callable[[int], bool]) -> tuple[str, str, str]:
    """A moment of 20 files, of which the even ones are repaired afterwards; the first 19 are in the report."""
    moment = repo.commit("begin", {f"part_{number}.py": "x = 1\n" for number in range(20)})
    for first in (0, 10):
        repo.commit("Fix some parts", {f"part_{each}.py": "x = 2\n" for each in range(first, first + 10, 2)})
    for turn in range(8):
        repo.commit(f"say {turn}", {"notes.md": f"{turn}\n"})
    report = repo.path.with_suffix(".info")
    report.write_text("".join(f"SF:part_{each}.py\nDA:1,{int(is_covered(each))}\n" for each in range(19)))
    return str(repo.path), moment, str(report)


def table(*moments: tuple[str, str, str]) -> tuple[list[list[str]], list[str]]:
    words = [word for one in moments for word in ("--moment", *one)]
    done = CliRunner().invoke(main, words, catch_exceptions=False).stdout.splitlines()
    rows = [line.strip("| ").split(" | ") for line in done if line.startswith("| ")]
    return rows[1:], [line for line in done if ": " in line and "|" not in line]


def test_what_did_not_run_is_weighed_as_on_the_other_clones(make_repo: Callable[[str], Repo]) -> None:
    known = [repaired_again(make_repo(name), is_covered=lambda each: each % 2 == 1) for name in ("one", "two")]
    rows, gains = table(*known)
    assert [row[:4] for row in rows] == [["one", "20", "19", "10"], ["two", "20", "19", "10"]]
    assert all(float(row[5]) > float(row[4]) + 0.3 for row in rows)
    assert gains[0].startswith("share that did not run: +0.")
    assert gains[0].endswith("in 2 clones")
    alone, _ = table(known[0])
    assert alone[0][4] == alone[0][5] == alone[0][6]  # no other clone to learn a weight from


def test_a_weight_that_is_wrong_here_is_seen(make_repo: Callable[[str], Repo]) -> None:
    first = repaired_again(make_repo("one"), is_covered=lambda each: each % 2 == 1)
    other = repaired_again(make_repo("two"), is_covered=lambda each: each % 2 == 0)
    rows, gains = table(first, other)
    assert all(float(row[5]) < float(row[4]) for row in rows)
    assert gains[0].startswith("share that did not run: -0.")
