"""What is written of a commit is what is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.code.change_types import CHANGE_TYPES
from core.code.languages import LANGUAGES, SYMBOL_KINDS
from core.records.chunks import NO_COMMIT, Chunk
from core.text import grammar
from core.text.grammar import (
    CODE_START,
    COMMIT_START,
    EMAIL,
    FILE_START,
    MARKERS,
    SECRETS,
    ChangeText,
    CommitText,
    FileText,
    GrammarError,
    Marker,
    parse,
    plain,
    serialise,
    texts_of,
)  # fmt: skip
from core.text.hunks import hunks

PLAIN = st.one_of(st.text(min_size=1, max_size=20), st.sampled_from([str(marker) for marker in MARKERS]))
MASK = st.sampled_from([EMAIL, *SECRETS.values()])


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, ...]:
    pieces: list[str] = []
    for piece in draw(st.lists(st.one_of(PLAIN, MASK), max_size=4)):
        if isinstance(piece, Marker) or not pieces or isinstance(pieces[-1], Marker):
            pieces.append(piece)
    return tuple(pieces)


CHANGES = st.one_of(
    st.builds(
        ChangeText,
        change_type=st.sampled_from(CHANGE_TYPES),
        symbol_kind=st.sampled_from(SYMBOL_KINDS),
        symbol=texts(),
        code=texts(),
    ),
    st.builds(ChangeText, change_type=st.text(min_size=1), symbol_kind=st.just("file"), before=texts(), after=texts()),
    st.builds(
        lambda before, after: ChangeText(
            change_type="other", symbol_kind="function", before=before, edit=hunks(before, after)
        ),
        before=texts(),
        after=texts(),
    ),
)
FILES = st.builds(
    FileText,
    path=texts(),
    language=st.one_of(st.sampled_from(sorted(LANGUAGES)), st.text()),
    module=texts(),
    changes=st.lists(CHANGES, min_size=1, max_size=3),
)
COMMITS = st.builds(
    CommitText,
    year=st.sampled_from(["1970", "2000", "2024", "2039", "2040", "9999"]),
    month=st.sampled_from(["01", "12"]),
    author=texts(),
    message=texts(),
    branch=texts(),
    repository=texts(),
    files=st.lists(FILES, min_size=1, max_size=3),
)


@pytest.mark.slow
@given(st.lists(COMMITS, max_size=3))
def test_what_is_written_is_read_back(commits: list[CommitText]) -> None:
    sequences = [pieces for commit in commits for pieces in serialise(commit)]
    assert len(sequences) == sum(len(file.changes) for commit in commits for file in commit.files)
    back = list(parse(piece for pieces in sequences for piece in pieces))
    assert back == commits
    assert [kinds(commit) for commit in back] == [kinds(commit) for commit in commits]


def kinds(commit: CommitText) -> list[bool]:
    """Which pieces are masks: equality of strings alone would not distinguish a mask from text that spells one."""
    found = [commit.author, commit.message, commit.branch]
    found += [text for file in commit.files for text in (file.path, file.module)]
    found += [text for file in commit.files for one in file.changes for text in (one.symbol, one.code, one.after)]
    return [isinstance(piece, Marker) for text in found for piece in text]


@pytest.mark.parametrize("broken", ["cut", "twice", "text", "order"])
def test_a_file_that_is_not_a_history_is_refused(broken: str) -> None:
    change = ChangeText(change_type="other", symbol_kind="file", code=("x",))
    file = FileText(path=("a",), language="rust", changes=[change])
    (pieces,) = serialise(CommitText(year="2024", month="05", author=("A",), message=("m",), files=[file]))
    assert list(parse(pieces))
    bad = {
        "cut": pieces[:-1],
        "twice": [COMMIT_START, *pieces],
        "text": ["stray", *pieces],
        "order": [piece for piece in pieces if piece != FILE_START],
    }[broken]
    with pytest.raises(GrammarError, match="expected"):
        list(parse(bad))


def test_one_sequence_for_each_chunk_and_files_once() -> None:
    def chunk(number: int, path: str) -> Chunk:
        return Chunk(
            chunk_id=f"c_{number}", commit_hash="c", file_path=path, file_type="rs", language="rust",
            change_type="new_function", change_category="A", symbol_kind="function", qualified_name=f"f{number}",
            module_path="a", old_code="old", new_code=f"new {number}", patch="@@", additions=1, deletions=0,
            commit_metadata=commit,
        )  # fmt: skip

    commit = NO_COMMIT.__class__(
        author="Ada", author_email="", timestamp="2024-05-06T07:08:09Z", timestamp_unix=0, commit_timestamp="",
        message="add", message_body="", branch="topic",
    )  # fmt: skip
    chunks = [chunk(0, "a.rs"), chunk(1, "a.rs"), chunk(2, "b.rs")]
    written = texts_of(chunks, "new", plain)
    assert (written.year, written.month, written.branch) == ("2024", "05", ("topic",))
    assert [len(file.changes) for file in written.files] == [2, 1]
    sequences = serialise(written)
    assert [sum(piece == FILE_START for piece in pieces) for pieces in sequences] == [1, 0, 1]
    assert (
        "".join(sequences[1]) == "<CHANGE:new_function><KIND:function><SYMBOL>f1<CODE_START>new 1<CODE_END><FILE_END>"
    )
    both = texts_of(chunks, "before_after", plain).files[0].changes[0]
    assert (both.code, both.before, both.after) == ((), ("old",), ("new 0",))
    assert texts_of(chunks, "diff", plain).files[0].changes[0].code == ("@@",)


def test_markers_are_few_and_differ() -> None:
    assert len(set(MARKERS)) == len(MARKERS) <= 271  # the spare rows of the smaller Qwen2.5 models
    assert CODE_START in MARKERS
    assert all(grammar.spelled("FILE", "x") != marker for marker in MARKERS)
