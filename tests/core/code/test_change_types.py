"""The decision table, row by row, and its document."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest

from core.code import change_types
from core.code.change_types import CHANGE_TYPES, ChangeEvidence, Intent, Role, Step, decide
from core.code.languages import SYMBOL_KINDS

CASES: list[tuple[dict[str, Any], str]] = [
    ({"role": "dependency"}, "dependency"),
    ({"role": "documentation", "kind": "section"}, "documentation"),
    ({"role": "configuration", "kind": "table"}, "configuration"),
    ({"role": "other", "kind": "file"}, "other"),
    ({"kind": "file"}, "other"),
    ({"step": "new"}, "new_function"),
    ({"step": "new", "kind": "impl"}, "new_impl"),
    ({"step": "new", "is_test": True, "intent": "fix"}, "new_test"),
    ({"step": "deleted", "kind": "struct"}, "deleted_struct"),
    ({"step": "deleted", "is_test": True}, "deleted_test"),
    ({"step": "new", "kind": "module"}, "new_module"),
    ({"code": False}, "formatting"),
    ({"code": False, "is_test": True}, "formatting"),
    ({"renamed": True}, "rename"),
    ({"renamed": True, "code": False}, "rename"),
    ({"code": False, "comments": True}, "documentation"),
    ({"code": False, "moved": True}, "move"),
    ({"code": False, "comments": True, "moved": True}, "move"),
    ({"is_test": True, "signature": True, "intent": "fix"}, "modified_test"),
    ({"signature": True, "intent": "fix"}, "signature_change"),
    ({"signature": True, "kind": "struct"}, "modified_struct"),
    ({"intent": "fix"}, "bug_fix"),
    ({"intent": "performance"}, "optimization"),
    ({"intent": "restructuring"}, "refactor"),
    ({"moved": True}, "modified_function"),
    ({"kind": "module"}, "modified_module"),
    ({}, "modified_function"),
]


@pytest.mark.parametrize(("facts", "expected"), CASES)
def test_the_table(facts: dict[str, Any], expected: str) -> None:
    assert decide(ChangeEvidence(**{"role": "code", "kind": "function", "step": "modified", **facts})) == expected
    assert expected in CHANGE_TYPES


def test_every_evidence_gives_a_type_of_the_list() -> None:
    flags = ("is_test", "renamed", "moved", "code", "comments", "signature")
    for role, kind, step, intent in itertools.product(
        get_args(Role), (*SYMBOL_KINDS, "module", "file"), get_args(Step), get_args(Intent)
    ):
        for values in itertools.product((False, True), repeat=len(flags)):
            facts = dict(zip(flags, values, strict=True))
            assert decide(ChangeEvidence(role=role, kind=kind, step=step, intent=intent, **facts)) in CHANGE_TYPES


def test_the_table_names_every_type_that_it_can_give() -> None:
    document = change_types.__doc__ or ""
    for name in CHANGE_TYPES:
        step, _, kind = name.partition("_")
        assert name in document or (step in ("new", "modified", "deleted") and f"{step}_<kind>" in document and kind)


def test_evidence_is_recorded() -> None:
    evidence = ChangeEvidence(
        role="code", kind="function", step="modified", is_test=True, moved=True, intent="fix", how="key"
    )
    assert evidence.names() == ["file:code", "modified:function", "match:key", "test", "moved", "code", "message:fix"]
