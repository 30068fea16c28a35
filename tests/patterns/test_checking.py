"""Both sides of a pattern are looked up in the blobs that it names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import Repo
from patterns_made_up import pattern

from core.records.patterns import Evidence, Pattern
from core.text.redaction import Redactor
from patterns.checking import FOUND, MISSING, OTHER, UNPROVED, check

KEY = "ghp_" + "a1B2" * 9
BEFORE = 'import a\n\n\ndef f():\n    return "grün"\n'
AFTER = f'import a\n\n\ndef f():\n    return g("grün", "{KEY}")'


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo.new(tmp_path / "repo")
    made.commit("one", {"a.py": BEFORE.encode("latin-1")})
    made.commit("two", {"a.py": AFTER.encode()})
    return made


def made(repo: Repo, **fields: Any) -> Pattern:
    """The change of `f`, with evidence."""
    blobs = [repo.git("rev-parse", f"{commit}:a.py") for commit in ("HEAD~1", "HEAD")]
    own = Evidence(
        commit=repo.git("rev-parse", "HEAD"), path="a.py", old_path="a.py", old_lines=(4, 5), new_lines=(4, 5),
        old_blob=blobs[0], new_blob=blobs[1],
    )  # fmt: skip
    before, after = (text[text.index("def") :].rstrip() for text in (BEFORE, AFTER))
    return pattern(**{"before_code": before, "after_code": after, "evidence": [own], **fields})


def found(repo: Repo, one: Pattern) -> Counter[str]:
    return next(check([one], repo.path / ".git"))[1]


def test_both_sides_are_found_whatever_their_encoding(repo: Repo) -> None:
    assert found(repo, made(repo)) == {FOUND: 2}


def test_what_was_masked_is_found_as_it_is_masked(repo: Repo) -> None:
    masked = made(repo).after_code.replace(KEY, "<SECRET>")
    assert found(repo, made(repo, after_code=masked)) == {FOUND: 1, OTHER: 1}
    assert found(repo, made(repo, after_code=Redactor().masked(made(repo).after_code))) == {FOUND: 2}


def test_what_is_elsewhere_or_nowhere_is_not_found(repo: Repo) -> None:
    one = made(repo)
    (own,) = one.evidence
    moved = msgspec.structs.replace(own, old_lines=(3, 4), new_blob="f" * 40)
    assert found(repo, made(repo, evidence=[moved])) == {OTHER: 1, MISSING: 1}
    assert found(repo, made(repo, evidence=[])) == {UNPROVED: 2}
    assert found(repo, made(repo, before_code="", after_code="def g(): pass")) == {OTHER: 1}  # a new symbol
