"""All stages on a built repository and a tiny model: artifacts, truth between them, reruns, kills."""

from __future__ import annotations

import json
import subprocess

import pytest
import torch
from builders import Program, Repo, read_chunks

import pipeline
from core.records.commit_files import read_commits
from core.text.grammar import CODE_END, CODE_START, parse
from core.text.token_files import WINDOW_KEYS
from core.text.vocabulary import Vocabulary

ARTIFACTS = (
    *("commits.json", "chunks.jsonl", "chunking_stats.json", "vocab.json", "tokens.pt", "dataset_stats.json"),
    *("training_data_train.pt", "training_data_val.pt", "training_data_test.pt", "model_weights.pt"),
    *("dataset/dataset_dict.json", "dataset/train/state.json"),
    *("training_logs/metrics.jsonl", "training_logs/training.json", "training_logs/tensorboard", "evaluation.json"),
    *("model/adapter_model.safetensors", "model/tokenizer.json", "model_card.md", "model/generation_config.json"),
    *("copying/copying.json", "copying/0.bin"),
    *(
        "mined.jsonl",
        "seeding.json",
        "stores/v_vector_history.db",
        "stores/pattern_memory.db",
        "stores/failure_memory.db",
    ),
    *("report.html", "pipeline_results.json", "pipeline.log", "tokenizer/tokenizer.json"),
)


pytestmark = [pytest.mark.xdist_group("end to end"), pytest.mark.slow]


