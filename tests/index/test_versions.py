"""The newest version that nobody went back from counts."""

from __future__ import annotations

from index import versions
from index.versions import Version


def version(judged: int) -> Version:
    return Version(at=float(judged), judged=judged, verdict=f"of {judged}")


def test_one_step_leads_back_and_another_one_further() -> None:
    kept = versions.added(versions.added([], version(1)), version(2))
    assert (found := versions.current(kept))
    assert found.judged == 2
    kept = versions.withdrawn(kept)
    assert (found := versions.current(kept))
    assert found.judged == 1
    kept = versions.withdrawn(kept)
    assert versions.current(kept) is None
    assert len(versions.withdrawn(kept)) == 2


def test_what_was_withdrawn_comes_again_only_with_new_judgements() -> None:
    kept = versions.withdrawn(versions.added([], version(5)))
    assert versions.current(versions.added(kept, version(5))) is None
    assert (found := versions.current(versions.added(kept, version(6))))
    assert found.judged == 6


def test_old_ones_are_forgotten() -> None:
    kept: list[Version] = []
    for number in range(20):
        kept = versions.added(kept, version(number))
    assert [one.judged for one in kept] == list(range(20 - versions.MOST, 20))
