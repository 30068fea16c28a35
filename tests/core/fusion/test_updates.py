"""Laws of the arithmetic: what follows from the updates alone, whatever their factors."""

from __future__ import annotations

import numpy as np
import pytest

from core.fusion import updates
from core.fusion.updates import Update

EXACT = 1e-9


def made(seed: int, d: int = 24, k: int = 40, rank: int = 4) -> Update:
    draw = np.random.default_rng(seed)
    return Update(draw.standard_normal((d, rank)), draw.standard_normal((rank, k)))


def full(update: Update) -> updates.Matrix:
    return update.down @ update.up


def best(matrix: updates.Matrix, rank: int) -> updates.Matrix:
    """The nearest matrix of a rank, from the whole matrix."""
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray((left[:, :rank] * singular[:rank]) @ right[:rank])


def test_joined_is_the_weighted_sum() -> None:
    one, other = made(1), made(2, rank=3)
    together = updates.joined([one, other], [0.3, 0.7])
    assert together.rank == 7
    np.testing.assert_allclose(full(together), 0.3 * full(one) + 0.7 * full(other), atol=EXACT)


@pytest.mark.parametrize(("d", "k"), [(24, 40), (40, 24), (5, 40), (40, 5)])  # also thinner than the ranks together
def test_truncated_is_the_nearest_of_its_rank(d: int, k: int) -> None:
    together = updates.joined([made(1, d, k), made(2, d, k)], [0.5, 0.5])
    found = updates.truncated(updates.decomposed(together), 4)
    np.testing.assert_allclose(full(found.update), best(full(together), 4), atol=EXACT)
    whole = np.linalg.norm(full(together)) ** 2
    assert found.energy == pytest.approx(np.linalg.norm(full(found.update)) ** 2 / whole)
    apart = np.linalg.norm(full(found.update) - full(together))
    assert updates.error(found.update, together) == pytest.approx(apart / np.linalg.norm(full(together)))


def test_one_adapter_with_weight_one_stays_what_it_is() -> None:
    one = made(1)
    found = updates.truncated(updates.decomposed(updates.joined([one], [1.0])), one.rank)
    np.testing.assert_allclose(full(found.update), full(one), atol=EXACT)
    assert found.energy == pytest.approx(1)


def test_other_factors_of_the_same_updates_and_another_order_give_the_same_factors() -> None:
    one, other = made(1), made(2)
    mixed = np.random.default_rng(3).standard_normal((4, 4))
    flipped = Update(-one.down[:, ::-1], -one.up[::-1])
    remixed = Update(other.down @ mixed, np.linalg.solve(mixed, other.up))
    first = updates.truncated(updates.decomposed(updates.joined([one, other], [0.4, 0.6])), 4).update
    second = updates.truncated(updates.decomposed(updates.joined([remixed, flipped], [0.6, 0.4])), 4).update
    np.testing.assert_allclose(first.down, second.down, atol=1e-7)
    np.testing.assert_allclose(first.up, second.up, atol=1e-7)


def test_averaged_factors_lose_an_adapter_whose_signs_are_flipped() -> None:
    one = made(1)
    same = Update(-one.down, -one.up)
    np.testing.assert_allclose(full(same), full(one))
    found = updates.literal([one, same], [0.5, 0.5])
    assert updates.error(found, one) == pytest.approx(1)
    assert updates.error(updates.literal([one, one], [0.5, 0.5]), one) == pytest.approx(0, abs=1e-7)


def test_rank_for_an_energy() -> None:
    singular = np.array([3.0, 2.0, 1.0])  # squares 9, 4, 1
    assert [updates.rank_for(singular, energy) for energy in (0.5, 9 / 14, 0.65, 13 / 14, 0.95, 1.0)] == [
        1,
        1,
        2,
        2,
        3,
        3,
    ]
    assert updates.rank_for(np.zeros(3), 0.9) == 1


def test_nothing_at_all_is_no_division_by_zero() -> None:
    nothing = Update(np.zeros((6, 2)), np.zeros((2, 5)))
    found = updates.truncated(updates.decomposed(nothing), 2)
    assert (found.energy, updates.error(found.update, nothing), nothing.norm()) == (1.0, 0.0, 0.0)


def test_ties_keeps_the_largest_entries_whose_sign_weighs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "_ROWS_AT_ONCE", 1)
    one = Update(np.eye(2), np.array([[4.0, 3.0, -0.1], [1.0, -2.0, 0.2]]))
    other = Update(np.eye(2), np.array([[2.0, -5.0, 0.3], [0.1, -4.0, 0.1]]))
    entries = updates.ties([one, other], [0.5, 0.5], density=0.5)
    # Kept of one: 4, 3, -2; of the other: 2, -5, -4. At (0, 1), -5 outweighs 3.
    np.testing.assert_allclose(
        np.vstack([entries(0, 1), entries(1, 2)]), [[3.0, -5.0, 0.0], [0.0, -3.0, 0.0]], atol=1e-12
    )


def test_dare_is_right_on_the_mean_and_the_same_every_time() -> None:
    one, other = made(1, 400, 300), made(2, 400, 300)
    exact = 0.5 * full(one) + 0.5 * full(other)
    entries = updates.dare([one, other], [0.5, 0.5], 0.5, [1, 2])
    found = entries(0, 400)
    np.testing.assert_array_equal(found, entries(0, 400))
    np.testing.assert_array_equal(found, updates.dare([other, one], [0.5, 0.5], 0.5, [2, 1])(0, 400))
    off = (found - exact).mean() / (np.abs(exact).mean() / np.sqrt(exact.size))
    assert abs(off) < 4
    assert 0.2 < (found == 0).mean() < 0.3  # both are dropped at a quarter of the places


def test_nearest_finds_a_low_rank_matrix_that_comes_in_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "_ROWS_AT_ONCE", 7)
    together = updates.joined([made(1), made(2)], [0.5, 0.5])
    exactly = updates.nearest(together.rows, together.shape, 8, seed=0)
    np.testing.assert_allclose(full(exactly.update), full(together), atol=1e-8)
    assert exactly.energy == pytest.approx(1)
    cut = updates.nearest(together.rows, together.shape, 4, seed=0)
    assert cut.energy == pytest.approx(updates.truncated(updates.decomposed(together), 4).energy, abs=0.01)
