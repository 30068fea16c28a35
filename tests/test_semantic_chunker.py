"""Stage 2: every changed line in exactly one chunk, the right one."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from builders import Program, Repo, grow, read_chunks, run_stage, scrape
from msgspec import UNSET
from test_git_scraper import scraped

import semantic_chunker
from core.chunking import segments, versions
from core.chunking.segments import Settings
from core.engine.stage import Context
from core.errors import UserError
from core.git.blobs import BlobReader
from core.records.chunks import Chunk
from core.records.commit_files import read_commits
from core.records.commits import Commit, FileDiff
from semantic_chunker import SemanticChunkerConfig

BODY = "    let total = items.iter().map(|item| item.price * item.count).sum::<u64>();\n    total - discount(total)\n"


def chunks_of(repo: Repo, **options: Any) -> tuple[list[tuple[Commit, list[Chunk]]], Counter[str], Counter[str]]:
    """Every commit with its chunks, what was dropped, and what was chunked coarsely."""
    drops, coarse = Counter[str](), Counter[str]()
    found = []
    settings = Settings.of(SemanticChunkerConfig(**options).model_dump(), repo.path / ".git")
    with BlobReader(repo.path / ".git") as blobs:
        chunker = settings.chunker(blobs)
        for commit in scraped(repo):
            found.append((commit, list(chunker.chunks(commit))))
            drops += chunker.drops
            coarse += chunker.coarse
            chunker.drops.clear()
            chunker.coarse.clear()
    return found, drops, coarse


def last(repo: Repo, **options: Any) -> dict[tuple[str, str | None], Chunk]:
    return {(c.file_path, c.qualified_name): c for c in chunks_of(repo, **options)[0][-1][1]}


def changed_lines(one: Chunk | FileDiff, sign: bytes) -> Counter[bytes]:
    """Lines of a patch with a sign, as they are in the file, but in UTF-8 where git would call it binary."""
    old = getattr(one, "old_encoding", UNSET)
    codecs = {"-": one.encoding if old is UNSET else old}
    names = [codecs.get(line[:1], one.encoding) for line in one.patch.split("\n")]
    lines = [
        line.encode("utf-8" if is_wide(name) else name) for name, line in zip(names, one.patch.split("\n"), strict=True)
    ]
    following = [*lines[1:], b""]
    return Counter(
        line[1:] + (b"" if after.startswith(b"\\") else b"\n")
        for line, after in zip(lines, following, strict=True)
        if line.startswith(sign)
    )


def assert_sound(repo: Repo, **options: Any) -> int:
    """Lines add up, code is the slice of the blob, parts are whole; the number of chunks."""
    everything = {"include_merges": True, "exclude": (), "derived_files": True, "max_line_bytes": 10**6}
    number = 0
    for commit, chunks in chunks_of(repo, **{**everything, **options})[0]:
        number += len(chunks)
        kept = [diff for diff in commit.diffs if diff.patch]
        for sign in (b"+", b"-"):
            whole = sum((changed_lines(diff, sign) for diff in kept), Counter[bytes]())
            assert sum((changed_lines(chunk, sign) for chunk in chunks), Counter[bytes]()) == whole
        assert sum(chunk.additions for chunk in chunks) == sum(diff.additions for diff in kept)
        assert sum(chunk.deletions for chunk in chunks) == sum(diff.deletions for diff in kept)
        assert [chunk.chunk_id for chunk in chunks] == [f"{commit.metadata.hash}_{n}" for n in range(len(chunks))]
        parent = commit.metadata.parents[0] if commit.metadata.parents else None
        for chunk in chunks:
            after = f"{commit.metadata.hash}:{chunk.file_path}"
            assert_slice(repo, after, chunk.new_code, chunk.encoding, chunk.line_ranges or chunk.line_range)
            before = f"{parent}:{chunk.old_path or chunk.file_path}"
            old_encoding = chunk.encoding if chunk.old_encoding is UNSET else chunk.old_encoding
            assert_slice(repo, before, chunk.old_code, old_encoding, chunk.old_line_ranges or chunk.old_line_range)
    return number


def is_wide(encoding: str) -> bool:
    return encoding.startswith(("utf-16", "utf-32"))


def assert_slice(
    repo: Repo, blob: str, code: str, encoding: str, lines_of_it: list[tuple[int, int]] | tuple[int, int] | None
) -> None:
    if lines_of_it is None:
        assert not code
        return
    text = subprocess.run(["git", "show", blob], cwd=repo.path, capture_output=True, check=True).stdout
    if is_wide(encoding):
        text, encoding = text.decode(encoding).encode(), "utf-8"
    lines = [line + b"\n" for line in text.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    ranges = lines_of_it if isinstance(lines_of_it, list) else [lines_of_it]
    assert b"".join(b"".join(lines[first - 1 : end]) for first, end in ranges) == code.encode(encoding)


def test_a_history_is_sound(history: Repo) -> None:
    history.git("checkout", "-q", "-b", "side", "HEAD~4")
    history.commit("side", {"src/lib.rs": "fn other() {}\n"})
    history.git("checkout", "-q", "main")
    history.git("merge", "-q", "--no-ff", "-X", "ours", "-m", "merge", "side")
    assert assert_sound(history) > 40
    assert assert_sound(history, max_code_bytes=256) > 50


WORDS = [
    "fn a() {\n", "}\n", "    let x = 1;\n", "struct S;\n", "impl S {\n", "mod m {\n", "#[test]\n", "/// doc\n", "\n",
    "use z;\n", "def f():\n", "    return 1\n", "class A:\n", "# Title\n", "## Sub\n", "[table]\n", "key = 1\n",
    "\xe9\n", "\r\n", "a\rb\n", "no end",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_any_history_is_sound(make_repo: Callable[[str], Repo], seed: int) -> None:
    dice = random.Random(seed)
    repo = make_repo("random")
    files: dict[str, list[str]] = {}
    for number in range(12):
        for _ in range(dice.randrange(1, 4)):
            path = dice.choice(["a.rs", "b.rs", "m/c.py", "d.md", "e.toml", "f.txt"])
            lines = files.setdefault(path, [])
            for _ in range(dice.randrange(1, 8)):
                place = dice.randrange(len(lines) + 1)
                lines[place : place + dice.choice([0, 0, 1, 2])] = dice.choices(WORDS, k=dice.randrange(4))
        if dice.random() < 0.3 and files:
            source = dice.choice(list(files))
            files[dice.choice(["a.rs", "g.rs", "m/h.py"])] = files.pop(source)
        for path in [one for one in ("a.rs", "b.rs", "g.rs", "m/c.py", "m/h.py") if one not in files]:
            (repo.path / path).unlink(missing_ok=True)
        # Latin-1 in every other commit.
        encoding = "latin-1" if number % 2 else "utf-8"
        repo.commit(f"{number}", {path: "".join(lines).encode(encoding) for path, lines in files.items()})
    assert assert_sound(repo, max_code_bytes=256) > 20


def test_kinds_of_change(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("kinds")
    before = "use a;\n\nfn stays() {\n    1;\n}\n\nfn goes() {}\n\nstruct S;\n\n#[test]\nfn checks() {}\n"
    after = (
        before.replace("use a;", "use b;").replace("    1;", "    2;").replace("fn goes() {}\n", "fn comes(x: u8) {}\n")
    )
    after = after.replace("fn checks() {}", "fn checks() { now() }")
    repo.commit("add", {"src/a.rs": before})
    assert {c.change_type for c in last(repo).values()} == {"new_function", "new_struct", "new_test", "new_module"}
    repo.commit(
        "change",
        {
            "src/a.rs": after,
            "notes.md": "x\n",
            "Cargo.toml": "[dependencies]\na = 1\n",
            "x.yaml": "a: 1\n",
            "y.zzz": "?\n",
        },
    )
    assert {key: chunk.change_type for key, chunk in last(repo).items()} == {
        ("src/a.rs", None): "modified_module",
        ("src/a.rs", "stays"): "modified_function",
        ("src/a.rs", "goes"): "deleted_function",
        ("src/a.rs", "comes"): "new_function",
        ("src/a.rs", "checks"): "modified_test",
        ("notes.md", None): "documentation",
        ("Cargo.toml", "dependencies"): "dependency",
        ("x.yaml", "a"): "configuration",
        ("y.zzz", None): "other",
    }
    repo.git("rm", "-q", "src/a.rs")
    repo.commit("remove")
    assert {c.change_type for c in last(repo).values()} == {
        "deleted_function", "deleted_struct", "deleted_test", "deleted_module",
    }  # fmt: skip


def test_a_move_is_one_chunk_with_both_sides(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("move")
    function = f"pub fn price(items: &[Item]) -> u64 {{\n{BODY}}}\n"
    others = "".join(f"fn keep{n}() {{\n    work({n});\n}}\n\n" for n in range(6))
    repo.commit("add", {"a.rs": others + function, "b.rs": others})
    repo.commit("move", {"a.rs": others, "b.rs": others + function})
    (chunk,) = last(repo).values()
    assert (chunk.file_path, chunk.old_path, chunk.change_type) == ("b.rs", "a.rs", "move")
    assert (chunk.moved, chunk.modified, chunk.renamed, chunk.match_score) == (True, False, False, 1.0)
    assert chunk.old_code == chunk.new_code == function
    assert (chunk.additions, chunk.deletions) == (4, 4)
    assert assert_sound(repo) > 0


def test_a_move_with_an_edit_shows_both(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("moved")
    function = f"pub fn price(items: &[Item]) -> u64 {{\n{BODY}}}\n"
    others = "".join(f"fn keep{n}() {{\n    work({n});\n}}\n\n" for n in range(6))
    repo.commit("add", {"a.rs": function + others})
    repo.commit("edit", {"a.rs": others + function.replace("total - disc", "total + disc")})
    chunk = last(repo)["a.rs", "price"]
    assert (chunk.moved, chunk.modified, chunk.change_type) == (True, True, "modified_function")


def test_a_rename_keeps_the_old_name(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("rename")
    function = f"pub fn price(items: &[Item]) -> u64 {{\n{BODY}}}\n"
    repo.commit("add", {"a.rs": function})
    repo.commit("rename", {"a.rs": function.replace("price(", "cost(")})
    chunk = last(repo)["a.rs", "cost"]
    assert (chunk.change_type, chunk.old_qualified_name, chunk.renamed) == ("rename", "price", True)
    assert chunk.change_evidence[:3] == ["file:code", "modified:function", "match:body"]


def test_the_intent_of_a_message_counts_only_for_code(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("words")
    repo.commit("add", {"a.rs": "/// Doc.\nfn a() {\n    b(1);\n}\nfn c() {}\n"})
    repo.commit("fix panic in a", {"a.rs": "/// Doc.\nfn a() {\n    b(2);\n}\nfn c() {\n}\nfn d() {}\n"})
    types = {name: chunk.change_type for (_, name), chunk in last(repo).items()}
    assert types == {"a": "bug_fix", "c": "formatting", "d": "new_function"}
    repo.commit("fix docs", {"a.rs": "/// Docs.\nfn a() {\n    b(2);\n}\nfn c() {\n}\nfn d() {}\n"})
    assert last(repo)["a.rs", "a"].change_type == "documentation"


def test_a_class_and_its_methods_share_no_line(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("class")
    source = 'class A:\n    """Doc."""\n\n    @deco\n    def one(self) -> int:\n        return 1\n\n    colour = 2\n'
    repo.commit("add", {"pkg/a.py": source})
    found = last(repo)
    outer, method = found["pkg/a.py", "A"], found["pkg/a.py", "A.one"]
    assert outer.new_code == 'class A:\n    """Doc."""\n\n\n    colour = 2\n'
    assert (outer.line_range, outer.line_ranges, outer.doc) == ((1, 8), [(1, 3), (7, 8)], "Doc.")
    assert method.new_code == "    @deco\n    def one(self) -> int:\n        return 1\n"
    assert (method.function_name, method.parent, method.module_path) == ("one", "A", "pkg.a")
    assert (method.signature, method.line_range, method.definition_line) == ("def one(self) -> int", (4, 6), 5)


def test_record_carries_commit_and_neighbours(history: Repo) -> None:
    commit, chunks = chunks_of(history)[0][-1]
    assert all(chunk.commit_metadata.message == commit.metadata.message for chunk in chunks)
    names = {diff.filename for diff in commit.diffs}
    assert all(set(chunk.related_files) == names - {chunk.file_path} for chunk in chunks)


def test_drops_are_counted_by_reason(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("drops")
    repo.commit("one", {"a.rs": "fn a() {}\n", "b.lock": "1\n", "c.bin": b"\x00", "empty": "", "d.py": "x = 1\n"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    repo.git("commit", "-q", "-m", "submodule")
    found, drops, _ = chunks_of(repo, file_filters=(".rs", ".lock", ".bin", "empty"))
    assert drops == {
        "lock files": 1,
        "binary files": 1,
        "file changes without changed lines": 1,
        "files outside file_filters": 1,
        "submodule pointers": 1,
    }
    assert [chunk.file_path for _, chunks in found for chunk in chunks] == ["a.rs"]


def test_long_code_is_cut_into_parts_between_statements(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("long")
    statements = "".join(f"    if a{n}:\n" + "        call(1)\n" * 20 for n in range(60))
    repo.commit("one", {"a.py": f"def f():\n{statements}"})
    ((commit, chunks),) = chunks_of(repo, max_code_bytes=4096)[0]
    assert "".join(chunk.new_code for chunk in chunks) == f"def f():\n{statements}"
    assert [chunk.part for chunk in chunks] == list(range(1, len(chunks) + 1))
    assert {chunk.parts for chunk in chunks} == {len(chunks)}
    assert [chunk.part_of for chunk in chunks] == [None, *[f"{commit.metadata.hash}_0"] * (len(chunks) - 1)]
    assert all(len(chunk.new_code) <= 4096 for chunk in chunks)
    assert all(chunk.new_code.startswith("    if a") for chunk in chunks[1:])
    assert assert_sound(repo, max_code_bytes=4096) == len(chunks)


def test_unparsed_files_become_one_chunk(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("large")
    repo.commit("one", {"a.py": "def f(): pass\n" * 50})
    ((commit, (chunk,)),) = chunks_of(repo, max_file_bytes=100)[0]
    assert (chunk.symbol_kind, chunk.additions, chunk.change_type) == ("file", 50, "other")
    assert chunks_of(repo, max_file_bytes=100)[2] == {"files that could not be parsed": 1}
    repo.commit("two", {"a.py": "def f(:\n"})
    assert chunks_of(repo)[2] == {"files with syntax errors": 1}
    assert commit


def chunk_stage(
    commits: Path, folder: Path, previous: Mapping[str, str] | None = None, **options: Any
) -> tuple[Path, dict[str, Any]]:
    """Run the stage as the pipeline does; its chunks.jsonl and its statistics. `previous` are the last run's facts."""
    folder.mkdir(exist_ok=True)
    (folder / "scratch").mkdir(exist_ok=True)
    staged = {name: folder / f"{name}.new" for name in semantic_chunker.STAGE.outputs}
    published = {name: folder / name for name in semantic_chunker.STAGE.outputs}
    context = Context(
        SemanticChunkerConfig(**options), {"commits.json": commits}, staged, published, folder / "scratch", folder,
        facts={"setting x": "1"}, previous=previous,
    )  # fmt: skip
    semantic_chunker.run(context)
    for name, path in staged.items():
        path.rename(published[name])
    return published["chunks.jsonl"], json.loads(published["chunking_stats.json"].read_bytes())


