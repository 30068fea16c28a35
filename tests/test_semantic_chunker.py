"""Stage 2: every changed line in exactly one chunk, the right one."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Repo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_git_scraper import scraped

import semantic_chunker
from core import git
from core.errors import UserError
from core.records import Chunk, Commit, FileDiff
from core.stage import Context
from semantic_chunker import ParsedFiles, SemanticChunkerConfig, chunk_commit, chunk_file, parse_patch, render_patch


def chunks_of(repo: Repo, **options: object) -> tuple[list[tuple[Commit, list[Chunk]]], Counter[str]]:
    config = SemanticChunkerConfig(**options)
    drops: Counter[str] = Counter()
    with git.BlobReader(repo.path / ".git") as blobs:
        files = ParsedFiles(blobs, config.max_file_bytes)
        return [(commit, list(chunk_commit(commit, files, config, drops))) for commit in scraped(repo)], drops


def last(repo: Repo, **options: object) -> dict[tuple[str, str | None], Chunk]:
    return {(c.file_path, c.qualified_name): c for c in chunks_of(repo, **options)[0][-1][1]}


def changed_lines(patch: str, sign: str) -> Counter[str]:
    return Counter(line.text for line in parse_patch(patch) if line.sign == sign)


def assert_lines_add_up(repo: Repo) -> None:
    for commit, chunks in chunks_of(repo, include_merges=True, max_code_bytes=10_000_000, exclude=())[0]:
        for diff in commit.diffs:
            own = [chunk for chunk in chunks if chunk.file_path == diff.filename]
            for sign in "+-":
                together = sum((changed_lines(chunk.patch, sign) for chunk in own), Counter())
                assert together == changed_lines(diff.patch, sign)
            assert sum(chunk.additions for chunk in own) == diff.additions
            assert sum(chunk.deletions for chunk in own) == diff.deletions


def test_every_changed_line_is_in_exactly_one_chunk(history: Repo) -> None:
    history.git("checkout", "-q", "-b", "side", "HEAD~4")
    history.commit("side", {"src/lib.rs": "fn other() {}\n"})
    history.git("checkout", "-q", "main")
    history.git("merge", "-q", "--no-ff", "-X", "ours", "-m", "merge", "side")
    assert_lines_add_up(history)


def test_code_is_the_slice_at_its_lines(history: Repo) -> None:
    seen = 0
    for _, chunks in chunks_of(history)[0]:
        for chunk in chunks:
            if chunk.symbol_kind in ("module", "file"):
                continue
            for revision, span, ranges, code in (
                ("", chunk.line_range, chunk.line_ranges, chunk.new_code),
                ("~1", chunk.old_line_range, chunk.old_line_ranges, chunk.old_code),
            ):
                if span is None:
                    assert code == ""
                    continue
                text = history.git("show", f"{chunk.commit_hash}{revision}:{chunk.file_path}") + "\n"
                lines = text.splitlines(keepends=True)
                assert code == "".join("".join(lines[a - 1 : b]) for a, b in ranges or [span])
                seen += 1
    assert seen > 30


def test_kinds_of_change(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("kinds")
    before = "use a;\n\nfn stays() {\n    1;\n}\n\nfn goes() {}\n\nstruct S;\n\n#[test]\nfn checks() {}\n"
    after = before.replace("use a;", "use b;").replace("    1;", "    2;").replace("fn goes() {}\n", "fn comes() {}\n")
    after = after.replace("fn checks() {}", "fn checks() { now() }")
    repo.commit("add", {"src/a.rs": before})
    assert {c.change_type for c in last(repo).values()} == {"new_function", "new_struct", "new_test", "new_module"}
    repo.commit(
        "change", {"src/a.rs": after, "notes.md": "x\n", "Cargo.toml": "[a]\n", "x.yaml": "a: 1\n", "y.zzz": "?\n"}
    )
    kinds = {key: chunk.change_type for key, chunk in last(repo).items()}
    assert kinds == {
        ("src/a.rs", None): "modified_module",
        ("src/a.rs", "stays"): "modified_function",
        ("src/a.rs", "goes"): "deleted_function",
        ("src/a.rs", "comes"): "new_function",
        ("src/a.rs", "checks"): "modified_test",
        ("notes.md", None): "documentation",
        ("Cargo.toml", None): "dependency",
        ("x.yaml", None): "configuration",
        ("y.zzz", None): "other",
    }
    repo.git("rm", "-q", "src/a.rs")
    repo.commit("remove")
    assert {c.change_type for c in last(repo).values()} == {
        "deleted_function", "deleted_struct", "deleted_test", "deleted_module",
    }  # fmt: skip


def test_a_class_and_its_methods_share_no_line(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("class")
    source = "class A:\n    size = 1\n\n    def one(self):\n        return 1\n\n    colour = 2\n"
    repo.commit("add", {"a.py": source})
    found = last(repo)
    assert found["a.py", "A"].new_code == "class A:\n    size = 1\n\n\n    colour = 2\n"
    assert found["a.py", "A"].line_ranges == [(1, 3), (6, 7)]
    assert found["a.py", "A.one"].new_code == "    def one(self):\n        return 1\n"
    assert found["a.py", "A.one"].function_name == "one"


def test_record_carries_commit_and_neighbours(history: Repo) -> None:
    commit, chunks = chunks_of(history)[0][-1]
    assert [chunk.chunk_id for chunk in chunks] == [f"{commit.metadata.hash}_{n}" for n in range(len(chunks))]
    assert all(chunk.commit_metadata.message == commit.metadata.message for chunk in chunks)
    names = {diff.filename for diff in commit.diffs}
    assert all(set(chunk.related_files) == names - {chunk.file_path} for chunk in chunks)


def test_drops_are_counted_by_reason(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("drops")
    repo.commit("one", {"a.rs": "fn a() {}\n", "b.lock": "1\n", "c.bin": b"\x00", "empty": "", "d.py": "x = 1\n"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    repo.git("commit", "-q", "-m", "submodule")
    found, drops = chunks_of(repo, file_filters=(".rs", ".lock", ".bin", "empty"))
    assert drops == {
        "excluded files": 1,
        "binary files": 1,
        "file changes without changed lines": 1,
        "files outside file_filters": 1,
        "submodule pointers": 1,
    }
    assert [chunk.file_path for _, chunks in found for chunk in chunks] == ["a.rs"]


def test_long_code_is_cut_at_a_line_end(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("long")
    repo.commit("one", {"a.py": "def f():\n" + "    x = 'é'\n" * 200})
    chunk = last(repo, max_code_bytes=300)["a.py", "f"]
    assert chunk.truncated
    assert len(chunk.new_code.encode()) <= 300
    assert chunk.new_code.endswith("\n")
    assert chunk.additions == 201


def test_unparsed_files_become_one_chunk(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("large")
    repo.commit("one", {"a.py": "def f(): pass\n" * 50})
    (chunk,) = last(repo, max_file_bytes=100).values()
    assert (chunk.symbol_kind, chunk.additions) == ("module", 50)


class NoBlobs:
    """Blobs held by the test itself."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents

    def read(self, blob: str, max_bytes: int | None = None) -> bytes | None:
        return self.contents.get(blob)


