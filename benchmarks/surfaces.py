"""What is read of a finished run, and how: for benchmarks/fuzz_files.py."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import change_ranker
import dataset_builder
import evaluate
import git_scraper
import github_miner
import pattern_miner
import report_builder
import repository_joiner
import semantic_chunker
import store_seeder
import tokenizer
import train_model
from core.config import Config, load
from core.engine import turns
from core.engine.runner import Layout
from core.engine.stage import Context
from core.errors import UserError
from core.models import model_folder
from core.prediction.files import FileAsker
from core.prediction.question import Question
from core.records.change_types import change_types_of
from core.text.stored_sequences import EarlierTokens
from core.training.data import TrainingData
from index.repository import RepositoryIndex
from stores import FailureStore, PatternStore, VVectorStore
from stores.agent.store import Store

STORES: tuple[type[Store[Any]], ...] = (VVectorStore, PatternStore, FailureStore)
STAGES = (
    git_scraper.STAGE,
    semantic_chunker.STAGE,
    change_ranker.STAGE,
    tokenizer.STAGE,
    dataset_builder.STAGE,
    train_model.STAGE,
    evaluate.STAGE,
    report_builder.STAGE,
    github_miner.STAGE,
    store_seeder.STAGE,
    pattern_miner.STAGE,
)
"""As in pipeline.py, which nothing imports."""
ALL_SETTINGS = "settings.json"
"""Every setting as JSON, which is YAML too."""


_LIBRARIES = (
    "datasets",
    "matplotlib.pyplot",
    "peft",
    "transformers.models.auto.modeling_auto",
    "alembic",
    "scipy.stats",
)
"""Imported once, instead of by each case in its own process."""


@dataclass(frozen=True)
class Surface:
    """Files of a finished run, and what reads them."""

    files: tuple[str, ...]
    """Patterns, from the work folder; each case damages one of the files."""
    read: Callable[[Path], object]
    """Gets a copy of the work folder, and may write into it."""
    cases: int = 50

    def paths(self, work: Path) -> list[Path]:
        """The files, in name order."""
        found = sorted(path for pattern in self.files for path in work.glob(pattern) if path.is_file())
        if not found:
            raise UserError(f"{work} has no {self.files[0]}", "let the whole pipeline run there first")
        return found


def prepared(work: Path, copy: Path) -> Path:
    """A copy of a work folder, with exports of its stores and all settings in one file; the copy."""
    if not (work / "outputs").is_dir():
        raise UserError(f"{work} has no outputs", "name the folder where the whole pipeline has run: --work FOLDER")
    for library in _LIBRARIES:
        importlib.import_module(library)
    shutil.copytree(work, copy, symlinks=True, ignore=shutil.ignore_patterns("scratch", "*.tmp"))
    (copy / ALL_SETTINGS).write_text(json.dumps(_settings(copy).as_dict()), encoding="utf-8")
    for kind in STORES:
        with kind(copy / "outputs" / "stores") as store:
            for number, entry in enumerate(list(store.entries())[:3]):
                store.record_outcome(entry, success=number % 2 == 0, note="for an export with outcomes")
            store.export(copy / f"{store.name}.jsonl")
    return copy


def _settings(work: Path) -> Config:
    sections = {stage.name: stage.config for stage in STAGES}
    return load(work / "config.yaml", sections, values={"semantic_chunker": {"workers": 1}})


def run_stage(name: str) -> Callable[[Path], None]:
    """Runs a stage on the outputs in a work folder, as after a change of its inputs; what it writes goes elsewhere."""

    def read(work: Path) -> None:
        stage = next(stage for stage in STAGES if stage.name == name)
        outputs, made = work / "outputs", work / "made"
        (made / "scratch").mkdir(parents=True)
        settings = _settings(work)
        context = Context(
            settings.stages[name],
            {file: outputs / file for file in stage.inputs},
            {file: made / file for file in stage.outputs},
            {file: outputs / file for file in stage.outputs},
            made / "scratch",
            work / "cache",
            resolved=settings.as_dict(),
            facts={f"input {file}": "new" for file in stage.inputs[:1]},
            previous={},
        )
        stage.run(context)

    return read


def joined_commits(work: Path) -> None:
    """One model of several repositories: all of a commit's line is read."""
    made = work / "made"
    made.mkdir()
    joiner = repository_joiner.STAGE
    config = joiner.config.model_validate({"folders": (str(work / "outputs"), str(work / "outputs"))})
    joiner.run(Context(config, {}, {name: made / name for name in joiner.outputs}, {}, made, work / "cache"))


