"""What is found in a stream by its markers is what the grammar's parser finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.prediction.predictor import Predictor
from core.text import stream
from core.text.grammar import (
    CHANGES,
    CODE_END,
    CODE_START,
    FILE_START,
    SECRETS,
    ChangeText,
    CommitText,
    FileText,
    parse,
    serialise,
)
from core.text.vocabulary import Vocabulary

MASK = next(iter(SECRETS.values()))
WORDS = st.sampled_from(["fn f() {}", "a.rs", "<CODE_START>", "x = 1\n", "é"])


@pytest.fixture(scope="session")
def vocabulary(predictor: Predictor) -> Vocabulary:
    return predictor.vocabulary


def change(kind: str = "modified_function", **texts: tuple[str, ...]) -> ChangeText:
    return ChangeText(change_type=kind, symbol_kind="function", **texts)


def commit(*files: FileText) -> CommitText:
    return CommitText(year="2024", month="01", author=("Ada",), message=("one",), files=list(files))


def ids_of(commits: list[CommitText], vocabulary: Vocabulary) -> np.ndarray:
    pieces = [piece for one in commits for sequence in serialise(one) for piece in sequence]
    return np.array(vocabulary.encode([pieces])[0], np.int32)


@given(st.lists(st.lists(st.tuples(WORDS, st.sampled_from([*CHANGES, "unheard_of"]), WORDS), min_size=1, max_size=3)))
def test_commits_are_those_of_the_parser(vocabulary: Vocabulary, made: list[list[tuple[str, str, str]]]) -> None:
    def file(path: str, kind: str, code: str) -> FileText:
        return FileText(path=(path,), language="rust", changes=[change(kind, code=(code,))])

    commits = [commit(*(file(*parts) for parts in one)) for one in made]
    ids = ids_of(commits, vocabulary)
    found = stream.commits_in(ids, vocabulary)
    parsed = list(parse(vocabulary.pieces(ids.tolist())))
    assert [one.changes for one in found] == [
        [("".join(file.path), part.change_type) for file in one.files for part in file.changes] for one in parsed
    ]
    texts = [vocabulary.decode(ids[start:end].tolist()) for one in found for start, end in one.codes]
    assert texts == ["".join(part.code) for one in parsed for file in one.files for part in file.changes]
    assert stream.codes(ids, vocabulary.markers) == [span for one in found for span in one.codes]
    assert stream.commit_starts(ids, vocabulary.markers).tolist() == [one.start for one in found]


def test_a_change_type_without_a_marker_counts_like_any_other(vocabulary: Vocabulary) -> None:
    file = FileText(path=("a.rs",), language="rust", changes=[change("brand_new", code=("x",)), change(code=("y",))])
    (found,) = stream.commits_in(ids_of([commit(file)], vocabulary), vocabulary)
    assert found.changes == [("a.rs", "brand_new"), ("a.rs", "modified_function")]
    assert len(found.codes) == len(found.changes)


def test_a_mask_in_a_path_does_not_end_it(vocabulary: Vocabulary) -> None:
    file = FileText(path=("keys/", MASK, ".txt"), language="text", changes=[change(code=("x",))])
    (found,) = stream.commits_in(ids_of([commit(file)], vocabulary), vocabulary)
    assert found.files == [f"keys/{MASK}.txt"]


def test_code_of_a_stream_that_is_cut_anywhere(vocabulary: Vocabulary) -> None:
    file = FileText(path=("a.rs",), language="rust", changes=[change(code=("one",)), change(code=("two",))])
    ids = ids_of([commit(file)], vocabulary)
    starts, ends = (np.flatnonzero(ids == vocabulary.markers[marker]) for marker in (CODE_START, CODE_END))
    assert stream.codes(ids[: starts[1] + 2], vocabulary.markers)[-1] == (starts[1] + 1, starts[1] + 2)
    assert stream.codes(ids[starts[0] + 1 :], vocabulary.markers) == [(starts[1] - starts[0], ends[1] - starts[0] - 1)]
    inside = stream.in_code(ids, vocabulary.markers, np.arange(len(ids)))
    expected = [place for start, end in zip(starts, ends, strict=True) for place in range(start + 1, end + 1)]
    assert np.flatnonzero(inside).tolist() == expected


def test_positions_do_not_depend_on_the_size_of_blocks(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    file = FileText(path=("a.rs",), language="rust", changes=[change(code=("one",)), change(code=("two",))])
    ids = ids_of([commit(file)] * 3, vocabulary)
    whole = stream.positions(ids, vocabulary.markers, FILE_START, CODE_END).tolist()
    monkeypatch.setattr(stream, "_BLOCK", 7)
    assert stream.positions(ids, vocabulary.markers, FILE_START, CODE_END).tolist() == whole
    offsets = np.array([0, 5, 5, len(ids)])
    assert stream.first_in_each(ids, offsets, vocabulary.markers, FILE_START).tolist()[1] == -1
