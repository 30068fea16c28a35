"""Vectors of documents depend on their words alone, and an index says whether it has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders import Repo

from index import vectors
from index.code_index import CodeIndex
from index.spellings import Spelled
from index.vectors import WIDTH, Centred, Table


@pytest.fixture(scope="module")
def table() -> Table:
    found = vectors.installed()
    assert found, "wordllama is in requirements-no-deps.txt"
    return found


def test_what_means_the_same_is_near(table: Table) -> None:
    documents = Spelled.of(["remove_user account", "parse_html markup", "open_socket port"]).words()
    found = Centred(table.of_documents(documents)).cosines(table.of_question("How is a customer deleted?"))
    assert found.argmax() == 0
    assert found.min() >= -1
    assert found.max() <= 1


def test_a_vector_does_not_depend_on_what_was_seen_before(table: Table) -> None:
    document = "parse_html markup parse_html Überschrift"
    folder = Path(str(vectors.importlib.util.find_spec("wordllama").submodule_search_locations[0]))  # type: ignore[union-attr]
    fresh = Table(folder).of_documents(Spelled.of(["", document]).words())
    table.of_documents(Spelled.of(["zebra markup html"]).words())
    assert fresh.tobytes() == table.of_documents(Spelled.of(["", document]).words()).tobytes()
    assert fresh.shape == (2, WIDTH)
    assert not fresh[0].any()
    assert np.linalg.norm(fresh[1].astype(float)) == pytest.approx(1, abs=1e-3)


def test_any_number_of_words_has_vectors() -> None:
    letters = "bcdfghjklm"
    words = [f"{one}a{two}e{three}i{four}" for one in letters for two in letters for three in letters for four in "nt"]
    found = vectors.installed.__wrapped__()
    assert found
    made = found.of_documents(Spelled.of([" ".join(words)]).words())
    assert np.linalg.norm(made.astype(float)) == pytest.approx(1, abs=1e-2)


def test_words_of_every_program_do_not_count(table: Table) -> None:
    alone, among = table.of_documents(Spelled.of(["session", "return self session self"]).words())
    assert alone.tobytes() == among.tobytes()


def test_nothing_is_like_a_document_without_words(table: Table) -> None:
    assert Centred(table.of_documents(Spelled.of(["", "user"]).words())).cosines(table.of_question("user"))[0] == 0
    assert len(Centred(table.of_documents(Spelled.of([]).words())).cosines(table.of_question("user"))) == 0


def test_an_index_works_without_the_table_and_gets_vectors_when_it_comes(
    make_repo: Callable[[str], Repo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo("code")
    repo.commit("Add", {"one.py": "def remove_user(): ...\n", "two.py": "def parse(): ...\n"})
    with monkeypatch.context() as patch, CodeIndex(repo.path / ".git", tmp_path / "cache") as without:
        patch.setattr(without, "_table", None)
        assert without.update("HEAD").added == 2
        assert not without.status().has_vectors
        assert without.search("remove a user")[0].symbol == "remove_user"
    with CodeIndex(repo.path / ".git", tmp_path / "cache") as later:
        assert not later.status().has_vectors
        assert later.update("HEAD").added == 2
        assert later.status().has_vectors
        with CodeIndex(repo.path / ".git", tmp_path / "fresh") as fresh:
            fresh.update("HEAD")
            assert fresh.search("remove a user") == later.search("remove a user")


def test_a_table_that_is_not_installed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert vectors.installed.__wrapped__() is None
