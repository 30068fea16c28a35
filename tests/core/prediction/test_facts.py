"""An answer has symbols, change types, authors and when, each bounded by `top`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from core.prediction.facts import Facts
from core.prediction.files import FileAsker
from core.prediction.question import Question
from core.ranking.facts import Ranked
from core.ranking.symbols import RankedSymbol
from core.ranking.timing import When
from core.records.change_types import ChangeTypesRecord, write_change_types
from index.repository import RepositoryIndex


@pytest.fixture
def shop(make_repo: Callable[[str], Repo], tmp_path: Path) -> Repo:
    """Forty commits on three functions of a cart."""
    repo = make_repo("shop")
    types: dict[str, dict[str, int]] = {}
    for number in range(40):
        body = "".join(f"def {name}_cart(item):\n    return item + {number}\n\n" for name in ("fill", "clear", "price"))
        types[repo.commit(f"Fix the price of the cart {number}", {"cart.py": body})] = {"bug_fix": 3}
    (tmp_path / "outputs").mkdir()
    write_change_types(tmp_path / "outputs" / "change_types.json", ChangeTypesRecord(commits=types))
    return repo


def asker(shop: Repo, tmp_path: Path, outputs: str) -> FileAsker:
    return FileAsker(str(shop.path), tmp_path / "cache", RepositoryIndex, outputs=tmp_path / outputs)


def test_an_answer_has_every_kind_of_fact(shop: Repo, tmp_path: Path) -> None:
    answer = asker(shop, tmp_path, "outputs").answer(Question(task="Round the price of the cart", top=2))
    found = json.loads(json.dumps(answer.as_dict()))
    assert len(found["symbols"]) == len(found["change_types"]) == len(found["authors"]) == 2
    symbol = found["symbols"][0]
    assert (symbol["name"], symbol["kind"], symbol["path"]) == ("price_cart", "function", "cart.py")
    assert symbol["lines"] == [7, 8]
    assert found["change_types"][0]["name"] == "bug_fix"
    assert found["change_types"][0]["probability"] == found["change_types"][0]["share"]
    assert [one["new"] for one in found["authors"]] == [False, True]
    assert found["when"]["middle"] == 3600
    assert len(found["files"]) <= 2


def test_change_types_are_absent_where_the_pipeline_has_not_run(shop: Repo, tmp_path: Path) -> None:
    answer = asker(shop, tmp_path, "missing.json").answer(Question(task="Round the price"))
    assert answer.as_dict()["change_types"] == []
    assert answer.facts.symbols


def test_without_a_task_only_the_time_is_known(shop: Repo, tmp_path: Path) -> None:
    facts = asker(shop, tmp_path, "outputs").answer(Question()).facts
    assert (facts.symbols, facts.change_types, facts.authors) == ([], [], [])
    assert facts.when


def test_an_answer_knows_what_its_commit_knew(shop: Repo, tmp_path: Path) -> None:
    answer = asker(shop, tmp_path, "outputs").answer(Question(task="Round the price"), "main~39")
    assert answer.at == shop.git("rev-parse", "main~39")
    assert answer.facts.when is None


def test_a_file_is_parsed_once_for_all_questions(shop: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = asker(shop, tmp_path, "outputs")
    first = one.answer(Question(task="Round the price"))
    monkeypatch.setattr("core.ranking.symbols.read", lambda path, source: pytest.fail("parsed again"))
    assert one.answer(Question(task="Round the price")) == first


def test_facts_in_words_have_a_line_each() -> None:
    facts = Facts(
        [RankedSymbol("Cart.price", "function", "cart.py", (3, 9), 0.5, "the task names it")],
        [Ranked("bug_fix", 0.75, "in 2 of the last 9 commits")],
        [Ranked("", 0.25, "1 of the last 9 commits was the first of its author")],
        When(50, 7200, 200_000, 0.75, 100),
    )
    when = "when: 50 seconds to 2 days after the last commit, half of them within 2 hours"
    assert facts.in_words() == [
        "symbols",
        "   50%  function Cart.price in cart.py:3-9",
        "        the task names it",
        "change types",
        "   75%  bug_fix",
        "        in 2 of the last 9 commits",
        "authors",
        "   25%  somebody new",
        "        1 of the last 9 commits was the first of its author",
        f"{when}; such a range held 75% of the time",
    ]
    assert Facts().in_words() == []
