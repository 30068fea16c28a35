"""Each row of a text belongs to one document, and its words are counted there."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.ranking.terms import IDENTIFIER, number, part_numbers
from index import texts
from index.spellings import Spelled
from index.texts import Counts

SOURCE = b'''"""A module."""

import os


class Store:
    """Keeps what is given.

    For a while.
    """

    def keep(self, item):
        def inner():
            return item
        return inner

    limit = 3


print(Store)
'''


def counted(found: Counts) -> list[dict[int, int]]:
    sizes, terms, counts = found.arrays()
    ends = np.cumsum(sizes).tolist()
    return [
        dict(zip(terms[end - size : end].tolist(), counts[end - size : end].tolist(), strict=True))
        for size, end in zip(sizes.tolist(), ends, strict=True)
    ]


def test_rows_are_parted_among_the_innermost_symbols() -> None:
    text = texts.text_of(texts.parsed(SOURCE, "store.py"))
    assert [(one.name, one.kind, one.first, one.last, one.doc) for one in text.symbols] == [
        ("Store", "class", 6, 17, "Keeps what is given."),
        ("Store.keep", "function", 12, 15, ""),
    ]
    store, keep, rest = counted(text.names)
    assert number("limit") in store
    assert number("item") not in store
    assert keep[number("inner")] == 2
    assert rest.keys() == {number(name) for name in ("A", "module", "import", "os", "print", "Store")}
    assert text.lines == SOURCE.count(b"\n")


def test_the_counts_of_documents_are_those_of_their_words() -> None:
    documents = ["def open_files(file): openFiles", "", "Über_größe x1 x1", "a" * 100]
    spelled = Spelled.of(documents)
    names = counted(Counts.of(spelled.numbered()))
    stems = counted(Counts.of(spelled.words().stems()))
    for document, own_names, own_stems in zip(documents, names, stems, strict=True):
        expected = Counter(name for name in IDENTIFIER.findall(document) if len(name) <= 64)
        assert own_names == {number(name): count for name, count in expected.items()}
        parts: Counter[int] = Counter()
        for name, count in expected.items():
            for part in part_numbers(name):
                parts[part] += count
        assert own_stems == parts


@pytest.mark.parametrize("most", [1, 10, 1 << 22])
def test_large_texts_are_counted_in_the_same_way(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [f"word{number} shared_word" for number in range(30)]
    expected = Counts.of(Spelled.of(documents).words().stems())
    monkeypatch.setattr("index.spellings.MOST_CELLS", most)
    assert Counts.of(Spelled.of(documents).words().stems()) == expected


def test_counts_stop_at_255() -> None:
    assert counted(Counts.of(Spelled.of(["x " * 1000]).numbered())) == [{number("x"): 255}]


def test_more_terms_than_16_bits_hold() -> None:
    many = Counts.of(Spelled.of([" ".join(f"n{number}" for number in range(70_000))]).numbered())
    assert many.width is np.uint32
    assert len(counted(many)[0]) == pytest.approx(70_000, abs=5)


def test_a_kind_of_path_decides_how_it_is_read() -> None:
    assert texts.kind_of("a/b.py") == texts.kind_of("c.py") != texts.kind_of("c.md")
    assert texts.kind_of("one.h") != texts.kind_of("one.c")
    assert texts.parsed(SOURCE, "notes.txt").symbols == ()


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        ("Open a file. Then close it.", "Open a file."),
        ("Open a file\nof the user.\n\nMore.", "Open a file of the user."),
        ("Open version 1.5 of it. More.", "Open version 1.5 of it."),
        ("no end", "no end"),
        ("", ""),
        ("\n  \n", ""),
    ],
)
def test_first_sentences(doc: str, expected: str) -> None:
    assert texts.first_sentence(doc) == expected


def test_text_in_another_encoding_is_read() -> None:
    text = texts.text_of(texts.parsed("def grüße(): ...\n".encode("utf-16"), "greet.py"))
    assert [one.name for one in text.symbols] == ["grüße"]


def test_credentials_leave_lines_as_they_were() -> None:
    source = b'a = 1\npassword = "hunter2-hunter2-Zq8"\nb = 2\n'
    masked = texts.masked(source)
    assert b"hunter2" not in masked
    assert masked.count(b"\n") == source.count(b"\n")
    assert masked.splitlines()[2] == b"b = 2"
