"""Every rule looks at each character a bounded number of times, whatever the text. Characters are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from shortest_texts import shortest

from core.text import secrets
from core.text.secrets import finding
from core.text.secrets.patterns import AnyOf, Pattern, searched
from core.text.secrets.rules import Finder, Rule

FINDERS = finding.all_finders()
SHORT, LONG = 10_000, 200_000
MOST = 600
"""Characters that searches are handed for each character of the text; the largest window is far above it."""
RUNS = (
    *("eyJ", "sk-", "-----BEGIN", "-----BEGIN PRIVATE KEY-----", "://", "password=", 'password="', '"', "a", "A1b2"),
    *("kind: Secret\n", "curl ", "login ", "AKIA", "://a:", "password: ", "Private-Lines: 1 ", "token", "\\n", "MIIE"),
    *("Ab3dEf7hIj2kLm9n\n", "Authorization: ", "-u a:b ", "c2VjcmV0", "machine a login b "),
    *(
        'kind: Secret "data":{"',
        '"a":"bcde",',
        "kind: Secret\ndata:\n a\n",
        "password: |\n",
        "password(",
        "auth=('a', ",
    ),
    *(":5432:a:", "</key>\n<string>", "password = <<E\n", "password was ", "jwt.sign(", "password\t"),
)


@dataclass
class Steps:
    """Characters that all searches together were handed."""

    taken: int = 0


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    counted = Steps()
    for name in ("each", "at", "within"):
        search = getattr(Pattern, name)

        def counting(self: Pattern, data: bytes, start: int = 0, end: int | None = None, search=search) -> object:  # type: ignore[no-untyped-def]
            counted.taken += (len(data) if end is None else end) - start
            return search(self, data, start, end)

        monkeypatch.setattr(Pattern, name, counting)
    for name in ("found", "which"):
        whole = getattr(AnyOf, name)

        def sweeping(self: AnyOf, data: bytes, whole=whole) -> object:  # type: ignore[no-untyped-def]
            counted.taken += len(data)
            return whole(self, data)

        monkeypatch.setattr(AnyOf, name, sweeping)
    return counted


def pieces(finder: Finder) -> Iterator[str]:
    """The beginnings of what a rule looks for: whole, without the last letter, half, and three letters."""
    for source in (finder.anchor, *([finder.pattern] if isinstance(finder, Rule) else [])):
        sample = shortest(source)
        yield from (part for part in (sample, sample[:-1], sample[: len(sample) // 2], sample[:3]) if part)


@pytest.mark.parametrize("number", range(len(FINDERS)))
def test_no_rule_is_more_than_linear_on_its_own_beginnings(number: int, steps: Steps) -> None:
    for piece in dict.fromkeys(pieces(FINDERS[number])):
        data = searched(piece * (SHORT // len(piece)))
        steps.taken = 0
        for _ in FINDERS[number].find(data):
            pass
        assert len(data) <= steps.taken <= MOST * len(data), piece


@pytest.mark.parametrize("run", RUNS)
def test_a_long_run_of_one_beginning_takes_bounded_steps(run: str, steps: Steps) -> None:
    text = run * (LONG // len(run))
    secrets.find(text)
    assert len(text) <= steps.taken <= MOST * len(text)


def test_an_unbounded_window_would_be_seen(steps: Steps) -> None:
    unbounded = Rule("other", "sk-", "sk-[a-z-]{40}!", ahead=LONG)
    data = searched("sk-" * (SHORT // 3))
    assert list(unbounded.find(data)) == []
    assert steps.taken > MOST * len(data)
