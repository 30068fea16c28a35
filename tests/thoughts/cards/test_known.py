"""What a study keeps is said while it holds: from the worker that found it to the answer of the chat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from chat.__main__ import main
from chat.citations import Citations
from chat.statements import Found
from core.config import StudyConfig
from thoughts import kinds, studying
from thoughts.cards.card import FACT
from thoughts.cards.making import Cards
from thoughts.known import Known


@dataclass
class Studied:
    """A copy of the shop, in which a study has left risks and cards."""

    repo: Repo
    cache: Path

    @property
    def known(self) -> Known:
        return Known(self.repo.path / ".git", self.cache)

    @property
    def commit(self) -> str:
        return self.repo.git("rev-parse", "HEAD")

    def holds(self, found: Found | None) -> list[str]:
        """The statements, all of whose citations git confirms."""
        assert found
        with Citations(self.repo.path / ".git") as citations:
            assert {citations.problem(one) for said in found.statements for one in said.citations} == {""}
        return [one.text for one in found.statements]


@pytest.fixture(scope="module")
def studied(shop: Repo, tmp_path_factory: pytest.TempPathFactory) -> Studied:
    folder = tmp_path_factory.mktemp("studied")
    shop.git("clone", "-q", str(shop.path), str(folder / "shop"))
    chosen = kinds.chosen(["risk", "summarize"])
    with studying.opened(str(folder / "shop"), folder / "cache", StudyConfig(), kinds_known=chosen) as study:
        study.plan()
        done = [study.work_one(), study.work_one()]
    assert [one and (one.state, one.reason) for one in done] == [("done", "")] * 2
    return Studied(Repo(folder / "shop", shop.clock), folder / "cache")


def test_a_study_leaves_cards_and_risks(studied: Studied) -> None:
    assert studied.known.is_there()
    assert {"shop/basket.py", "shop/basket.py:discount"} <= {one.scope for one in studied.known.facts(FACT)}
    first = studied.holds(studied.known.risky(studied.commit, ""))[0]
    assert first.startswith("shop/basket.py: riskier than ")
    assert "repaired by “Fix the limit” (" in first
    assert studied.holds(studied.known.risky(studied.commit, "shop/plan.py"))[0].endswith("no repair of it is known.")
    assert all(one.startswith("shop/") for one in studied.holds(studied.known.risky(studied.commit, "shop")))
    assert studied.known.risky(studied.commit, "nowhere") is None


def test_a_card_that_holds_is_not_made_again(studied: Studied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cards, "of", lambda *_: pytest.fail("it is made again"))
    said = studied.holds(studied.known.about(studied.commit, "shop/basket.py", "discount"))
    assert said[0] == "`def discount(total)`: Reduce the total of a large order by a tenth."
    tests = studied.holds(studied.known.tests(studied.commit, "shop/basket.py", "discount"))
    assert tests == ["`test_discount` in tests/test_basket.py calls `discount`."]


def test_the_chat_answers_from_it(studied: Studied) -> None:
    words = ["--repo", str(studied.repo.path), "--cache-dir", str(studied.cache)]
    done = CliRunner().invoke(main, [*words, "What is risky here?"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Likeliest to be repaired next, of what was studied at ")
    done = CliRunner().invoke(main, [*words, "Which tests cover discount?"])
    assert done.stdout.startswith(
        "- `test_discount` in tests/test_basket.py calls `discount`.\n  [1] tests/test_basket.py:5@"
    )


def test_of_another_content_it_is_made_again_or_left_out(studied: Studied) -> None:
    old = studied.commit
    text = (studied.repo.path / "shop/basket.py").read_text().replace("a tenth.", "a fifth.")
    studied.repo.commit("Give more", {"shop/basket.py": text})
    try:
        said = studied.holds(studied.known.about(studied.commit, "shop/basket.py", "discount"))
        assert said[0] == "`def discount(total)`: Reduce the total of a large order by a fifth."
        assert not [one for one in said if "above" in one]
        risks = studied.known.risky(studied.commit, "")
        assert not [one for one in studied.holds(risks) if one.startswith("shop/basket.py")]
        assert risks
        assert risks.notes == ["1 file has changed since it was studied and is left out."]
        old_words = studied.holds(studied.known.about(old, "shop/basket.py", "discount"))
        assert "by a tenth." in old_words[0]
    finally:
        studied.repo.git("reset", "-q", "--hard", old)


def test_where_nothing_was_studied_nothing_is_known(shop: Repo, tmp_path: Path, studied: Studied) -> None:
    assert not Known(shop.path / ".git", tmp_path).is_there()
    assert not (tmp_path / "study").exists()
    assert not Known(shop.path / ".git", studied.cache).is_there()  # of another repository


def test_a_study_that_cannot_be_read_is_none(shop: Repo, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.db").write_bytes(b"no database" * 100)
    assert not Known(shop.path / ".git", tmp_path).is_there()
    assert "the study cannot be read: " in caplog.text
