"""Code that is quoted in the place of a sketch stands where it is said to stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import Repo

from core.prediction import evidence
from core.prediction.answer import Answer
from core.prediction.evidence import Evidence
from core.prediction.files import FileAsker
from core.prediction.question import Question
from index.repository import RepositoryIndex

BILLING = """def total(items):
    return sum(items)


def discount(items, share):
    return total(items) * share
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Two files, of which one has a change like the ones that are asked about."""
    repo = Repo.new(tmp_path_factory.mktemp("shop") / "shop")
    repo.commit("Add billing", {"billing.py": BILLING, "login.py": "def login(user):\n    return user\n"})
    repo.commit("Round the discount", {"billing.py": BILLING.replace("* share", "* round(share, 2)")})
    repo.commit("Log in by mail", {"login.py": "def login(mail):\n    return mail\n"})
    for number in range(6):
        repo.commit(f"Release {number}", {"CHANGELOG.md": f"{number}\n"})
    return repo


@pytest.fixture
def asker(shop: Repo, tmp_path: Path) -> Iterator[FileAsker]:
    made = FileAsker(str(shop.path), tmp_path / "cache", RepositoryIndex)
    yield made
    made.close()


def asked(asker: FileAsker, question: dict[str, object], at: str = "") -> Answer:
    made = Question.model_validate(question)
    return asker.with_evidence(asker.answer(made, at), made)


def of_task(asker: FileAsker, task: str, at: str = "") -> Evidence:
    found = asked(asker, {"task": task}, at).evidence
    assert found
    return found


def test_the_code_and_the_nearest_change_are_quoted(asker: FileAsker, shop: Repo) -> None:
    found = of_task(asker, "Round the discount to whole cents")
    assert found.code
    assert (found.code.path, found.code.symbol, found.code.lines) == ("billing.py", "discount", (5, 6))
    assert found.code.code == "def discount(items, share):\n    return total(items) * round(share, 2)"
    assert found.past
    assert (found.past.title, found.past.symbol, found.past.path) == ("Round the discount", "discount", "billing.py")
    assert "-    return total(items) * share" in found.past.patch.splitlines()
    assert shop.git("cat-file", "-t", found.past.commit).strip() == "commit"
    shown = found.in_words()
    assert "the code now: discount in billing.py:5-6" in shown
    assert "  +    return total(items) * round(share, 2)" in shown


def test_only_the_past_is_known(asker: FileAsker, shop: Repo) -> None:
    first = shop.git("rev-list", "--max-parents=0", "HEAD").strip()
    found = of_task(asker, "Round the discount", first)
    assert found.code
    assert "round" not in found.code.code
    assert found.past is None or found.past.commit == first


def test_a_task_without_a_likeness_has_no_past(asker: FileAsker) -> None:
    assert of_task(asker, "zzz qqq").past is None


@pytest.mark.parametrize(
    "question",
    [{"task": "Round it", "sketch_tokens": 0}, {"changed": ("billing.py",)}, {"task": " "}],
    ids=str,
)
def test_nothing_is_quoted_where_no_sketch_was_wanted(asker: FileAsker, question: dict[str, object]) -> None:
    answer = asked(asker, question)
    assert answer.evidence is None
    assert answer.as_dict()["evidence"] is None


def test_long_code_is_cut_and_counted(asker: FileAsker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MOST_LINES", 1)
    found = of_task(asker, "Round the discount")
    assert found.code
    assert found.past
    assert (found.code.code, found.code.lines_left_out) == ("def discount(items, share):", 1)
    assert found.past.lines_left_out == found_rows(asker) - 1
    assert "  … 1 more lines" in found.in_words()


def found_rows(asker: FileAsker) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "MOST_LINES", 99)
        past = of_task(asker, "Round the discount").past
    assert past
    return len(past.patch.splitlines())


def test_credentials_are_masked(tmp_path: Path) -> None:
    key = "ghp_" + "Zq9xW4vT7uR2sP5oN8mK1jH6gF3dS0aLbCyX"
    repo = Repo.new(tmp_path / "leaky")
    repo.commit("Add the client", {"client.py": f'def client():\n    return connect("{key}")\n'})
    repo.commit("Retry in the client", {"client.py": f'def client():\n    return retry(connect("{key}"))\n'})
    repo.commit("Release", {"CHANGELOG.md": "1\n"})
    leaky = FileAsker(str(repo.path), tmp_path / "cache", RepositoryIndex)
    found = asked(leaky, {"task": "Retry the client"})
    leaky.close()
    assert found.evidence
    assert found.evidence.code
    assert found.evidence.past
    assert key not in str(found.as_dict()) + found.in_words()
    assert "<SECRET:" in found.evidence.code.code
    assert "<SECRET:" in found.evidence.past.patch


def test_a_commit_of_many_files_is_no_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "WIDE_COMMIT", 2)
    repo = Repo.new(tmp_path / "wide")
    repo.commit("Rename everything", {f"f{n}.py": f"def f{n}():\n    return {n}\n" for n in range(3)})
    repo.commit("Release", {"CHANGELOG.md": "1\n"})
    wide = FileAsker(str(repo.path), tmp_path / "cache", RepositoryIndex)
    found = of_task(wide, "Rename everything again")
    wide.close()
    assert found.past is None


def test_a_change_of_the_same_file_is_nearer_than_a_more_similar_task(asker: FileAsker, shop: Repo) -> None:
    commit = asker.commit()
    snapshot = asker.snapshot(commit)
    titles = {path: evidence.nearest_commit(snapshot, "Log in by mail", path) for path in ("login.py", "billing.py")}
    commits = snapshot.past.commits
    assert commits.titles[titles["login.py"] or 0] == "Log in by mail"
    assert titles["billing.py"] is not None
    found = evidence.nearest_commit(snapshot, "Log in by mail or round the total", "billing.py")
    assert found is not None
    assert commits.titles[found] == "Round the discount"
    elsewhere = evidence.nearest_commit(snapshot, "Log in by mail or round the total", "gone.py")
    assert elsewhere is not None
    assert commits.titles[elsewhere] == "Log in by mail"
