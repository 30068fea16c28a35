"""The program's manners: exit codes, sentences, no tracebacks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import PROJECT, Program, Repo, small_config

import pipeline
from core.errors import UserError


def complain(program: Program, *arguments: str, script: str = "pipeline.py") -> str:
    """Standard error of a call that must end with exit code 2, in a few lines, without a traceback."""
    done = program.run(script, *arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) <= 4
    return done.stderr


@pytest.fixture
def configured(program: Program, history: Repo, tmp_path: Path) -> Program:
    (program.folder / "config.yaml").write_text(small_config(history.path, tmp_path))
    return program


def test_unknown_key(configured: Program) -> None:
    assert "did you mean 'stride'" in complain(configured, "--set", "dataset_builder.strode=3")


def test_wrong_type(configured: Program) -> None:
    assert "dataset_builder.stride" in complain(configured, "--set", "dataset_builder.stride=wide")


@pytest.mark.parametrize("flag", ["--stage", "--from", "--until"])
def test_unknown_stage(configured: Program, flag: str) -> None:
    assert "did you mean 'tokenizer'" in complain(configured, flag, "tokeniser")


def test_unknown_flag(configured: Program) -> None:
    assert "--force" in complain(configured, "--forced")


def test_missing_config(program: Program) -> None:
    assert "config file not found" in complain(program, "--config", "none.yaml")


def test_missing_repository(configured: Program) -> None:
    assert "repository not found" in complain(configured, "--set", "git_scraper.repo=/none/such")


def test_empty_repository(configured: Program, make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("empty")
    assert "no commits yet" in complain(configured, "--set", f"git_scraper.repo={repo.path}")


def test_folder_without_repository(configured: Program, tmp_path: Path) -> None:
    assert "not a git repository" in complain(configured, "--set", f"git_scraper.repo={tmp_path}")


def test_missing_input(configured: Program) -> None:
    assert "commits.json is missing" in complain(configured, "--stage", "semantic_chunker")
    assert "no.json is missing" in complain(configured, "--commits", "no.json", script="semantic_chunker.py")


def test_a_shallow_clone_gets_advice(configured: Program, history: Repo, tmp_path: Path) -> None:
    clone = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{history.path}", str(clone)], check=True)
    done = configured.run("git_scraper.py", "--repo", str(clone), "--output", "out/commits.json")
    assert done.returncode == 0
    assert "git fetch --unshallow" in done.stderr


def test_detached_head_without_branches(configured: Program, history: Repo, tmp_path: Path) -> None:
    clone = tmp_path / "detached.git"
    subprocess.run(["git", "init", "-q", "--bare", str(clone)], check=True)
    subprocess.run(
        ["git", "fetch", "-q", str(history.path), "main:refs/other/main"], cwd=clone, check=True, capture_output=True
    )
    (clone / "HEAD").write_text(history.git("rev-parse", "HEAD") + "\n")
    assert "add 'head'" in complain(configured, "--repo", str(clone), script="git_scraper.py")


def test_interrupt_exits_130(configured: Program) -> None:
    script = configured.folder / "run.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(PROJECT)!r})\nimport pipeline\n"
        "def stop(*a, **k):\n    raise KeyboardInterrupt\n"
        "pipeline.load = stop\nsys.argv = ['pipeline.py']\npipeline.main()\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=configured.folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_on_finish_gets_the_results_and_may_fail(configured: Program) -> None:
    hook = "pipeline.on_finish=cat > got.json; exit 3"
    done = configured.run("pipeline.py", "--stage", "git_scraper", "--set", hook)
    assert done.returncode == 0
    assert "on_finish ended with exit code 3" in done.stderr
    assert json.loads((configured.folder / "got.json").read_text())["status"] == "ok"


def test_outputs_never_replace_a_folder(configured: Program) -> None:
    precious = configured.folder / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    assert "is a folder" in complain(configured, "--output", str(precious), script="git_scraper.py")
    for name in (
        "vocab.json",
        "tokenizer",
        "dataset",
        *(f"training_data_{split}.pt" for split in ("train", "val", "test")),
    ):
        (configured.folder / name).touch()
    error = complain(configured, "--vocab", "vocab.json", "--output", str(precious), script="train_model.py")
    assert "holds something else" in error
    assert (precious / "file").read_text() == "kept"


def test_outputs_that_are_a_file(configured: Program) -> None:
    (configured.folder / "taken").write_text("x")
    assert "is not a folder" in complain(configured, "--set", "pipeline.outputs=taken")


def test_no_git(configured: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "git command was not found" in complain(configured)


def test_credentials_stay_out_of_every_file(configured: Program, tmp_path: Path) -> None:
    configured.run("pipeline.py", "--set", f"git_scraper.repo=file://user:s3cret@{tmp_path}/none")
    texts = [path.read_text() for path in (configured.folder / "outputs").rglob("*") if path.is_file()]
    assert texts
    assert not any("s3cret" in text for text in texts)


def test_select_keeps_pipeline_order() -> None:
    names = [s.name for s in pipeline.select(pipeline.STAGES, ["tokenizer", "git_scraper"], None, None)]
    assert names == ["git_scraper", "tokenizer"]
    names = [s.name for s in pipeline.select(pipeline.STAGES, [], "tokenizer", "model_training")]
    assert names == ["tokenizer", "dataset_builder", "model_training"]
    with pytest.raises(UserError, match="comes after"):
        pipeline.select(pipeline.STAGES, [], "tokenizer", "git_scraper")
    with pytest.raises(UserError, match="cannot be combined"):
        pipeline.select(pipeline.STAGES, ["tokenizer"], "git_scraper", None)


def test_version_and_help(program: Program) -> None:
    assert "gitlore, version" in program.run("pipeline.py", "--version").stdout
    for script in ("pipeline.py", "predict.py", *(f"{stage.module}.py" for stage in pipeline.STAGES)):
        done = program.run(script, "--help")
        assert done.returncode == 0
        assert "Usage:" in done.stdout


def test_full_disk_is_a_sentence(configured: Program) -> None:
    """RLIMIT_FSIZE replaces a full disk: the write fails in the middle, with an OSError."""
    limited = (
        "import resource, runpy, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        f"sys.path.insert(0, {str(PROJECT)!r})\n"
        "sys.argv = ['pipeline.py', '--stage', 'git_scraper']\n"
        "import pipeline\npipeline.main()\n"
    )
    script = configured.folder / "limited.py"
    script.write_text("if __name__ == '__main__':\n" + "".join(f"    {line}\n" for line in limited.splitlines()))
    done = subprocess.run(
        [sys.executable, str(script)], cwd=configured.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "no space left on the disk" in done.stderr
    assert "Traceback" not in done.stderr
    outputs = configured.folder / "outputs"
    assert not (outputs / "commits.json").exists()
    assert not list((outputs / ".gitlore" / "staging").iterdir())


@pytest.mark.parametrize("ending", ["sleep 300; true", "(sleep 300 & exit 0); sleep 300", "sleep 300 &"])
def test_on_finish_that_takes_too_long_leaves_nothing_behind(configured: Program, ending: str) -> None:
    hook = f"pipeline.on_finish=echo $$ > pid; {ending}"
    settings = ("--set", hook, "--set", "pipeline.on_finish_timeout_s=0.5")
    done = configured.run("pipeline.py", "--stage", "git_scraper", *settings)
    assert done.returncode == 0
    assert "on_finish was stopped after 0.5 s" in done.stderr
    shell = int((configured.folder / "pid").read_text())
    processes = [stat.read_text().rpartition(")")[2].split() for stat in Path("/proc").glob("[0-9]*/stat")]
    assert str(shell) not in {group for state, _, group, *_ in processes if state != "Z"}


def test_stages_list_what_they_read(configured: Program) -> None:
    shown = configured.run("pipeline.py", "--list-stages").stdout
    reads = [line.split(maxsplit=1)[1] for line in shown.splitlines() if line.startswith("   reads")]
    assert reads[0] == "the repository"
    assert reads[1] == "commits.json, files of the repository"
    assert reads[2] == "commits.json, chunks.jsonl, files of the repository"
    assert reads[8] == "named clones, GitHub"


def test_a_list_setting_can_be_emptied_by_a_flag(configured: Program, history: Repo) -> None:
    history.commit("a picture", {"logo.svg": "<svg/>\n"})
    assert configured.run("git_scraper.py", "--output", "out/commits.json").returncode == 0
    arguments = ("semantic_chunker.py", "--commits", "out/commits.json")
    assert configured.run(*arguments).returncode == 0
    assert "logo.svg" not in (configured.folder / "out/chunks.jsonl").read_text()
    assert configured.run(*arguments, "--exclude", "").returncode == 0
    assert "logo.svg" in (configured.folder / "out/chunks.jsonl").read_text()
