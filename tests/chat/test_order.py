"""Which place comes first, and how many are shown."""

from __future__ import annotations

import pytest

from chat import order
from index.hits import FILE, Hit


def hit(path: str, score: float, symbol: str = "run", kind: str = "function") -> Hit:
    return Hit(path, 1, 9, "", symbol, kind, score=score)


def ordered(question: str, hits: list[Hit], held: list[set[str]] | None = None, named: list[Hit] | None = None) -> str:
    found = order.in_order(question, hits, held or [{"word"} for _ in hits], named or [])
    return " ".join(one.path for one in found)


def test_what_is_far_behind_the_best_is_not_shown() -> None:
    hits = [hit("a.py", 0.5), hit("b.py", 0.06), hit("c.py", 0.04)]
    assert [one.path for one in order.shown(hits)] == ["a.py", "b.py"]
    assert len(order.shown([hit("a.py", 0.1)] * 9)) == order.MOST
    assert len(order.shown([hit("a.py", 0.1)] * 9, 3)) == 3
    assert order.shown([]) == []


def test_a_place_counts_less_the_fewer_and_commoner_words_it_holds() -> None:
    hits = [hit("few.py", 0.2), hit("most.py", 0.2), hit("rare.py", 0.2)]
    held = [{"a"}, {"a", "b", "c"}, {"a", "c"}]
    assert ordered("q", hits, held) == "most.py rare.py few.py"
    assert ordered("q", [hit("far.py", 0.2), hit("near.py", 0.9)], [{"a", "b"}, {"a"}]) == "near.py far.py"


def test_what_the_question_names_comes_first() -> None:
    hits = [hit("a.py", 0.6), hit("b.py", 0.0)]
    assert ordered("q", hits, named=[hits[1]]) == "b.py a.py"


@pytest.mark.parametrize(
    ("aside", "asks"),
    [
        (hit("tests/test_a.py", 0.5), "Where is the parser tested?"),
        (hit("src/a.rs", 0.5, "tests::parses"), "Which unit tests does the parser have?"),
        (hit("src/a_test.cc", 0.5), "Where is the parser tested?"),
        (hit("docs/guide.md", 0.5), "Where is the parser documented?"),
        (hit("setup.cfg", 0.5), "Where is the parser configured?"),
    ],
)
def test_tests_documents_and_settings_come_first_where_they_are_asked_for(aside: Hit, asks: str) -> None:
    code = hit("a.py", 0.3)
    assert ordered("Where is the parser?", [aside, code]) == f"a.py {aside.path}"
    assert ordered(asks, [aside, code]) == f"{aside.path} a.py"


def test_a_declaration_gives_way_to_its_definition() -> None:
    declared, defined = hit("a.h", 0.5, "A::run"), hit("a.cc", 0.1, "A::run")
    (found,) = order.in_order("q", [declared, defined], [{"word"}, {"word"}], [])
    assert (found.path, found.score) == ("a.cc", pytest.approx(0.5 * 1.1**0.5))
    assert ordered("q", [declared, hit("b.cc", 0.1, "B::run")]) == "a.h b.cc"


def test_a_symbol_stands_for_its_file() -> None:
    whole = [hit("a.py", 0.5, "", FILE), hit("b.py", 0.4, "", FILE)]
    assert ordered("q", [*whole, hit("a.py", 0.1)]) == "b.py a.py"
