"""An edit as hunks gives the new code back, finds its place without line numbers, and refuses what is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import hunks as module
from core.text.grammar import EMAIL
from core.text.hunks import Hunk, HunkError, apply, hunks, lines

PIECES = st.sampled_from(["a\n", "b\n", "}\n", "\n", "a", "\r", "\x0c", "\u2028", "<EMAIL>", "<EMAIL>\n", EMAIL])


def joined(pieces: list[str]) -> tuple[str, ...]:
    made: list[str] = []
    for piece in pieces:
        if made and type(piece) is type(made[-1]) is str:
            made[-1] += piece
        else:
            made.append(piece)
    return tuple(made)


TEXTS = st.lists(PIECES, max_size=14).map(joined)


def typed(text: tuple[str, ...]) -> list[tuple[type, str]]:
    """Equality of strings alone would not distinguish a mask from text that spells one."""
    return [(type(piece), piece) for piece in text]


@given(TEXTS, TEXTS)
def test_an_edit_gives_the_new_text(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    made = hunks(before, after)
    assert typed(apply(before, made)) == typed(after)
    assert (not made) == (typed(before) == typed(after))


@given(TEXTS, TEXTS)
def test_a_hunk_keeps_no_more_than_its_place_needs(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    made = hunks(before, after)
    for number, hunk in enumerate(made):
        if kept := lines(hunk.kept):
            less = Hunk(joined([piece for line in kept[1:] for piece in line]), hunk.removed, hunk.added)
            assert typed(apply(before, [*made[:number], less, *made[number + 1 :]])) != typed(after)


@given(TEXTS, TEXTS)
def test_long_texts_are_compared_at_their_ends(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_CELLS", 0)
        made = hunks(before, after)
    assert len(made) <= 1 or not (lines(before) and lines(after))
    assert typed(apply(before, made)) == typed(after)


@pytest.mark.parametrize(
    ("before", "after", "edit"),
    [
        ("a\nb\nc\n", "a\nx\nc\n", [Hunk((), ("b\n",), ("x\n",))]),
        ("a\nb\n", "x\na\nb\n", [Hunk((), (), ("x\n",))]),
        ("a\nb\n", "a\nb\nx\n", [Hunk(("b\n",), (), ("x\n",))]),
        ("b\nc\nb\nd\n", "b\nc\nb\nx\nd\n", [Hunk(("c\nb\n",), (), ("x\n",))]),
        ("a\nb", "a\nb\n", [Hunk((), ("b",), ("b\n",))]),
        ("a\n}\nb\n}\n", "a\n}\nb\n", [Hunk(("b\n",), ("}\n",), ())]),
        ("", "x", [Hunk((), (), ("x",))]),
        ("x", "", [Hunk((), ("x",), ())]),
    ],
)
def test_hunks_are_the_shortest_that_find_their_place(before: str, after: str, edit: list[Hunk]) -> None:
    assert hunks((before,) if before else (), (after,) if after else ()) == edit


@pytest.mark.parametrize(
    ("hunk", "said"),
    [
        (Hunk((), ("z\n",), ()), "not in the code"),
        (Hunk(("a\n",), ("c\n",), ("x\n",)), "not in the code"),
        (Hunk((), ("a",), ()), "not in the code"),
        (Hunk(("a\n",), (), ()), "changes nothing|removes nothing"),
    ],
)
def test_what_does_not_apply_is_refused(hunk: Hunk, said: str) -> None:
    with pytest.raises(HunkError, match=said):
        apply(("a\nb\nc\n",), [hunk])


def test_hunks_apply_in_their_order() -> None:
    first, second = Hunk((), ("c\n",), ()), Hunk((), ("a\n",), ())
    with pytest.raises(HunkError, match="hunk 2"):
        apply(("a\nb\nc\n",), [first, second])
