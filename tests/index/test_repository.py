"""The index is what the repository is, however it came to be, and whatever happened to its file."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Program, Repo, grow

from core.errors import StageError
from core.git import trees
from core.ranking.contents import NOTHING
from core.ranking.terms import number
from index.repository import MAX_SEGMENTS, RepositoryIndex


@pytest.fixture
def repo(make_repo: Callable[[str], Repo]) -> Repo:
    made = make_repo("repo")
    grow(made, 6)
    return made


def index(repo: Repo, tmp_path: Path) -> RepositoryIndex:
    return RepositoryIndex(repo.path / ".git", tmp_path / "cache")


def head(repo: Repo) -> str:
    return repo.git("rev-parse", "HEAD")


def test_new_commits_are_added_to_those_that_are_known(repo: Repo, tmp_path: Path) -> None:
    for turn in range(MAX_SEGMENTS + 3):
        with index(repo, tmp_path) as known:
            commits = known.commits(head(repo))
            assert len(commits) == int(repo.git("rev-list", "--count", "HEAD"))
            assert commits.hashes[-1] == head(repo)
        repo.commit(f"Turn {turn}", {"turn.py": f"{turn}\n"})
    log = [line.split(" ", 1) for line in repo.git("log", "--reverse", "--format=%H %s", "HEAD~1").splitlines()]
    assert [[hash_, title] for hash_, title in zip(commits.hashes, commits.titles, strict=True)] == log
    for hash_, parents in zip(commits.hashes, commits.parents, strict=True):
        assert [commits.hashes[parent] for parent in parents] == repo.git("log", "-1", "--format=%P", hash_).split()


def test_texts_are_kept_by_blob(repo: Repo, tmp_path: Path) -> None:
    repo.commit("Add", {"deep/loader.py": "def load_file(path): ...\n", "picture.png": b"\x89PNG\0\0"})
    files = trees.files_of(repo.path / ".git", head(repo))
    with index(repo, tmp_path) as known:
        text, picture, missing = known.of([files["deep/loader.py"], files["picture.png"], "0" * 40])
        assert number("load_file") in text.defined
        assert picture.lines == missing.lines == 0
    (repo.path / ".git" / "objects").rename(repo.path / ".git" / "gone")
    with index(repo, tmp_path) as known:  # from the file alone
        assert number("load_file") in known.of([files["deep/loader.py"]])[0].defined
        assert known.of([]) == []
    assert NOTHING.lines == 0


@pytest.mark.parametrize(("table", "column"), [("segments", "data"), ("blobs", "content")])
@pytest.mark.parametrize("damage", ["substr({0}, 1, length({0}) - 1)", "zeroblob(9)", "'text'"])
def test_a_row_that_has_changed_is_reported(repo: Repo, tmp_path: Path, table: str, column: str, damage: str) -> None:
    blobs = list(trees.files_of(repo.path / ".git", head(repo)).values())
    with index(repo, tmp_path) as known:
        known.commits(head(repo))
        known.of(blobs)
        place = known.path
    with sqlite3.connect(place) as database:
        database.execute(f"UPDATE {table} SET {column} = {damage.format(column)}")
    with index(repo, tmp_path) as known, pytest.raises(StageError, match="a row has changed"):
        assert known.commits(head(repo)) and known.of(blobs)  # noqa: PT018 - either may raise


@pytest.mark.parametrize("damage", ["text", "cut", "version", "name"])
def test_a_damaged_or_older_file_is_made_again(repo: Repo, tmp_path: Path, damage: str) -> None:
    with index(repo, tmp_path) as known:
        known.commits(head(repo))
        file = known.path
    if damage == "version":
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA user_version=999")
        database.close()
    else:
        data = file.read_bytes()
        name = data.replace(b"CREATE TABLE", b"CR\xf2\xf2TE TABLE")  # SQLite complains of it in bytes that are no text
        file.write_bytes({"text": b"no database", "cut": data[:5000], "name": name}[damage])
    with index(repo, tmp_path) as known:
        assert known.commits(head(repo)).hashes[-1] == head(repo)


def test_a_cache_folder_that_cannot_be_written_is_reported(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StageError, match="the index cannot be used"):
        index(repo, tmp_path)


def test_several_processes_may_begin_at_once(repo: Repo, tmp_path: Path, program: Program) -> None:
    code = (
        "import sys; from pathlib import Path; from index.repository import RepositoryIndex\n"
        f"with RepositoryIndex(Path({str(repo.path / '.git')!r}), Path('cache')) as known:\n"
        f"    print(len(known.commits({head(repo)!r})))\n"
    )
    processes = [program.start("-c", code) for _ in range(4)]
    counts = [process.communicate(timeout_s=120)[0].strip() for process in processes]
    assert counts == [repo.git("rev-list", "--count", "HEAD")] * 4


def test_a_shallow_clone_has_the_commits_that_are_there(repo: Repo, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "3", f"file://{repo.path}", str(shallow)], check=True)
    with RepositoryIndex(shallow / ".git", tmp_path / "cache") as known:
        assert len(known.commits(head(repo))) == 3


def test_odd_names_and_encodings_are_kept(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    odd = make_repo("odd")
    odd.commit("Ünï\tcode", {"a b/ü\n.py": "x\n", "-dash": "y\n"})
    odd.git("mv", "-f", "--", "-dash", "moved to")
    odd.commit("")
    with index(odd, tmp_path) as known:
        commits = known.commits(head(odd))
        assert commits.titles == ["Ünï\tcode", ""]
        assert set(commits.paths) == {"a b/ü\n.py", "-dash", "moved to"}
        assert [commits.paths[old] for old in commits.renamed_from.values()] == ["-dash"]


def test_commits_that_are_gone_do_not_keep_new_ones_out(repo: Repo, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "-b", "rewritten")
    dropped = repo.commit("to be dropped", {"gone.py": "1\n"})
    with index(repo, tmp_path) as known:
        known.commits(head(repo))
    repo.git("reset", "-q", "--hard", "main")
    (repo.path / ".git" / "ORIG_HEAD").unlink()
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    with pytest.raises(subprocess.CalledProcessError):
        repo.git("cat-file", "-e", dropped)
    new = repo.commit("in its place", {"new.py": "1\n"})
    with index(repo, tmp_path) as known:
        assert known.commits(new).titles[-1] == "in its place"


def test_a_clone_that_is_deepened_gets_its_older_commits(repo: Repo, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "2", f"file://{repo.path}", str(shallow)], check=True)
    with RepositoryIndex(shallow / ".git", tmp_path / "cache") as known:
        assert len(known.commits(head(repo))) == 2
    subprocess.run(["git", "fetch", "-q", "--unshallow"], cwd=shallow, check=True)
    with RepositoryIndex(shallow / ".git", tmp_path / "cache") as known:
        assert len(known.commits(head(repo))) == int(repo.git("rev-list", "--count", "HEAD"))
