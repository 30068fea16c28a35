"""What tests build: repositories, programs run as a user runs them, stages run by themselves."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock
from warm_start import Running, start

import git_scraper
import semantic_chunker
from core.engine.stage import Context, Stage
from core.records.chunk_files import chunk_groups
from core.records.chunks import Chunk
from core.records.commit_files import read_commits, read_history
from core.records.commits import Commit, HistoryMetadata
from core.text.token_files import write_windows

if TYPE_CHECKING:
    import torch

PROJECT = Path(__file__).resolve().parent.parent


@dataclass
class Repo:
    """A git repository made by a test, with fixed authors and dates."""

    path: Path
    clock: int = 1_600_000_000

    @classmethod
    def new(cls, path: Path, *options: str) -> Repo:
        """An empty repository on branch main."""
        path.mkdir(parents=True)
        repo = cls(path)
        repo.git("init", "-q", "-b", "main", *options)
        return repo

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
    """Run the git scraper with outputs in its own folder."""
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


def made_once(root: Path, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of this name that is made once for all workers of a test run, whichever needs it first.

    `root` is the base of the temporary folders; those of workers are inside the one that they share.
    """
    shared = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder, done = shared / name, shared / f"{name}.done"
    with FileLock(shared / f"{name}.lock"):
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@dataclass
class Program:
    """The commands as a user runs them: in their own folder, each as a process (that starts warm)."""

    folder: Path

    def copy(self, folder: Path) -> Program:
        """The same in a copy of everything in its folder."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("scratch"))
        return Program(folder)

    def run(
        self, script: str, *arguments: str, timeout_s: float = 300, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of the project, `-m module` or `-c code`, and wait for it."""
        started = self.start(script, *arguments, **variables)
        out, err = started.communicate(timeout_s)
        return subprocess.CompletedProcess([script, *arguments], started.wait(), out, err)

    def start(self, script: str, *arguments: str, **variables: str) -> Running:
        """The same in the background, in its own process group."""
        path = script if script in ("-m", "-c") else str(PROJECT / script)
        return start([path, *arguments], self.folder, {**os.environ, "PYTHONPATH": str(PROJECT), **variables})


def wait_for(condition: Callable[[], object], timeout_s: float = 120) -> None:
    """Ask again and again until the condition holds."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


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


def write_tiny_model(folder: Path) -> None:
    """A randomly initialised causal language model and a byte-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

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


def run_pipeline(folder: Path, model: Path) -> None:
    """Build a repository in `folder`, `repo`, and run the whole pipeline on it; what it prints is in `printed`."""
    grow(Repo.new(folder / "repo"), commits=24)
    (folder / "config.yaml").write_text(small_config(Path("repo"), model))
    done = Program(folder).run("pipeline.py")
    assert done.returncode == 0, done.stderr
    (folder / "printed").write_text(done.stdout)


def windows(stream: torch.Tensor, context: int, target: int, stride: int) -> dict[str, torch.Tensor]:
    """What a training_data file of this stream holds; 0 is for padding."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windows.pt"
        write_windows(path, stream.numpy(), context, target, stride, 0)
        made: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return made


def most_memory(work: Callable[[], object]) -> int:
    """Most bytes that Python and numpy held at once for some work."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def read_chunks(path: Path) -> Iterator[Chunk]:
    """The chunks of a chunks.jsonl, one at a time."""
    return (chunk for group in chunk_groups(path) for chunk in group.chunks())
