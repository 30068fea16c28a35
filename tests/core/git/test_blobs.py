"""Objects that a repository lacks are distinguished from those that are only too large to be read."""

from __future__ import annotations

from collections.abc import Callable

from builders import Repo

from core.git.blobs import BlobReader, missing


def test_what_is_missing_is_named(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("some")
    repo.commit("Add", {"one.txt": "one\n", "two.txt": "two, longer\n"})
    one, two = (repo.git("rev-parse", f"HEAD:{name}") for name in ("one.txt", "two.txt"))
    with BlobReader(repo.path / ".git") as reader:
        assert list(reader.read_many([one, two, "0" * 40], max_bytes=5)) == [b"one\n", None, None]
    assert missing(repo.path / ".git", [one, two, "0" * 40]) == {"0" * 40}
    assert missing(repo.path / ".git", []) == set()
