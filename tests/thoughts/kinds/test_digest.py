"""What happened in a week."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from builders import Repo

from chat.citations import Citations
from core.git import raw_log, trees
from core.git.repositories import open_repository
from thoughts.kind import Context, State
from thoughts.kinds.digest import KIND, areas_of


def state_of(repo: Repo, tmp_path: Path, before: str = "", now: datetime | None = None) -> State:
    git_dir = open_repository(str(repo.path), tmp_path).git_dir
    return State(str(repo.path), git_dir, tmp_path, repo.git("rev-parse", "HEAD"), before, now or datetime.now(UTC))


def test_a_week_is_shown_by_area_and_every_statement_holds(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("weeks")
    repo.commit("begin", {"old.py": "x = 1\n"})
    repo.clock += 10 * 86_400
    repo.commit("read pages", {"web/pages.py": "a\n", "web/site.py": "b\n"})
    repo.commit("write pages", {"web/pages.py": "c\n"})
    repo.commit("say more", {"notes.md": "d\n"})
    state = state_of(repo, tmp_path)
    (given,) = KIND.inputs(state)
    assert given == {"old": repo.git("rev-parse", "HEAD~3"), "new": state.commit}
    outcome = KIND.run(given, Context(state, tmp_path))
    (insight,) = outcome.insights
    assert insight.title.startswith("3 commits by 1 person in the week up to ")
    web, top = insight.statements
    assert web.text.startswith("web/: 2 commits by 1 person changed 2 files: “read pages” (")
    assert top.text.startswith("the top folder: 1 commit by 1 person changed 1 file: “say more” (")
    with Citations(state.git_dir) as citations:
        assert [citations.problem(one) for said in insight.statements for one in said.citations] == [""] * 3
    (log,) = outcome.artifacts
    assert log.name == insight.log
    assert b"read pages" in log.data
    assert b"begin" not in log.data


def test_a_week_without_commits_is_not_studied(history: Repo, tmp_path: Path) -> None:
    state = state_of(history, tmp_path, before="1" * 40, now=datetime(2099, 1, 1, tzinfo=UTC))
    assert KIND.inputs(state) == []


def test_the_first_week_of_a_repository_begins_with_nothing(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("young")
    repo.commit("begin", {"a.py": "x = 1\n"})
    state = state_of(repo, tmp_path)
    (given,) = KIND.inputs(state)
    assert given == {"old": "", "new": state.commit}
    (insight,) = KIND.run(given, Context(state, tmp_path)).insights
    assert insight.title.startswith("1 commit by 1 person")


def test_the_oldest_commit_of_a_shallow_clone_says_nothing(history: Repo, tmp_path: Path) -> None:
    history.git("clone", "-q", "--depth", "1", f"file://{history.path}", str(tmp_path / "shallow"))
    state = state_of(Repo(tmp_path / "shallow"), tmp_path)
    (given,) = KIND.inputs(state)
    assert KIND.run(given, Context(state, tmp_path)).insights == ()


def test_the_area_that_holds_nearly_all_is_parted(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("deep")
    repo.commit("one", {"src/app/web/a.py": "1\n", "src/app/db/b.py": "1\n", "docs/c.md": "1\n"})
    commits = raw_log.logged(repo.path / ".git", trees.commit_named(repo.path / ".git", "HEAD"))
    assert [area.name for area in areas_of(commits)] == ["docs/", "src/app/db/", "src/app/web/"]
