"""Studies in words: what stands in lists."""

from __future__ import annotations

from thoughts.rendering import MOST_INPUT, input_words


def test_what_a_job_is_about_is_short() -> None:
    given = {"new": "1f" * 20, "tools": ["ruff", "lizard"], "rules": [], "old": "", "size": 4, "is_new": True}
    assert input_words(given) == "is_new true, new 1f1f1f1f1, size 4, tools ruff lizard"
    assert input_words({"coverage": [["lcov.info", "ab" * 32], ["b.xml", ""]]}) == "coverage lcov.info ababababa b.xml "


def test_what_is_long_is_cut_and_a_long_word_is_no_hash() -> None:
    folder = "a" * 64 + "/lib"
    assert input_words({"path": folder}) == f"path {folder}"[:MOST_INPUT] + "…"
