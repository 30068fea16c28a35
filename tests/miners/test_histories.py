"""One reading of a history: a clone and commits.json give the same evidence of the same commits."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo, scrape
from msgspec import UNSET
from test_git_scraper_edges import made, tree

from core.errors import UserError
from miners.clones import open_clone
from miners.histories import History, ScrapedHistory, cloned, overview_of
from miners.repository_miner import EvidenceRules, mine
from miners.tally import MiningTally
from stores.agent.records import Evidence, RepositoryState

SUBJECTS = (
    *("Fix crash", "fix: KeyError in it", "Add thing", "Refactor it", "Update docs", "tidy", "Merge branch 'x'"),
    *("Fix it\n\nCloses #7", "Handle None\n\nTypeError: 'NoneType' object is not iterable", ""),
)
CODE = ("import os\n", "if x is None:\n    pass\n", "try:\n    x()\nexcept KeyError:\n    pass\n", "\n", "y = 1\n")


def some_commits(repo: Repo, rng: random.Random, number: int) -> None:
    """Commits of all sorts: fixes, reverts (also twice of the same), renames, tests, bots, large ones."""
    for _ in range(number):
        lines = [f"x_{n} = {rng.randint(0, 3)}\n" for n in range(rng.choice([3, 30, 600]))]
        for _ in range(rng.randint(0, 3)):
            lines.insert(rng.randint(0, len(lines)), rng.choice(CODE))
        file = rng.choice(["app/a.py", "app/b.py", "docs/c.md", "tests/test_a.py"])
        message = rng.choice(SUBJECTS)
        if rng.random() < 0.2:
            taken_back = rng.choice(repo.git("rev-list", "HEAD").split())
            message = f'Revert "x"\n\nThis reverts commit {taken_back}.'
        if rng.random() < 0.1 and (repo.path / "app/a.py").exists():
            repo.git("mv", "-f", "app/a.py", "app/moved.py")
        people = {"GIT_AUTHOR_NAME": "dependabot[bot]"} if rng.random() < 0.1 else {}
        if rng.random() < 0.3:  # a clock that is wrong
            people["GIT_COMMITTER_DATE"] = f"{repo.clock - rng.randint(0, 10**5)} +0000"
        repo.commit(message, {file: "".join(lines)}, **people)


@pytest.fixture
def tangled(make_repo: Callable[[str], Repo], request: pytest.FixtureRequest) -> Repo:
    """A main line with merged and open branches, a remote that is ahead, and commits that only a tag reaches."""
    rng = random.Random(getattr(request, "param", 0))
    repo = make_repo("repo")
    repo.commit("Begin", {"README.md": "# a tool\n"})
    some_commits(repo, rng, 12)
    for branch, merged in (("merged", True), ("open", False), ("released", False)):
        repo.git("checkout", "-q", "-b", branch)
        some_commits(repo, rng, 4)
        repo.git("checkout", "-q", "main")
        some_commits(repo, rng, 2)
        if merged:
            repo.git("merge", "-q", "--no-ff", "-X", "ours", "-m", "Fix the merge of it", branch)
    repo.git("tag", "v1", "released")
    repo.git("branch", "-q", "-D", "released")
    repo.git("update-ref", "refs/remotes/origin/main", "open")
    return repo


def read(history: History) -> tuple[set[str], RepositoryState, MiningTally]:
    tally = MiningTally()
    mined = mine(history, None, EvidenceRules(digest="rules"), tally)
    return {repr(piece) for piece in mined.evidence}, mined.state, tally


@pytest.mark.parametrize("tangled", range(4), indirect=True)
def test_a_file_and_a_clone_give_the_same_evidence(tangled: Repo, tmp_path: Path) -> None:
    scrape(tangled.path, tmp_path / "out")
    from_file = read(ScrapedHistory(tmp_path / "out" / "commits.json"))
    with cloned(open_clone(str(tangled.path), tmp_path)) as history:
        from_clone = read(history)
    assert from_file == from_clone
    assert len(from_file[0]) > 20
    assert from_file[2].counts["commits"] == int(tangled.git("rev-list", "--count", "main"))


@pytest.mark.parametrize("commit", ["main~3", "open~1"])
def test_both_sources_follow_a_detached_head(tangled: Repo, tmp_path: Path, commit: str) -> None:
    tangled.git("checkout", "-q", "--detach", commit)
    head = scrape(tangled.path, tmp_path / "out").head
    assert head.detached_head == tangled.git("rev-parse", commit)
    from_file = read(ScrapedHistory(tmp_path / "out" / "commits.json"))
    with cloned(open_clone(str(tangled.path), tmp_path)) as history:
        assert from_file == read(history)
    assert from_file[1].head == head.detached_head
    tangled.path.rename(tmp_path / "elsewhere")
    _, state, _ = read(ScrapedHistory(tmp_path / "out" / "commits.json"))
    assert state.head == Repo(tmp_path / "elsewhere").git("rev-parse", "main")


def test_a_branch_that_is_checked_out_is_no_detached_head(tangled: Repo, tmp_path: Path) -> None:
    scraped = scrape(tangled.path, tmp_path / "out")
    assert scraped.head.detached_head is UNSET
    assert b"detached_head" not in scraped.text


def test_commits_that_only_a_tag_or_another_branch_reaches_do_not_count(tangled: Repo, tmp_path: Path) -> None:
    scraped = scrape(tangled.path, tmp_path / "out")
    overview = overview_of(ScrapedHistory(tmp_path / "out" / "commits.json"))
    assert set(overview.hashes) == set(tangled.git("rev-list", "main").split())
    assert len(scraped.commits) == len(overview.hashes) + 8


MESSAGES = (
    b"Fix it\r\n\r\nCloses #3\r\n",
    b"Fix it\r\rThis reverts commit 0123456789\r",
    b"Fix\r\r\n\r\r\nCloses #4",
    "Say\u2028this\x0cand\x85that\n\nbody\x0c\u2029\n".encode(),
    "исправлена ошибка чтения\r\n\r\nи записи\r\n".encode("cp1251"),
    b"gr\xf6\xdfe\n",
)


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("declared", ["", "cp1251", "iso8859-1", "no-such-thing"])
def test_a_file_and_a_clone_give_the_same_messages(
    make_repo: Callable[[str], Repo], tmp_path: Path, message: bytes, declared: str
) -> None:
    repo = make_repo("repo")
    made(repo, tree(repo, []), message, f"encoding {declared}\n".encode() if declared else b"")
    scrape(repo.path, tmp_path / "out")
    scraped = list(ScrapedHistory(tmp_path / "out" / "commits.json").messages())
    assert "\r" not in scraped[0].subject + scraped[0].body
    with cloned(open_clone(str(repo.path), tmp_path)) as history:
        assert list(history.messages()) == scraped


def test_a_history_without_its_repository_is_read_from_the_file(tangled: Repo, tmp_path: Path) -> None:
    scrape(tangled.path, tmp_path / "out")
    there, state, _ = read(ScrapedHistory(tmp_path / "out" / "commits.json"))
    tangled.path.rename(tmp_path / "elsewhere")
    gone, without, tally = read(ScrapedHistory(tmp_path / "out" / "commits.json"))
    assert gone < there
    assert (without.key, without.head, without.archetype) == (state.key, state.head, "*")
    assert tally.counts["commits"] == int(Repo(tmp_path / "elsewhere").git("rev-list", "--count", "main"))


def test_without_branches_in_the_scope_the_newest_commit_is_the_head(
    make_repo: Callable[[str], Repo], tmp_path: Path
) -> None:
    repo = make_repo("tagged")
    repo.commit("one", {"a.py": "1\n"})
    two = repo.commit("two", {"a.py": "2\n"})
    repo.git("tag", "v1")
    repo.commit("three", {"a.py": "3\n"})
    scrape(repo.path, tmp_path / "out", refs=("tags",))
    history = ScrapedHistory(tmp_path / "out" / "commits.json")
    assert history.head == two
    assert [message.subject for message in history.messages()] == ["one", "two"]


def test_a_part_of_a_history_does_not_count_as_all_of_it(tangled: Repo, tmp_path: Path) -> None:
    scrape(tangled.path, tmp_path / "out", exclude_paths=("app/a.py",))
    _, state, _ = read(ScrapedHistory(tmp_path / "out" / "commits.json"))
    tally = MiningTally()
    with cloned(open_clone(str(tangled.path), tmp_path)) as history:
        again = mine(history, state, EvidenceRules(digest="rules"), tally)
        assert not again.unchanged
        assert again.kept == frozenset()
        assert {repr(piece) for piece in again.evidence} == read(history)[0]


def test_the_first_revert_of_a_commit_is_recorded(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("undone")
    sha = repo.commit("Fix it", {"a.py": "1\n"})
    first = repo.commit(f'Revert "Fix it"\n\nThis reverts commit {sha}.', {"a.py": "0\n"})
    repo.commit(f'Revert "Fix it"\n\nThis reverts commit {sha}.', {"a.py": "2\n"})
    with cloned(open_clone(str(repo.path), tmp_path)) as history:
        found: list[Evidence] = list(mine(history, None, EvidenceRules(), MiningTally()).evidence)
    assert [piece.note for piece in found if piece.context_type == "reverted"] == [f"by {first}"]


def test_a_folder_called_repo_gives_no_name(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    (tmp_path / "tool").mkdir()
    repo = make_repo("tool/repo")
    repo.commit("one", {"a.py": "1\n"})
    assert open_clone(str(repo.path), tmp_path).name == "tool"
    scrape(repo.path, tmp_path / "out")
    assert ScrapedHistory(tmp_path / "out" / "commits.json").name == "tool"


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "commits.json").write_text("[]")
    with pytest.raises(UserError, match=r"commits\.json"):
        ScrapedHistory(tmp_path / "commits.json")
