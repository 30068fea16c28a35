"""The command as people use it: choices of files, streams, damaged models, odd input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from builders import Program, Repo

from core.config import checked
from core.errors import UserError
from core.prediction.question import Question
from core.records.copying import FOLDER

REPO = ("--repo", "repo", "--sketch-tokens", "3", "--always-sketch")


def test_a_stream_has_the_same_text_as_the_answer(finished: Program) -> None:
    whole = json.loads(finished.run("predict.py", *REPO, "--task", "add", "--json").stdout)
    events = [
        json.loads(line)
        for line in finished.run("predict.py", *REPO, "--task", "add", "--json", "--stream").stdout.splitlines()
    ]
    assert (events[0]["event"], events[-1]["event"]) == ("ranking", "done")
    assert {key: events[-1][key] for key in whole} == whole
    text = "".join(event["text"] for event in events[1:-1])
    assert text.startswith(f"\n--- {whole['sketch_file']}")
    assert whole["sketch"] in text
    words = finished.run("predict.py", *REPO, "--task", "add", "--stream").stdout
    assert words.startswith("files\n")
    assert text in words


def test_shares_are_those_of_all_that_may_change(finished: Program) -> None:
    found = json.loads(finished.run("predict.py", *REPO, "--top", "50", "--no-new-files", "--json").stdout)
    assert sum(item["share"] for item in found["files"]) == pytest.approx(1, abs=1e-4)
    assert 0.8 < sum(item["probability"] for item in found["change_types"]) <= 1  # the likeliest fifty
    one = json.loads(finished.run("predict.py", *REPO, "--files", "src/*", "--json").stdout)
    assert [(item["name"], item["share"]) for item in one["files"]] == [("src/lib.rs", pytest.approx(1))]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--files", "nothing/*.like"),
        ("--files", ""),
        ("--files", "../../etc/passwd"),
        ("--files", "a\nb"),
        ("--task", "word " * 500),
        ("--repo", "/nowhere"),
        ("--model", "outputs"),
        ("--temperature", "3"),
        ("--temperature", "nan"),
        ("--seed", "99999999999999999999"),
    ],
)
def test_wrong_input_is_reported(finished: Program, arguments: tuple[str, ...]) -> None:
    done = finished.run("predict.py", *REPO, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "rror" in done.stderr


def test_a_task_that_is_not_utf8_is_still_a_question() -> None:
    for task in ("caf\udce9", "half \ud83d"):
        question = checked("question", Question, {"task": task, "author": None, "files": ("src/*",)})
        assert question.task == task[:-1] + "\ufffd"
    with pytest.raises(UserError, match="at most"):
        checked("question", Question, {"files": ("x" * 70_000,)})


def test_what_is_copied_can_be_switched_off(finished: Program) -> None:
    for flags, copying in (((), True), (("--no-copying",), False), (("--sketch-tokens", "0"), False)):
        done = finished.run("predict.py", *REPO, *flags, "--json")
        assert json.loads(done.stdout)["copying"] == copying
        assert "copy" not in done.stderr


def test_a_model_that_was_not_measured_copies_nothing(copied: Program) -> None:
    shutil.rmtree(copied.folder / "outputs" / FOLDER)
    done = copied.run("predict.py", *REPO, "--json")
    assert json.loads(done.stdout)["copying"] is False
    assert done.stderr.count("copy nothing") == 1
    assert "copy" not in copied.run("predict.py", *REPO, "--no-copying").stderr


def test_a_damaged_history_to_copy_from_is_reported(copied: Program) -> None:
    file = copied.folder / "outputs" / FOLDER / "0.bin"
    file.write_bytes(file.read_bytes()[:-2])
    done = copied.run("predict.py", *REPO, "--json")
    assert done.returncode == 2
    assert f"{FOLDER}/0.bin is damaged" in done.stderr
    assert "--stage evaluate" in done.stderr
    assert copied.run("predict.py", *REPO, "--no-copying").returncode == 0


@pytest.mark.parametrize("temperature", ["1e-44", "0.7"])
def test_any_temperature_gives_an_answer(finished: Program, temperature: str) -> None:
    done = finished.run("predict.py", *REPO, "--temperature", temperature, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["commit"]


@pytest.mark.parametrize("damage", ["no weights", "half the weights", "no config", "no tokenizer", "broken about"])
def test_a_damaged_model_is_reported(finished: Program, tmp_path: Path, damage: str) -> None:
    model = tmp_path / "model"
    shutil.copytree(finished.folder / "outputs" / "model", model)
    weights = model / "adapter_model.safetensors"
    if damage == "no weights":
        weights.unlink()
    elif damage == "half the weights":
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    elif damage == "no config":
        (model / "adapter_config.json").unlink()
    elif damage == "no tokenizer":
        (model / "tokenizer.json").unlink()
    else:
        (model / "gitlore.json").write_text("[]")
    done = finished.run("predict.py", *REPO, "--model", str(model))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_settings_of_a_later_version_are_ignored(finished: Program, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(finished.folder / "outputs" / "model", model)
    about = json.loads((model / "gitlore.json").read_text())
    about["settings"]["git_scraper"]["unheard_of"] = 5
    (model / "gitlore.json").write_text(json.dumps(about))
    assert finished.run("predict.py", *REPO, "--model", str(model)).returncode == 0


def test_the_cache_folder_of_the_machine_that_trained_does_not_matter(finished: Program, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(finished.folder / "outputs" / "model", model)
    info = json.loads((model / "gitlore.json").read_bytes())
    info["settings"]["pipeline"]["cache_dir"] = "/proc/alice/cache"
    (model / "gitlore.json").write_text(json.dumps(info))
    done = finished.run("predict.py", *REPO, "--model", str(model), "--sketch-tokens", "0", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"]


def test_what_was_forgotten_ends_with_a_code_of_its_own(finished: Program) -> None:
    line = ("predict.py", "--repo", "repo", "--changed", "src/lib.rs")
    found = json.loads(finished.run(*line, "--json").stdout)
    assert found["mode"] == "change"
    assert "src/lib.rs" not in [file["name"] for file in found["files"]]
    likeliest = max(file["probability"] for file in found["files"])
    assert finished.run(*line, "--fail-above", str(likeliest - 0.001)).returncode == 3
    assert finished.run(*line, "--fail-above", str(likeliest)).returncode == 0
    several = json.loads(finished.run(*line, "pkg/a.py", "--json").stdout)
    assert several["mode"] == "change"
    task = json.loads(finished.run(*line, "--task", "add a handler", "--json").stdout)
    assert task["mode"] == "change_task"


def test_staged_files_and_ranges_are_changed_already(copied: Program) -> None:
    repo = Repo(copied.folder / "repo")
    assert copied.run("predict.py", "--repo", "repo", "--staged").returncode == 2
    repo.write({"src/lib.rs": "fn staged() {}\n"})
    repo.git("add", "src/lib.rs")
    staged = json.loads(copied.run("predict.py", "--repo", "repo", "--staged", "--json").stdout)
    assert staged["at"] == repo.git("rev-parse", "HEAD")
    ranged = json.loads(copied.run("predict.py", "--repo", "repo", "--diff", "HEAD~2..HEAD", "--json").stdout)
    assert ranged["at"] == repo.git("rev-parse", "HEAD~2")
    assert staged["mode"] == ranged["mode"] == "change"


def test_a_batch_tells_by_its_code_whether_all_were_answered(copied: Program) -> None:
    (copied.folder / "good.jsonl").write_text('{"id": 1, "task": "x"}\n{"id": 2, "at": "HEAD~1"}\n')
    (copied.folder / "bad.jsonl").write_text('{"id": 1, "at": "nothing"}\n{"id": 2}\n')
    for name, code, answered in (("good.jsonl", 0, [True, True]), ("bad.jsonl", 1, [False, True])):
        done = copied.run("predict.py", "--repo", "repo", "--batch", name)
        assert done.returncode == code, done.stderr
        assert ["files" in json.loads(line) for line in done.stdout.splitlines()] == answered


def test_a_task_may_be_a_file(copied: Program) -> None:
    (copied.folder / "issue.txt").write_bytes(b"Crash in lib\n\n" + b"It fails \xff always. " * 30)
    found = json.loads(copied.run("predict.py", "--repo", "repo", "--task-file", "issue.txt", "--json").stdout)
    assert found["mode"] == "issue"


def test_without_a_model_there_is_no_sketch(copied: Program) -> None:
    shutil.rmtree(copied.folder / "outputs" / "model")
    found = json.loads(copied.run("predict.py", "--repo", "repo", "--task", "change handler_0", "--json").stdout)
    assert found["files"]
    assert found["commit"] is None
    code, past = found["evidence"]["code"], found["evidence"]["past"]
    first = found["symbols"][0]
    assert (code["symbol"], code["path"], code["lines"]) == (first["name"], first["path"], first["lines"])
    here = (copied.folder / "repo" / code["path"]).read_text().splitlines()
    assert code["code"].splitlines()[0].strip() == here[code["lines"][0] - 1].strip()
    assert past["patch"].startswith("@@")
    shown = copied.run("predict.py", "--repo", "repo", "--task", "change handler_0").stdout
    assert f"the code now: {code['symbol']} in {code['path']}" in shown
    assert f"{past['commit'][:10]} {past['date']} {past['author']}: {past['title']}" in shown
    none = copied.run(
        "predict.py", "--repo", "repo", "--task", "change handler_0", "--sketch-tokens", "0", "--json"
    ).stdout
    assert json.loads(none)["evidence"] is None
