"""Every command in the README and in docs/ runs: as it is written, on a small repository and a small model."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import PROJECT, Program, Repo, wait_for
from made_adapters import twin

import serve
from patterns.memory.operations import NewPattern
from patterns.team_commands import COMMANDS
from patterns.team_commands import serve as patterns_serve
from services.schemas import PredictRequest
from stores import VVectorStore

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
SLOW = {"data.md", "pipeline.md", "study.md", "training.md"}
"""Pages whose commands run the pipeline, or a study, several times."""
PLACES = {
    "~/projects/the-block": "repo",
    "~/projects/one": "one",
    "~/projects/two": "two",
    "~/projects/click": "repo",
    "~/projects/httpx": "repo",
    "src/click/globals.py:get_current_context": "pkg/part_0.py:part",
    "main..feature": "HEAD~1..HEAD",
    "YOUR_REPOSITORY": "repo",
    "../click/outputs": "outputs",
    "../flask/outputs": "twin",
    "--output fused": "--output fused --eval-tokens 64",
    "~/src/httpx": "one",
    "~/src/bat": "two",
    "~/clones": "clones",
    "~/src/flask": "one",
    "~/src/requests": "two",
    "~/src/starlette": "one",
    "~/src/ripgrep": "two",
    "~/src/BugsInPy": "two",
    "1dda032b": "HEAD",
    "--index postgresql://gitlore@db.example.org/gitlore ": "",  # no server: tests/chat/test_command.py has one
    "~/src/black": "two",
    "--since 2024-01-01 --until 2024-06-30": "--since 2020-01-01 --until 2030-06-30",
    "--max-steps 400": "--max-steps 6",  # four were taken already; minutes add nothing
}
TEAM_COMMANDS = {one.name for one in COMMANDS} | {"adapters"}
LONG_RUNNING = "python serve.py"
"""Tested in test_serve.py; here its arguments are only parsed."""


def shipped() -> dict[Path, bytes]:
    """Weights and tables that are part of the program."""
    rooms = ("core", "index", "patterns")
    return {path: path.read_bytes() for room in rooms for path in (PROJECT / room).rglob("*.json")}


def commands(page: Path) -> list[str]:
    """The command lines in the shell examples of a page, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    found = (re.sub(r"(^|\s+)#.*", "", line).replace(".venv/bin/python", "python").strip() for line in lines)
    return list(filter(None, found))


class TeamServer:
    """What `python -m patterns serve` starts, on a free port, and a key for those who ask it."""

    def __init__(self, world: Program) -> None:
        self._world, self._running, self.url, self.key = world, list[Any](), "", ""

    def serve(self, words: list[str]) -> None:
        """Start it as the page says, and wait until it listens."""
        errors = self._world.folder / "server.txt"
        line = [sys.executable, *words, "--port", "0"]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        with errors.open("w") as file:
            started = subprocess.Popen(
                line, cwd=self._world.folder, env=environment, stdout=subprocess.PIPE, stderr=file, text=True
            )
        self._running.append(started)
        wait_for(lambda: "listening on" in errors.read_text() or started.poll() is not None)
        self.url = re.findall(r"http://\S+", errors.read_text())[0]
        assert started.stdout is not None
        started.stdout.readline()
        self.key = started.stdout.readline().strip()

    def run(self, words: list[str]) -> None:
        """Run a command that may ask it."""
        if "serve" in words and "postgresql" in " ".join(words):
            patterns_serve.make_context("serve", words[3:])  # tests/patterns/memory has a server of PostgreSQL
        elif "serve" in words:
            self.serve(words)
        else:
            here = [self.url if word == "http://localhost:8000" else word for word in words]
            done = self._world.run(*here, GITLORE_TEAM_KEY=self.key)
            assert done.returncode == 0, f"{' '.join(words)}\n{done.stderr}"

    def close(self) -> None:
        """Stop it."""
        for one in self._running:
            one.terminate()
            one.wait(60)
            one.stdout.close()


@pytest.fixture
def team(world: Program) -> Iterator[TeamServer]:
    """None yet; a page may start one."""
    made = TeamServer(world)
    yield made
    made.close()


