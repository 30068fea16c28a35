"""Several clones of a repository share one index: its texts, and not the commits that they are at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from builders import Repo

from core.errors import StageError, UserError
from index import texts
from index.code_index import CodeIndex

Open = Callable[[str], CodeIndex]


@pytest.fixture
def repo(make_repo: Callable[[str], Repo]) -> Repo:
    repo = make_repo("code")
    repo.commit("Begin", {"one.py": "def one(): ...\n", "both.py": "def both(): ...\n"})
    return repo


@pytest.fixture
def clone(repo: Repo, tmp_path: Path, empty_server: str) -> Open:
    """Makes a clone with a name of its own, and opens its index."""

    def made(name: str) -> CodeIndex:
        repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / name))
        return CodeIndex(tmp_path / name, tmp_path / f"cache of {name}", empty_server)

    return made


def names(index: CodeIndex) -> list[str]:
    found = ("one", "both", "two")
    return [name for name in found if index.symbols_named(name)]


def test_what_one_has_read_the_others_need_not_read(clone: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with clone("mine") as mine:
        assert mine.update("HEAD").added == 2
    monkeypatch.setattr(texts, "parsed", None)
    with clone("yours") as yours:
        assert yours.commit is None
        assert yours.search("both") == []
        assert yours.update("HEAD").added == 0
        assert names(yours) == ["one", "both"]


def test_each_stays_at_its_own_commit(clone: Open, repo: Repo) -> None:
    with clone("mine") as mine:
        mine.update("HEAD")
        old = mine.commit
        repo.git("rm", "-q", "one.py")
        repo.commit("Replace", {"two.py": "def two(): ...\n"})
        with clone("yours") as yours:
            done = yours.update("HEAD")
            assert (done.added, done.removed) == (1, 0)  # the other still needs one.py
            assert names(yours) == ["both", "two"]
            assert (names(mine), mine.commit) == (["one", "both"], old)
            repo.git("push", "-q", str(mine.git_dir), "HEAD:refs/heads/new")
            done = mine.update("new")
            assert (done.added, done.removed) == (0, 1)
            assert names(mine) == ["both", "two"]


def test_a_clone_that_is_no_longer_used_is_forgotten(clone: Open, repo: Repo) -> None:
    with clone("mine") as mine, clone("yours") as yours:
        mine.update("HEAD")
        with mine._database.writing():
            mine._database.execute("UPDATE state_of_clones SET updated = now() - interval '31 days'")
        repo.git("rm", "-q", "one.py")
        repo.commit("Remove")
        repo.git("push", "-q", str(yours.git_dir), "HEAD:refs/heads/new")
        assert yours.update("new").removed == 0
        assert mine.commit is None
        assert names(mine) == []
        yours.update("new")
        assert mine.update("HEAD").added == 1  # one.py was removed since
        assert names(mine) == ["one", "both"]


def test_a_copy_is_a_file(clone: Open, tmp_path: Path) -> None:
    with clone("mine") as mine:
        mine.update("HEAD")
        with mine.copied(tmp_path / "copy") as copy:
            assert (copy.is_shared, copy.commit, names(copy)) == (False, mine.commit, ["one", "both"])
            assert copy.search("both") == mine.search("both")


def test_another_repository_is_elsewhere(clone: Open, make_repo: Callable[[str], Repo], empty_server: str) -> None:
    other = make_repo("other")
    other.commit("Begin otherwise", {"one.py": "def one(): ...\n"})
    with clone("mine") as mine, CodeIndex(other.path / ".git", other.path, empty_server) as theirs:
        mine.update("HEAD")
        assert theirs.update("HEAD").added == 1
        assert (names(mine), names(theirs)) == (["one", "both"], ["one"])
        assert mine.place == theirs.place == empty_server.replace("postgres:@", "")


@pytest.mark.parametrize(
    "url", ["mysql://me:secret@host/index", "some/folder", "postgresql://me:secret@host:port/name"]
)
def test_an_url_of_something_else_is_refused(repo: Repo, tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError) as caught:
        CodeIndex(repo.path / ".git", tmp_path, url)
    assert "postgresql://user@host/gitlore" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_said_without_the_password(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="postgresql://") as caught:
        CodeIndex(repo.path / ".git", tmp_path, "postgresql://me:secret@/name?host=/nowhere")
    assert "secret" not in str(caught.value)


def test_another_role_is_told_what_it_lacks(clone: Open, empty_server: str) -> None:
    with psycopg.connect(empty_server) as connection:
        connection.execute("DROP ROLE IF EXISTS stranger")
        connection.execute("CREATE ROLE stranger LOGIN")
    with clone("mine") as mine, pytest.raises(StageError, match="permission denied") as caught:
        CodeIndex(mine.git_dir, mine.cache_dir, empty_server.replace("postgres:@", "stranger@"))
    assert "the role that made it" in caught.value.hint


def test_a_repository_without_commits_has_no_name_there(
    make_repo: Callable[[str], Repo], tmp_path: Path, empty_server: str
) -> None:
    with pytest.raises(UserError, match="has no commits"):
        CodeIndex(make_repo("empty").path / ".git", tmp_path, empty_server)
