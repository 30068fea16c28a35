"""What history says of some lines: their first commit, reasons, people, and what is new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import Repo

from chat.citations import Citations
from chat.history import History, own_name, reason_of
from chat.questions import read
from chat.statements import Found
from core.git import commands
from index.hits import Hit
from index.repository import RepositoryIndex

OLD = "def first():\n    return 1\n\n\ndef second():\n    return 2\n"
ELI = {"GIT_AUTHOR_NAME": "Eli", "GIT_AUTHOR_EMAIL": "eli@example.org"}
BOT = {"GIT_AUTHOR_NAME": "dependabot[bot]", "GIT_AUTHOR_EMAIL": "1+dependabot[bot]@users.noreply.github.com"}


@pytest.fixture
def repo(make_repo: object) -> Repo:
    repo = make_repo("told")  # type: ignore[operator]
    repo.commit("add first and second\n\nBoth are needed.", {"old.py": OLD})
    repo.git("tag", "v1.0")
    repo.commit("let second return three\n\nTwo was too few.\n\nCloses #4", {"old.py": OLD.replace("2", "3")}, **ELI)
    moved = OLD.replace("2", "3").partition("def second")
    repo.commit("move second to its own file", {"old.py": moved[0], "new.py": "def second" + moved[2]})
    repo.git("tag", "v2.0")
    repo.clock += 86400 * 365 * 3
    repo.commit("bump the number", {"new.py": "def second():\n    return 4\n"}, **BOT)
    repo.commit(
        "let second return five\n\nSigned-off-by: Eli <e@e.org>", {"new.py": "def second():\n    return 5\n"}, **ELI
    )
    return repo  # type: ignore[no-any-return]


@pytest.fixture
def history(repo: Repo) -> Iterator[History]:
    git_dir = repo.path / ".git"
    with Citations(git_dir) as citations:
        yield History(
            git_dir, repo.git("rev-parse", "HEAD"), citations, now=lambda: datetime.fromtimestamp(repo.clock, UTC)
        )


SECOND = Hit("new.py", 1, 2, "", "second", "function")


def texts(history: History, found: Found) -> list[str]:
    for statement in found.statements:
        assert statement.citations
        assert all(not history.citations.problem(one) for one in statement.citations)
    return [statement.text for statement in found.statements]


def test_a_symbol_is_followed_into_the_file_that_it_came_from(history: History) -> None:
    first, then = texts(history, history.introduced(SECOND))
    came = "`second` came in on 2020-09-13 with Ada's commit"
    assert first == f'{came} "add first and second", in old.py; the first tag with it is v1.0.'
    assert then == '4 commits have changed it since, the last on 2023-09-13: "let second return five".'


def test_a_time_beyond_all_calendars_is_told(repo: Repo, history: History) -> None:
    far = {"GIT_AUTHOR_DATE": "@253402300900 +0000"}
    history.commit = repo.commit("let second return six", {"new.py": "def second():\n    return 6\n"}, **far)
    _, then = texts(history, history.introduced(SECOND))
    assert then == '5 commits have changed it since, the last on an unknown day: "let second return six".'
    assert texts(history, history.who([SECOND]))[0].startswith("Ada: ")


def test_the_oldest_commits_of_a_shallow_clone_are_nobodys_change(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"))
    git_dir = tmp_path / "shallow" / ".git"
    with Citations(git_dir) as citations:
        history = History(git_dir, repo.git("rev-parse", "HEAD"), citations)
        first, _ = texts(history, history.introduced(SECOND))
        assert first == "`second` is older than the first commit of this shallow clone, of 2023-09-13."
        assert texts(history, history.why(read("Why was second changed?"), SECOND)) == [
            '2023-09-13, Eli: "let second return five".'
        ]
        old = Hit("old.py", 1, 2, "", "first", "function")
        assert texts(history, history.who([old])) == []


def test_a_name_may_be_younger_than_its_lines(repo: Repo, history: History) -> None:
    history.commit = repo.commit("rename", {"new.py": "def third():\n    return 5\n"})
    found = texts(history, history.introduced(Hit("new.py", 1, 2, "", "third", "function")))
    assert found[0].startswith('`third` came in on 2023-09-13 with Ada\'s commit "rename"')
    assert found[1].startswith("Some of its lines are older, from 2020-09-13")


def test_so_may_one_of_a_language_that_defines_without_a_word(repo: Repo, history: History) -> None:
    repo.commit("one", {"a.c": "int one(void) {\n    return 1;\n}\n"})
    history.commit = repo.commit("call it two", {"a.c": "int two(void) {\n    return 1;\n}\n"})
    first, then = texts(history, history.introduced(Hit("a.c", 1, 3, "", "two", "function")))
    assert 'commit "call it two"' in first
    assert then.startswith("Some of its lines are older")


def test_a_symbol_that_was_written_anew_is_not_younger_for_it(repo: Repo, history: History) -> None:
    filler = "".join(f"x_{number} = {number}\n" for number in range(40))
    repo.commit("much more", {"new.py": f"def second():\n    return 5\n\n\n{filler}"})
    repo.commit("write it again", {"new.py": f"{filler}\n\ndef second(a, b):\n    c = a\n    return c + b\n"})
    repo.git("mv", "new.py", "newer.py")
    history.commit = repo.commit("rename the file")
    found = texts(history, history.introduced(Hit("newer.py", 43, 45, "", "second", "function")))
    assert found[0].startswith("`second` came in on 2020-09-13")


def test_another_of_the_same_name_elsewhere_is_not_followed(repo: Repo, history: History) -> None:
    history.commit = repo.commit("another second", {"other.py": "def second():\n    return 6\n"})
    found = texts(history, history.introduced(Hit("other.py", 1, 2, "", "second", "function")))
    assert 'commit "another second"' in found[0]


def test_reasons_are_those_that_the_commits_give(history: History) -> None:
    found = history.why(read("Why was `second` changed?"), SECOND)
    assert texts(history, found) == [
        '2023-09-13, Eli: "let second return five".',
        '2023-09-13, dependabot[bot]: "bump the number".',
        '2020-09-13, Ada: "move second to its own file".',
    ]
    assert found.lead == "3 commits changed `second`:"
    about = history.why(read("why was the number bumped"), None)
    assert texts(history, about) == ['2023-09-13, dependabot[bot]: "bump the number".']
    assert about.lead == "1 commit speaks of it:"


def test_a_message_need_not_have_all_words_nor_in_the_same_form(repo: Repo, history: History) -> None:
    repo.commit("Remove the mailing of parcels\n\nNobody wanted any.", {"mail.py": "x = 1\n"})
    history.commit = repo.commit("Write about parcels", {"mail.py": "x = 2\n"})
    found = history.why(read("Why were mailed parcels removed from here?"), None)
    assert texts(history, found) == ['2023-09-13, Ada: "Remove the mailing of parcels". Nobody wanted any.']
    assert found.known
    some = history.why(read("Why were parcels removed from the invoice?"), None)
    assert not some.known
    assert some.lead == "I don't know; no commit speaks of all of it, these of some:"
    assert texts(history, some)[0].startswith('2023-09-13, Ada: "Remove the mailing of parcels"')
    assert history.why(read("Why was the payroll removed?"), None).statements == []


def test_a_name_that_the_place_does_not_have_is_looked_for_in_messages(repo: Repo, history: History) -> None:
    history.commit = repo.commit("Drop HipChat", {"new.py": "def second():\n    return 6\n"})
    found = history.why(read("Why was HipChat dropped?"), Hit("new.py", 1, 2, "", "HipChatGuide", "section"))
    assert found.lead == "1 commit speaks of it:"
    of_file = history.why(read("Why was new.py changed?"), Hit("new.py", 1, 2, "", "", "file"))
    assert of_file.lead == "4 commits changed new.py:"


def test_commits_of_a_symbol_that_say_what_is_asked_come_first(history: History) -> None:
    found = history.why(read("Why was the number in `second` bumped?"), SECOND)
    assert texts(history, found)[:2] == [
        '2023-09-13, dependabot[bot]: "bump the number".',
        '2023-09-13, Eli: "let second return five".',
    ]
    assert found.lead == "3 commits changed `second`; the nearest first:"


def test_a_commit_of_many_files_tells_little_of_what_its_author_knows(
    repo: Repo, history: History, tmp_path: Path
) -> None:
    formatted = {f"f{number}.py": "x = 1\n" for number in range(600)}
    history.commit = repo.commit("format all", {**formatted, "new.py": "def second():\n    return 5.0\n"}, **ELI)
    many = Hit("new.py", 1, 2, "", "second", "function")
    assert texts(history, history.who([many]))[0].startswith("Eli: 2 changes, 94%")
    with RepositoryIndex(repo.path / ".git", tmp_path) as index:
        history.commits = index.commits(history.commit)
        assert texts(history, history.who([many]))[0].startswith("Eli: 2 changes, 89%")


def test_people_are_weighed_by_how_recent_their_changes_are_without_programs(history: History) -> None:
    found = texts(history, history.who([SECOND]))
    assert found[0] == 'Eli: 1 change, 89% of all by weight, the last on 2023-09-13: "let second return five".'
    assert [one.partition(":")[0] for one in found] == ["Eli", "Ada"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("What changed since v1.0?", 4),
        ("what's new since 2.0", 2),
        ("what changed since 2021-01-01", 2),
        ("what changed recently", 2),
        ("what changed since last release", 2),
        ("what changed in the last 5 years", 5),
        ("changes between v1.0 and v2.0", 2),
    ],
)
def test_since_a_time_a_version_or_a_commit(history: History, text: str, count: int) -> None:
    found = history.since(read(text), [])
    texts(history, found)
    assert found.lead.startswith(f"{count} commits since ")


def test_since_of_one_file_and_of_nothing(history: History) -> None:
    one = history.since(read("What changed since v1.0?"), [Hit("old.py", 1, 2, "", "", "file")])
    assert one.lead.startswith("2 commits of old.py since v1.0 (")
    assert history.since(read("what changed since HEAD"), []).lead.startswith("No commit since HEAD (")
    assert history.since(read("what changed since nothing-like-it"), []).notes == [
        "No time, version or commit is known by the name 'nothing-like-it'."
    ]
    assert history.since(read("what changed since --output=x"), []).notes
    assert history.since(read("what changed in the last 99999999999 years"), []).notes


def test_a_git_that_takes_too_long_is_said(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> bytes:
        raise commands.SlowGitError("git log took longer than 10 s")

    monkeypatch.setattr("core.git.touched.run", slow)
    for found in (
        history.introduced(SECOND),
        history.who([SECOND]),
        history.since(read("what changed since v1.0"), []),
    ):
        assert found.statements == []
        assert found.notes[0].startswith("git log took longer than 10 s, so ")


def test_a_reason_is_a_paragraph_and_no_trailer() -> None:
    assert reason_of("Signed-off-by: A <a@b.org>\n\nSince it\nwas slow.\n\nMore.") == "Since it was slow."
    assert reason_of("word " * 100).endswith(" word …")
    assert reason_of("") == ""


def test_the_own_name_of_a_symbol() -> None:
    assert [own_name(name) for name in ("Client.send", "a::b", "operator+", "")] == ["send", "b", "", ""]


def test_a_name_that_went_and_came_back_is_as_old_as_the_first_time(repo: Repo, history: History) -> None:
    def body(number: int, name: str) -> dict[str, str]:
        return {"back.py": f"class {name}:\n    def f(self):\n        return {number}\n"}

    names = ["Old"] * 3 + ["Back"] * 10 + ["Other"] * 9 + ["Back"] * 4
    for number, name in enumerate(names):
        repo.commit(f"step {number} of {name}", body(number, name))
    history.commit = repo.git("rev-parse", "HEAD")
    first = texts(history, history.introduced(Hit("back.py", 1, 3, "", "Back", "class")))[0]
    assert "step 3 of Back" in first
