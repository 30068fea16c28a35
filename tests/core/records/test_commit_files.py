"""commits.json and chunks.jsonl as streams."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from builders import read_chunks

from core.errors import UserError
from core.records.chunks import Chunk, ChunkCommit
from core.records.commit_files import (
    CommitWriter,
    Placement,
    branch_set_of,
    placement_of,
    read_commits,
    read_history,
    unplaced,
)
from core.records.commits import (
    Commit,
    CommitContext,
    CommitMetadata,
    DateRange,
    HistoryMetadata,
    main_branch,
    on_main_line,
    side_branches,
)


def commit(number: int) -> Commit:
    meta = CommitMetadata(
        hash=f"{number:040x}", abbrev_hash="0" * 8, tree="0" * 40, parents=[], author="A", author_email="a@x",
        timestamp="2024-01-01T00:00:00Z", timestamp_unix=1, tz_offset=60, committer="A", committer_email="a@x",
        commit_timestamp="2024-01-01T00:00:00Z", commit_timestamp_unix=1, message="m\u2028\x00", message_body="",
        is_merge=False, files_changed=0, insertions=0, deletions=0, branch_set=0,
    )  # fmt: skip
    context = CommitContext(is_merge=False, has_tags=False, file_count=0, total_lines_changed=0)
    return Commit(metadata=meta, diffs=[], tags=[], commit_number=number, context=context)


def history(total: int) -> HistoryMetadata:
    return HistoryMetadata(
        scrape_timestamp="x", repository=".", git_dir="/", refs=[], git_version="2", is_shallow=False,
        total_commits=total, total_authors=1, merge_commits=0, total_files_touched=0, unique_branches=0, branches=[],
        current_branch=None, branch_sets=["0"], total_insertions=0, total_deletions=0, date_range=DateRange(),
    )  # fmt: skip


def write(path: Path, total: int) -> None:
    with CommitWriter(path, history(0)) as out:
        for number in range(total):
            one = commit(number)
            placement = Placement(tags=one.tags, commit_number=number, context=one.context, duplicate_of=None)
            out.write(one.metadata, [], placement)
        out.finish(history(total))


@pytest.mark.parametrize("total", [0, 1, 3])
def test_file_is_json_and_streams(tmp_path: Path, total: int) -> None:
    path = tmp_path / "commits.json"
    write(path, total)
    whole = json.loads(path.read_bytes())
    assert len(whole["commits"]) == total == read_history(path).total_commits
    assert [c.commit_number for c in read_commits(path)] == list(range(total))
    assert [msgspec.convert(c, Commit) for c in whole["commits"]] == list(read_commits(path))
    assert len(list(tmp_path.iterdir())) == 1


def test_cut_off_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "commits.json"
    write(path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(UserError, match="cut off"):
        list(read_commits(path))
    path.write_bytes(b"".join(lines[:2]) + lines[2][:50])
    with pytest.raises(UserError, match="line 3"):
        list(read_commits(path))


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("whole", "damaged", "line"),
    [
        (b'"author":"A"', b'"author":"\xff"', 2),
        (b'"tags":[]', b'"tags":[],"later":' + DEEP, 2),
        (b'"git_version":"2"', b'"git_version":"\xff"', 1),
        (b'"refs":[]', b'"refs":[],"later":' + DEEP, 1),
    ],
)
def test_what_is_no_text_or_does_not_end_is_a_sentence(tmp_path: Path, whole: bytes, damaged: bytes, line: int) -> None:
    path = tmp_path / "commits.json"
    write(path, 2)
    path.write_bytes(path.read_bytes().replace(whole, damaged))
    with pytest.raises(UserError, match=f"line {line}"):
        list(read_commits(path))


@pytest.mark.parametrize(
    "line", [b'{"schema_version":"1.3","commit_hash":"\xff"}', b'{"later":' + DEEP, b'{"schema_version":"\xff"}']
)
def test_so_is_a_line_of_chunks(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "chunks.jsonl").write_bytes(line)
    with pytest.raises(UserError, match="line 1"):
        list(read_chunks(tmp_path / "chunks.jsonl"))


@pytest.mark.parametrize("mask", ["", "x", "-", "2", "-1"])
def test_branches_that_are_not_there_are_a_sentence(tmp_path: Path, mask: str) -> None:
    path = tmp_path / "commits.json"
    write(path, 1)
    path.write_text(path.read_text().replace('"branch_sets":["0"]', f'"branch_sets":["{mask}"]'))
    with pytest.raises(UserError, match="branches that are not there"):
        read_history(path)


def test_other_major_version_is_refused_and_unknown_fields_are_not(tmp_path: Path) -> None:
    path = tmp_path / "commits.json"
    write(path, 1)
    text = path.read_text()
    path.write_text(text.replace('"schema_version":"1.3"', '"schema_version":"1.9","later":1'))
    assert read_history(path).schema_version == "1.9"
    path.write_text(text.replace('"schema_version":"1.3"', '"schema_version":"2.0"'))
    with pytest.raises(UserError, match=r"schema version 2\.0"):
        read_history(path)


@pytest.mark.parametrize("text", ["", "[]", '{"commits": []}', "not json\n"])
def test_foreign_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "commits.json"
    path.write_text(text)
    with pytest.raises(UserError):
        read_history(path)


@pytest.mark.parametrize(
    ("found", "other"),
    [
        (b'"branch_set":0', b'"branch_set":"x"'),
        (b'"branch_set":0', b'"branch_set":7'),
        (b'"branch_set":0', b'"branch_set":' + b"7" * 5000),
        (b'"diffs":[', b'"other":['),
        (b'],"tags":[', b'],"other":['),
    ],
)
def test_a_line_with_another_layout_is_refused(tmp_path: Path, found: bytes, other: bytes) -> None:
    path = tmp_path / "commits.json"
    write(path, 1)
    line = path.read_bytes().splitlines()[1].replace(found, other, 1)
    with pytest.raises(UserError, match=r"commits\.json: a line"):
        (branch_set_of(line, 1), unplaced(line), placement_of(line))


def test_chunks_round_trip_and_broken_lines_are_named(tmp_path: Path) -> None:
    about = ChunkCommit(
        author="A", author_email="a", timestamp="t", timestamp_unix=0, commit_timestamp="t", message="", message_body=""
    )
    chunk = Chunk(
        chunk_id="x_0", commit_hash="x", file_path="a\tb", file_type="rs", language="rust", change_type="other",
        change_category="M", symbol_kind="file", module_path="", old_code="\r", new_code="\u2028", patch="",
        additions=0, deletions=0, line_range=(1, 2), commit_metadata=about,
    )  # fmt: skip
    path = tmp_path / "chunks.jsonl"
    path.write_bytes((msgspec.json.encode(chunk) + b"\n") * 2)
    assert list(read_chunks(path)) == [chunk, chunk]
    assert all(json.loads(line) for line in path.read_bytes().split(b"\n")[:-1])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserError, match="line 2"):
        list(read_chunks(path))


def test_a_line_written_again_differs_only_in_its_place(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    old = commit(0)
    old.metadata.message = '],"tags":[ ,"diffs":[ "branch_set":7}'
    old.metadata.trailers = {"Fixes": ["#1"]}
    diff = msgspec.json.encode({"patch": '],"tags":['})
    place = Placement(tags=["v1"], commit_number=0, context=old.context, duplicate_of=None)
    with CommitWriter(first, history(0)) as out:
        start = out.write(old.metadata, [diff, diff], place)
        end = out.end
        out.finish(history(1))
    line = first.read_bytes()[start:end]
    assert placement_of(line) == place
    later = Placement(tags=[], commit_number=5, context=old.context, duplicate_of="0" * 40)
    with CommitWriter(second, history(0)) as out:
        start = out.write_again(line, 12, later)
        again = second, start, out.end
        out.finish(history(1))
    one = json.loads(again[0].read_bytes()[again[1] : again[2]])
    before = json.loads(line)
    assert one["metadata"] == {**before["metadata"], "branch_set": 12}
    assert one["diffs"] == before["diffs"]
    assert (one["tags"], one["commit_number"], one["duplicate_of"]) == ([], 5, "0" * 40)


@pytest.mark.parametrize(
    ("branches", "current", "sets", "expected"),
    [
        (["main", "topic"], "main", [0b11, 0b10, 0b01, 0], ["", "topic", "", ""]),
        (["main", "remotes/origin/main", "remotes/origin/a/b"], "main", [0b010, 0b100, 0b110], ["", "a/b", ""]),
        (["master", "x"], None, [0b10, 0b11], ["x", ""]),
        (["a", "b"], None, [0b10, 0b11], ["b", "a"]),
    ],
)
def test_commits_outside_the_main_branch_name_their_branch(
    tmp_path: Path, branches: list[str], current: str | None, sets: list[int], expected: list[str]
) -> None:
    path = tmp_path / "commits.json"
    write(path, 1)
    history = read_history(path)
    history.branches, history.current_branch = branches, current
    history.branch_sets = [f"{mask:x}" for mask in sets]
    assert side_branches(history) == expected


@pytest.mark.parametrize(
    ("branches", "current", "main", "sets", "expected"),
    [
        (["main", "topic"], "topic", "topic", [0b11, 0b10, 0b01, 0], [True, True, False, False]),
        (["main", "remotes/origin/main"], "main", "main", [0b10, 0b11], [False, True]),  # the remote is ahead
        (["x", "remotes/origin/master", "remotes/origin/main"], None, "remotes/origin/main", [0b10, 0b100], [0, 1]),
        (["a", "b"], None, "a", [0b10, 0b11, 0], [False, True, False]),
        (["main", "topic"], "main", "main", [0, 0b10], [True, True]),  # only the topic was scraped
        ([], None, None, [0], [True]),
    ],
)
def test_only_what_the_main_branch_contains_is_on_the_main_line(
    tmp_path: Path, branches: list[str], current: str | None, main: str | None, sets: list[int], expected: list[bool]
) -> None:
    path = tmp_path / "commits.json"
    write(path, 1)
    history = read_history(path)
    history.branches, history.current_branch = branches, current
    history.branch_sets = [f"{mask:x}" for mask in sets]
    assert main_branch(history) == main
    assert on_main_line(history) == expected
