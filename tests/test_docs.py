"""What the documents state is true: flags, settings, files, commands."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import click
import pytest
import yaml
from builders import PROJECT

import dataset_builder
import pipeline
import predict
import serve
import study
from chat.__main__ import main as chat_command
from core import statistics
from core.config import ChatConfig, PipelineConfig, StudyConfig, load
from core.engine.command import stage_command
from core.evaluation import compression, contamination, next_files
from core.history import reader
from core.prediction import asking
from core.scoring import copying, copying_folder, segments
from core.scoring.ngrams import NGRAM_TOKENS
from core.text.grammar import MARKERS, Marker, parse
from patterns.team_commands import COMMANDS as TEAM_COMMANDS
from stores.__main__ import main as stores_command
from stores.agent.context_types import CONTEXT_TYPES, KINDS
from thoughts import kinds, queue, reports, running
from thoughts.budgets import DAY_S
from thoughts.frontier import payoffs
from thoughts.sandbox import limits, trees
from thoughts.sandbox import running as sandbox_running
from thoughts.sandbox.__main__ import main as sandbox_command

README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((PROJECT / "docs").glob("*.md"))}
CONFIG = (PROJECT / "config.yaml").read_text(encoding="utf-8")
SECTIONS = {"pipeline": PipelineConfig, "chat": ChatConfig, "study": StudyConfig}
SECTIONS |= {stage.name: stage.config for stage in pipeline.STAGES}
DATASET = dataset_builder.STAGE.config()
(XZ,) = compression._FILTERS
MB = 1 << 20
OTHERS = (
    ("serving.md", serve.main),
    ("chat.md", chat_command),
    ("sandbox.md", sandbox_command),
    ("study.md", study.main),
)
FIGURES: dict[tuple[str, str], tuple[Any, Any]] = {
    ("data.md", "The oldest 70 % of the tokens are for training"): (DATASET.train_ratio, 0.7),
    ("data.md", "the next 15 % for validation"): (DATASET.val_ratio, 0.15),
    ("data.md", "code of 32 tokens or more"): (DATASET.duplicate_min_tokens, 32),
    ("data.md", "Jaccard similarity of .8 or more"): (DATASET.duplicate_similarity, 0.8),
    ("evaluation.md", "`xz -6` on the scored text, with a 64 MB dictionary"): (
        (XZ["preset"], XZ["dict_size"]),
        (6, 64 * MB),
    ),
    ("evaluation.md", "(its newest 32 MB)"): (compression.MOST_TRAINING_BYTES, 32 * MB),
    ("evaluation.md", "longest current context (up to 32 tokens)"): (max(copying.ORDERS), 32),
    ("evaluation.md", "segments of up to four million tokens"): (round(copying_folder.SIZES[0] / 1e6), 4),
    ("evaluation.md", "sorted by the 32 tokens before each"): (segments.CONTEXT_TOKENS, 32),
    ("evaluation.md", "Of a longer history than 17 million tokens"): (round(copying.MOST_TOKENS / 1e6), 17),
    ("evaluation.md", "95 % percentile intervals"): (statistics.LEVEL, 0.95),
    ("evaluation.md", '"file@5" is right if one of five answers is'): (next_files.TOP, 5),
    ("evaluation.md", "changes of 32 tokens or more"): (NGRAM_TOKENS, 32),
    ("evaluation.md", "more than 2 % of the test's changes"): (contamination.SUSPICIOUS, 0.02),
    ("serving.md", "a URL is fetched at most once a minute"): (asking.FETCH_EVERY_S, 60),
    ("architecture.md", "500 commits at a time"): (reader.WINDOW_COMMITS, 500),
    ("sandbox.md", "| time | 60 s |"): (limits.Limits().seconds, 60),
    ("sandbox.md", "| memory | 512 MB |"): (limits.Limits().memory_bytes, 512 * MB),
    ("sandbox.md", "| processes and threads | 64 |"): (limits.Limits().processes, 64),
    ("sandbox.md", "| 256 MB, 20,000 files |"): (
        (limits.Limits().disk_bytes, limits.Limits().files),
        (256 * MB, 20_000),
    ),
    ("sandbox.md", "| output | 1 MB |"): (limits.Limits().output_bytes, MB),
    ("sandbox.md", "The watcher looks every 20 ms"): (sandbox_running.TICK_S, 0.02),
    ("sandbox.md", "at most 256 MB, 10 MB a file, 50,000 entries"): (
        (trees.Bounds().bytes, trees.Bounds().file_bytes, trees.Bounds().entries),
        (256 * MB, 10 * MB, 50_000),
    ),
    ("study.md", "by a lease of 30 seconds"): (queue.LEASE_S, 30),
    ("study.md", "after one minute, two, four and eight"): ([queue.wait_s(n) / 60 for n in (1, 2, 3, 4)], [1, 2, 4, 8]),
    ("study.md", "after five attempts it is dead"): (queue.MOST_ATTEMPTS, 5),
    ("study.md", "at low priority (nice 10)"): (running.NICE, 10),
    ("study.md", "every tenth run is of the job"): (queue.OLDEST_EVERY, 10),
    ("study.md", "a read one half"): (payoffs.READ, 0.5),
    ("study.md", "is a quarter of a dismissed one"): (payoffs.PASSED_OVER, 0.25),
    ("study.md", "everything counts half after 30 days"): (payoffs.HALF_LIFE_S / DAY_S, 30),
    ("study.md", "The 300 newest insights are looked at"): (reports.MOST_LOOKED_AT, 300),
}
"""What a page promises in a sentence: what the code does, and what the sentence states."""


def options(command: click.Command) -> list[str]:
    return [name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts[:1]]


def script(name: str) -> Any:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, PROJECT / "scripts" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def of_scripts() -> list[str]:
    """Flags of the scripts that write or judge stores, and of `python -m stores`."""
    pretraining = script("pretraining_command").pretraining_command(from_scratch=True, summary="", help="")
    commands = [script("evaluate_stores").main, pretraining, stores_command]
    return [flag for command in (*commands, *stores_command.commands.values()) for flag in options(command)]


@pytest.mark.parametrize(("page", "sentence"), FIGURES)
def test_the_code_does_what_the_pages_promise(page: str, sentence: str) -> None:
    assert sentence in " ".join(PAGES[page].split())
    found, promised = FIGURES[page, sentence]
    assert found == promised


@pytest.mark.parametrize("flag", dict.fromkeys(of_scripts()))
def test_flags_of_the_memory_are_on_its_page(flag: str) -> None:
    assert f"`{flag}" in PAGES["stores.md"]


def of_team() -> list[str]:
    """Flags of the commands on a team's memory."""
    groups = [one for one in TEAM_COMMANDS if isinstance(one, click.Group)]
    single = [*TEAM_COMMANDS, *(inner for group in groups for inner in group.commands.values())]
    return [flag for command in single for flag in options(command)]


