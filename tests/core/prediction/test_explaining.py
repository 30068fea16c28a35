"""A commit is explained by what came before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from builders import Repo

from core.errors import UserError
from core.prediction.explaining import explain
from core.prediction.files import FileAsker
from index.repository import RepositoryIndex


@pytest.fixture(scope="module")
def asker(forked: Repo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileAsker]:
    made = FileAsker(str(forked.path), tmp_path_factory.mktemp("cache"), RepositoryIndex)
    yield made
    made.close()


def test_files_have_their_rank_among_those_expected(asker: FileAsker) -> None:
    found = explain(asker, "HEAD^1~1")
    assert {file.name for file in found.files} == {"src/lib.rs", "pkg/part_2.py", "README.md", "Cargo.toml"}
    ranks = [file.rank for file in found.files]
    assert len({rank for rank in ranks if rank}) == found.files_total == 4
    assert any(file.reasons for file in found.files)
    assert {file.name for file in found.unchanged_companions} == {"pkg/part_0.py", "pkg/part_1.py"}


def test_reasons_rest_on_ancestors_alone(asker: FileAsker, forked: Repo) -> None:
    found = explain(asker, "HEAD^1~1")
    assert found.parent == forked.git("rev-parse", "HEAD^1~2")
    known = set(forked.git("rev-list", found.parent).split())
    rests_on = {commit for file in found.files for reason in file.reasons for commit in reason.commits}
    assert rests_on
    assert rests_on <= known


def test_a_new_file_has_no_rank(asker: FileAsker) -> None:
    assert [(file.name, file.kind, file.rank) for file in explain(asker, "side").files] == [("side.py", "added", None)]


def test_a_merge_is_what_it_brought_to_its_first_parent(asker: FileAsker, forked: Repo) -> None:
    found = explain(asker, "HEAD")
    assert (found.title, found.parent) == ("merge the side", forked.git("rev-parse", "HEAD^1"))
    assert [file.name for file in found.files] == ["side.py"]


def test_of_a_first_commit_nothing_is_expected(asker: FileAsker) -> None:
    found = explain(asker, "HEAD^1~12")
    assert (found.parent, found.unchanged_companions, found.files_total) == ("", [], 4)
    assert all(file.kind == "added" and file.rank is None for file in found.files)


def test_an_unknown_commit_is_an_error(asker: FileAsker) -> None:
    with pytest.raises(UserError, match="no commit is named"):
        explain(asker, "nowhere")