def contents(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in semantic_chunker.STAGE.outputs]


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many segments also in a small history."""
    monkeypatch.setattr(segments, "SMALLEST_SEGMENT", 2000)
    monkeypatch.setattr(segments, "LARGEST_SEGMENT", 6000)


def test_any_number_of_workers_writes_the_same(history: Repo, tmp_path: Path, small_segments: None) -> None:
    commits = scrape(history.path, tmp_path / "scraped").folder / "commits.json"
    for workers in (1, 2, 3):
        chunk_stage(commits, tmp_path / f"{workers}", workers=workers)
    assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(tmp_path / "3")
    assert len(list((tmp_path / "2" / "scratch").glob("*.jsonl"))) > 3


def test_how_much_is_kept_changes_nothing(history: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = scrape(history.path, tmp_path / "scraped").folder / "commits.json"
    chunk_stage(commits, tmp_path / "much", workers=1)
    monkeypatch.setattr(versions.Versions, "KEEP_BYTES", 0)
    chunk_stage(commits, tmp_path / "nothing", workers=1)
    assert contents(tmp_path / "much") == contents(tmp_path / "nothing")


def test_a_refresh_equals_a_full_run(make_repo: Callable[[str], Repo], tmp_path: Path, small_segments: None) -> None:
    repo = make_repo("growing")
    grow(repo)
    facts = {"setting x": "1"}
    first = scrape(repo.path, tmp_path / "scraped")
    chunk_stage(first.folder / "commits.json", tmp_path / "kept", workers=1)
    repo.git("checkout", "-q", "-b", "old", "HEAD~5")
    repo.commit("beside", {"src/beside.rs": "fn beside() {}\n"})
    repo.git("checkout", "-q", "main")
    repo.git("tag", "v9")
    repo.commit("more", {"src/more.rs": "fn more() {}\n"})
    again = scrape(repo.path, tmp_path / "again", first)
    commits = again.folder / "commits.json"
    chunk_stage(commits, tmp_path / "kept", facts, workers=1)
    made = [
        json.loads(path.read_bytes().splitlines()[0])
        for path in (tmp_path / "kept" / "scratch").glob("*.jsonl")
        if path.stat().st_size
    ]
    assert {one["file_path"] for one in made} >= {"src/beside.rs"}
    chunk_stage(commits, tmp_path / "full", workers=2)
    assert contents(tmp_path / "kept") == contents(tmp_path / "full")
    # Commits that are gone take their chunks with them.
    repo.git("branch", "-q", "-D", "old")
    repo.git("reset", "-q", "--hard", "HEAD~2")
    fewer = scrape(repo.path, tmp_path / "less", again).folder / "commits.json"
    chunk_stage(fewer, tmp_path / "kept", facts, workers=1)
    chunk_stage(fewer, tmp_path / "fewer", workers=1)
    assert contents(tmp_path / "kept") == contents(tmp_path / "fewer")


def test_a_damaged_index_is_not_used(history: Repo, tmp_path: Path) -> None:
    commits = scrape(history.path, tmp_path / "scraped").folder / "commits.json"
    chunks, _ = chunk_stage(commits, tmp_path / "one", workers=1)
    whole = contents(tmp_path / "one")
    for damage in (b"", b"{}\n", whole[1][: len(whole[1]) // 2]):
        (tmp_path / "one" / "chunks.index").write_bytes(damage)
        chunk_stage(commits, tmp_path / "one", {"setting x": "1"}, workers=1)
        assert contents(tmp_path / "one") == whole
    assert chunks.exists()


def test_a_killed_run_reuses_its_segments(history: Repo, tmp_path: Path, small_segments: None) -> None:
    commits = scrape(history.path, tmp_path / "scraped").folder / "commits.json"
    chunk_stage(commits, tmp_path / "whole", workers=1)
    chunk_stage(commits, tmp_path / "killed", workers=1)
    parts = sorted((tmp_path / "killed" / "scratch").glob("*.jsonl"))
    assert len(parts) > 5
    parts[0].write_bytes(b"cut off")
    parts[0].with_suffix(".index").unlink()
    parts[1].unlink()
    parts[3].write_bytes(parts[3].read_bytes()[:-1])
    index = parts[4].with_suffix(".index")
    index.write_bytes(index.read_bytes()[:-20])
    kept = parts[2].stat().st_mtime_ns
    chunk_stage(commits, tmp_path / "killed", workers=1)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert parts[2].stat().st_mtime_ns == kept


def test_statistics_add_up(history: Repo, tmp_path: Path) -> None:
    commits = scrape(history.path, tmp_path / "scraped").folder / "commits.json"
    path, stats = chunk_stage(commits, tmp_path / "one")
    chunks = list(read_chunks(path))
    assert stats["total_chunks"] == len(chunks)
    assert stats["total_commits"] == len(list(read_commits(commits)))
    for name, field in (("change_types", "change_type"), ("symbol_kinds", "symbol_kind"), ("languages", "language")):
        assert stats[name] == Counter(getattr(chunk, field) for chunk in chunks)
    assert sum(stats["new_code_sizes"].values()) == sum(stats["change_categories"].values()) == len(chunks)
    assert sum(stats["commits_by_chunks"].values()) == stats["commits_with_chunks"]
    assert stats["tests"] == sum(chunk.is_test for chunk in chunks)


def test_nothing_to_chunk_is_an_error(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("nothing")
    repo.commit("one", {"a.bin": b"\x00"})
    commits = scrape(repo.path, tmp_path / "scraped").folder / "commits.json"
    with pytest.raises(UserError, match="no chunk could be made of 1 commits: 1 binary files"):
        chunk_stage(commits, tmp_path / "one")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown language 'rost'"):
        SemanticChunkerConfig(languages=("rost",))


@pytest.mark.slow
def test_an_interrupt_ends_the_workers_too(make_repo: Callable[[str], Repo], program: Program) -> None:
    repo = make_repo("busy")
    for number in range(30):
        text = "".join(f"fn f{n}() {{\n    let x = {number + n};\n}}\n" for n in range(800))
        repo.commit(f"{number}", {f"src/f{number}.rs": text, "src/a.rs": text})
    assert program.run("git_scraper.py", "--repo", str(repo.path)).returncode == 0
    process = program.start("semantic_chunker.py", "--workers", "2")
    deadline = time.monotonic() + 60
    scratch = program.folder / "outputs" / ".gitlore" / "scratch" / "semantic_chunker"
    while not list(scratch.glob("*/*.jsonl")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout_s=60)
    assert process.returncode == 130
    time.sleep(0.5)
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(repo.path) not in listing
    assert program.run("semantic_chunker.py", "--workers", "2").returncode == 0


def test_repository_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "commits.json"
    path.write_text(
        '{"metadata":{"schema_version":"1.0","scrape_timestamp":"","repository":"","git_dir":"/none","refs":[],"git_version":"",'
        '"is_shallow":false,"total_commits":0,"total_authors":0,"merge_commits":0,"total_files_touched":0,'
        '"unique_branches":0,"branches":[],"current_branch":null,"branch_sets":[],"total_insertions":0,'
        '"total_deletions":0,"date_range":{}},"commits":[\n\n]}\n'
    )
    context = Context(SemanticChunkerConfig(), {"commits.json": path}, {}, {}, tmp_path, tmp_path)
    with pytest.raises(UserError, match="is gone"):
        semantic_chunker.run(context)


@pytest.mark.parametrize(
    ("field", "value"), [("branch_set", 9), ("branch_set", -1), ("new_blob", ""), ("new_blob", "a b")]
)
def test_a_commit_that_cannot_be_is_a_sentence(history: Repo, tmp_path: Path, field: str, value: object) -> None:
    scrape(history.path, tmp_path)
    path = tmp_path / "commits.json"
    head, *lines = path.read_bytes().splitlines(keepends=True)
    changed = re.sub(rb'"%s":(\d+|"[^"]*")' % field.encode(), f'"{field}":{json.dumps(value)}'.encode(), lines[0])
    assert changed != lines[0]
    path.write_bytes(b"".join((head, changed, *lines[1:])))
    with pytest.raises(UserError, match=r"commits\.json"):
        run_stage(semantic_chunker.STAGE, tmp_path, workers=1)
