"""What an order of files was worth afterwards."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from builders import Repo
from hypothesis import given
from hypothesis import strategies as st

from thoughts.risk.measuring import Cell, auc, cells_of_clone, recall


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auc_is_the_share_of_pairs_in_the_right_order(drawn: list[tuple[int, bool]]) -> None:
    scores, repaired = np.array([float(one) for one, _ in drawn]), np.array([one for _, one in drawn])
    pairs = [(a, b) for a in scores[repaired] for b in scores[~repaired]]
    if pairs:
        assert auc(scores, repaired) == pytest.approx(sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs))


def test_recall_counts_what_a_fifth_of_the_lines_has() -> None:
    lines, repaired = np.array([10.0, 10.0, 80.0]), np.array([True, False, True])
    assert recall(np.array([3.0, 2.0, 1.0]), lines, repaired) == 0.5
    assert recall(np.array([1.0, 2.0, 3.0]), lines, repaired) == 0


def test_files_count_as_repaired_under_their_later_names(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("later")
    body = "".join(f"x{number} = {number}\n" for number in range(30))
    repo.commit("begin", {"a.py": body, "b.py": "y = 1\n", "c.py": "z = 1\n"})
    for number in range(8):
        repo.commit(f"say {number}", {"notes.md": f"{number}\n"})
    repo.git("mv", "a.py", "moved.py")
    repo.commit("move")
    repo.commit("Fix a crash", {"moved.py": body + "w = 1\n"})
    for number in range(9):
        repo.commit(f"Fix words {number}", {"notes.md": f"again {number}\n"})
    repo.commit("Fix another crash", {"b.py": "y = 2\n"})
    (cell,) = cells_of_clone(str(repo.path), (0.35,))
    assert dict(zip([one.path for one in cell.files], cell.repaired.tolist(), strict=True)) == {
        "a.py": True,  # within the next fifth, under another name
        "b.py": False,  # later than that
        "c.py": False,
    }
    assert all(one.fixes == 0 for one in cell.files)


def test_moments_lie_on_the_main_line_and_know_their_past_alone(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("moments")
    for number in range(20):
        repo.commit(f"Fix part {number}", {"a.py": f"x = {number}\n"})
    found = cells_of_clone(str(repo.path), (0.2, 0.5, 0.9))
    assert [one.commit for one in found] == [repo.git("rev-parse", f"HEAD~{back}") for back in (15, 9, 1)]
    counts = [one.files[0].fixes for one in found]
    assert all(before < after for before, after in pairwise(counts))


def test_few_files_or_repairs_say_nothing() -> None:
    def says(files: int, repaired: int) -> bool:
        return Cell("", [None] * files, np.arange(files) < repaired).says_something  # type: ignore[list-item]

    assert says(15, 5)
    assert not says(14, 5)
    assert not says(15, 4)
    assert not says(15, 15)
