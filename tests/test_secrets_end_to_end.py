"""A history full of credentials through all stages: none is in what is published, nor in what people are told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from builders import Program, Repo, grow, run_stage, small_config

import tokenizer
from benchmarks.secret_cases import PASSWORDS, SPECIAL, TOKENS, Case, cases
from core.prediction.explaining import explain
from core.prediction.files import FileAsker
from core.ranking.file_history import history_of_file
from core.text.vocabulary import Vocabulary
from index.repository import RepositoryIndex

EXACT = {"commits.json", "chunks.jsonl"}
"""What holds patches as they are; docs say so."""
pytestmark = pytest.mark.slow  # a pipeline with many commits
ENDINGS = {"python": "py", "javascript": "js", "go": "go", "rust": "rs", "json": "json", "yaml": "yaml", "ini": "ini"}
EACH_COMMIT = 6


def leaks() -> Iterator[Case]:
    """One credential of each kind and surrounding in turn, those that are found."""
    kinds = [*TOKENS, *PASSWORDS, *SPECIAL]
    for number, kind in enumerate(kinds):
        mine = [case for case in cases(5) if case.kind == kind and case.is_masked]
        yield mine[number % len(mine)]


def pieces(case: Case) -> set[str]:
    """What shows that a part of a credential is left."""
    return {part for one in case.secrets for part in (one[:12], one[-12:]) if len(one) >= 8}


def build(repo: Repo) -> list[Case]:
    """Commits with leaks in files and in messages, between ordinary ones."""
    in_files = list(leaks())
    spoken = [case for case in cases(6) if case.kind in TOKENS and case.surrounding == "commit message"]
    told = [case for case in spoken if case.is_masked]
    grow(repo, 8)
    for number, start in enumerate(range(0, len(in_files), EACH_COMMIT)):
        files: dict[str, str | bytes] = {"src/part.py": f"def part(x):\n    return x * {number}\n"}
        for place, case in enumerate(in_files[start : start + EACH_COMMIT]):
            ending = ENDINGS.get(case.surrounding.removeprefix("named: "), "txt")
            files[f"leaks/part_{start + place}.{ending}"] = f"{case.text}\n"
        repo.commit(f"Fix ValueError: {told[number].text}", files)
    grow(repo, 4)
    return [*in_files, *told[: number + 1]]


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> tuple[Program, set[str]]:
    folder = tmp_path_factory.mktemp("leaky")
    made = build(Repo.new(folder / "repo"))
    (folder / "config.yaml").write_text(small_config(Path("repo"), tiny_model))
    done = Program(folder).run("pipeline.py")
    assert done.returncode == 0, done.stderr
    (folder / "outputs" / "printed.txt").write_text(done.stdout + done.stderr)
    return Program(folder), {piece for case in made for piece in pieces(case)}


def left_in(text: str, secrets: set[str]) -> list[str]:
    return sorted(piece for piece in secrets if piece in text)


def test_the_history_holds_them(leaky: tuple[Program, set[str]]) -> None:
    program, secrets = leaky
    text = (program.folder / "outputs" / "commits.json").read_text()
    assert len(left_in(text, secrets)) > 100


def test_no_published_file_holds_any(leaky: tuple[Program, set[str]]) -> None:
    program, secrets = leaky
    files = [file for file in (program.folder / "outputs").rglob("*") if file.is_file()]
    published = {file.name for file in files}
    assert {"report.html", "model_card.md", "pipeline.log", "mined.jsonl", "vocab.json"} <= published
    found = {str(file): left_in(file.read_text("latin-1"), secrets) for file in files if file.name not in EXACT}
    assert {name: pieces for name, pieces in found.items() if pieces} == {}


@pytest.mark.parametrize("mode", ["base_model", "standalone"])
@pytest.mark.parametrize("view", ["new", "diff"])
def test_no_token_spells_any(
    leaky: tuple[Program, set[str]], tmp_path: Path, tiny_model: Path, mode: str, view: str
) -> None:
    program, secrets = leaky
    (tmp_path / "chunks.jsonl").symlink_to(program.folder / "outputs" / "chunks.jsonl")
    run_stage(tokenizer.STAGE, tmp_path, mode=mode, base_model=str(tiny_model), code_view=view)
    vocabulary = Vocabulary.load(tmp_path / "vocab.json", tmp_path / "tokenizer")
    data = torch.load(tmp_path / "tokens.pt", weights_only=True)
    text = "".join(vocabulary.decode(ids.tolist()) for ids in data["tokens"])
    assert text.count("<SECRET:") > 100
    assert left_in(text, secrets) == []


def test_no_answer_tells_any(leaky: tuple[Program, set[str]]) -> None:
    program, secrets = leaky
    for question in (("--task", "Fix ValueError in part"), ("--changed", "src/part.py")):
        done = program.run(
            "predict.py", "--repo", "repo", "--json", "--sketch-tokens", "3", "--always-sketch", *question
        )
        assert done.returncode == 0, done.stderr
        assert left_in(done.stdout, secrets) == []
    asked = program.run("predict.py", "--repo", "repo", "--task", "never meant to be here").stdout
    assert "most similar tasks changed it" in asked
    assert "<SECRET:" in asked
    assert left_in(asked, secrets) == []


def test_no_history_of_a_file_or_commit_tells_any(leaky: tuple[Program, set[str]], tmp_path: Path) -> None:
    program, secrets = leaky
    repo = Repo(program.folder / "repo")
    with contextlib.closing(FileAsker(str(repo.path), tmp_path, RepositoryIndex)) as asker:
        head = asker.commit()
        told = history_of_file(asker.snapshot(head), "src/part.py", head, 50)
        explained = [explain(asker, change.commit) for change in told.changes[:3]]
    text = repr(told) + repr(explained)
    assert "<SECRET:" in text
    assert left_in(text, secrets) == []
