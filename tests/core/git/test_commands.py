"""Opening, cloning and reading repositories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from core.errors import StageError, UserError
from core.git import commands, refs, repositories
from core.git.blobs import BlobReader
from core.git.commands import decode
from core.git.names import is_url
from core.git.repositories import open_repository


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://example.org/a.git", True),
        ("file:///tmp/a", True),
        ("git@example.org:a/b.git", True),
        ("/tmp/a", False),
        ("../a", False),
        ("C:\\a", False),
        (".", False),
    ],
)
def test_urls_are_distinguished_from_paths(location: str, expected: bool) -> None:
    assert is_url(location) is expected


def test_missing_and_foreign_folders(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        open_repository(str(tmp_path / "none"), tmp_path)
    with pytest.raises(UserError, match="not a git repository"):
        open_repository(str(tmp_path), tmp_path)


def test_a_folder_that_was_deleted_is_said(tmp_path: Path) -> None:
    with pytest.raises(commands.GoneError, match="there is no repository at"):
        commands.run(tmp_path / "none", "log")
    with pytest.raises(commands.GoneError):
        BlobReader(tmp_path / "none")


def test_a_worktree_has_its_own_head(history: Repo, tmp_path: Path) -> None:
    history.git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    ahead = Repo(tmp_path / "tree", history.clock).commit("on the side", {"x": "y"})
    opened = open_repository(str(tmp_path / "tree"), tmp_path)
    assert refs.head(opened.git_dir) == ahead
    assert commands.run(opened.git_dir, "for-each-ref", "refs/heads").count(b"\n") == 2


def test_attributes_of_the_current_folder_are_ignored(
    history: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = commands.run(history.path / ".git", "log", "-p", "main")
    (tmp_path / ".gitattributes").write_text("* -diff\n")
    monkeypatch.chdir(tmp_path)
    assert commands.run(history.path / ".git", "log", "-p", "main") == plain


def test_pull_requests_of_a_url(history: Repo, tmp_path: Path) -> None:
    history.git("update-ref", "refs/pull/1/head", "HEAD~1")
    url = f"file://{history.path}"
    clone = open_repository(url, tmp_path, ["branches", "pull_requests"]).git_dir
    assert commands.run(clone, "for-each-ref", "--format=%(refname)", "refs/pull") == b"refs/pull/1/head\n"


def test_a_git_that_dies_is_not_a_missing_blob(history: Repo) -> None:
    blob = history.git("rev-parse", "HEAD:README.md")
    with BlobReader(history.path / ".git") as reader:
        reader._process.kill()
        reader._process.wait()
        with pytest.raises(StageError, match="cat-file ended"):
            reader.read(blob)


def test_large_blobs_are_skipped(history: Repo) -> None:
    history.commit("large", {"large": b"x" * 3_000_000})
    large, small = (history.git("rev-parse", f"HEAD:{name}") for name in ("large", "README.md"))
    with BlobReader(history.path / ".git") as reader:
        assert reader.read(large, 1000) is None
        assert reader.read(small, 1000) == (history.path / "README.md").read_bytes()


def test_url_is_cloned_once_and_updated(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    origin = make_repo("origin")
    origin.commit("one", {"a": "1"})
    origin.git("branch", "old")
    url = f"file://{origin.path}"
    cache = tmp_path / "cache"
    clone = open_repository(url, cache)
    before = repositories.state(url, ["branches", "tags"])
    second = origin.commit("two", {"a": "2"})
    origin.git("branch", "-D", "old")
    origin.git("tag", "v1")
    assert repositories.state(url, ["branches", "tags"]) != before
    again = open_repository(url, cache)
    assert again == clone
    tips = commands.run(again.git_dir, "for-each-ref", "--format=%(refname) %(objectname)").decode().split()
    assert tips == ["refs/heads/main", second, "refs/tags/v1", second]


def test_a_url_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot fetch"):
        open_repository(f"file://{tmp_path}/none", tmp_path / "cache")
    assert not list((tmp_path / "cache" / "repositories").glob("*.tmp"))


def test_credentials_stay_out_of_messages(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        open_repository(f"file://user:secret@{tmp_path}/none", tmp_path)
    assert "secret" not in str(caught.value)


def test_state_follows_a_detached_head(history: Repo) -> None:
    states = []
    for commit in ("main", "main~1"):
        history.git("checkout", "-q", "--detach", commit)
        states.append(repositories.state(str(history.path), ["branches"]))
    assert states[0] != states[1]


def test_state_follows_refs(history: Repo) -> None:
    first = repositories.state(str(history.path), ["branches"])
    assert repositories.state(str(history.path), ["branches"]) == first
    history.commit("more", {"x": "y"})
    assert repositories.state(str(history.path), ["branches"]) != first


def test_failing_git_becomes_a_sentence(history: Repo) -> None:
    git_dir = history.path / ".git"
    with pytest.raises(StageError, match="git rev-parse failed"):
        commands.run(git_dir, "rev-parse", "--verify", "nonsense")
    with pytest.raises(StageError, match="git log failed"), commands.stream(git_dir, "log", "nonsense") as output:
        output.read()


def test_blobs_and_missing_ones(history: Repo) -> None:
    blob = history.git("rev-parse", "HEAD:README.md")
    with BlobReader(history.path / ".git") as reader:
        assert reader.read(blob) == (history.path / "README.md").read_bytes()
        assert reader.read("1" * 40) is None
        assert reader.read(history.git("rev-parse", "HEAD")) is None  # a commit
        assert reader.read(blob) is not None


def test_decode_never_loses_a_byte() -> None:
    assert decode("é".encode()) == ("é", "utf-8")
    text, encoding = decode(b"\xe9\xff\x00")
    assert (text.encode("latin-1"), encoding) == (b"\xe9\xff\x00", "latin-1")


def test_a_clone_follows_its_remote(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    origin = make_repo("origin")
    origin.commit("one", {"a": "1"})
    origin.git("update-ref", "refs/other/x", origin.git("commit-tree", "-m", "alone", "HEAD^{tree}"))
    url = f"file://{origin.path}"
    clone = open_repository(url, tmp_path, ["all"]).git_dir
    assert b"refs/other/x" in commands.run(clone, "for-each-ref")
    origin.git("branch", "-m", "main", "trunk")
    open_repository(url, tmp_path, ["branches"])
    assert commands.run(clone, "for-each-ref", "--format=%(refname)") == b"refs/heads/trunk\n"
    assert commands.run(clone, "symbolic-ref", "HEAD") == b"refs/heads/trunk\n"


def test_a_clone_of_a_shallow_remote_is_deepened_with_it(history: Repo, tmp_path: Path) -> None:
    middle = tmp_path / "middle"
    history.git("clone", "-q", "--depth=2", f"file://{history.path}", str(middle))
    url = f"file://{middle}"
    clone = open_repository(url, tmp_path).git_dir
    assert commands.run(clone, "rev-list", "--count", "HEAD") == b"2\n"
    Repo(middle).git("fetch", "-q", "--unshallow")
    open_repository(url, tmp_path)
    assert commands.run(clone, "rev-list", "--count", "HEAD") == b"12\n"
