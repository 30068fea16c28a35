"""Hits are in the order of what speaks for them, and what speaks for them is what was asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders import Repo

from core.ranking import contents
from core.ranking.query import Query
from index import features
from index.code_index import CodeIndex
from index.features import Asked
from index.hits import FILE
from index.search import CLASSES, Weights

CODE = {
    "app/sessions.py": "class SessionStore:\n    def open_session(self, user):\n        return user.session\n\n"
    "    def close(self):\n        return None\n",
    "app/routes.py": "def add_route(path):\n    return path\n\n\nLIMIT = 5\n",
    "tests/test_sessions.py": "def test_open_session():\n    assert open_session(1)\n",
    "docs/guide.md": "# Guide\n\n## Sessions\n\nA session is opened for a user.\n",
}


@pytest.fixture
def known(make_repo: Callable[[str], Repo], tmp_path: Path) -> CodeIndex:
    repo = make_repo("code")
    repo.commit("Add everything", dict(CODE))
    index = CodeIndex(repo.path / ".git", tmp_path / "cache")
    index.update("HEAD")
    return index


def test_hits_are_ordered_by_what_they_explain(known: CodeIndex) -> None:
    for hits in (known.search("open a session for a user"), known.search_files("open a session for a user")):
        sums = [sum(hit.features.values()) for hit in hits]
        assert len(hits) > 2
        assert sums == sorted(sums, reverse=True)
        shares = np.exp(np.array(sums) - sums[0])
        assert [hit.score / hits[0].score for hit in hits] == pytest.approx(shares.tolist())


def test_files_are_found_as_wholes(known: CodeIndex) -> None:
    hits = known.search_files("open a session for a user")
    assert {hit.path for hit in hits} == set(CODE)
    assert hits[0].path == "app/sessions.py"
    assert {(hit.kind, hit.symbol, hit.first) for hit in hits} == {(FILE, "", 1)}
    assert hits[0].last == CODE["app/sessions.py"].count("\n")
    assert len(known.search_files("open a session", 1)) == 1


@pytest.mark.parametrize(("question", "counts"), [("open session", True), ("which test covers open session", False)])
def test_a_question_that_speaks_of_tests_gets_them_at_no_discount(
    known: CodeIndex, question: str, *, counts: bool
) -> None:
    searcher = known.searcher()
    asked = searcher.asked(question)
    of_files = searcher.of_files(asked)
    _, of_documents = searcher.documents(asked, searcher.shares(asked, of_files, Weights.shipped()))
    assert of_files["k_test"].any() == of_documents["k_in_test"].any() == counts
    assert of_files["k_docs"].any()
    assert known.search(question)[0].path == ("app/sessions.py" if counts else "tests/test_sessions.py")


def test_a_question_without_a_known_word_has_no_answer(known: CodeIndex) -> None:
    assert known.search("zebra") == known.search_files("zebra") == []
    assert known.search("the of it") == []


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("what does open_session do", "named"),
        ("what is in app/routes.py", "named"),
        ("where is `LIMIT` read", "named"),
        ("what does close_session do", "plain"),  # no such name is known
        ("how is a session opened", "plain"),
    ],
)
def test_classes_of_questions(known: CodeIndex, question: str, expected: str) -> None:
    assert known.searcher().class_of(Query(question)) == expected


def test_the_shipped_weights_are_those_of_the_features(known: CodeIndex) -> None:
    searcher, weights = known.searcher(), Weights.shipped()
    asked = searcher.asked("open session")
    of_files = searcher.of_files(asked)
    _, of_documents = searcher.documents(asked, searcher.shares(asked, of_files, weights))
    for one in CLASSES:
        assert weights.files[one].keys() <= of_files.keys()
        assert weights.documents[one].keys() <= of_documents.keys()


def test_files_have_the_words_of_their_documents(known: CodeIndex) -> None:
    tree = known.searcher().tree
    for number, path in enumerate(tree.paths):
        whole = contents.read(CODE[path].encode())
        for documents, terms, counts in (
            (tree.words, whole.words, whole.word_counts),
            (tree.names, whole.names, whole.name_counts),
        ):
            own = documents.rows == number
            assert documents.terms[own].tolist() == terms.tolist()
            assert documents.counts[own].tolist() == counts.tolist()


def test_all_documents_of_the_best_files_may_be_answers(known: CodeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.features.MOST_FILES", 1)
    corpus = known.corpus()
    asked = Asked(corpus, Query("add a route"))
    at = features.candidates(asked, np.array([float(file.path == "app/sessions.py") for file in corpus.files]))
    names = [one.name for place in at.tolist() if (one := corpus.symbol(place))]
    assert names == ["add_route", "SessionStore", "SessionStore.open_session", "SessionStore.close"]


def test_of_equal_files_that_changed_last_comes_first(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("past")
    repo.commit("Begin", {f"part{number}.py": "def work(): ...\n" for number in range(4)})
    repo.commit("Work", {"part2.py": "def work(): ...\n\n"})
    with CodeIndex(repo.path / ".git", tmp_path / "cache") as index:
        index.update("HEAD")
        assert index.search_files("where is work done")[0].path == "part2.py"
