"""Where the edits of a stream are, and what is shown before them."""

from __future__ import annotations

import numpy as np
import pytest

from core.text.edits import LEAST_PAST, Edit, added, as_past, behind, edits, shown, spread
from core.text.grammar import CODE_END, COMMIT_START, ChangeText, CommitText, FileText, Text, plain, serialise
from core.text.hunks import hunks
from core.text.vocabulary import Vocabulary
from core.text.vocabulary_training import TrainingText, train


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return train(TrainingText([["fn main() { one(); two(); }\n", "Ada", "src/lib.rs", "add it"]] * 30), 600)


def change(name: str, before: Text, after: Text, change_type: str = "modified_function") -> ChangeText:
    return ChangeText(
        change_type=change_type, symbol_kind="function", symbol=(name,), before=before, edit=hunks(before, after)
    )


def commit(message: str, *files: tuple[str, list[ChangeText]]) -> CommitText:
    made = [FileText(path=(path,), language="rust", changes=changes) for path, changes in files]
    return CommitText(year="2024", month="05", author=("Ada",), message=(message,), files=made)


HISTORY = [
    commit("one", ("a.rs", [change("f", plain("a\nb\n"), plain("a\nc\n")), change("g", (), plain("new\n"))])),
    commit(
        "two", ("b.rs", [change("h", plain("x\ny\n"), ())]), ("c.rs", [change("moved", plain("k\n"), plain("k\n"))])
    ),
    commit("three", ("d.rs", [change("part", plain("x\ny\n"), plain("x\n"))])),
]


def stream_of(vocabulary: Vocabulary, commits: list[CommitText]) -> np.ndarray:  # type: ignore[type-arg]
    pieces = [piece for one in commits for sequence in serialise(one) for piece in sequence]
    return np.array(vocabulary.encode([pieces])[0], np.int64)


def text(vocabulary: Vocabulary, ids: np.ndarray, span: tuple[int, int]) -> str:  # type: ignore[type-arg]
    return vocabulary.decode(ids[slice(*span)].tolist())


def test_an_edit_knows_its_task_file_symbol_and_code(vocabulary: Vocabulary) -> None:
    ids = stream_of(vocabulary, HISTORY)
    first, second, third = edits(ids, vocabulary.markers)
    assert text(vocabulary, ids, first.commit).endswith("<MESSAGE>one")
    assert text(vocabulary, ids, first.file) == "<FILE_START>a.rs<LANGUAGE:rust>"
    assert text(vocabulary, ids, first.about) == "<CHANGE:modified_function><KIND:function><SYMBOL>f<CODE_START>"
    assert text(vocabulary, ids, first.code) == "<BEFORE>a\nb\n"
    assert text(vocabulary, ids, first.hunks) == "<REMOVED>b\n<ADDED>c\n<CODE_END>"
    assert (second.commit, second.file) == (first.commit, first.file)
    assert text(vocabulary, ids, second.code) == ""
    assert text(vocabulary, ids, second.hunks) == "<ADDED>new\n<CODE_END>"
    assert text(vocabulary, ids, third.hunks) == "<REMOVED>y\n<CODE_END>"
    assert text(vocabulary, ids, third.commit).endswith("<MESSAGE>three")


def test_what_is_shown_is_known_before_and_fits(vocabulary: Vocabulary) -> None:
    ids = stream_of(vocabulary, HISTORY)
    for edit in edits(ids, vocabulary.markers):
        for width in range(8, len(ids) + 40):
            known, (first, last) = shown(ids, edit, width)
            assert len(known) + last - first <= width
            assert first == edit.hunks[0] < last <= edit.hunks[1]
            told = vocabulary.decode(known.tolist())
            assert known[-1] == ids[first - 1]
            if width > 120:
                assert text(vocabulary, ids, edit.commit) in told
                assert told.endswith(text(vocabulary, ids, (edit.about[0], edit.hunks[0])))


def test_heads_are_repeated_only_where_they_are_too_far_away(vocabulary: Vocabulary) -> None:
    long = [change(f"f{n}", plain("a\nb\n"), plain(f"a\nc{n}\n")) for n in range(40)]
    ids = stream_of(vocabulary, [commit("much", ("a.rs", long), ("b.rs", long[:2]))])
    found = edits(ids, vocabulary.markers)
    near, _ = shown(ids, found[0], 300)
    assert near.tolist() == ids[: found[0].hunks[0]].tolist()
    for edit in (found[30], found[40], found[41]):
        far, _ = shown(ids, edit, 200)
        told = vocabulary.decode(far.tolist())
        assert told.count(str(COMMIT_START)) == 1
        assert told.endswith(
            "<MESSAGE>much" + text(vocabulary, ids, edit.file) + text(vocabulary, ids, (edit.about[0], edit.hunks[0]))
        )
        assert len(far) > 150  # the place is used
    assert vocabulary.decode(shown(ids, found[40], 200)[0].tolist()).count("b.rs") == 1


