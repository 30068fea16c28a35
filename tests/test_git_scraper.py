"""Stage 1 against git's own words, on repositories built here."""

from __future__ import annotations

from collections.abc import Callable

from builders import Repo, scrape
from hypothesis import given
from hypothesis import strategies as st

from core.history.walk import split
from core.records.commits import Commit, FileDiff


def scraped(repo: Repo, **options: object) -> list[Commit]:
    return scrape(repo.path, repo.path.parent / f"{repo.path.name}-out", **options).commits


def one(repo: Repo, name: str) -> FileDiff:
    return next(diff for diff in scraped(repo)[-1].diffs if diff.filename == name)


def test_counts_order_and_totals(history: Repo) -> None:
    history.git("checkout", "-q", "-b", "side", "HEAD~3")
    history.commit("on the side", {"side.txt": "x\n"})
    history.git("checkout", "-q", "main")
    history.git("merge", "-q", "--no-ff", "-m", "merge side", "side")
    commits = scraped(history)
    assert len(commits) == int(history.git("rev-list", "--branches", "--tags", "--remotes", "--count"))
    seen: set[str] = set()
    for commit in commits:
        assert seen.issuperset(commit.metadata.parents)
        seen.add(commit.metadata.hash)
    assert [c.commit_number for c in commits] == list(range(len(commits)))
    assert commits[-1].metadata.is_merge
    assert [d.filename for d in commits[-1].diffs] == ["side.txt"]


def test_raw_entries_equal_gits_own(history: Repo) -> None:
    history.git("mv", "README.md", "NOTES.md")
    history.git("rm", "-q", "Cargo.toml")
    history.commit("rename and remove", {"new file.txt": "x\n"})
    for commit in scraped(history):
        listing = history.git(
            "diff-tree", "-r", "--root", "-M50%", "--no-commit-id", "--no-abbrev", "-z", commit.metadata.hash
        ).split("\0")[:-1]
        expected = []
        while listing:
            entry = listing.pop(0).lstrip(":").split()
            paths = [listing.pop(0) for _ in range(2 if entry[4][0] in "RC" else 1)]
            expected.append((entry[4][0], paths[-1], entry[0], entry[1], entry[2], entry[3]))
        got = [(d.change_type, d.filename, d.old_mode, d.new_mode, d.old_blob, d.new_blob) for d in commit.diffs]
        assert got == expected


def test_binary_mode_symlink_and_type_change(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("kinds")
    repo.commit("add", {"binary": b"\x00\x01", "script": "echo\n", "target": "t\n", "turns": "text\n"})
    (repo.path / "script").chmod(0o755)
    (repo.path / "link").symlink_to("target")
    (repo.path / "turns").unlink()
    (repo.path / "turns").symlink_to("target")
    repo.commit("change", {"binary": b"\x00\x02"})
    by_name = {diff.filename: diff for diff in scraped(repo)[-1].diffs}
    assert by_name["binary"].is_binary
    assert by_name["binary"].patch == ""
    assert (by_name["script"].old_mode, by_name["script"].new_mode, by_name["script"].patch) == ("100644", "100755", "")
    assert by_name["link"].new_mode == "120000"
    turned = by_name["turns"]
    assert (turned.change_type, turned.additions, turned.deletions) == ("T", 1, 1)
    assert "-text\n" in turned.patch
    assert "+target" in turned.patch


def test_empty_commits_messages_and_last_commit(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("empty")
    repo.commit("")
    repo.commit("subject\n\nbody line\n\nlast")
    commits = scraped(repo)
    assert [c.metadata.message for c in commits] == ["", "subject"]
    assert commits[1].metadata.message_body == "body line\n\nlast"
    assert all(not c.diffs for c in commits)


def test_dates_and_people(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("dates")
    repo.commit("x", {"a": "1"}, GIT_AUTHOR_NAME="Zoë", GIT_AUTHOR_DATE="1705307400 -0530")
    meta = scraped(repo)[0].metadata
    assert (meta.author, meta.timestamp, meta.timestamp_unix, meta.tz_offset) == (
        "Zoë",
        "2024-01-15T08:30:00Z",
        1705307400,
        -330,
    )
    assert meta.committer == "Ada"


def test_lineage_equals_git_branch_contains(history: Repo) -> None:
    history.git("branch", "early", "HEAD~5")
    history.git("checkout", "-q", "--orphan", "other")
    history.commit("another root", {"o": "1"})
    history.git("tag", "-a", "v1", "-m", "annotated", "HEAD")
    history.git("tag", "blob-tag", history.git("rev-parse", "HEAD:o"))
    for commit in scraped(history, expand_branches=True):
        contained = history.git("branch", "--contains", commit.metadata.hash, "--format=%(refname:short)").split()
        assert [branch.branch_name for branch in commit.branches] == contained
    assert scraped(history)[-1].tags == ["v1"]
    current = [b.branch_name for b in scraped(history, expand_branches=True)[-1].branches if b.is_current]
    assert current == ["other"]


def test_long_patches_are_cut_and_counted(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("long")
    repo.commit("add", {"big.txt": "".join(f"line {n}\n" for n in range(1000))})
    diff = scraped(repo, max_patch_bytes=500)[0].diffs[0]
    assert diff.patch_truncated
    assert diff.additions == 1000
    assert len(diff.patch) <= 500
    assert diff.patch.endswith("\n")


def test_pull_requests_only_by_choice(history: Repo) -> None:
    head = history.git("rev-parse", "HEAD")
    history.git("checkout", "-q", "--detach")
    pull = history.commit("proposed", {"p": "1"})
    history.git("update-ref", "refs/pull/1/head", pull)
    history.git("checkout", "-q", "main")
    assert scraped(history)[-1].metadata.hash == head
    assert scraped(history, refs=("branches", "pull_requests"))[-1].metadata.hash == pull
    history.git("checkout", "-q", pull)
    assert scraped(history, refs=("head",))[-1].metadata.hash == pull


@given(st.lists(st.binary(max_size=30)), st.integers(1, 40))
def test_pieces_survive_any_block_boundary(records: list[bytes], size: int) -> None:
    marker = b"MARKER-0123456789"
    data = b"".join(marker + record for record in records)
    blocks = (data[start : start + size] for start in range(0, len(data), size))
    assert list(split(blocks, marker)) == records
