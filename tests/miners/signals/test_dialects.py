"""What commits state as their purpose."""

from __future__ import annotations

import pytest

from miners.signals.dialects import Dialect, Message, Purpose, dialect_of, hidden, purpose_of


@pytest.mark.parametrize(
    ("subjects", "dialect"),
    [
        (["fix(ui): a", "feat: b", "docs!: c", "Merge branch x"], "conventional"),
        (["🐛 Fix a", "📝 Update docs", ":sparkles: Add b", "Release", "Merge", "✨ c"], "gitmoji"),
        (["Fix a", "Add b", "Note: this is no label", "fix: one"], "words"),
        ([], "words"),
        (["fix: a"] * 51 + ["b"] * 49, "conventional"),  # more than half of the messages
        (["fix: a"] * 50 + ["b"] * 50, "words"),
        (["🐛 a"] * 31 + ["b"] * 69, "gitmoji"),  # more than three tenths
        (["🐛 a"] * 30 + ["b"] * 70, "words"),
    ],
)
def test_a_repository_has_a_dialect(subjects: list[str], dialect: Dialect) -> None:
    assert dialect_of(subjects) == dialect


@pytest.mark.parametrize(
    ("dialect", "subject", "body", "purpose"),
    [
        ("conventional", "fix(css)!: broken order", "", "fix"),
        ("conventional", "feat: fix nothing", "", "feature"),
        ("conventional", "perf: faster", "", "restructuring"),
        ("conventional", "chore(deps): fix pins", "", "upkeep"),
        ("conventional", "Fix without a label", "", ""),
        ("conventional", "Merge pull request #3 from a/fix-b", "fix: the order", "fix"),
        ("gitmoji", "🐛 Fix a", "", "fix"),
        ("gitmoji", "🚑️ Hot", "", "fix"),
        ("gitmoji", ":sparkles: Add a", "", "feature"),
        ("gitmoji", "📝 Fix docs", "", "upkeep"),
        ("gitmoji", "Fix crash on start", "", "fix"),
        ("words", "Fix crash on start", "", "fix"),
        ("words", "fix: crash on start", "", "fix"),
        ("words", "Fix typo in docs", "", "upkeep"),
        ("words", "Add support for tokens", "", "feature"),
        ("words", "Handle empty input", "Closes #12", "fix"),
        ("words", "Handle empty input", "This fixes the wrong answer", "fix"),
        ("words", "Refactor the parser", "", "restructuring"),
        ("words", "Bump version", "", "upkeep"),
        ("words", "Handle empty input", "", ""),
        ("words", "Merge pull request #3 from a/is_empty_fix", "Look at the end", "fix"),
        ("words", "Merge branch 'main' into topic", "", ""),
    ],
)
def test_the_dialect_decides_what_a_commit_is_for(dialect: Dialect, subject: str, body: str, purpose: Purpose) -> None:
    assert purpose_of(Message(subject, body, subject.startswith("Merge")), dialect) == purpose


def test_a_label_can_be_hidden() -> None:
    assert hidden(Message("fix(a): b")) == Message("b")
    assert hidden(Message("🚑️ b")) == Message("b")
    assert hidden(Message("Note: b")) is None
    assert hidden(Message("b")) is None