def git_like_patch(before: list[str], after: list[str]) -> str:
    """A patch as git writes it, for lines that all end in a line feed."""
    lines = list(difflib.unified_diff(before, after, n=2))[2:]
    return "".join(lines)


PARTS = st.sampled_from(
    [
        "fn a() {\n",
        "}\n",
        "    let x = 1;\n",
        "struct S;\n",
        "impl S {\n",
        "mod m {\n",
        "#[test]\n",
        "/// doc\n",
        "\n",
        "use z;\n",
    ]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(PARTS, max_size=25), st.lists(PARTS, max_size=25))
def test_lines_add_up_on_any_source(before: list[str], after: list[str]) -> None:
    patch = git_like_patch(before, after)
    if not patch:
        return
    diff = FileDiff(
        filename="x.rs", change_type="M", patch=patch, is_binary=False, old_mode="100644", new_mode="100644",
        old_blob="1", new_blob="2", additions=0, deletions=0,
    )  # fmt: skip
    blobs = NoBlobs({"1": "".join(before).encode(), "2": "".join(after).encode()})
    chunks = list(chunk_file(diff, ParsedFiles(blobs, 10**6), SemanticChunkerConfig()))  # type: ignore[arg-type]
    for sign in "+-":
        assert sum((changed_lines(c.patch, sign) for c in chunks), Counter()) == changed_lines(patch, sign)


def test_rendering_all_lines_gives_the_patch_back(history: Repo) -> None:
    for commit in scraped(history):
        for diff in commit.diffs:
            lines = parse_patch(diff.patch)
            assert parse_patch(render_patch(lines)) == lines


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
