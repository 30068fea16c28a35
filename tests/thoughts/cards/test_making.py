"""Cards: every line is what the repository says, and git confirms it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from chat.citations import Citations
from core.errors import UserError
from thoughts.cards.by_name import may_be, receiver
from thoughts.cards.card import COMPANIONS, HISTORY, OWNERS, RISK, TESTS, TITLES, USES, WHAT, Card, card_from
from thoughts.cards.making import Cards, card_of
from thoughts.cards.uses import NO_TEST


def texts(card: Card, group: str) -> list[str]:
    return [one.text for one in card.of(group)]


def made(repo: Repo, cache: Path, path: str, name: str = "") -> Card:
    """A card, every citation of which git confirms."""
    git_dir = repo.path / ".git"
    card = card_of(git_dir, cache, repo.git("rev-parse", "HEAD"), path, name)
    with Citations(git_dir) as citations:
        assert all(one.citations for one in card.statements)
        assert {citations.problem(found) for one in card.statements for found in one.citations} <= {""}
    return card


def test_a_function_is_described_with_its_past_people_uses_and_tests(shop: Repo, kept: Path) -> None:
    card = made(shop, kept, "shop/basket.py", "discount")
    assert [one.name for one in card.groups] == list(TITLES)
    assert texts(card, WHAT) == ["`def discount(total)`: Reduce the total of a large order by a tenth."]
    assert card.of(WHAT)[0].citations[0].last == card.first + 1
    born, since = texts(card, HISTORY)
    assert 'came in on 2020-09-13 with Ada\'s commit "Begin the shop"; the first tag with it is v1.0.' in born
    assert (
        since
        == '3 commits have changed it since, the last on 2020-09-13: "Fix the limit". Nobody knows what euros are.'
    )
    assert [one.split(":")[0] for one in texts(card, OWNERS)] == ["Mia", "Ada"]  # and no program
    assert texts(card, USES) == ["`checkout` in shop/till.py calls `discount`."]
    assert texts(card, TESTS) == ["`test_discount` in tests/test_basket.py calls `discount`."]
    assert texts(card, COMPANIONS)[0].startswith("tests/test_basket.py changed in 2 of 4 commits: “Fix the limit” (")
    (risk,) = texts(card, RISK)
    assert risk.startswith("shop/basket.py: riskier than ")
    assert "repaired by “Fix the limit” (" in risk
    assert (card.kind, card.first, card.last) == ("function", 18, 27)


def test_a_file_is_described_by_what_it_says_defines_and_who_uses_that(shop: Repo, kept: Path) -> None:
    card = made(shop, kept, "shop/basket.py")
    assert texts(card, WHAT) == [
        "shop/basket.py: What a customer wants to buy, and what it costs.",
        "It defines `Basket` (class), `discount` (function).",
    ]
    assert texts(card, USES) == ["shop/till.py imports it, uses `discount`."]
    (test,) = texts(card, TESTS)
    assert test.startswith("tests/test_basket.py is called after it, imports it, uses `discount`, `Basket`, ")
    assert test.endswith("`Basket.put` and 1 more, changed in 2 of 4 commits.")
    assert card.scope == card.path


def test_a_licence_is_no_purpose_and_the_comment_below_it_is(cards: Cards) -> None:
    assert texts(cards.of("shop/till.py"), WHAT)[0] == "shop/till.py: Takes the money of customers."


def test_rust_has_its_tests_beside_the_code(cards: Cards) -> None:
    card = cards.of("src/main.rs", "label")
    assert texts(card, WHAT) == ["`pub fn label(name: &str) -> String`: Write one label."]
    assert texts(card, USES) == ["`main` in src/main.rs calls `label`."]
    assert texts(card, TESTS) == ["`tests::works` in src/main.rs calls `label`."]
    file = cards.of("src/main.rs")
    assert texts(file, WHAT)[0] == "src/main.rs: Prints labels for parcels."
    assert texts(file, TESTS) == ["src/main.rs has tests in it: `tests::works`."]
    assert NO_TEST not in file.notes


def test_a_method_is_not_called_by_what_calls_another_one_of_its_name(cards: Cards) -> None:
    card = cards.of("shop/basket.py", "Basket.put")
    assert texts(card, USES) == ["`checkout` in shop/till.py calls `put`."]
    assert card.notes[0] == "1 of 3 uses of `put` are left out: they look like another's."
    assert texts(cards.of("shop/store.py", "put"), USES) == ["`fill` in shop/store.py calls `put`."]


@pytest.mark.parametrize(
    ("line", "on", "kind", "inside", "expected"),
    [
        ("ctx.invoke(f)", "ctx", "Context", False, True),
        ("sub_ctx.invoke(f)", "sub_ctx", "Context", False, True),
        ("runner.invoke(f)", "runner", "Context", False, False),
        ("runner.invoke(f)", "runner", "CliRunner", False, True),
        ("get_context().invoke(f)", "get_context", "Context", False, True),
        ("self.invoke(f)", "self", "Context", True, True),
        ("self.invoke(f)", "self", "Context", False, False),
        ("Context::invoke(f)", "Context", "Context", False, True),
        ("invoke(f)", "", "Context", False, False),
        ("_.invoke(f)", "_", "Context", False, False),
    ],
)
def test_what_a_method_is_called_on_tells_by_its_name(
    line: str, on: str, kind: str, inside: bool, expected: bool
) -> None:
    assert receiver(line, "invoke") == on
    assert may_be(on, kind, inside=inside) is expected


def test_a_document_speaks_for_code_that_says_nothing_itself(cards: Cards) -> None:
    said = texts(cards.of("shop/plan.py", "shelf_plan"), WHAT)
    assert said[0] == "`def shelf_plan(things)`"
    assert said[1] == "README.md says of it: “The function shelf_plan() decides where every thing of the shop stands.”"


def test_what_no_test_names_is_said_so(cards: Cards) -> None:
    for card in (cards.of("shop/plan.py", "shelf_plan"), cards.of("shop/plan.py")):
        assert not card.of(TESTS)
        assert NO_TEST in card.notes


def test_a_card_of_json_is_the_same(cards: Cards) -> None:
    card = cards.of("shop/basket.py", "discount")
    assert card_from(json.loads(json.dumps(card.as_dict()))) == card


def test_names_that_nothing_has_are_mistakes_with_a_hint(cards: Cards) -> None:
    with pytest.raises(UserError, match=r"no file 'shop/baskets.py'(.|\n)*did you mean 'shop/basket.py'"):
        cards.of("shop/baskets.py")
    with pytest.raises(UserError, match=r"no symbol 'discounts'(.|\n)*did you mean 'discount'"):
        cards.of("shop/basket.py", "discounts")
    with pytest.raises(UserError, match="no file 'shop'"):
        cards.of("shop")


def test_odd_names_and_contents_have_cards_or_a_sentence(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("odd")
    odd: dict[str, str | bytes] = {
        "a:b.py": "def f():\n    pass\n",
        "<script>.py": "def g():\n    pass\n",
        "new\nline.py": "def h():\n    pass\n",
        "empty.py": "",
        "data.bin": b"\0\1",
        "broken.py": "def (:\n",
        "token.py": "def k():\n    'Uses AKIAQYLPMN5HFIQR7XYA to log in.'\n",
        os.fsdecode(b"caf\xe9.py"): "def m():\n    pass\n",
    }
    repo.commit("begin\n\n<script>alert(1)</script>", odd)
    for path in ("a:b.py", "<script>.py", "broken.py", "token.py"):
        assert made(repo, tmp_path, path).of(HISTORY), path
    assert not made(repo, tmp_path, "empty.py").of(WHAT)
    assert made(repo, tmp_path, "data.bin").notes[0].startswith("Its content is not looked at: it is among the binary")
    secret = json.dumps(made(repo, tmp_path, "token.py", "k").as_dict())
    assert "AKIA" not in secret
    for path in ("café.py", "new\nline.py"):
        with pytest.raises(UserError, match="cannot be cited"):
            made(repo, tmp_path, path)
    with Citations(repo.path / ".git") as citations:
        found = Cards(repo.path / ".git", tmp_path, repo.git("rev-parse", "HEAD"), citations)
        assert found.place("a:b.py:f") == ("a:b.py", "f")
        assert found.place("a:b.py") == ("a:b.py", "")
        assert found.place("broken.py:a::b") == ("broken.py", "a::b")


def test_at_another_commit_what_is_gone_elsewhere_is_left_out(shop: Repo, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "copy", shop.clock)
    shop.git("clone", "-q", str(shop.path), str(repo.path))
    card = made(repo, tmp_path, "shop/basket.py", "discount")
    repo.commit("close the till", {"shop/till.py": "", "tests/test_basket.py": "# moved\n\n" + "x = 1\n" * 2})
    with Citations(repo.path / ".git") as citations:
        moved = card.moved(citations, repo.git("rev-parse", "HEAD"))
        assert {citations.problem(one) for said in moved.statements for one in said.citations} == {""}
    assert not moved.of(USES)
    assert not moved.of(TESTS)
    assert texts(moved, WHAT) == texts(card, WHAT)
    assert moved.of(WHAT)[0].citations[0].commit == moved.at


def test_a_shallow_clone_says_so(shop: Repo, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "shallow")
    shop.git("clone", "-q", "--depth", "1", f"file://{shop.path}", str(repo.path))
    card = made(repo, tmp_path, "shop/basket.py", "discount")
    assert "This is a shallow clone: what came before its oldest commits is not known." in card.notes
    assert "is older than the first commit of this shallow clone" in texts(card, HISTORY)[0]
    assert not card.of(OWNERS)