@pytest.mark.parametrize("flag", dict.fromkeys(of_team()))
def test_flags_of_the_team_are_on_its_page(flag: str) -> None:
    assert f"`{flag}" in PAGES["team.md"]


def test_commands_of_the_stores_are_on_their_page() -> None:
    assert all(re.search(rf"`{name}[ `]", PAGES["stores.md"]) for name in stores_command.commands)


def test_the_page_of_the_study_knows_every_command_and_kind() -> None:
    names = [*study.main.commands, *kinds.known()]
    assert [name for name in names if not re.search(rf"`{name}[ `]", PAGES["study.md"])] == []


def test_the_page_of_the_stores_knows_every_context_type_and_kind() -> None:
    page = (PROJECT / "docs" / "stores.md").read_text(encoding="utf-8")
    for context in CONTEXT_TYPES.values():
        assert f"`{context.agent or context.name}`" in page
    assert all(f"`{kind}`" in page for kind in KINDS)


@pytest.mark.parametrize(
    ("page", "flag"),
    [
        (page, flag)
        for page, command in (("pipeline.md", pipeline.main), ("predict.md", predict.main), *OTHERS)
        for flag in options(command)
    ],
)
def test_flags_are_on_their_page(page: str, flag: str) -> None:
    assert f"`{flag}" in PAGES[page]


