"""Who calls a symbol: calls, not comments, texts, definitions or mere mentions."""

from __future__ import annotations

import pytest
from builders import Repo

from chat.calls import Place, callers
from chat.citations import Citations
from chat.statements import Found

LIBRARY = '''def load(path):
    """load(x) is described here."""
    return path


class Reader:
    def read(self):
        # load() is not called in a comment
        text = "load(x)"
        other = f"{load(text)}"
        return load(
            other
        )

    def again(self):
        return load (self), load
'''
RUST = "fn load() {}\n\nfn main() {\n    load();\n    load_all();\n    helper::load::<u8>(1);\n    load!(x);\n}\n"


@pytest.fixture
def repo(make_repo: object) -> Repo:
    repo = make_repo("called")  # type: ignore[operator]
    repo.commit(
        "add",
        {
            "library.py": LIBRARY,
            "use.py": "from library import load\n\nhandler = load\n",
            "tests/test_library.py": "from library import load\n\n\ndef test_load():\n    assert load(1)\n",
            "main.rs": RUST,
            "notes.md": "call load(1)\n",
            "load.bin": b"\0load(1)\n",
        },
    )
    return repo  # type: ignore[no-any-return]


def asked(repo: Repo, name: str, *defined: Place) -> Found:
    with Citations(repo.path / ".git") as citations:
        found = callers(repo.path / ".git", citations, repo.git("rev-parse", "HEAD"), name, defined)
        assert all(not citations.problem(one) for statement in found.statements for one in statement.citations)
    return found


def places(found: Found) -> dict[str, list[int]]:
    return {one.text: [citation.first for citation in one.citations] for one in found.statements}


def test_calls_are_found_with_the_symbol_that_they_are_in(repo: Repo) -> None:
    found = asked(repo, "load", Place("library.py", 1, 3, "load"))
    assert places(found) == {
        "`main` in main.rs calls `load`.": [4, 6, 7],
        "`Reader.read` in library.py calls `load`.": [10, 11],
        "`Reader.again` in library.py calls `load`.": [16],
        "`test_load` in tests/test_library.py calls `load`.": [5],
    }
    assert found.lead == "`load` is called in 4 places, 1 of them in tests:"
    assert list(places(found))[-1].startswith("`test_load`")


def test_what_is_not_called_is_referred_to_or_not_used(repo: Repo) -> None:
    assert asked(repo, "helper").lead == "`helper` is called nowhere by this name; it is referred to in 1 place:"
    assert asked(repo, "Reader").notes == ["Nothing in the tree uses `Reader`."]
    assert asked(repo, "load-all").notes == ["'load-all' is no name that can be called."]
    assert asked(repo, ".*").statements == []


def test_a_method_is_found_by_its_name_alone_which_is_said(repo: Repo) -> None:
    assert asked(repo, "Other.load").notes == [
        "Calls are found by the name `load` alone: another symbol may have it, too."
    ]


def test_long_lists_are_cut_and_counted(repo: Repo) -> None:
    repo.commit("many", {f"m{number}.py": f"def f{number}():\n    load({number})\n" for number in range(12)})
    found = asked(repo, "load")
    assert len(found.statements) == 10
    assert found.lead == "`load` is called in 16 places, 1 of them in tests; the first:"


def test_callers_near_the_definition_come_first(make_repo: object) -> None:
    repo = make_repo("near")  # type: ignore[operator]
    names = ("a/examples/one.py", "src/app/views.py", "src/app/core/deep.py", "tests/test_it.py", "src/other.py")
    repo.commit("add", dict.fromkeys(names, "def f():\n    load()\n") | {"src/app/load.py": "def load(): ...\n"})
    found = asked(repo, "load", Place("src/app/load.py", 1, 1, "load"))
    paths = [one.citations[0].path for one in found.statements]
    assert paths == [
        "src/app/core/deep.py",
        "src/app/views.py",
        "src/other.py",
        "a/examples/one.py",
        "tests/test_it.py",
    ]
