"""Mining a clone: what is seen, what is left out, and that reading what is new gives what reading it all does."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from core.errors import UserError
from core.records.mined import ClosedIssue, MinedRepository
from miners import clones
from miners.commit_miner import Reverts
from miners.histories import cloned
from miners.repository_miner import EvidenceRules, mine
from miners.seeder import STORES, Seeder, seed_clone
from miners.settings import CommitFilters
from miners.tally import MiningTally
from stores.agent.records import Evidence

FILTERS = CommitFilters(commit_patterns={"syntax_fix": (r"fix:\s*syntax",), "logic_fix": (r"fix:\s*bug",)})
RULES = EvidenceRules(FILTERS, "rules")


def seen(
    repo: Repo, filters: CommitFilters = FILTERS, github: MinedRepository | None = None
) -> tuple[list[Evidence], MiningTally]:
    tally = MiningTally()
    with cloned(clones.open_clone(str(repo.path), repo.path.parent)) as history:
        return list(mine(history, None, EvidenceRules(filters, "rules"), tally, github).evidence), tally


def of(evidence: list[Evidence], context_type: str) -> list[tuple[str, dict[str, object]]]:
    return [(piece.option, dict(piece.outcome)) for piece in evidence if piece.context_type == context_type]


def lines(number: int, at: int = 0) -> str:
    return "".join(f"x_{at + place} = {place}\n" for place in range(number))


@pytest.fixture
def repo(make_repo: Callable[[str], Repo]) -> Repo:
    repo = make_repo("project")
    repo.commit("Add app", {"app/a.py": lines(10), "README.md": "# x\n"})
    return repo


def test_a_fix_shows_its_size_and_kind(repo: Repo) -> None:
    code = lines(10) + "if x_1 is None:\n    x_1 = 2\n"
    sha = repo.commit(
        "Fix crash\n\nTypeError: 'NoneType' object is not iterable", {"app/a.py": code, "tests/test_a.py": "1\n"}
    )
    evidence, tally = seen(repo)
    assert of(evidence, "repair_strategy") == [("guard_fix", {"files": 1, "lines": 2, "with_tests": "yes"})]
    assert of(evidence, "fix_kind") == [("*", {"kind": "guard_fix"})]
    assert of(evidence, "error_remedy") == [("TypeError", {"kind": "guard_fix"})]
    assert of(evidence, "strategy_mismatch") == [("TypeError", {"kind": "guard_fix"})]
    assert of(evidence, "message_rule") == [("syntax_fix", {"hit": "no"}), ("logic_fix", {"hit": "no"})]
    assert of(evidence, "file_context") == [
        ("feature", {"files": 1, "with_tests": "no"}),
        ("fix", {"files": 1, "with_tests": "yes"}),
    ]
    assert {piece.sha for piece in evidence if piece.context_type == "repair_strategy"} == {sha}
    assert tally.counts["fixes, found by words"] == 1
    assert next(piece.note for piece in evidence if piece.context_type == "error_remedy") == "Fix crash"


def test_what_teaches_nothing_is_counted(repo: Repo) -> None:
    repo.commit("Fix docs", {"README.md": "# y\n"})
    repo.commit("Fix all", {"app/a.py": lines(600)})
    repo.commit("Fix bot", {"app/a.py": lines(5)}, GIT_AUTHOR_NAME="dependabot[bot]")
    repo.commit('Revert "Fix bot"', {"app/a.py": lines(6)})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit("Handle it", {"app/b.py": "1\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'topic'", "topic")
    _, tally = seen(repo)
    assert tally.drops == Counter(
        {
            "commits without source files": 1,
            "commits above max_diff_lines": 1,
            "commits by bots": 1,
            "commits that take others back": 1,
            "merge commits that are no fixes": 1,
        }
    )
    _, strict = seen(
        repo, CommitFilters(exclude_bot_commits=False, exclude_merge_commits=True, require_message_pattern=True)
    )
    assert strict.drops["merge commits"] == 1
    assert strict.drops["commits whose message does not tell what they are for"] == 1
    assert "commits by bots" not in strict.drops


def test_a_merge_that_calls_itself_a_fix_counts_against_its_first_parent(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit("wip", {"app/b.py": "1\n"})
    repo.commit("more", {"app/c.py": "1\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge pull request #7 from a/topic\n\nFix the crash", "topic")
    evidence, _ = seen(repo)
    assert of(evidence, "repair_strategy") == [("logic_fix", {"files": 2, "lines": 2, "with_tests": "no"})]


def test_a_change_that_is_taken_back_is_known(repo: Repo) -> None:
    sha = repo.commit("Fix it", {"app/a.py": lines(11)})
    by = repo.commit(f'Revert "Fix it"\n\nThis reverts commit {sha[:12]}.', {"app/a.py": lines(10)})
    evidence, _ = seen(repo)
    assert of(evidence, "reverted") == [("feature", {"reverted": "no"}), ("fix", {"reverted": "yes"})]
    assert [piece.note for piece in evidence if piece.outcome == {"reverted": "yes"}] == [f"by {by}"]


def test_credentials_do_not_get_into_notes(repo: Repo) -> None:
    secret = "ghp_" + "a1B2" * 9
    repo.commit(f"Fix KeyError with {secret}", {"app/a.py": lines(11)})
    evidence, _ = seen(repo)
    assert not [piece for piece in evidence if secret in piece.note]
    assert [piece for piece in evidence if "Fix KeyError" in piece.note]


def test_issues_give_remedies_by_the_commit_that_closed_them(repo: Repo) -> None:
    named = repo.commit("Handle empty input", {"app/a.py": lines(10) + "import os\n"})
    repo.commit("Be careful\n\nFixes #5", {"app/a.py": lines(10) + "import os\nif x_1 is None:\n    pass\n"})
    issues = [
        ClosedIssue(number=4, title="it breaks", errors=["KeyError"], commits=["f" * 40, named], updated_at=""),
        ClosedIssue(number=5, title="it breaks too", errors=["OSError"], commits=[], updated_at=""),
        ClosedIssue(number=6, title="nobody knows", errors=["IOError"], commits=["--upload-pack=x"], updated_at=""),
    ]
    github = MinedRepository(location="x", full_name="octo/hello", github_id=7, issues=issues)
    evidence, tally = seen(repo, github=github)
    assert of(evidence, "error_remedy") == [("KeyError", {"kind": "import_fix"}), ("OSError", {"kind": "guard_fix"})]
    assert tally.drops["issues whose closing commit is not known"] == 1
    assert tally.counts["issues with a remedy"] == 2


def grown(repo: Repo, rng: random.Random, commits: int) -> None:
    subjects = ("Fix crash", "Add thing", "Refactor it", "fix: KeyError in it", "Update docs", "tidy")
    for _ in range(commits):
        code = lines(rng.randint(1, 30), at=rng.randint(0, 9)) + rng.choice(
            ["", "import os\n", "if x is None:\n    pass\n"]
        )
        file = rng.choice(["app/a.py", "app/b.py", "docs/c.md"])
        message = rng.choice(subjects)
        if rng.random() < 0.15:
            message = f'Revert "x"\n\nThis reverts commit {repo.git("rev-parse", "HEAD")}.'
        repo.commit(message, {file: code})


def held(folder: Path) -> list[Evidence]:
    found: list[Evidence] = []
    for kind in STORES:
        with kind(folder) as store:
            for key in store.evidence.states():
                found += store.evidence.of_repository(key)
    return found


def refresh(repo: Repo, folder: Path) -> tuple[bool, MiningTally]:
    tally = MiningTally()
    clone = clones.open_clone(str(repo.path), folder)
    with Seeder(folder, folder / "scratch") as seeder:
        assert seed_clone(seeder, clone, RULES, tally)
        return bool(seeder.merge("history:test")), tally


@pytest.mark.parametrize("seed", range(3))
def test_reading_what_is_new_gives_what_reading_it_all_does(repo: Repo, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    grown(repo, rng, 12)
    assert refresh(repo, tmp_path / "step by step")[0]
    assert not refresh(repo, tmp_path / "step by step")[0]
    grown(repo, rng, 6)
    _, tally = refresh(repo, tmp_path / "step by step")
    assert tally.counts["commits"] == 6
    repo.git("reset", "-q", "--hard", "HEAD~9")  # a force push
    grown(repo, rng, 5)
    _, tally = refresh(repo, tmp_path / "step by step")
    assert tally.counts["commits"] == 5  # from where the two histories parted
    refresh(repo, tmp_path / "at once")
    assert held(tmp_path / "step by step") == held(tmp_path / "at once")
    there = set(repo.git("rev-list", "HEAD").split())
    assert {piece.sha for piece in held(tmp_path / "step by step")} <= there


def test_other_rules_or_another_dialect_read_it_all_again(repo: Repo, tmp_path: Path) -> None:
    grown(repo, random.Random(7), 5)
    refresh(repo, tmp_path / "s")
    for number in range(8):
        repo.commit("feat: more", {"app/a.py": lines(number + 1)})
    _, tally = refresh(repo, tmp_path / "s")
    assert tally.counts["commits"] == 14  # most messages have a label now
    clone = clones.open_clone(str(repo.path), tmp_path)
    with Seeder(tmp_path / "s", tmp_path / "scratch") as seeder:
        last = seeder.last(clone.key)
        assert last is not None
        with cloned(clone) as history:
            assert mine(history, last, EvidenceRules(FILTERS, "other rules"), tally).kept == frozenset()


def test_a_commit_named_after_an_issue_is_no_evidence_of_the_issue(repo: Repo, tmp_path: Path) -> None:
    repo.commit(" #12: Fix KeyError in it", {"app/a.py": lines(11)})
    repo.commit("#13: Fix KeyError in it", {"app/a.py": lines(12)})
    refresh(repo, tmp_path / "step by step")
    assert sum(piece.context_type == "error_remedy" for piece in held(tmp_path / "step by step")) == 2
    for number in range(8):
        repo.commit("feat: more", {"app/a.py": lines(number + 1)})
    refresh(repo, tmp_path / "step by step")  # by another dialect, which finds no fix
    refresh(repo, tmp_path / "at once")
    assert held(tmp_path / "step by step") == held(tmp_path / "at once")


def test_a_clone_has_the_same_key_in_any_folder(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "copy.git"))
    one, other = clones.open_clone(str(repo.path), tmp_path), clones.open_clone(str(tmp_path / "copy.git"), tmp_path)
    assert one.key == other.key == f"root:{repo.git('rev-list', '--max-parents=0', 'HEAD')}"


def test_a_history_whose_head_is_gone_is_read_from_scratch(repo: Repo, tmp_path: Path) -> None:
    refresh(repo, tmp_path / "s")
    repo.git("commit", "-q", "--amend", "-m", "other")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    changed, _ = refresh(repo, tmp_path / "s")
    assert changed


def test_no_repository_and_an_empty_one_are_refused(tmp_path: Path, make_repo: Callable[[str], Repo]) -> None:
    with pytest.raises(UserError, match="not found"):
        clones.open_clone(str(tmp_path / "nothing"), tmp_path)
    with pytest.raises(UserError, match="no commits"):
        clones.open_clone(str(make_repo("empty").path), tmp_path)


def test_shallow_and_partial_clones_are_not_learned_from(repo: Repo, tmp_path: Path) -> None:
    repo.commit("Fix it", {"app/a.py": lines(11)})
    repo.git("config", "uploadpack.allowFilter", "true")
    for name, words in (("shallow", ("--depth", "1")), ("partial", ("--filter=blob:none",))):
        repo.git("clone", "-q", *words, f"file://{repo.path}", str(tmp_path / name))
        with pytest.raises(UserError, match="shallow or partial clone"):
            clones.open_clone(str(tmp_path / name), tmp_path)


def test_a_name_that_only_begins_alike_is_another_commit() -> None:
    reverts = Reverts([("abcdef012", "by")])
    assert reverts.of("abcdef012" + "0" * 31) == "by"
    assert reverts.of("abcdef099" + "0" * 31) == ""
