"""Several repositories in one call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Program, Repo, grow

from core.errors import UserError
from core.git.names import by_folder, folder_name


@pytest.fixture
def two(make_repo: Callable[[str], Repo]) -> tuple[Repo, Repo]:
    """Two repositories with a history each."""
    repos = make_repo("first"), make_repo("second")
    for number, repo in enumerate(repos, start=3):
        grow(repo, number)
    return repos


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("https://user:secret@github.com/BurntSushi/ripgrep.git", "ripgrep"),
        ("git@github.com:pallets/flask.git/", "flask"),
        ("/a/b c/.git", "b-c"),
        ("/a/x.git", "x"),
        ("/", "repository"),
    ],
)
def test_folder_names(location: str, name: str) -> None:
    assert folder_name(location) == name


def test_lists_and_names_that_collide(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("# mine\n/a/one\n\n/b/one\n")
    named = by_folder([str(listed), "/c/two"])
    assert list(named.values()) == ["/a/one", "/b/one", "/c/two"]
    assert next(iter(named)) == "one"
    assert [name.split("-")[0] for name in named] == ["one", "one", "two"]
    assert by_folder(["/a/one", "/c/../a/one/"]) == {"one": "/a/one"}
    taken = list(named)[1]
    assert len(by_folder(["/a/one", f"/x/{taken}", "/b/one"])) == 3
    listed.write_bytes(b"\xef\xbb\xbf/a/one\n")
    assert by_folder([str(listed)]) == {"one": "/a/one"}
    listed.write_text("# none\n")
    with pytest.raises(UserError, match="is empty"):
        by_folder([str(listed)])


def test_each_repository_gets_its_folder_and_a_broken_one_does_not_stop_the_others(
    two: tuple[Repo, Repo], program: Program
) -> None:
    (program.folder / "list.txt").write_text(f"/none/such\n{two[1].path}\n")
    done = program.run(
        "git_scraper.py", "--repos", str(two[0].path), "--repos", "list.txt", "--output", "out/commits.json"
    )
    assert done.returncode == 2, done.stderr
    assert "repository not found: /none/such" in done.stderr
    counts = [
        len(json.loads((program.folder / f"out/{repo.path.name}/commits.json").read_bytes())["commits"]) for repo in two
    ]
    assert counts == [3, 4]
    assert all(f"{name}: git_scraper" in done.stdout for name in ("first", "such", "second"))
    assert done.stdout.count("Summary") == 1
    assert not (program.folder / "out" / "commits.json").exists()


def test_the_pipeline_runs_and_skips_per_repository(two: tuple[Repo, Repo], program: Program) -> None:
    (program.folder / "config.yaml").write_text(
        f"pipeline: {{outputs: out}}\ngit_scraper: {{repos: [{two[0].path}, {two[1].path}]}}\n"
    )
    arguments = ("pipeline.py", "--until", "semantic_chunker")
    assert program.run(*arguments).returncode == 0
    results = json.loads((program.folder / "out" / "pipeline_results.json").read_bytes())
    assert [entry["name"] for entry in results["stages"]] == [
        *("first: git_scraper", "first: semantic_chunker", "second: git_scraper", "second: semantic_chunker")
    ]
    assert results["config"]["git_scraper"]["repo"] == [str(repo.path) for repo in two]
    assert (program.folder / "out" / "first" / "chunks.jsonl").exists()
    grow(two[1], 1)
    plan = program.run(*arguments, "--dry-run").stdout
    assert plan.index("first:") < plan.index("git_scraper: up to date") < plan.index("second:")
    assert "git_scraper: would run" in plan[plan.index("second:") :]
    again = program.run(*arguments)
    assert again.stdout.count("up to date") == 2


def test_a_repository_by_hand_replaces_the_list_of_the_file(two: tuple[Repo, Repo], program: Program) -> None:
    (program.folder / "config.yaml").write_text(
        f"pipeline: {{outputs: out}}\ngit_scraper: {{repos: [{two[0].path}, {two[1].path}]}}\n"
    )
    arguments = ("--repo", str(two[1].path), "--output", "own/commits.json")
    assert program.run("git_scraper.py", *arguments).returncode == 0
    assert len(json.loads((program.folder / "own/commits.json").read_bytes())["commits"]) == 4
    setting = ("--until", "git_scraper", "--set", f"git_scraper.repo={two[0].path}")
    assert program.run("pipeline.py", *setting).returncode == 0
    assert (program.folder / "out" / "commits.json").exists()


def test_a_folder_that_cannot_be_locked_stops_only_its_own_repository(two: tuple[Repo, Repo], program: Program) -> None:
    (program.folder / "out" / "first" / ".gitlore" / "lock").mkdir(
        parents=True
    )  # opening it is an OSError, even for root
    (program.folder / "config.yaml").write_text(
        f"pipeline: {{outputs: out}}\ngit_scraper: {{repos: [{two[0].path}, {two[1].path}]}}\n"
    )
    done = program.run("pipeline.py", "--until", "git_scraper")
    assert done.returncode == 1
    results = json.loads((program.folder / "out" / "pipeline_results.json").read_bytes())
    assert [(entry["name"], entry["status"]) for entry in results["stages"]] == [
        ("first: git_scraper", "failed"),
        ("second: git_scraper", "ran"),
    ]
    assert "Is a directory" in results["stages"][0]["error"]
    assert (program.folder / "out" / "second" / "commits.json").exists()