@pytest.fixture
def world(finished: Program, tmp_path: Path) -> Program:
    """A folder in which the pipeline has run, with two more clones and the files that the examples name."""
    shutil.copytree(finished.folder, tmp_path / "world", ignore=shutil.ignore_patterns("scratch"))
    made = Program(tmp_path / "world")
    for name in ("one", "two"):
        subprocess.run(["git", "clone", "-q", "repo", name], cwd=made.folder, check=True)
    Repo(made.folder / "two", clock=1_700_000_000).commit("Fix it", {"two.py": "def two():\n    return 2\n"})
    config = made.folder / "config.yaml"
    config.write_text(config.read_text().replace(str(finished.folder), str(made.folder)))
    shutil.copytree(made.folder / "repo" / ".git", made.folder / ".git")  # some examples mean the current folder
    Repo(made.folder).git("update-index", "--force-remove", "src/lib.rs")  # something is staged
    with VVectorStore(made.folder / "outputs" / "stores") as store:  # an entry to ask about; so few commits make none
        store.record_outcome(store.query("repair_strategy", "import_fix"), success=True)
    issues = []
    for name in ("a+one", "a+two"):
        (made.folder / "clones" / name).parent.mkdir(exist_ok=True)
        (made.folder / "clones" / name).symlink_to(made.folder / "two")
        head = Repo(made.folder / "two").git("rev-parse", "HEAD")
        issue = {"instance_id": name, "repo": name.replace("+", "/"), "base_commit": head, "files": ["two.py"]}
        issues += [json.dumps({**issue, "issue": f"two returns {number}"}) for number in range(2)]
    (made.folder / "swebench_lite_files.jsonl").write_text("\n".join(issues))
    (made.folder / "twin").mkdir()
    for path in (made.folder / "outputs").iterdir():
        if path.name != "model":
            (made.folder / "twin" / path.name).symlink_to(path)
    twin(made.folder / "outputs" / "model", made.folder / "twin" / "model")
    (made.folder / "repositories.txt").write_text("one\n")
    (made.folder / "lcov.info").write_text("SF:pkg/part_0.py\nDA:1,1\nend_of_record\n")
    (made.folder / "clones.txt").write_text("one\ntwo\n")
    return made


def check(command: str, world: Program, team: TeamServer) -> None:
    """Run one command, or where that is not for a test, see that it could run."""
    for written, here in PLACES.items():
        command = command.replace(written, here)
    command = re.sub(r"https://github\.com/\S+", (world.folder / "repo").as_uri(), command)
    words = shlex.split(command)
    if words[0] == "make":
        makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
        assert all(re.search(rf"^{word}:", makefile, re.MULTILINE) for word in words[1:] if "=" not in word)
    elif words[0] == "curl":
        check_request(command, words)
    elif words[0] == "cp":
        assert (PROJECT / words[1]).is_file()
    elif " | python " in command:
        before, _, after = command.partition(" | python ")
        given = subprocess.run(before, shell=True, cwd=world.folder, capture_output=True, check=True).stdout
        script, *arguments = shlex.split(after)
        line = [sys.executable, str(PROJECT / script), *arguments]
        piped = subprocess.run(line, cwd=world.folder, input=given, capture_output=True, check=False)
        assert piped.returncode == 0, f"{command}\n{piped.stderr.decode()}"
    elif words[0] == "export":
        assert "=" in words[1]
    elif re.match(r"(?:\w+=\S+ )?" + re.escape(LONG_RUNNING), command):
        serve.main.make_context("serve.py", words[words.index("serve.py") + 1 :])
    elif words[:3] == ["python", "-m", "patterns"] and words[3] in TEAM_COMMANDS:
        team.run(words[1:])
    elif words[0] == "accelerate":  # one process instead of two: tests/test_train_model.py has several
        run(words[words.index("train_model.py") :], world)
    else:
        assert words[0] == "python", f"no test knows what to do with: {command}"
        run(words[1:], world)


def check_request(command: str, words: list[str]) -> None:
    """See that a request's body is one."""
    for path, kind in (("/predict", PredictRequest), ("/patterns", NewPattern)):
        if path in command and "-d" in words:
            kind.model_validate_json(words[words.index("-d") + 1])


def run(words: list[str], world: Program) -> None:
    done = world.run(*words)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stderr}"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] * (page.name in SLOW), id=page.name)
        for page in PAGES
        if commands(page)
    ],
)
def test_commands_of_a_page_run(page: Path, world: Program, team: TeamServer) -> None:
    before = shipped()
    for command in commands(page):
        check(command, world, team)
    assert shipped() == before, "a command has changed what ships"