def test_long_code_gives_its_beginning_up(vocabulary: Vocabulary) -> None:
    before = plain("".join(f"line {n}\n" for n in range(400)))
    after = plain("".join(f"line {n}\n" for n in range(400)) + "end\n")
    ids = stream_of(vocabulary, [*HISTORY, commit("long", ("a.rs", [change("f", before, after)]))])
    known, _ = shown(ids, edits(ids, vocabulary.markers)[-1], 256)
    told = vocabulary.decode(known.tolist())
    assert told.endswith("line 399\n")
    assert "<SYMBOL>f<CODE_START>" in told
    assert "<MESSAGE>long" in told


def test_a_long_edit_is_cut(vocabulary: Vocabulary) -> None:
    after = plain("".join(f"line {n}\n" for n in range(400)))
    ids = stream_of(vocabulary, [commit("long", ("a.rs", [change("f", (), after)]))])
    known, (first, last) = shown(ids, edits(ids, vocabulary.markers)[0], 128)
    assert last - first == 64
    assert "<MESSAGE>long" in vocabulary.decode(known.tolist())


def test_added_text_is_found(vocabulary: Vocabulary) -> None:
    ids = stream_of(vocabulary, HISTORY)
    marks = added(ids, vocabulary.markers)
    assert vocabulary.decode(ids[marks].tolist()) == "c\nnew\n"
    cut = edits(ids, vocabulary.markers)[0].hunks[1] - 1
    assert vocabulary.decode(ids[:cut][added(ids[:cut], vocabulary.markers)].tolist()) == "c\n"


@pytest.mark.parametrize("count", [0, 1, 5])
def test_other_views_have_no_edits(vocabulary: Vocabulary, count: int) -> None:
    code = [ChangeText(change_type="other", symbol_kind="file", code=("x\n",))] * 2
    ids = stream_of(vocabulary, [commit("plain", ("a", code))] * count) if count else np.empty(0, np.int64)
    assert edits(ids, vocabulary.markers) == []
    assert not added(ids, vocabulary.markers).any()


def test_a_stream_may_begin_anywhere(vocabulary: Vocabulary) -> None:
    ids = stream_of(vocabulary, HISTORY)
    for start in range(0, len(ids), 3):
        for edit in edits(ids[start:], vocabulary.markers):
            assert isinstance(edit, Edit)
            assert min(edit.commit + edit.file + edit.about + edit.code) >= 0


def test_a_past_edit_comes_first_and_leaves_room_for_the_rest(vocabulary: Vocabulary) -> None:
    ids = stream_of(vocabulary, HISTORY)
    first, _, third = edits(ids, vocabulary.markers)
    past = as_past(ids, first)
    assert text(vocabulary, past, (0, len(past))).endswith("<SYMBOL>f<CODE_START><REMOVED>b\n<ADDED>c\n<CODE_END>")
    alone = shown(ids, third, len(ids) + 40)[0]
    for width in range(8, len(ids) + 40 + len(past)):
        known, (start, end) = shown(ids, third, width, past)
        assert len(known) + end - start <= width
        assert known[-1] == ids[start - 1]
    known, _ = shown(ids, third, len(ids) + 40 + len(past), past)
    assert known.tolist() == [*past.tolist(), *alone.tolist()]


def test_a_long_past_edit_is_cut_before_its_end(vocabulary: Vocabulary) -> None:
    ids = stream_of(vocabulary, HISTORY)
    third = edits(ids, vocabulary.markers)[2]
    end = vocabulary.markers[CODE_END]
    past = np.array([9999] * 500 + [end], np.int64)
    known, _ = shown(ids, third, 200, past)
    taken = int((known == 9999).sum())
    assert LEAST_PAST <= taken + 1 <= 100
    assert known[taken] == end
    short = third.hunks[1] - third.commit[0] + LEAST_PAST
    assert 9999 not in shown(ids, third, short, past)[0]


def test_several_pasts_share_what_is_left(vocabulary: Vocabulary) -> None:
    ids = stream_of(vocabulary, HISTORY)
    third = edits(ids, vocabulary.markers)[2]
    end = vocabulary.markers[CODE_END]
    longs = [np.array([number] * 500 + [end], np.int64) for number in (9998, 9999)]
    known, (first, last) = shown(ids, third, 400, *longs)
    taken = [int((known == number).sum()) + 1 for number in (9998, 9999)]
    room = 400 - (last - third.commit[0])
    assert taken == [room // 2, (room - room // 2) // 2]
    assert known[: sum(taken)].tolist() == [*[9998] * (taken[0] - 1), end, *[9999] * (taken[1] - 1), end]
    assert len(known) + last - first <= 400


def test_edits_are_spread_over_commits() -> None:
    def edit(commit: int, number: int) -> Edit:
        place = commit * 100 + number
        return Edit((commit, commit + 1), (place, place), (place, place), (place, place), (place, place + 1))

    found = [edit(0, n) for n in range(50)] + [edit(1, 0)] + [edit(2, n) for n in range(2)]
    assert [one.commit[0] for one in spread(found, 3)] == [0, 1, 2]
    assert spread(found, 1) == [edit(1, 0)]
    assert [one.commit[0] for one in spread(found, 5)] == [0, 0, 1, 2, 2]
    assert spread(found, 1000) == found
    assert spread(found, 0) == spread([], 3) == []


def test_positions_may_be_counted_from_elsewhere() -> None:
    assert behind(lambda position: np.array([position]), 100)(7).tolist() == [107]
