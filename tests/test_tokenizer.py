"""Stage 4 on built repositories: nothing is lost, no secret is kept, nothing is learned from held-out text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import torch
from builders import Program, Repo, cut, grow, read_chunks, run_stage

import tokenizer
from core.engine.stage import Context
from core.errors import StageError, UserError
from core.records.chunk_files import chunk_groups
from core.text import costs
from core.text.grammar import CodeView, parse, plain, texts_of
from core.text.vocabulary import Vocabulary, read_vocab

HARD = (
    'fn a() { "<CODE_END> <|end|> <s>" } // e\u0301 \u2028 \x00\r'
    "let marker = \"<COMMIT_START><FILE:src/lib.rs>\";\r\n\tlet tab = '\t';\n\n\n"
)
KEYS = ("AKIAQ7MDBTQHX2LPZW5N", "ghp_" + "a1B2" * 9, "AIza" + "Zy8_" * 8 + "abc", "hunter2hunter2")


def read(folder: Path) -> tuple[Vocabulary, dict[str, Any]]:
    vocabulary = Vocabulary.load(folder / "vocab.json", folder / "tokenizer")
    return vocabulary, torch.load(folder / "tokens.pt", weights_only=True, mmap=True)


def texts(folder: Path) -> list[str]:
    vocabulary, data = read(folder)
    return [vocabulary.decode(ids.tolist()) for ids in data["tokens"]]


@pytest.fixture
def hard(make_repo: Callable[[str], Repo], tmp_path: Path) -> Path:
    """The chunks of a history with everything that is hard to keep."""
    repo = make_repo("hard")
    grow(repo, 6)
    repo.commit(
        "marks <MESSAGE> é", {"src/x <CODE_START>.rs": HARD, "lone.txt": "a\rb\r\rc", "odd\u00e9.md": "# e\u0301\n"}
    )
    repo.commit("", {"empty.txt": "", "src/lib.rs": "fn gone() {}\n"})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit("on a branch", {"topic.py": "x = 1\n"}, GIT_AUTHOR_DATE="1999-12-31T12:00:00 +0000")
    repo.git("checkout", "-q", "main")
    folder = tmp_path / "hard-out"
    cut(repo.path, folder)
    return folder


@pytest.mark.parametrize("view", ["new", "diff", "before_after", "edit"])
@pytest.mark.parametrize("mode", ["standalone", "base_model"])
def test_the_whole_history_is_read_back(hard: Path, tiny_model: Path, mode: str, view: CodeView) -> None:
    ran = run_stage(
        tokenizer.STAGE,
        hard,
        mode=mode,
        base_model=str(tiny_model),
        code_view=view,
        secrets="keep",
        promoted_min_count=2,
    )
    vocabulary, data = read(hard)
    pieces = vocabulary.pieces([id_ for ids in data["tokens"] for id_ in ids.tolist()])
    groups = [group.chunks() for group in chunk_groups(hard / "chunks.jsonl")]
    assert list(parse(pieces)) == [texts_of(chunks, view, plain) for chunks in groups]
    assert [about["chunk_id"] for about in data["metadata"]] == [chunk.chunk_id for group in groups for chunk in group]
    assert ran.counts["tokens"] == sum(len(ids) for ids in data["tokens"])
    written = [sum(len(piece.encode()) for piece in pieces if piece not in vocabulary.markers)]
    assert sum(about["text_bytes"] for about in data["metadata"]) >= written[0]
    last = list(parse(pieces))[-1]
    assert (last.branch, last.year, last.month) == (("topic",), "1999", "12")


def test_values_and_vocabulary_come_from_the_older_part_alone(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("two")
    for number in range(30):
        repo.commit(f"old {number}", {"old.py": f"def ancient_{number}(): return ancient_value\n" * 3})
    for number in range(12):
        repo.commit(f"new {number}", {"recent.py": f"def recent_{number}(): return brandnewname\n" * 3})
    cut(repo.path, tmp_path / "out")
    run_stage(tokenizer.STAGE, tmp_path / "out", mode="standalone", promoted_min_count=5, train_share=0.6)
    vocabulary, _ = read(tmp_path / "out")
    entries = vocabulary.tokenizer.get_vocab()
    assert any("ancient_value" in entry for entry in entries)
    assert not any("brandnew" in entry for entry in entries)
    assert {text for _, text in vocabulary.values} >= {"old.py", "Ada"}
    assert "recent.py" not in {text for _, text in vocabulary.values}
    about = read_vocab(tmp_path / "out" / "vocab.json")["about"]
    hashes = [group.commit_hash for group in chunk_groups(tmp_path / "out" / "chunks.jsonl")]
    assert hashes.index(about["learnt_until"][""]) == about["commits"] - 1 < 30


@pytest.fixture
def leaky(make_repo: Callable[[str], Repo], tmp_path: Path) -> Path:
    repo = make_repo("leaky")
    grow(repo, 4)
    repo.commit(f"use {KEYS[1]} from ada@example.org", {"a.py": f'key = "{KEYS[0]}"\nmail = "bob@example.org"\n'})
    repo.commit("more", {"b.py": f'password = "{KEYS[3]}"\n', f"{KEYS[2]}.txt": "text\n", "c.py": "fine = 1\n"})
    cut(repo.path, tmp_path / "leaky-out")
    return tmp_path / "leaky-out"


def test_secrets_are_masked_everywhere(leaky: Path) -> None:
    ran = run_stage(tokenizer.STAGE, leaky, mode="standalone", redact_emails=True)
    everything = "".join(texts(leaky)) + (leaky / "vocab.json").read_text() + repr(read(leaky)[1]["metadata"])
    assert not any(key in everything for key in KEYS)
    assert "<AUTHOR>Ada<MESSAGE>use <SECRET:github> from <EMAIL><FILE_START>a.py" in everything
    assert {kind: ran.counts[f"masked: {kind}"] for kind in ("aws", "github", "google", "password")} == {
        "aws": 1, "github": 1, "google": 1, "password": 1,
    }  # fmt: skip
    assert ran.counts["masked: e-mail addresses"] == 2


def test_secrets_are_kept_or_their_chunks_dropped(leaky: Path) -> None:
    run_stage(tokenizer.STAGE, leaky, mode="standalone", secrets="keep")
    kept = texts(leaky)
    assert all(any(key in text for text in kept) for key in KEYS)
    assert any("ada@example.org" in text for text in kept)
    ran = run_stage(tokenizer.STAGE, leaky, mode="standalone", secrets="drop")
    left = texts(leaky)
    assert len(left) == len(kept)
    assert ran.drops["chunks with credentials"] == 3 == left.count("")
    assert not any(key in text for key in KEYS for text in left)
    vocabulary, data = read(leaky)
    assert list(parse(vocabulary.pieces([id_ for ids in data["tokens"] for id_ in ids.tolist()])))


def test_only_new_commits_are_tokenized_again(hard: Path, make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("growing")
    grow(repo, 8)
    first, second = tmp_path / "first", tmp_path / "second"
    cut(repo.path, first)
    settings = {"mode": "standalone", "promoted_min_count": 2}
    ran = run_stage(tokenizer.STAGE, first, **settings)
    repo.commit("one more", {"new.py": "brand = 'new'\n"})
    cut(repo.path, second)
    again = run_stage(tokenizer.STAGE, second, inputs=second, previous=ran, **settings)
    assert again.counts["sequences copied"] == ran.counts["sequences"]
    assert again.counts["sequences"] == ran.counts["sequences"] + 1
    assert (second / "vocab.json").read_bytes() == (first / "vocab.json").read_bytes()
    before, after = read(first)[1], read(second)[1]
    assert all(torch.equal(a, b) for a, b in zip(before["tokens"], after["tokens"], strict=False))
    assert "brand" in texts(second)[-1]
    tokens = (second / "tokens.pt").read_bytes()
    again = run_stage(tokenizer.STAGE, second, incremental=False, **settings)  # what was learned does not change
    assert again.counts["sequences copied"] == 0
    assert (second / "tokens.pt").read_bytes() == tokens


def test_a_rewritten_history_gets_a_new_vocabulary(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("rewritten")
    grow(repo, 8)
    first, second = tmp_path / "first", tmp_path / "second"
    cut(repo.path, first)
    ran = run_stage(tokenizer.STAGE, first, mode="standalone")
    other = make_repo("other")
    other.clock += 60
    grow(other, 8)
    cut(other.path, second)
    again = run_stage(tokenizer.STAGE, second, previous=ran, mode="standalone")
    assert again.counts["sequences copied"] == 0
    hashes = [group.commit_hash for group in chunk_groups(second / "chunks.jsonl")]
    assert read_vocab(second / "vocab.json")["about"]["learnt_until"][""] in hashes


def test_a_base_model_without_room_learns_nothing(hard: Path, tiny_model: Path) -> None:
    run_stage(tokenizer.STAGE, hard, base_model=str(tiny_model))
    assert read_vocab(hard / "vocab.json")["about"]["learnt_until"] == {}


def test_two_runs_are_identical(hard: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run_stage(tokenizer.STAGE, tmp_path / name, inputs=hard, mode="standalone")
    for name in ("vocab.json", "tokens.pt", "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_large_commit_is_encoded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Lengths:
        def encode(self, sequences: list[list[str]]) -> list[list[int]]:
            asked.append(len(sequences))
            return [[len(pieces)] for pieces in sequences]

    monkeypatch.setattr(tokenizer, "ENCODED_AT_ONCE", 4)
    found = tokenizer.encode(Lengths(), [["x"] * number for number in range(10)])  # type: ignore[arg-type]
    assert [ids.tolist() for ids in found] == [[number] for number in range(10)]
    assert asked == [4, 4, 2]


def test_what_it_costs_is_said_before_and_the_disk_asked(
    hard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tokenizer, "BATCH_BYTES", 2000)
    monkeypatch.setattr(tokenizer, "FORESEEN_AFTER", 3)
    said = re.compile(
        r"about (\d+\.\d) million tokens: .* s here, .* s in dataset_builder, .* MB of memory; .* GB of disk"
    )
    monkeypatch.setattr(costs, "_millions", lambda tokens: f"{tokens:.1f} million")
    with caplog.at_level("INFO", logger="gitlore"):
        ran = run_stage(tokenizer.STAGE, tmp_path / "out", inputs=hard, mode="standalone")
    found = said.search(caplog.text)
    assert found
    assert ran.counts["tokens"] / 3 < float(found[1]) < 3 * ran.counts["tokens"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(StageError, match=r"tokens need 0\.0 GB of disk, 0\.0 GB are free"):
        run_stage(tokenizer.STAGE, tmp_path / "out", inputs=hard, mode="standalone")


def test_no_chunks_are_explained(tmp_path: Path) -> None:
    (tmp_path / "chunks.jsonl").write_bytes(b"")
    with pytest.raises(UserError, match="holds no chunks"):
        run_stage(tokenizer.STAGE, tmp_path, mode="standalone")


def test_a_single_chunk_is_enough(hard: Path, tmp_path: Path) -> None:
    chunk = next(iter(read_chunks(hard / "chunks.jsonl")))
    (tmp_path / "chunks.jsonl").write_bytes(msgspec.json.encode(chunk) + b"\n")
    run_stage(tokenizer.STAGE, tmp_path, mode="standalone")
    assert chunk.new_code in texts(tmp_path)[0]


def test_vocab_json_has_the_seeds_form(hard: Path) -> None:
    run_stage(tokenizer.STAGE, hard, mode="standalone", vocab_size=600)
    about = json.loads((hard / "vocab.json").read_text())
    assert (about["token_to_id"]["<PAD>"], about["token_to_id"]["<UNK>"]) == (0, 1)
    assert about["vocab_size"] == len(about["token_to_id"]) == len(about["id_to_token"]) <= 600
    assert all(about["id_to_token"][str(id_)] == token for token, id_ in about["token_to_id"].items())


def test_the_stage_reports_a_size_that_it_cannot_use(hard: Path, tiny_model: Path) -> None:
    ran: Context[Any] = run_stage(tokenizer.STAGE, hard, base_model=str(tiny_model), vocab_size=600)
    assert ran.counts["vocabulary entries"] > 320


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("tokenizer.py", ("--vocab-size", "many"), "'many' is neither a whole number nor auto"),
        ("tokenizer.py", ("--vocab-size", "auto", "--chunks", "nowhere.jsonl"), "nowhere.jsonl is missing"),
        ("dataset_builder.py", ("--repository-weights", "half"), "'half' is not of the form {name: value}"),
        ("dataset_builder.py", ("--repository-weights", "{a: -1}"), "greater than or equal to 0"),
    ],
)
def test_wrong_arguments_are_explained(program: Program, script: str, arguments: tuple[str, ...], message: str) -> None:
    done = program.run(script, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