class World:
    """A copy of a finished run that these tests change, one after the other."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.repo = Repo(program.folder / "repo", clock=1_700_000_000)
        self.outputs = program.folder / "outputs"

    def statuses(self, *arguments: str) -> dict[str, str]:
        """Run the pipeline and report what became of each stage."""
        done = self.program.run("pipeline.py", *arguments)
        assert done.returncode == 0, done.stderr
        results = json.loads((self.outputs / "pipeline_results.json").read_text())
        return {stage["name"]: stage["status"] for stage in results["stages"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, finished: Program) -> World:
    return World(finished.copy(tmp_path_factory.mktemp("world") / "copied"))


def test_a_first_run_leaves_every_artifact(world: World) -> None:
    assert [name for name in ARTIFACTS if not (world.outputs / name).exists()] == []
    assert "Summary" in (world.program.folder / "printed").read_text()
    results = json.loads((world.outputs / "pipeline_results.json").read_text())
    assert all(stage["status"] == "ran" and stage["peak_memory_mb"] > 10 for stage in results["stages"])
    assert json.loads((world.outputs / "commits.json").read_text())["metadata"]["total_commits"] == 24


def test_a_second_run_does_nothing_and_reports_why(world: World) -> None:
    assert set(world.statuses().values()) == {"up to date"}
    dry = world.program.run("pipeline.py", "--dry-run").stdout
    assert dry.count("up to date") == 11
    listed = world.program.run("pipeline.py", "--list-stages").stdout
    assert listed.count("fresh") == 11
    gone = world.outputs / "stores" / "pattern_memory.db"
    gone.rename(gone.with_suffix(".aside"))
    assert f"{gone.name} is missing" in world.program.run("pipeline.py", "--dry-run", "--stage", "store_seeder").stdout
    gone.with_suffix(".aside").rename(gone)


def test_a_changed_setting_runs_what_is_downstream(world: World) -> None:
    ran = world.statuses("--set", "semantic_chunker.max_code_bytes=256")
    assert ran["git_scraper"] == "up to date"
    unaffected = {"git_scraper", "github_miner", "store_seeder"}
    assert {name for name, status in ran.items() if status == "ran"} == set(ran) - unaffected
    back = world.statuses("--until", "semantic_chunker")
    assert back["git_scraper"] == "up to date"
    assert back["semantic_chunker"] == "ran"


def test_a_new_commit_runs_everything(world: World) -> None:
    world.repo.commit("one more", {"src/more.rs": "fn more() {}\n"})
    assert {name for name, status in world.statuses().items() if status != "ran"} == {"github_miner"}
    assert len(list(read_commits(world.outputs / "commits.json"))) == 25


def test_tokens_give_every_chunk_back(world: World) -> None:
    vocabulary = Vocabulary.load(world.outputs / "vocab.json", world.outputs / "tokenizer")
    data = torch.load(world.outputs / "tokens.pt", weights_only=True)
    chunks = list(read_chunks(world.outputs / "chunks.jsonl"))
    assert len(chunks) == len(data["tokens"]) > 40
    for chunk, ids, about in zip(chunks, data["tokens"], data["metadata"], strict=True):
        assert about["chunk_id"] == chunk.chunk_id
        assert f"{CODE_START}{chunk.new_code}{CODE_END}" in vocabulary.decode(ids.tolist())
    pieces = vocabulary.pieces([id_ for ids in data["tokens"] for id_ in ids.tolist()])
    assert len(list(parse(pieces))) == 25


def test_splits_join_to_the_stream_without_overlap(world: World) -> None:
    data = torch.load(world.outputs / "tokens.pt", weights_only=True)
    streams = []
    for name in ("train", "val", "test"):
        made = torch.load(world.outputs / f"training_data_{name}.pt", mmap=True, weights_only=True)
        assert set(WINDOW_KEYS) <= made.keys()
        assert made["contexts"].shape[1:] == (64,)
        assert made["targets"].shape[1:] == (16,)
        streams.append(made["stream"])
    stats = json.loads((world.outputs / "dataset_stats.json").read_text())
    left_out = stats["splits"]["val"]["chunks_left_out"] + stats["splits"]["test"]["chunks_left_out"]
    assert not left_out
    assert torch.equal(torch.cat(streams), torch.cat(list(data["tokens"])).long())


def test_both_models_are_scored_on_the_same_tokens(world: World) -> None:
    evaluation = json.loads((world.outputs / "evaluation.json").read_text())
    for split in ("val", "test"):
        rows = evaluation["splits"][split]["rows"]
        before, after = rows["untuned base"], rows["fine-tuned"]
        assert before["tokens"] == after["tokens"] > 100
        assert before["loss"] != after["loss"]
        assert evaluation["splits"][split]["gain"]["text"]["share"] > 0
        assert {"uniform", "unigram", "trigram", "copy", "xz", "xz given training text"} < rows.keys()
    steps = [json.loads(line) for line in (world.outputs / "training_logs" / "metrics.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in steps if "loss" in entry] == [1, 2, 3, 4]
    assert [entry["step"] for entry in steps if "val_loss" in entry] == [0, 2, 4]


def test_the_card_reports_what_was_measured(world: World) -> None:
    world.statuses()
    card = (world.outputs / "model_card.md").read_text()
    row = json.loads((world.outputs / "evaluation.json").read_text())["splits"]["test"]["rows"]["fine-tuned"]
    assert f"| fine-tuned | {row['bits_per_byte']:.3f} |" in card
    assert "in 4 steps" in card
    assert not (world.outputs / "model" / "README.md").exists()


def test_report_is_self_contained(world: World) -> None:
    page = (world.outputs / "report.html").read_text()
    assert page.count("<svg") == 14
    assert not any(word in page for word in ('src="http', 'href="http', "<script", "@import"))
    evaluation = json.loads((world.outputs / "evaluation.json").read_text())
    (example,) = evaluation["examples"]
    assert example["head"].partition("<MESSAGE>")[2] in page
    assert all(change["file"] in page for change in example["truth"])


def test_prediction_of_the_next_commit(world: World) -> None:
    arguments = ("--model", "outputs/model", "--repo", str(world.repo.path), "--task", "add a handler", "--last", "3")
    done = world.program.run("predict.py", *arguments, "--json", "--sketch-tokens", "8", "--always-sketch")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    existing = world.repo.git("ls-files").splitlines()
    assert answer["files"]
    assert all(item["new"] or item["name"] in existing for item in answer["files"])
    assert answer["commit"]["message"] == "add a handler"
    assert answer["commit"]["files"][0]["path"] == answer["sketch_file"]
    assert all(0 <= item["probability"] <= 1 for item in answer["files"] + answer["change_types"])
    words = world.program.run("predict.py", *arguments, "--sketch-tokens", "8", "--always-sketch")
    assert words.stdout.startswith("files\n")


def test_prediction_without_a_model(world: World) -> None:
    done = world.program.run("predict.py", "--repo", "repo", "--model", "nowhere")
    assert done.returncode == 2
    assert "is not a model of Gitlore" in done.stderr
    assert "Traceback" not in done.stderr


def test_stages_run_by_hand_leave_a_fresh_pipeline(world: World) -> None:
    world.statuses()
    by_hand = (
        ("git_scraper.py", "--output", "outputs/commits.json"),
        ("semantic_chunker.py", "--commits", "outputs/commits.json", "--output", "outputs/chunks.jsonl"),
        ("change_ranker.py", "--commits", "outputs/commits.json", "--output", "outputs/ranker.json"),
        (
            *("tokenizer.py", "--chunks", "outputs/chunks.jsonl"),
            *("--output-vocab", "outputs/vocab.json", "--output-tokens", "outputs/tokens.pt"),
        ),
        (
            *("dataset_builder.py", "--vocab", "outputs/vocab.json", "--chunks", "outputs/chunks.jsonl"),
            *("--commits", "outputs/commits.json"),
        ),
    )
    for script, *arguments in by_hand:
        done = world.program.run(script, *arguments)
        assert done.returncode == 0, done.stderr
    plan = world.program.run("pipeline.py", "--dry-run").stdout
    assert plan.splitlines()[:5] == [f"{stage.name}: up to date" for stage in pipeline.STAGES[:5]]
    script, *arguments = by_hand[3]
    assert world.program.run(script, *arguments, "--vocab-size", "50257").returncode == 0
    plan = world.program.run("pipeline.py", "--dry-run").stdout
    assert 'tokenizer: would run: setting tokenizer.vocab_size changed: 50257 -> "auto"' in plan


def test_standalone_vocabulary_and_a_model_from_scratch(world: World) -> None:
    settings = ("--set", "tokenizer.mode=standalone", "--set", "model_training.method=scratch")
    done = world.program.run("pipeline.py", "--set", "tokenizer.mode=standalone")
    assert done.returncode == 2
    assert "set model_training.method: scratch" in done.stderr
    small = ("--set", "model_training.scratch_hidden=32", "--set", "model_training.scratch_layers=1")
    assert world.statuses(*settings, *small)["report_builder"] == "ran"
    vocab = json.loads((world.outputs / "vocab.json").read_text())
    assert (vocab["token_to_id"]["<PAD>"], vocab["token_to_id"]["<UNK>"]) == (0, 1)
    assert (world.outputs / "model" / "model.safetensors").exists()
    done = world.program.run(
        "predict.py", "--repo", str(world.repo.path), "--json", "--sketch-tokens", "4", "--always-sketch"
    )
    assert json.loads(done.stdout)["files"]


def test_four_bit_base_runs_on_a_cpu(world: World) -> None:
    ran = world.statuses("--set", "model_training.method=qlora", "--until", "evaluate")
    assert ran["model_training"] == ran["evaluate"] == "ran"


def test_nothing_is_left_behind(world: World) -> None:
    leftovers = subprocess.run(["pgrep", "-f", str(world.program.folder)], capture_output=True, text=True, check=False)
    assert leftovers.stdout == ""
    assert not list(world.outputs.glob(".gitlore/staging/*"))
