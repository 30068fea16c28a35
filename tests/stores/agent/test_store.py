"""What holds for all three stores: reading, own outcomes, seeding again, checking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from stores_made_up import entry, made_up

from core.errors import UserError
from stores import FailureStore, PatternStore, VVectorStore
from stores.agent import beliefs
from stores.agent.records import Failure, Pattern

Open = Callable[[], VVectorStore]


def test_what_is_seeded_is_found_with_its_evidence(opened: Open) -> None:
    repository = made_up()
    with opened() as store:
        change = store.seed_from_github([repository], [entry(repository)])
        assert (change.repositories, change.evidence_added, change.entries_added) == (1, 40, 1)
        found = store.query("repair_strategy", "import_fix", "some_archetype")
        assert found is not None
        assert found.evolved_value == {"max_edits": 18}
        assert found.quantiles["lines"] == {"p50": 10, "p75": 15, "p90": 18, "n": 40, "n_repos": 1}
        assert found.confidence == pytest.approx(beliefs.lower_bound(18, 4))
        why = store.why(found.id or 0, evidence=3)
        assert [piece.at for piece in why.evidence] == [1_600_000_039, 1_600_000_038, 1_600_000_037]
        assert [state.name for state in why.repositories] == ["a"]
        assert store.check() == []


def test_seeding_the_same_again_writes_nothing(opened: Open) -> None:
    repository = made_up()
    with opened() as store:
        store.bulk_import([repository], [entry(repository)], source="history:test")
        before = store.stats()
        change = store.bulk_import([repository], [entry(repository)], source="history:test")
        assert not change
        assert str(change) == "nothing new"
        assert store.stats() == before


def test_evidence_that_is_gone_is_removed_and_entries_without_evidence_retire(opened: Open) -> None:
    repository, fewer = made_up(), made_up(number=30)
    with opened() as store:
        store.bulk_import([repository], [entry(repository)], source="history:test")
        change = store.bulk_import([fewer], [], source="history:test")
        assert (change.evidence_removed, change.entries_retired) == (10, 1)
        assert list(store.entries()) == []
        assert len(list(store.entries(retired=True))) == 1
        again = store.bulk_import([], [entry(fewer)], source="history:test")
        assert again.entries_changed == 1
        assert len(list(store.entries())) == 1


def test_own_outcomes_survive_seeding_and_count_with_the_seed(opened: Open) -> None:
    repository, more = made_up(), made_up(number=60)
    with opened() as store:
        store.bulk_import([repository], [entry(repository)], source="history:test")
        (seeded,) = store.entries()
        for success in (True, False, False):
            updated = store.record_outcome(seeded, success=success, value={"lines": 7})
        assert (updated.own.successes, updated.own.failures, updated.own.value) == (1, 2, {"lines": 7})
        assert updated.confidence == pytest.approx(beliefs.lower_bound(19, 6))
        mean = 18 / 22
        for success in (True, False, False):
            mean += beliefs.EMA_ALPHA * (success - mean)
        assert updated.own.ema == pytest.approx(mean)
        store.bulk_import([more], [entry(more, prior=(15.0, 7.0))], source="history:test")
        (after,) = store.entries()
        assert after.own == updated.own
        assert after.prior == (15.0, 7.0)
        assert after.confidence == pytest.approx(beliefs.lower_bound(16, 9))
        store.bulk_import([more], [], source="history:test")
        (alone,) = store.entries()  # an agent relies on it: it does not retire
        assert (alone.id, alone.source, alone.own, alone.quantiles) == (updated.id, "withdrawn", updated.own, {})
        assert alone.confidence == pytest.approx(beliefs.lower_bound(2, 3))
        assert not store.bulk_import([], [], source="history:test")
        assert store.check() == []
        store.bulk_import([], [entry(more)], source="history:test")
        assert next(store.entries()).source == "history:test"
        assert store.check() == []


def test_own_entries_stay_as_they_are(opened: Open) -> None:
    repository = made_up()
    with opened() as store:
        number = store.add_own(entry(option="import_fix"))
        assert store.add_own(entry(option="import_fix")) == number
        before = store.get(number)
        assert before.source == "own"
        store.bulk_import([repository], [entry(repository)], source="history:test")
        assert store.get(number) == before


def test_a_default_becomes_an_own_entry_when_an_outcome_is_reported(opened: Open) -> None:
    with opened() as store:
        default = store.query("repair_strategy", "guard_fix", "library")
        assert default is not None
        assert (default.source, default.id, default.confidence) == ("default", None, 0.0)
        assert default.evolved_value == {"max_files": 5, "max_edits": 60, "with_tests": 0.5}
        updated = store.record_outcome(default, success=True)
        assert (updated.source, updated.own.successes) == ("default", 1)
        assert store.query("repair_strategy", "guard_fix") == updated
        assert store.query("no_such_context", "guard_fix") is None


def test_the_archetypes_entry_comes_before_that_for_all(opened: Open) -> None:
    a, b = made_up("a", archetype="library"), made_up("b", archetype="cli_tool")
    with opened() as store:
        store.bulk_import([a, b], [entry(a, b), entry(a, archetype="library")], source="history:test")
        assert store.query("repair_strategy", "import_fix", "library").sample_count == 40  # type: ignore[union-attr]
        assert store.query("repair_strategy", "import_fix", "cli_tool").sample_count == 80  # type: ignore[union-attr]
        assert store.check() == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"quantiles": {"lines": {"p50": 1, "p75": 1, "p90": 1, "n": 40, "n_repos": 1}}},
            "do not follow from its evidence",
        ),
        ({"own_successes": 3}, "3 good and 0 bad outcomes"),
        ({"confidence": 0.99}, "confidence is 0.9900"),
    ],
)
def test_the_check_finds_figures_that_do_not_follow(opened: Open, change: dict[str, object], problem: str) -> None:
    repository = made_up()
    with opened() as store:
        store.bulk_import([repository], [entry(repository)], source="history:test")
        with store.database.write() as connection:
            connection.execute(sa.update(store.table).values(**change))
        assert any(problem in sentence for sentence in store.check())


def test_entries_can_be_updated_while_they_are_read_one_by_one(opened: Open) -> None:
    repository = made_up(number=3000)
    with opened() as store, opened() as other:
        store.bulk_import([repository], [entry(repository)], source="history:test")
        for one in store.entries():
            other.record_outcome(one.id or 0, success=True)
        for number, _ in enumerate(store.evidence.of_repository("root:a")):
            if number == 1500:
                other.record_outcome(1, success=True)
        assert number == 2999
        assert store.get(1).own.successes == 2


def test_a_missing_entry_is_reported(opened: Open) -> None:
    with opened() as store:
        for ask in (store.get, store.why):
            with pytest.raises(UserError, match="no entry 7"):
                ask(7)
        with pytest.raises(UserError, match="have no colour"):
            list(store.entries(colour="red"))


def test_patterns_and_failures_are_queried_by_step(tmp_path: Path) -> None:
    common = {"agent": "repair_strategy", "source": "history:test"}
    with PatternStore(tmp_path) as patterns, FailureStore(tmp_path) as failures:
        some = [
            Pattern(**common, step="TypeError", key="remedy", pattern={"remedy": "guard_fix"}, prior=(9.0, 3.0)),
            Pattern(**common, step="TypeError", key="remedy", archetype="library", pattern={"remedy": "type_fix"}),
        ]
        patterns.bulk_import([], some, source="history:test")
        assert [one.pattern["remedy"] for one in patterns.query("repair_strategy", "TypeError")] == ["guard_fix"]
        assert [one.pattern["remedy"] for one in patterns.query("repair_strategy", "TypeError", "library")] == [
            "type_fix"
        ]
        wrong = [
            Failure(
                **common, step="type_fix", error_type="strategy_mismatch", key=key, description=key, occurrence_count=n
            )
            for key, n in (("KeyError", 3), ("ImportError", 30))
        ]
        failures.bulk_import([], wrong, source="history:test")
        found = failures.query("repair_strategy", "type_fix", "library")
        assert [one.key for one in found] == ["ImportError", "KeyError"]
        assert not failures.query("repair_strategy", "guard_fix")


@pytest.mark.parametrize("value", [{"x": float("nan")}, {"x": {1, 2}}, {"x": Path()}, {"x": "\ud800"}])
def test_a_value_that_is_not_json_is_reported(opened: Open, value: dict[str, object]) -> None:
    with opened() as store:
        number = store.add_own(entry(option="guard_fix"))
        with pytest.raises(UserError, match="not JSON-serialisable"):
            store.record_outcome(number, success=True, value=value)
        assert store.get(number).own.successes == 0


def test_an_entry_of_another_store_and_odd_numbers_are_refused(tmp_path: Path) -> None:
    with VVectorStore(tmp_path) as store:
        number = store.add_own(entry(option="guard_fix"))
        other = Pattern(agent="a", step="b", pattern={}, id=number)
        for use in (lambda: store.record_outcome(other, success=False), lambda: store.add_own(other)):  # type: ignore[arg-type]
            with pytest.raises(UserError, match="holds no Pattern"):
                use()
        for odd in (0, -1, 2**70):
            with pytest.raises(UserError, match="no entry"):
                store.get(odd)
        assert store.query("error_remedy", "TypeError") is None


def test_a_reported_default_takes_a_later_seed(opened: Open) -> None:
    repository = made_up(option="guard_fix")
    with opened() as store:
        default = store.query("repair_strategy", "guard_fix")
        assert default is not None
        updated = store.record_outcome(default, success=True)
        store.bulk_import([repository], [entry(repository, option="guard_fix")], source="history:test")
        (seeded,) = store.entries()
        assert (seeded.id, seeded.source, seeded.sample_count, seeded.own) == (
            updated.id,
            "history:test",
            40,
            updated.own,
        )
        assert store.check() == []
