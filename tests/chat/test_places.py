"""What is shown of a place: its head, its docstring, its best lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from builders import Repo

from chat import places
from chat.citations import Citations
from chat.questions import read
from index.hits import FILE, Hit

LONG = [
    "@cached",
    "# about prices",
    "def price(",
    "    thing,",
    "):",
    '    """What a thing costs.',
    "",
    "    With taxes.",
    '    """',
    *(f"    x_{number} = {number}" for number in range(20)),
    "",
    "    rate = taxes.rate(thing)",
    "    return thing.cost * rate",
    *(f"    y_{number} = {number}" for number in range(20)),
]
PRICE = Hit("price.py", 1, len(LONG), "", "price", "function", "What a thing costs.")


@pytest.fixture
def citations(make_repo: object) -> Iterator[Citations]:
    repo: Repo = make_repo("placed")  # type: ignore[operator]
    page = "# Shop\n\nHello.\n\n## Delivery\n\nBy bicycle, in an hour.\n"
    repo.commit("add", {"price.py": "\n".join(LONG) + "\n", "page.md": page})
    with Citations(repo.path / ".git") as found:
        yield found


def head(citations: Citations) -> str:
    from core.git import refs

    return refs.head(citations.git_dir)


def test_a_long_symbol_is_its_head_and_its_best_lines(citations: Citations) -> None:
    told = places.described(citations, head(citations), read("How is the rate of taxes used?"), PRICE)
    assert told
    assert told.text == "`price` in price.py: What a thing costs."
    assert [(one.first, one.last) for one in told.citations] == [(1, 6), (31, 35)]
    assert told.citations[1].quote.startswith("    rate = taxes.rate(thing)")


def test_a_docstring_that_the_lines_do_not_have_is_not_repeated(citations: Citations) -> None:
    told = places.described(
        citations, head(citations), read("taxes?"), Hit("price.py", 1, 5, "", "price", "function", "Lies.")
    )
    assert told
    assert told.text == "`price` in price.py"
    assert (
        places.described(citations, head(citations), read("taxes?"), Hit("none.py", 1, 5, "", "x", "function")) is None
    )


def test_a_document_is_told_by_its_heading(citations: Citations) -> None:
    told = places.described(citations, head(citations), read("Is a bicycle used?"), Hit("page.md", 1, 7, "", "", FILE))
    assert told
    assert told.text == "page.md: Delivery"
    assert "By bicycle" in told.citations[0].quote


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        ("Turn a text into seconds.", "Turn a text into seconds."),
        ("Write to a stream @param resource $stream", "Write to a stream"),
        ("@return $this", ""),
        ("REQUIRES:", ""),
        ("Send to ada@example.org at once.", "Send to ada@example.org at once."),
    ],
)
def test_tags_and_headings_are_no_sentence(doc: str, expected: str) -> None:
    assert places.sentence_of(doc) == expected


def test_where_a_signature_and_a_docstring_end() -> None:
    assert places.end_of_signature(LONG, PRICE) == 5
    assert places.end_of_doc(LONG, 1, len(LONG), "What a thing costs.") == 6
    assert places.end_of_doc(LONG, 1, len(LONG), "Something else.") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate of taxes", True),
        ("rate of bicycles", False),
        ("taxes", True),
        ("bicycles", False),
        ("price and rate of bicycles in Paris", True),
        ("price of bicycles in Paris and London", False),
    ],
)
def test_a_place_holds_half_of_the_words_and_two(citations: Citations, text: str, *, expected: bool) -> None:
    assert places.is_about(read(text), citations, head(citations), PRICE) is expected


def test_best_lines_hold_the_rarest_words() -> None:
    lines = ["common = 1"] * 30 + ["common = rare"] + ["common = 1"] * 30
    first, last = places.best_lines(lines, 1, len(lines), {"common", "rare"})
    assert first <= 31 <= last
    assert last - first < places.SPAN_LINES
    assert places.best_lines(["", "x", ""], 1, 3, set()) == (2, 2)
