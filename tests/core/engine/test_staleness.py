"""Which rooms can make a stage stale, and which edits do: rewording a hint must never retrain a model."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import PROJECT

import pipeline
import repository_joiner
from core.engine import fingerprint
from core.engine.fingerprint import code_digest, code_files
from core.files import Digests

STAGES = {stage.name: stage for stage in (*pipeline.STAGES, repository_joiner.STAGE)}
CODE = ("core", "stores", "miners", "index", "patterns")
CUTTING = {"records", "git", "code", "history", "chunking"}
MINING = {"records", "git", "code", "history", "text", "miners"}
ROOMS: dict[str, set[str]] = {
    "git_scraper": {"records", "git", "history"},
    "semantic_chunker": CUTTING,
    "change_ranker": {*CUTTING, "text", "ranking", "prediction", "evaluation", "index"},
    "repository_joiner": CUTTING,
    "tokenizer": {"records", "code", "history", "text", "models"},
    "dataset_builder": {"records", "code", "text", "dataset"},
    "model_training": {"records", "code", "text", "models", "scoring", "ranking", "training"},
    "evaluate": {
        "records",
        "git",
        "code",
        "text",
        "dataset",
        "models",
        "scoring",
        "ranking",
        "prediction",
        "evaluation",
    },
    "report_builder": {"records", "git", "code", "text", "models", "evaluation", "reports"},
    "github_miner": MINING,
    "store_seeder": {*MINING, *CUTTING, "stores"},
    "pattern_miner": {*MINING, *CUTTING, "stores", "patterns"},
}
"""The rooms in a stage's facts, apart from the leaves and its own file."""
USES_GIT = {
    "git_scraper",
    "semantic_chunker",
    "change_ranker",
    "repository_joiner",
    "evaluate",
    "github_miner",
    "store_seeder",
    "pattern_miner",
}
EDITS: tuple[tuple[str, str, str, set[str]], ...] = (
    # words
    ("core/git/commands.py", "check the repository with:", "try:", set()),
    ("core/training/earlier.py", "train from scratch, without continue_from", "start again", set()),
    ("core/training/loop.py", "training did not improve the model", "no better", set()),
    ("core/models/model_folder.py", "train one first: python pipeline.py", "there is none", set()),
    # how stages run
    ("core/engine/runner.py", "import ", "import colorsys, ", set()),
    ("core/engine/publish.py", "import ", "import colorsys, ", set()),
    ("core/progress.py", "import ", "import colorsys, ", set()),
    # what decides outputs
    ("core/git/commands.py", "PIPE_BYTES = 1 << 20", "PIPE_BYTES = 1 << 21", USES_GIT),
    ("core/models/model_card.py", "## Licence", "## License", {"evaluate"}),
    (
        "core/records/evaluation.py",
        'name="said"',
        'name="predicted"',
        {"change_ranker", "repository_joiner", "evaluate", "report_builder"},
    ),
    ("core/evaluation/contamination.py", "SUSPICIOUS = 0.02", "SUSPICIOUS = 0.03", {"evaluate"}),
    ("core/evaluation/hints.py", "EARLY_BEST = 0.6", "EARLY_BEST = 0.7", {"report_builder"}),
    ("core/reports/plots.py", "width=0.9", "width=0.8", {"report_builder"}),
    ("core/scoring/scores.py", "1e-300", "1e-200", {"model_training", "evaluate"}),
    ("core/training/plan.py", "+ 0.5)", "+ 0.4)", {"model_training"}),
    (
        "core/records/training.py",
        "seconds: float = 0.0",
        "seconds: float = 1.0",
        {"model_training", "evaluate", "report_builder"},
    ),
)
"""File, text, what replaces it, the stages that are stale then."""


def room_of(name: str) -> str:
    """The room of a product file; "" for a leaf or a stage file."""
    first, *rest = Path(name).parts
    return (rest[0] if len(rest) > 1 else "") if first == "core" else first if rest else ""


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_only_these_rooms_can_make_a_stage_stale(name: str, tmp_path: Path) -> None:
    module = STAGES[name].module
    files = code_files(fingerprint.module_file(module), Digests(tmp_path / "none"))
    assert {room_of(file) for file in files} - {""} == ROOMS[name]
    assert [file for file in files if "/" not in file] == [f"{module}.py"]
    assert "core/models/model_card.py" not in files or name == "evaluate"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the product's code, of which fingerprints are taken."""
    folder = tmp_path_factory.mktemp("tree")
    for file in [*PROJECT.glob("*.py"), *(file for room in CODE for file in (PROJECT / room).rglob("*.py"))]:
        copy = folder / file.relative_to(PROJECT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fingerprint, "PROJECT", folder)
        yield folder


@pytest.fixture(scope="module")
def digests(tree: Path) -> Digests:
    """Digests of that code, kept between tests."""
    return Digests(tree / "digests.json")


def code_of_stages(tree: Path, digests: Digests) -> dict[str, dict[str, str]]:
    """By stage, the digest of each file in its facts."""
    files = {name: code_files(tree / f"{stage.module}.py", digests) for name, stage in STAGES.items()}
    return {name: {file: code_digest(tree / file, digests) for file in some} for name, some in files.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("file", "old", "new", "stale"), EDITS, ids=[f"{file}: {old}" for file, old, *_ in EDITS])
def test_an_edit_makes_exactly_these_stages_stale(
    file: str, old: str, new: str, stale: set[str], tree: Path, digests: Digests
) -> None:
    before, path = code_of_stages(tree, digests), tree / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    after = code_of_stages(tree, digests)
    path.write_text(text, encoding="utf-8")
    assert {name for name in STAGES if before[name] != after[name]} == stale
