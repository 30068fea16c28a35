"""Stores as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from stores_made_up import entry, made_up

from core.errors import UserError
from stores import PatternStore, VVectorStore


def filled(store: VVectorStore) -> None:
    repository = made_up()
    store.bulk_import([repository], [entry(repository)], source="history:test")
    (one,) = store.entries()
    for success in (True, False, True):
        store.record_outcome(one, success=success, value={"lines": 3}, note="ñ")
    store.add_own(entry(option="guard_fix"))


def test_an_export_into_an_empty_store_gives_the_same_store(opened: Callable[[], VVectorStore], tmp_path: Path) -> None:
    with opened() as store, VVectorStore(tmp_path / "other") as other:
        filled(store)
        lines = store.export(tmp_path / "store.jsonl")
        assert lines == 1 + 1 + 40 + 2 + 3 + 1
        done = other.import_(tmp_path / "store.jsonl")
        assert (done.repositories, done.entries, done.outcomes, done.left_out) == (1, 2, 3, 0)
        assert list(other.entries()) == list(store.entries())
        assert list(other.evidence.of_repository("root:a")) == list(store.evidence.of_repository("root:a"))
        assert other.check() == []
        again = other.import_(tmp_path / "store.jsonl")
        assert (again.outcomes, again.known_outcomes, again.entries) == (0, 3, 0)
        assert list(other.entries()) == list(store.entries())


def test_a_teammates_outcomes_merge_into_a_store_with_its_own_evidence(tmp_path: Path) -> None:
    with VVectorStore(tmp_path / "mine") as mine, VVectorStore(tmp_path / "theirs") as theirs:
        filled(theirs)
        repository = made_up("b", number=50)
        mine.bulk_import([repository], [entry(repository)], source="history:test")
        mine.record_outcome(1, success=False)
        theirs.export(tmp_path / "theirs.jsonl")
        done = mine.import_(tmp_path / "theirs.jsonl")
        assert (done.outcomes, done.entries, done.left_out) == (3, 1, 41)
        merged = mine.query("repair_strategy", "import_fix")
        assert merged is not None
        assert (merged.own.successes, merged.own.failures, merged.sample_count) == (2, 2, 50)
        assert mine.check() == []


def counted(lines: list[str]) -> list[str]:
    """The lines with an end that counts them."""
    return [*lines[:-1], json.dumps({"kind": "end", "lines": len(lines) - 1})]


def replaced(old: str, new: str) -> Callable[[list[str]], list[str]]:
    """A change of a text in every line that has it."""

    def change(lines: list[str]) -> list[str]:
        assert any(old in line for line in lines)
        return [line.replace(old, new) for line in lines]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [*lines[:3], "{broken", *lines[3:]], r"store\.jsonl:4 is damaged"),
        (lambda lines: lines[1:], "holds no store"),
        (
            lambda lines: ['{"kind": "store", "store": "pattern_memory", "format": 1}', *lines[1:]],
            "holds pattern_memory",
        ),
        (lambda lines: ['{"kind": "store", "store": "v_vector_history", "format": 99}'], "newer version"),
        (lambda lines: [*lines[:-1], '{"kind": "outcome"}'], "is damaged"),
        (lambda lines: [lines[0], '{"kind": "evidence", "sha": 3}'], "is damaged"),
        (lambda lines: lines[:20], "is cut off"),
        (lambda lines: lines[:-1], "is cut off"),
        (lambda lines: [lines[0], *lines[2:-1], lines[1], lines[-1]], "is damaged"),
        (lambda lines: counted([lines[0], '{"kind": "something"}', *lines[1:]]), "not in order"),
        (lambda lines: [line.replace('"lines":1,', '"lines":"many",') for line in lines], "'many' in the evidence"),
        (lambda lines: [line.replace('"prior_a":18.0', '"prior_a":1.5') for line in lines], "confidence is"),
        (
            lambda lines: counted([line for line in lines if '"at":1600000007' not in line]),
            "do not follow from its evidence",
        ),
        (lambda lines: [line for line in lines if '"at":1600000007' not in line], "counts 47 lines, not 46"),
        (lambda lines: [*lines[:10], lines[9], *lines[10:]], "counts 47 lines, not 48"),
        (lambda lines: [*lines[:3], '{"a":' * 100_000, *lines[3:]], r"store\.jsonl:4 is damaged"),
        (replaced('"at":1600000007', '"at":-1'), r"`int` >= 0 - at `\$\.at`"),
        (replaced('"files":2', '"files":-1'), "files = -1 in the evidence"),
        (replaced('"with_tests":"no"', '"with_tests":"x"'), "with_tests = 'x' in the evidence"),
        (replaced('"with_tests":"no"', '"with_test":"no"'), "with_test = 'no' in the evidence"),
        (replaced('"sha":"61', '"sha":"6g'), "matching regex"),
        (replaced('"sha":"61', '"sha":"\\u0000'), r"store\.jsonl:3 is damaged: it holds a NUL character"),
        (replaced('"note":"ñ"', '"note":"a\\u0000"'), "it holds a NUL character"),
        (replaced('{"kind":"evidence","context_type":"r', '{"kind":"evidence","context_type":"x'), "context_type = 'x"),
        (replaced('"sample_count":40', '"sample_count":-1'), "sample_count = -1"),
    ],
)
def test_a_file_that_is_not_an_export_of_the_store_changes_nothing(
    tmp_path: Path, change: Callable[[list[str]], list[str]], message: str
) -> None:
    path = tmp_path / "store.jsonl"
    with VVectorStore(tmp_path / "a") as store, VVectorStore(tmp_path / "b") as other:
        filled(store)
        store.export(path)
        path.write_text("\n".join(change(path.read_text(encoding="utf-8").splitlines())), encoding="utf-8")
        with pytest.raises(UserError, match=message):
            other.import_(path)
        assert other.stats()["evidence"] == other.stats()["entries"] == 0


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with PatternStore(tmp_path) as store, pytest.raises(UserError, match="cannot be read"):
        store.import_(tmp_path / "nothing.jsonl")


def test_lines_are_plain_json(tmp_path: Path) -> None:
    with VVectorStore(tmp_path) as store:
        filled(store)
        store.export(tmp_path / "store.jsonl")
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "store.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(kinds)) == ["store", "repository", "evidence", "entry", "outcome", "end"]


def test_imported_outcomes_have_the_effect_of_reported_ones(tmp_path: Path) -> None:
    with VVectorStore(tmp_path / "a") as store, VVectorStore(tmp_path / "b") as other:
        number = store.add_own(entry(option="guard_fix"))
        for value in ({"lines": 3}, None, {}):
            updated = store.record_outcome(number, success=value is not None, value=value)
        assert updated.own.value == {"lines": 3}
        store.export(tmp_path / "store.jsonl")
        other.import_(tmp_path / "store.jsonl")
        assert next(other.entries()).own == updated.own
