"""Questions for a study: which ones are, about what, and that all others are answered as before."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from chat.asking import Chat
from chat.questions import read
from chat.statements import Found, Statement
from chat.studied import wanted


@dataclass
class Asked:
    """A study that says of everything that it cites the first line of a file, and of a lie that it cites nothing."""

    chat: Chat
    there: bool = True
    knows: bool = True
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def is_there(self) -> bool:
        return self.there

    def risky(self, commit: str, path: str) -> Found | None:
        return self._found("risk", commit, path, "")

    def about(self, commit: str, path: str, symbol: str) -> Found | None:
        return self._found("about", commit, path, symbol)

    def tests(self, commit: str, path: str, symbol: str) -> Found | None:
        return self._found("tests", commit, path, symbol)

    def _found(self, topic: str, commit: str, path: str, symbol: str) -> Found | None:
        self.asked.append((topic, path, symbol))
        cited = self.chat.citations.cite("shop/basket.py", 1, 1, commit)
        if not self.knows or cited is None:
            return None
        false = type(cited)(commit, "import money", cited.path, 1, 1, cited.blob)
        return Found([Statement("It is known.", (cited,)), Statement("It is a lie.", (false,))], lead="Known:")


@pytest.fixture
def study(chat: Chat) -> Asked:
    """What a study knows."""
    found = chat.study = Asked(chat)
    return found


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is risky here?", ("risk", "", "")),
        ("which files are the riskiest?", ("risk", "", "")),
        ("What is risky in shop/?", ("risk", "shop", "")),
        ("How risky is shop/basket.py?", ("risk", "shop/basket.py", "")),
        ("What should I know about discount?", ("about", "shop/basket.py", "discount")),
        ("What should I know before changing shop/basket.py?", ("about", "shop/basket.py", "")),
        ("Tell me about the class Basket.", ("about", "shop/basket.py", "Basket")),
        ("Tell me about `Basket.put`", ("about", "shop/basket.py", "Basket.put")),
        ("summarise shop/basket.py:discount", ("about", "shop/basket.py", "discount")),
        ("Which tests cover discount?", ("tests", "shop/basket.py", "discount")),
        ("Where is shop/basket.py tested?", ("tests", "shop/basket.py", "")),
    ],
)
def test_the_study_is_asked_about_what_is_named(
    chat: Chat, study: Asked, question: str, expected: tuple[str, str, str]
) -> None:
    answer = chat.ask(question)
    assert study.asked == [expected]
    assert [one.text for one in answer.statements] == ["It is known."]  # what git does not confirm is left out
    assert (answer.kind, answer.known, answer.lead) == (expected[0], True, "Known:")


@pytest.mark.parametrize(
    "question",
    [
        "Where is the discount of a large order computed?",
        "How is the risk of a customer computed?",
        "Where is the risk tested for?",
        "What is risky about the discount of a large order?",
        "Which files are risky to delete?",
        "What calls discount?",
        "Why was discount changed?",
        "What changed since v1.0?",
        "Describe how durations are read",
        "Tell me about bicycles",
        "Which tests cover nothing_of_that_name?",
        "Who knows shop/basket.py?",
    ],
)
def test_all_other_questions_are_answered_as_before(chat: Chat, question: str) -> None:
    before = chat.ask(question).as_dict()
    study = chat.study = Asked(chat)
    assert chat.ask(question).as_dict() == before
    assert not study.asked


@pytest.mark.parametrize(("there", "knows"), [(False, True), (True, False)])
def test_without_a_study_that_knows_it_they_are_answered_as_before(chat: Chat, there: bool, knows: bool) -> None:
    before = chat.ask("What should I know about discount?").as_dict()
    chat.study = Asked(chat, there, knows)
    assert chat.ask("What should I know about discount?").as_dict() == before


def test_it_is_what_the_last_answer_was_about(chat: Chat, study: Asked) -> None:
    last = chat.ask("Where is the discount of a large order computed?").subject
    chat.ask("Which tests cover it?", last)
    chat.ask("What should I know about that function?", last)
    assert study.asked == [("tests", "shop/basket.py", "discount"), ("about", "shop/basket.py", "discount")]
    assert chat.ask("Which tests cover it?").kind == "how"


def test_what_is_written_is_read_without_its_marks() -> None:
    found = wanted(read("What should we know about the function `a::b()`?"))
    assert found
    assert (found.topic, found.name) == ("about", "a.b")
