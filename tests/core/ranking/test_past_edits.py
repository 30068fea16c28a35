"""The past edit that is most like another one, and the code that is most like a task, of earlier commits alone."""

from __future__ import annotations

import numpy as np
import pytest

from core.ranking.past_edits import PastEdits, about, code_after
from core.text.edits import NO_PAST, as_past, edits
from core.text.grammar import ChangeText, CommitText, FileText, plain, serialise
from core.text.hunks import hunks
from core.text.vocabulary import Vocabulary
from core.text.vocabulary_training import TrainingText, train

Change = tuple[str, str, str, str]
"""Path, symbol, code before, code after."""


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return train(TrainingText([["fn main() { one(); two(); }\n", "Ada", "src/lib.rs", "add it"]] * 30), 600)


def stream(vocabulary: Vocabulary, *commits: tuple[str, list[Change]]) -> np.ndarray:  # type: ignore[type-arg]
    found: list[int] = []
    for message, changes in commits:
        files = [
            FileText(
                path=(path,),
                language="rust",
                changes=[
                    ChangeText(
                        change_type="bug_fix",
                        symbol_kind="function",
                        symbol=(symbol,),
                        before=plain(before),
                        edit=hunks(plain(before), plain(after)),
                    )
                ],
            )
            for path, symbol, before, after in changes
        ]
        commit = CommitText(year="2024", month="05", author=("Ada",), message=(message,), files=files)
        found += [id_ for ids in vocabulary.encode(serialise(commit)) for id_ in ids]
    return np.array(found, np.int64)


def past_of(vocabulary: Vocabulary, *commits: tuple[str, list[Change]]) -> PastEdits:
    return PastEdits.of([stream(vocabulary, *commits)], vocabulary)


def last(past: PastEdits) -> int:
    return past.edits[-1].hunks[0]


HISTORY: list[tuple[str, list[Change]]] = [
    ("parse the header", [("http.rs", "read", "a\n", "a\nheader\n")]),
    ("sort the users", [("users.rs", "list", "b\n", "b\nsorted\n"), ("names.rs", "all", "c\n", "c\nby_name\n")]),
    ("parse the header again", [("http.rs", "read", "a\nheader\n", "a\nheader\nbody\n")]),
]


def test_the_nearest_is_of_an_earlier_commit_and_shares_most_words(vocabulary: Vocabulary) -> None:
    past = past_of(vocabulary, *HISTORY)
    found = past.nearest(last(past))
    assert found == past.edits[0]
    assert past.before(last(past)).tolist() == as_past(past.ids, past.edits[0]).tolist()
    # The second edit of its own commit shares its message, and yet does not count.
    assert past.nearest(past.edits[2].hunks[0]) != past.edits[1]


def test_the_first_edit_has_none(vocabulary: Vocabulary) -> None:
    alone = past_of(vocabulary, HISTORY[0])
    assert alone.nearest(last(alone)) is None
    assert alone.before(last(alone)) is NO_PAST
    assert PastEdits.of([], vocabulary).edits == []


def test_one_without_a_shared_word_is_not_near(vocabulary: Vocabulary) -> None:
    (edit,) = edits(new := stream(vocabulary, ("two", [("second.go", "y", "a\n", "b\n")])), vocabulary.markers)
    new[new == vocabulary.encode([["Ada"]])[0][0]] = vocabulary.encode([["Bob"]])[0][0]
    assert "Ada" not in about(new, edit, vocabulary)
    assert past_of(vocabulary, *HISTORY).like(new, edit) is NO_PAST


def test_streams_follow_each_other(vocabulary: Vocabulary) -> None:
    parts = [stream(vocabulary, *HISTORY[:1]), stream(vocabulary, *HISTORY[1:])]
    together = PastEdits.of(parts, vocabulary)
    assert together.edits == past_of(vocabulary, *HISTORY).edits
    assert together.nearest(last(together)) == together.edits[0]


def test_an_edit_that_is_still_to_come_finds_the_same(vocabulary: Vocabulary) -> None:
    whole, history = past_of(vocabulary, *HISTORY), past_of(vocabulary, *HISTORY[:-1])
    new = stream(vocabulary, HISTORY[-1])
    (edit,) = edits(new, vocabulary.markers)
    assert history.like(new, edit).tolist() == whole.before(last(whole)).tolist()


def test_what_an_edit_is_about_is_text_alone(vocabulary: Vocabulary) -> None:
    past = past_of(vocabulary, *HISTORY)
    assert about(past.ids, past.edits[0], vocabulary) == "Ada parse the header http.rs read"


def test_code_after_an_edit(vocabulary: Vocabulary) -> None:
    past = past_of(vocabulary, *HISTORY)
    codes = [code_after(past.ids, edit, vocabulary) for edit in past.edits]
    assert codes == ["a\nheader\n", "b\nsorted\n", "c\nby_name\n", "a\nheader\nbody\n"]
    broken = past.ids.copy()
    broken[past.edits[3].code[0] + 1] = broken[past.edits[3].code[0]]  # a marker twice
    assert code_after(broken, past.edits[3], vocabulary) == ""


def test_the_nearest_code_is_as_its_last_edit_left_it_and_not_the_symbols_own(vocabulary: Vocabulary) -> None:
    later: list[tuple[str, list[Change]]] = [
        *HISTORY,
        ("read the header of users", [("new.rs", "f", "", "x\n")]),
        ("write the header", [("http.rs", "read", "a\nheader\nbody\n", "a\nheader\nbody\nend\n")]),
    ]
    past = past_of(vocabulary, *later)
    assert past.nearest_code(past.edits[4].hunks[0]) == "a\nheader\nbody\n"  # not "a\nheader\n"
    assert past.nearest_code(last(past)) == ""  # no other symbol has a word of it
    assert past.nearest_code(past.edits[0].hunks[0]) == ""