def chunks(work: Path) -> None:
    """Change types, then tokens."""
    change_types_of(work / "outputs" / "chunks.jsonl")
    run_stage("tokenizer")(work)


def tokens(work: Path) -> None:
    """As an earlier file to copy from, then as an input."""
    EarlierTokens(work / "outputs" / "tokens.pt", work)
    run_stage("dataset_builder")(work)


def training_data(work: Path) -> None:
    """Every example of every split, as training and evaluation read them."""
    outputs = work / "outputs"
    names = ("vocab.json", "tokenizer", "dataset", *(f"training_data_{name}.pt" for name in ("train", "val", "test")))
    data = TrainingData.read({name: outputs / name for name in names}, "blocks", "history")
    for split in ("train", "val", "test"):
        blocks = data.blocks(split, 64)
        for number in range(len(blocks) if blocks else 0):
            assert blocks
            assert blocks[number]


def ranking(work: Path) -> None:
    """A question without a model."""
    location = _settings(work).stages["git_scraper"].model_dump()["repo"]
    asker = FileAsker(location, work / "cache", RepositoryIndex, work / "outputs" / "ranker.json")
    asker.answer(Question(task="mend the second part", sketch_tokens=0)).in_words()
    asker.close()


def model(work: Path) -> None:
    """The trained model with its vocabulary."""
    model_folder.load(work / "outputs" / "model", work / "cache")


def plan(work: Path) -> None:
    """What the pipeline would run, from its records."""
    settings = _settings(work)
    for turn in turns.plan(STAGES, settings, Layout(work / "outputs"), STAGES):
        turn.runner.plan(turn.selected)


def databases(work: Path) -> None:
    """Everything `python -m stores` reads."""
    for kind in STORES:
        with kind(work / "outputs" / "stores", create=False) as store:
            store.check()
            store.stats()
            for entry in store.entries(retired=True):
                store.why(entry.id or 0)
            store.export(work / "exported.jsonl")
            store.backup()


def imports(work: Path) -> None:
    """Imports each export into an empty store, and checks what came of it."""
    for kind in STORES:
        with kind(work / "imported") as store:
            store.import_(work / f"{store.name}.jsonl")
            if problems := store.check():
                raise AssertionError(f"imported, but not right: {problems}")


def settings(work: Path) -> None:
    """The settings file, in both spellings."""
    _settings(work)
    load(work / ALL_SETTINGS, {stage.name: stage.config for stage in STAGES})


SURFACES: dict[str, Surface] = {
    "commits": Surface(("outputs/commits.json",), run_stage("semantic_chunker")),
    "joined-commits": Surface(("outputs/commits.json", "outputs/chunks.*", "outputs/ranking_*.json"), joined_commits),
    "evidence": Surface(("outputs/commits.json", "outputs/mined.jsonl"), run_stage("store_seeder")),
    "chunks": Surface(("outputs/chunks.jsonl",), chunks),
    "earlier-chunks": Surface(("outputs/chunks.index", "outputs/chunks.jsonl"), run_stage("semantic_chunker")),
    "earlier-commits": Surface(("outputs/commits.index", "outputs/commits.json"), run_stage("git_scraper")),
    "vocabulary": Surface(("outputs/vocab.json", "outputs/tokenizer/*"), run_stage("dataset_builder")),
    "tokens": Surface(("outputs/tokens.pt",), tokens),
    "training-data": Surface(("outputs/training_data_*.pt", "outputs/dataset/**/*"), training_data),
    "weights": Surface(("outputs/ranker.json", "outputs/change_types.json"), ranking),
    "index": Surface(("cache/index/*.db",), ranking),
    "model": Surface(("outputs/model/*",), model),
    "report": Surface(("outputs/*.json", "outputs/training_logs/*.json*"), run_stage("report_builder"), 20),
    "records": Surface(("outputs/.gitlore/**/*.json", "outputs/pipeline_results.json"), plan, 30),
    "databases": Surface(("outputs/stores/*.db",), databases, 80),
    "imports": Surface(("*.jsonl",), imports, 130),
    "settings": Surface(("config.yaml", ALL_SETTINGS), settings, 100),
}
"""By name."""
