"""Searching patterns: what is found, in which order, and when nothing applies."""

from __future__ import annotations

from pathlib import Path

import pytest
from patterns_made_up import pattern, template, write

from core.errors import UserError
from core.records.patterns import Survival
from patterns.pattern_index import STANDS, WITH_TEST, PatternIndex
from patterns.questions import Question
from patterns.search import MOST_SIMILAR, Answer, Conventions, Votes, search

TEMPLATE = template()
CLOSE = Question(code="def close(self):\n    self.socket.close()", task="close a session twice")
GONE = Survival(born="c", until="d", days=3.0, lines=2, alive=0, ended_by="e")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Patterns of four kinds of code, the first five of a kind alike."""
    topics = ("socket close session", "parse header value", "render template page", "colour palette theme")
    found = []
    for number in range(40):
        first, second, third = topics[number % 4].split()
        code = f"def {second}(self):\n    self.{first}.{second}({third})\n"
        found.append(
            pattern(
                pattern_id=f"{number:016x}",
                before_code=code,
                file_path=f"src/{third}.py",
                symbol=second,
                commit_msg=f"Fix {third} number{number}",
                with_test=number % 8 == 0,
                survival=GONE if number % 8 == 4 else pattern().survival,
            )
        )
    return write(tmp_path / "patterns.jsonl", found)


def ask(path: Path, question: Question, asked: int = 0, votes: Votes | None = None) -> Answer:
    with PatternIndex(path, path.parent / "cache") as index:
        return search(question, index, Conventions([TEMPLATE]), votes, asked)


def test_similar_changes_are_found_by_what_was_there_before(many: Path) -> None:
    found = ask(many, CLOSE)
    assert len(found.similar) == MOST_SIMILAR
    assert {one.pattern.file_path for one in found.similar} == {"src/session.py"}
    assert found.similar == sorted(found.similar, key=lambda one: -one.match)
    assert found.best_match == found.similar[0].match
    assert found == ask(many, CLOSE)  # from the file that was made the first time


def test_what_has_little_in_common_is_not_shown(many: Path) -> None:
    task = "header " + " ".join(f"thing{number} matter{number} other{number}" for number in range(9))
    found = ask(many, Question(task=task))
    assert found.similar == []
    assert found.best_match > 0
    assert ask(many, Question()) == Answer([], [], 0.0)


def test_facts_that_are_asked_for(many: Path) -> None:
    assert {int(one.pattern.pattern_id, 16) % 8 for one in ask(many, CLOSE).similar} == {0, 4}
    assert all(one.pattern.with_test for one in ask(many, CLOSE, WITH_TEST).similar)
    assert {int(one.pattern.pattern_id, 16) % 8 for one in ask(many, CLOSE, STANDS).similar} == {0}


def test_votes_order_what_fits_about_as_well(many: Path) -> None:
    liked = f"{16:016x}"
    assert ask(many, CLOSE, votes={liked: (3, 0)}).similar[0].pattern.pattern_id == liked
    assert ask(many, CLOSE, votes={liked: (3, 0)}).similar[0].votes == (3, 0)
    other_topic = {f"{number:016x}": (9, 0) for number in (1, 5, 9)}
    assert ask(many, CLOSE, votes=other_topic) == ask(many, CLOSE)


def test_a_convention_gives_the_exact_line(many: Path) -> None:
    asked = Question(code="x = 1\n    self.assertEqual(x, 'a  b')  \n", path="tests/test_b.py")
    (found,) = ask(many, asked).conventions
    assert (found.line.number, found.becomes, found.template) == (2, "    assert x == 'a  b'", TEMPLATE)
    assert ask(many, Question(code=asked.code, path="src/b.py")).conventions == []


def test_a_retired_template_is_not_offered() -> None:
    retired = template(retired="expired")
    asked = Question(code="self.assertEqual(x, 1)", path="tests/test_b.py")
    assert Conventions([retired]).of(asked.lines()) == []
    assert Conventions([TEMPLATE]).of(asked.lines())


def test_another_file_is_read_anew(many: Path) -> None:
    assert ask(many, CLOSE).similar
    write(many, [pattern(before_code="render()", symbol="render", file_path="a.py", commit_msg="Draw")])
    assert ask(many, CLOSE).similar == []
    assert len(ask(many, Question(code="render()")).similar) == 1


def test_a_broken_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "patterns.jsonl", [pattern()])
    path.write_bytes(path.read_bytes() + b'{"pattern_id": 3}\n')
    with pytest.raises(UserError, match="line 2"):
        PatternIndex(path, tmp_path / "cache")
    path.write_bytes(b"")
    assert ask(path, CLOSE) == Answer([], [], 0.0)
