"""A repository is asked about as any of its commits knows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo

from core.errors import UserError
from core.prediction import files
from core.prediction.files import FileAsker, chosen_paths
from core.prediction.question import Question
from index.repository import RepositoryIndex


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A repository whose files are each about one thing, and whose tests go with their code."""
    repo = Repo.new(tmp_path_factory.mktemp("shop") / "shop")
    for number in range(6):
        for name in ("cart", "billing", "login"):
            text = f"def {name}_{number}():\n    return '{name} total {number}'\n"
            files: dict[str, str | bytes] = {
                f"shop/{name}.py": text,
                f"tests/test_{name}.py": f"import {name}  # {number}\n",
            }
            repo.commit(f"Change how the {name} works ({number})", files)
        repo.commit(f"Release {number}", {"CHANGELOG.md": f"{number}\n"})
    return repo


@pytest.fixture
def asker(shop: Repo, tmp_path: Path) -> FileAsker:
    return FileAsker(str(shop.path), tmp_path / "cache", RepositoryIndex)


def names(asker: FileAsker, at: str = "", **question: object) -> list[str]:
    return [file.name for file in asker.rank(Question.model_validate(question), at).files]


def test_a_task_finds_its_files(asker: FileAsker) -> None:
    assert set(names(asker, task="Fix the billing of discounts", top=2)) == {"shop/billing.py", "tests/test_billing.py"}
    assert names(asker, task="Release 7")[0] == "CHANGELOG.md"


def test_a_changed_file_finds_its_companion(asker: FileAsker) -> None:
    found = names(asker, changed=("shop/login.py",))
    assert found[0] == "tests/test_login.py"
    assert "shop/login.py" not in found


def test_questions_about_the_past_leave_the_present_in_memory(asker: FileAsker) -> None:
    now = asker.snapshot(asker.commit())
    for age in range(1, 8):
        asker.snapshot(asker.commit(f"HEAD~{age}"))
        assert asker.snapshot(asker.commit()) is now


def test_shares_of_all_candidates_add_up_to_one(asker: FileAsker) -> None:
    for question in (
        {"task": "Fix the cart"},
        {},
        {"changed": ("shop/cart.py",)},
        {"task": "x" * 300 + "\n" + "y " * 300},
    ):
        ranking = asker.rank(Question.model_validate({"top": 50, **question}))
        assert sum(file.share for file in ranking.files) == pytest.approx(1)
        assert all(0 <= file.probability <= 1 for file in ranking.files)
        assert [file.share for file in ranking.files] == sorted((file.share for file in ranking.files), reverse=True)


def test_reasons_can_be_checked(asker: FileAsker, shop: Repo) -> None:
    (first, *_) = asker.rank(Question(task="Change the cart")).files
    assert first.reasons
    for reason in first.reasons:
        for commit in reason.commits:
            assert first.name in shop.git("show", "--format=", "--name-only", commit).splitlines()


def test_only_what_a_commit_knows_counts(asker: FileAsker, shop: Repo) -> None:
    before = names(asker, task="Fix the refund", top=50)
    shop.git("checkout", "-q", "-b", "side")
    for number in range(3):
        shop.commit("Fix the refund", {"shop/login.py": f"refund = {number}\n", "shop/refund.py": f"{number}\n"})
    assert names(asker, task="Fix the refund")[0] in ("shop/refund.py", "shop/login.py")
    assert names(asker, at="main", task="Fix the refund", top=50) == before
    shop.git("checkout", "-q", "main")


def test_patterns_choose_the_answers(asker: FileAsker) -> None:
    assert set(names(asker, files=("tests/*",))) == {f"tests/test_{name}.py" for name in ("cart", "billing", "login")}
    with pytest.raises(UserError, match="no file of the repository matches"):
        names(asker, files=("*.java",))


def test_names_and_patterns_choose_files() -> None:
    existing = ["a.py", "b/c.py", "b/[d].py", "b/d.py"]
    assert chosen_paths(["*.py"], existing) == existing
    assert chosen_paths(["b/[cd].py"], existing) == ["b/c.py", "b/d.py"]
    assert chosen_paths(["b/[d].py"], existing) == ["b/[d].py"]  # the file of this very name
    assert chosen_paths(["?.py", "a.py", "new.py"], existing) == ["a.py", "new.py"]
    with pytest.raises(UserError, match="matches x/\\*, x/\\*, x/\\*, x/\\*, x/\\*, …") as caught:
        chosen_paths(["x/*"] * 1000, existing[:1])
    assert len(caught.value.message) < 100


def test_patterns_are_compared_with_a_bounded_number_of_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_COMPARED", 100)
    paths = ["0123456789"] * 5
    assert chosen_paths(["*"] * 2, paths)
    with pytest.raises(UserError, match="3 patterns are too many for 5 files"):
        chosen_paths(["*"] * 3, paths)
    assert chosen_paths(paths[:1] * 1000, paths) == paths[:1]


def test_a_new_file_may_be_an_answer(asker: FileAsker) -> None:
    new = [file for file in asker.rank(Question(task="Add a module for coupons", top=50)).files if file.new]
    assert {file.name for file in new} == {"shop/*.py", "tests/*.py", "*.md"}
    assert not any(file.new for file in asker.rank(Question(task="Add", top=50, new_files=False)).files)


@pytest.mark.parametrize("at", ["nothing", "--help", "main..main~1", "a\0b", "HEAD:shop"])
def test_what_names_no_commit_is_reported(asker: FileAsker, at: str) -> None:
    with pytest.raises(UserError, match="commit"):
        asker.rank(Question(), at)


def test_a_repository_without_commits_is_reported(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    empty = make_repo("empty")
    asker = FileAsker(str(empty.path), tmp_path / "cache", RepositoryIndex)
    with pytest.raises(UserError, match="no commits"):
        asker.rank(Question())
    empty.commit("nothing yet")
    assert asker.rank(Question(task="x")).files == []
