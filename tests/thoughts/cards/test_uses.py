"""What uses code and what tests it: through the map of the commit, and by names without one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from builders import Repo

from chat.citations import Citations
from core.git import trees
from core.git.repositories import open_repository
from thoughts.cards.card import TESTS, USES, Card
from thoughts.cards.making import Cards, opened
from thoughts.cards.uses import NO_TEST
from thoughts.known import Known
from thoughts.mapping.graph import CodeMap

FILES: dict[str, str | bytes] = {
    "mail/parts.py": "def split(text):\n    return text.split()\n\n\ndef deep(text):\n    return split(text)\n\n\n"
    "class Line:\n    def read(self):\n        return deep('')\n",
    "mail/send.py": "from mail.parts import Line, split\n\n\ndef send(text):\n    return split(text)\n\n\n"
    "def all_of(text):\n    return send(text)\n\n\ndef guess(what):\n    return what.peculiar()\n",
    "mail/odd.py": "class Odd:\n    def peculiar(self):\n        return 1\n\n    def read(self):\n        return 2\n",
    "mail/zone.py": "def low():\n    return 1\n\n\ndef high():\n    return low()\n",
    "tests/test_early.py": "from mail.zone import high\n\n\ndef test_early():\n    assert high()\n",
    "tests/test_zone.py": "from mail.zone import high\n\n\ndef test_zone():\n    assert high()\n",
    "mail/again.py": "def again(count):\n    return again(count - 1) if count else 0\n",
    "mail/names.py": "def separate():\n    return 1\n",
    "mail/other.py": "from elsewhere import separate\n\n\ndef other():\n    return separate()\n",
    "tests/helping.py": "from mail.parts import deep\n\n\ndef helped():\n    return deep('a')\n",
    "tests/test_send.py": "from mail.send import all_of, send\nfrom mail.odd import Odd\n\n\n"
    "def test_send():\n    assert send('a')\n\n\ndef test_all():\n    assert all_of('a')\n\n\n"
    "def test_read(thing):\n    assert Odd().read()\n",
    "tests/test_parts.py": "from tests.helping import helped\n\n\ndef test_help():\n    assert helped()\n",
    "tests/test_mixed.py": "from mail.other import other\n\n\ndef test_mixed():\n    assert other()\n",
    "src/lib.rs": 'mod warn;\nmod far;\n\npub fn near() {\n    warn_loudly!("near");\n}\n',
    "src/warn.rs": "macro_rules! warn_loudly {\n    ($text:expr) => { eprintln!($text) };\n}\n",
    "src/far.rs": 'pub fn far() {\n    warn_loudly!("far");\n}\n\n'
    "#[cfg(test)]\nmod checks {\n    use super::far;\n\n    #[test]\n    fn works() {\n        far();\n    }\n}\n",
}


@dataclass
class Mail:
    """A repository with its map."""

    repo: Repo
    cache: Path

    @property
    def git_dir(self) -> Path:
        return open_repository(str(self.repo.path), self.cache).git_dir

    @property
    def commit(self) -> str:
        return trees.commit_named(self.git_dir, "HEAD")


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Mail:
    folder = tmp_path_factory.mktemp("mail")
    repo = Repo.new(folder / "mail")
    repo.commit("begin", FILES)
    return Mail(repo, folder / "cache")


@pytest.fixture(scope="module")
def cards(mail: Mail) -> Iterator[Cards]:
    with opened(mail.git_dir, mail.cache, mail.commit) as made:
        made.risks = {}
        yield made


def said(card: Card, group: str) -> list[str]:
    """The statements of a group, each with the places that it cites."""
    found = []
    for one in card.of(group):
        places = [f"{cited.path}:{cited.first}" for cited in one.citations if cited.path]
        found.append(f"{one.text} [{' '.join(places)}]")
    return found


def lead(card: Card, group: str) -> str:
    return next((one.lead for one in card.groups if one.name == group), "")


def test_a_test_of_what_calls_a_function_is_said_with_both_calls(cards: Cards) -> None:
    card = cards.of("mail/parts.py", "split")
    assert said(card, TESTS) == [
        "`test_send` in tests/test_send.py calls `send`, which calls `split`. [tests/test_send.py:6 mail/send.py:5]"
    ]
    assert lead(card, TESTS) == "none is seen to call it; 1 calls what calls it"
    assert NO_TEST not in card.notes


def test_of_tests_of_what_calls_it_those_called_after_its_file_come_first(cards: Cards) -> None:
    card = cards.of("mail/zone.py", "low")
    assert [one.text.split("`")[1] for one in card.of(TESTS)] == ["test_zone", "test_early"]
    assert lead(card, TESTS) == "none is seen to call it; 2 call what calls it"


def test_a_helper_of_tests_is_code_in_between(cards: Cards) -> None:
    card = cards.of("mail/parts.py", "deep")
    assert said(card, TESTS) == ["`helped` in tests/helping.py calls `deep`. [tests/helping.py:5]"]
    assert said(card, USES) == ["`Line.read` in mail/parts.py calls `deep`. [mail/parts.py:11]"]


def test_where_a_test_calls_it_what_is_further_away_is_not_said(cards: Cards) -> None:
    card = cards.of("mail/send.py", "send")
    assert said(card, TESTS) == ["`test_send` in tests/test_send.py calls `send`. [tests/test_send.py:6]"]
    assert lead(card, TESTS) == "called in 1 place"


def test_what_is_two_functions_away_is_no_test(mail: Mail, cards: Cards) -> None:
    assert any(
        one.name == "test_help" for one in CodeMap.at(mail.git_dir, mail.cache, "HEAD").tests_of("mail/parts.py")
    )
    card = cards.of("mail/parts.py", "Line")
    assert not card.of(TESTS)
    assert NO_TEST in card.notes


def test_of_two_methods_of_a_name_the_one_that_is_called_has_the_test(cards: Cards) -> None:
    assert said(cards.of("mail/odd.py", "Odd.read"), TESTS) == [
        "`test_read` in tests/test_send.py calls `read`. [tests/test_send.py:14]"
    ]
    assert not cards.of("mail/parts.py", "Line.read").of(TESTS)


def test_files_that_import_a_file_use_it_and_those_with_the_same_name_do_not(cards: Cards) -> None:
    assert said(cards.of("mail/parts.py"), USES) == [
        "mail/send.py imports it, uses `split`. [mail/send.py:1 mail/send.py:5]"
    ]
    assert not cards.of("mail/names.py").of(USES)


def test_a_test_file_that_uses_one_name_is_shown_where_there_is_no_better(cards: Cards) -> None:
    assert said(cards.of("mail/parts.py"), TESTS) == [
        "tests/test_parts.py is called after it. [tests/test_parts.py:1]",
    ]
    assert said(cards.of("mail/odd.py"), TESTS) == [
        "tests/test_send.py imports it, uses `Odd`, `Odd.read`. [tests/test_send.py:2 tests/test_send.py:14]"
    ]
    assert said(cards.of("mail/other.py"), TESTS) == [
        "tests/test_mixed.py imports it, uses `other`. [tests/test_mixed.py:1 tests/test_mixed.py:5]"
    ]
    (send,) = said(cards.of("mail/send.py"), TESTS)
    assert send.startswith("tests/test_send.py is called after it, imports it, uses `send`, `all_of`. [")
    assert send.endswith("[tests/test_send.py:1 tests/test_send.py:6 tests/test_send.py:10]")


def test_what_is_only_taken_for_a_call_by_its_name_is_no_use_of_a_file(mail: Mail, cards: Cards) -> None:
    calls = CodeMap.at(mail.git_dir, mail.cache, "HEAD").callers("mail/odd.py", "Odd.peculiar")
    assert [(one.name, one.is_sure) for one in calls] == [("guess", False)]
    assert not cards.of("mail/odd.py").of(USES)


def test_a_function_does_not_use_itself(cards: Cards) -> None:
    assert not cards.of("mail/again.py", "again").of(USES)


def test_a_caller_in_a_file_that_cannot_be_named_is_not_counted(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "odd")
    user = "from low import low\n\n\ndef use():\n    low()\n"
    repo.commit("begin", {"low.py": "def low():\n    pass\n", "user.py": user, os.fsdecode(b"caf\xe9.py"): user})
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    with opened(git_dir, tmp_path, trees.commit_named(git_dir, "HEAD")) as cards:
        card = cards.of("low.py", "low")
    assert said(card, USES) == ["`use` in user.py calls `low`. [user.py:5]"]
    assert lead(card, USES) == "called in 1 place"
    assert any(note.endswith("is not UTF-8: it is left out.") for note in card.notes)


def test_where_the_map_has_no_call_names_are_looked_for(cards: Cards) -> None:
    assert said(cards.of("src/warn.rs"), USES) == [
        "src/far.rs uses `warn_loudly`. [src/far.rs:2]",
        "src/lib.rs imports it, uses `warn_loudly`. [src/lib.rs:1 src/lib.rs:5]",
    ]


def test_a_test_beside_the_code_is_one_whatever_it_is_called(cards: Cards) -> None:
    card = cards.of("src/far.rs", "far")
    assert said(card, TESTS) == ["`checks::works` in src/far.rs calls `far`. [src/far.rs:11]"]
    assert not card.of(USES)


def test_every_citation_holds(mail: Mail, cards: Cards) -> None:
    made = [cards.of(path) for path in FILES] + [cards.of("mail/parts.py", name) for name in ("split", "deep")]
    with Citations(mail.git_dir) as citations:
        assert {citations.problem(one) for card in made for each in card.statements for one in each.citations} == {""}


def test_for_an_answer_no_map_is_made_and_a_kept_one_is_used(mail: Mail, tmp_path: Path) -> None:
    without = Known(mail.git_dir, tmp_path).card(mail.commit, "mail/parts.py", "split")
    assert without
    assert not without.of(TESTS)
    assert not list(tmp_path.glob("index/*.map.db"))
    assert CodeMap.kept(mail.git_dir, tmp_path, mail.commit) is None
    CodeMap.at(mail.git_dir, tmp_path, "HEAD")
    kept = CodeMap.kept(mail.git_dir, tmp_path, mail.commit)
    assert kept
    assert kept.graph == CodeMap.at(mail.git_dir, tmp_path, "HEAD").graph
    assert CodeMap.kept(mail.git_dir, tmp_path, "0" * 40) is None
    found = Known(mail.git_dir, tmp_path).tests(mail.commit, "mail/parts.py", "split")
    assert found
    assert [one.text for one in found.statements] == [
        "`test_send` in tests/test_send.py calls `send`, which calls `split`."
    ]


def test_a_map_that_is_damaged_is_logged_and_done_without(
    mail: Mail, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    CodeMap.at(mail.git_dir, tmp_path, "HEAD")
    (file,) = tmp_path.glob("index/*.map.db")
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE maps SET data = x'00'")
    found = Known(mail.git_dir, tmp_path).card(mail.commit, "mail/parts.py", "split")
    assert found
    assert not found.of(TESTS)
    assert "the map cannot be read: " in caplog.text