@pytest.mark.parametrize("stage", pipeline.STAGES, ids=lambda stage: stage.name)
def test_stages_and_their_files_are_documented(stage: pipeline.Stage) -> None:
    page = PAGES["pipeline.md"]
    assert f"`{stage.name}`" in page
    files = (PROJECT / "outputs" / "README.md").read_text(encoding="utf-8")
    for name in stage.outputs:
        assert re.search(rf"`{re.escape(name.rstrip('/'))}/?`", page), name
        assert name in files or name.startswith("training_data_"), name
    assert all(f"--{flag}" in page for flag in stage.flags)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_every_page_is_in_the_index() -> None:
    assert [name for name in PAGES if name != "README.md" and f"]({name})" not in PAGES["README.md"]] == []


def test_rooms_are_in_the_tree_of_the_readme() -> None:
    rooms = [path.parent for path in (PROJECT / "core").glob("*/__init__.py")]
    rooms += [
        PROJECT / name for name in ("core", "stores", "miners", "services", "scripts", "tests", "docs", "benchmarks")
    ]
    tree = README[README.index("```text\npipeline.py") :]
    assert [room.name for room in rooms if f"{room.relative_to(PROJECT).as_posix()}/ " not in tree] == []


@pytest.mark.parametrize(("section", "key"), [(s, k) for s, model in SECTIONS.items() for k in model.model_fields])
def test_every_setting_has_help_and_is_in_config_yaml(section: str, key: str) -> None:
    assert SECTIONS[section].model_fields[key].description
    block = re.search(rf"^{section}:\n((?:  .*\n?)+)", CONFIG, re.MULTILINE)
    assert block
    line = re.search(rf"^  (# )?{key}: .*#", block[1], re.MULTILINE)
    assert line, f"{section}.{key} needs a line with a comment"


def test_config_yaml_holds_the_defaults_where_it_does_not_say_otherwise() -> None:
    shipped = load(PROJECT / "config.yaml", {s.name: s.config for s in pipeline.STAGES}).as_dict()
    defaults = load(None, {s.name: s.config for s in pipeline.STAGES}).as_dict()
    differing = {
        f"{section}.{key}"
        for section, values in shipped.items()
        for key, value in values.items()
        if value != defaults[section][key]
    }
    assert differing == {"model_training.max_train_tokens"}


@pytest.mark.parametrize("path", sorted(PROJECT.glob("configs/*.yaml")), ids=lambda path: path.name)
def test_ready_made_configs_are_valid(path: object) -> None:
    load(path, {stage.name: stage.config for stage in pipeline.STAGES})  # type: ignore[arg-type]
    assert yaml.safe_load(path.read_text())["model_training"]  # type: ignore[attr-defined]


def test_files_that_the_readme_names_exist() -> None:
    tree = re.search(r"```text\n(pipeline.py.*?)```", README, re.DOTALL)
    assert tree
    names = re.findall(r"^(\S+\.(?:py|yaml|txt|md|toml)|\S+/)\s", tree[1], re.MULTILINE)
    assert len(names) > 10
    assert [name for name in names if not (PROJECT / name).exists()] == []


def test_links_in_the_documents_have_targets() -> None:
    for document in [PROJECT / "README.md", *PROJECT.glob("docs/*.md"), PROJECT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert target.startswith("http") or (document.parent / target).exists(), f"{document}: {target}"


@pytest.mark.parametrize("stage", pipeline.STAGES, ids=lambda stage: stage.name)
def test_every_stage_explains_its_flags(stage: pipeline.Stage) -> None:
    command = stage_command(stage)
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


def test_every_requirement_has_a_reason() -> None:
    for name in ("requirements.txt", "requirements-no-deps.txt"):
        for line in (PROJECT / name).read_text().splitlines():
            assert not line or line.startswith("#") or re.search(r"\s#\s\w", line), line


def test_the_example_of_the_grammar_parses() -> None:
    text = (PROJECT / "docs" / "grammar.md").read_text(encoding="utf-8")
    example = re.search(r"```example\n(.*?)```", text, re.DOTALL)
    assert example
    spelled = "|".join(map(re.escape, sorted(MARKERS, key=len, reverse=True)))
    parts = re.split(f"({spelled})", example[1].replace("\n", ""))
    (commit,) = parse(Marker(part) if part in MARKERS else part for part in parts if part)
    assert [change.symbol for change in commit.files[0].changes] == [("timeout",), ("Dispute",)]
    assert all(str(marker) in text for marker in MARKERS if ":" not in marker)
