"""Stage 2: each commit's diffs cut into semantic units: functions, types, tests, sections of files.

    python semantic_chunker.py --commits outputs/commits.json --output outputs/chunks.jsonl

Reads commits.json and, for languages with symbols, whole files from the repository; writes
chunks.jsonl and chunking_stats.json. Every added and every removed line of a kept file belongs to
exactly one chunk: that of the innermost symbol around it, else the file's "module" chunk.
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from core import git
from core.change_types import symbol_change
from core.cli import stage_main
from core.config import Section
from core.errors import UserError
from core.files import write_json
from core.languages import GRAMMARS, Symbol, file_change_type, file_type, language_of, module_path, symbols
from core.record_files import ChunkWriter, read_commits, read_history
from core.records import Chunk, ChunkCommit, Commit, FileDiff, LineRange
from core.stage import Context, Stage

MAX_RELATED_FILES = 32
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class SemanticChunkerConfig(Section):
    """Which changes become chunks, and how large these may get."""

    file_filters: tuple[str, ...] = ()
    """Keep only files with these endings (".rs"); none keeps all."""
    exclude: tuple[str, ...] = (
        "*.lock", "*-lock.json", "*-lock.yaml", "*.min.js", "*.min.css", "*.map", "*.svg",
        "vendor/*", "*/vendor/*", "third_party/*", "*/third_party/*", "node_modules/*", "*/node_modules/*",
    )  # fmt: skip
    """Leave out files whose path matches one of these patterns (lock files, vendored and generated code)."""
    include_merges: bool = False
    """Chunk merge commits too; against the first parent they mostly repeat the commits they merge."""
    max_code_bytes: int = Field(default=16_384, ge=256)
    """Code or patch of a chunk is cut at the last line end before this size and flagged."""
    max_file_bytes: int = Field(default=1_000_000, ge=0)
    """Larger source files are not parsed; their change becomes one chunk."""


def run(ctx: Context[SemanticChunkerConfig]) -> None:
    """Write chunks.jsonl and chunking_stats.json."""
    history = read_history(ctx.input("commits.json"))
    git_dir = Path(history.git_dir)
    if not git_dir.exists():
        raise UserError(f"the repository of commits.json is gone: {git_dir}", "run git_scraper again")
    stats = Stats()
    with (
        git.BlobReader(git_dir) as blobs,
        ChunkWriter(ctx.output("chunks.jsonl")) as out,
        ctx.progress("chunking", history.total_commits, "commits") as progress,
    ):
        files = ParsedFiles(blobs, ctx.config.max_file_bytes)
        for commit in read_commits(ctx.input("commits.json")):
            for chunk in chunk_commit(commit, files, ctx.config, ctx.drops):
                out.write(chunk)
                stats.add(chunk)
            progress.advance()
    if not stats.chunks:
        raise UserError(
            f"no chunk could be made of {history.total_commits} commits: "
            + (", ".join(f"{number} {reason}" for reason, number in ctx.drops.items()) or "they change no files"),
            "widen semantic_chunker.file_filters or exclude, or take a repository with text files",
        )
    write_json(ctx.output("chunking_stats.json"), stats.as_dict(history.total_commits, ctx.drops))
    ctx.count("chunks", stats.chunks)
    ctx.count("commits with chunks", stats.commits)
    if files.unread:
        ctx.count("file versions not parsed (missing or too large)", files.unread)


class Stats:
    """What chunking_stats.json tells."""

    def __init__(self) -> None:
        self.chunks = self.commits = self.truncated = 0
        self._last_commit = ""
        self.tables: dict[str, Counter[str]] = defaultdict(Counter)
        self.lines = Counter[str]()
        self.bytes = 0

    def add(self, chunk: Chunk) -> None:
        """Count one more chunk."""
        self.chunks += 1
        self.commits += chunk.commit_hash != self._last_commit
        self._last_commit = chunk.commit_hash
        self.truncated += chunk.truncated
        self.bytes += len(chunk.new_code.encode())
        self.lines.update(additions=chunk.additions, deletions=chunk.deletions)
        for table in ("change_type", "symbol_kind", "language", "change_category"):
            self.tables[table][getattr(chunk, table)] += 1

    def as_dict(self, total_commits: int, drops: Counter[str]) -> dict[str, object]:
        """JSON-ready, the most frequent first."""
        return {
            "schema_version": "1.0",
            "total_commits": total_commits,
            "commits_with_chunks": self.commits,
            "total_chunks": self.chunks,
            "truncated_chunks": self.truncated,
            "chunks_per_commit": round(self.chunks / max(self.commits, 1), 2),
            "new_code_bytes": self.bytes,
            **self.lines,
            **{f"{name}s".replace("ys", "ies"): dict(table.most_common()) for name, table in self.tables.items()},
            "dropped": dict(drops),
        }


def chunk_commit(
    commit: Commit, files: ParsedFiles, config: SemanticChunkerConfig, drops: Counter[str]
) -> Iterator[Chunk]:
    """The commit's chunks in file order; what is left out is counted in `drops` by reason."""
    if commit.metadata.is_merge and not config.include_merges:
        if commit.diffs:
            drops["file changes of merge commits"] += len(commit.diffs)
        return
    kept = []
    for diff in commit.diffs:
        if reason := why_drop(diff, config):
            drops[reason] += 1
        else:
            kept.append(diff)
    meta = commit.metadata
    about = ChunkCommit(
        author=meta.author,
        author_email=meta.author_email,
        timestamp=meta.timestamp,
        timestamp_unix=meta.timestamp_unix,
        commit_timestamp=meta.commit_timestamp,
        message=meta.message,
        message_body=meta.message_body,
    )
    number = 0
    for diff in kept:
        related = [other.filename for other in commit.diffs if other is not diff][:MAX_RELATED_FILES]
        for chunk in chunk_file(diff, files, config):
            chunk.chunk_id, chunk.commit_hash = f"{meta.hash}_{number}", meta.hash
            chunk.related_files, chunk.commit_metadata = related, about
            number += 1
            yield chunk


def why_drop(diff: FileDiff, config: SemanticChunkerConfig) -> str | None:
    """The reason to leave a file change out, None to keep it."""
    if git.SUBMODULE_MODE in (diff.old_mode, diff.new_mode):
        return "submodule pointers"
    if diff.missing:
        return "file changes with missing objects"
    if diff.is_binary:
        return "binary files"
    if config.file_filters and not diff.filename.endswith(config.file_filters):
        return "files outside file_filters"
    if any(fnmatch.fnmatchcase(diff.filename, pattern) for pattern in config.exclude):
        return "excluded files"
    if diff.patch_truncated and not diff.patch:
        return "files larger than git_scraper.max_file_bytes"
    if not diff.patch:
        return "file changes without changed lines"
    if diff.patch_truncated and not parse_patch(diff.patch):
        return "changes in one line longer than max_patch_bytes"
    return None


def chunk_file(diff: FileDiff, files: ParsedFiles, config: SemanticChunkerConfig) -> Iterator[Chunk]:
    """The chunks of one file change, ordered by where they first touch the file."""
    language = language_of(diff.filename)
    lines = parse_patch(diff.patch)
    sides = files.sides(diff, language)
    if sides is None:
        yield _build(diff, language, None, lines, Side.empty(), Side.empty(), config)
        return
    old, new = sides
    groups: dict[Key, list[PatchLine]] = {}
    for line in lines:
        owner = old.owner(line.old) if line.sign == "-" else new.owner(line.new)
        if line.sign != " ":
            groups.setdefault(owner, [])
        line.owner = owner
    for line in lines:
        if line.owner in groups:
            groups[line.owner].append(line)
    for key, own in groups.items():
        yield _build(diff, language, key, own, old, new, config)


Key = tuple[str, str, int] | None
"""Kind, qualified name and ordinal among equals of a symbol; None for code outside symbols."""


@dataclass(slots=True)
class PatchLine:
    """One line of a patch; `old` and `new` are line numbers (that of the next line where it has none)."""

    sign: str
    old: int
    new: int
    text: str
    """With its line end, if it has one."""
    position: int
    owner: Key = None


@dataclass
class Side:
    """One side of a file change: its lines, its symbols by key, and which symbol owns each line."""

    lines: list[str]
    by_key: dict[tuple[str, str, int], Symbol]
    owners: list[Key]

    @classmethod
    def empty(cls) -> Side:
        """The side of a file that is not there, or is not parsed."""
        return cls([], {}, [])

    @classmethod
    def of(cls, source: bytes, language: str, path: str) -> Side:
        """Parse a source file."""
        text, _ = git.decode(source)
        lines = _split_lines(text)
        owners: list[Key] = [None] * (len(lines) + 2)
        by_key: dict[tuple[str, str, int], Symbol] = {}
        seen = Counter[tuple[str, str]]()
        for symbol in symbols(source, language, path):  # outer before inner, so the innermost wins
            key = (*symbol.key, seen[symbol.key])
            seen[symbol.key] += 1
            by_key[key] = symbol
            for number in range(symbol.first_line, symbol.last_line + 1):
                owners[number] = key
        return cls(lines, by_key, owners)

    def owner(self, line: int) -> Key:
        """The innermost symbol around a line (1-based)."""
        return self.owners[line] if line < len(self.owners) else None

    def ranges(self, key: tuple[str, str, int]) -> list[LineRange]:
        """Runs of lines that the symbol owns itself, without those of symbols inside it."""
        symbol = self.by_key.get(key)
        if symbol is None:
            return []
        return _runs(n for n in range(symbol.first_line, symbol.last_line + 1) if self.owners[n] == key)

    def code(self, ranges: Sequence[LineRange]) -> str:
        """The text of some lines."""
        return "".join("".join(self.lines[first - 1 : last]) for first, last in ranges)


class ParsedFiles:
    """Parsed sides of file changes; the latest are kept, as one change's new side is the next one's old side."""

    KEEP_BYTES = 16 << 20

    def __init__(self, blobs: git.BlobReader, max_file_bytes: int) -> None:
        self._blobs, self._max_file_bytes = blobs, max_file_bytes
        self._kept: OrderedDict[tuple[str, str], tuple[int, Side | None]] = OrderedDict()
        self._bytes = 0
        self.unread = 0
        """Versions of files that are missing or too large; their changes become one chunk each."""

    def sides(self, diff: FileDiff, language: str) -> tuple[Side, Side] | None:
        """Before and after; None where the language has no symbols, or a side cannot be read whole."""
        if language not in GRAMMARS or diff.change_type == "T" or diff.patch_truncated:
            return None
        old = self._side(diff.old_blob, language, diff.old_filename or diff.filename)
        new = self._side(diff.new_blob, language, diff.filename)
        return (old, new) if old is not None and new is not None else None

    def _side(self, blob: str, language: str, path: str) -> Side | None:
        if not blob.strip("0"):
            return Side.empty()
        key = (blob, path)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][1]
        source = self._blobs.read(blob, self._max_file_bytes)
        side = None if source is None else Side.of(source, language, path)
        self.unread += side is None
        size = len(source or b"")
        self._kept[key] = (size, side)
        self._bytes += size
        while self._bytes > self.KEEP_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1][0]
        return side


def parse_patch(patch: str) -> list[PatchLine]:
    """The lines of all hunks, in order."""
    lines: list[PatchLine] = []
    old = new = 0
    for position, text in enumerate(_split_lines(patch)):
        if text.startswith("@@"):
            if header := _HUNK.match(text):
                old, new = int(header[1]), int(header[3])
            continue
        sign = text[0]
        if sign == "\\":  # "No newline at end of file": the line before has none
            lines[-1].text = lines[-1].text.removesuffix("\n")
            continue
        lines.append(PatchLine(sign, old, new, text[1:], position))
        old += sign != "+"
        new += sign != "-"
    return lines


def render_patch(lines: Sequence[PatchLine]) -> str:
    """A patch of some of a patch's lines: a hunk for each unbroken run that changes something."""
    hunks: list[list[PatchLine]] = []
    for line in lines:
        if hunks and hunks[-1][-1].position + 1 == line.position:
            hunks[-1].append(line)
        else:
            hunks.append([line])
    texts = []
    for hunk in hunks:
        if any(line.sign != " " for line in hunk):
            removed, added = sum(line.sign != "+" for line in hunk), sum(line.sign != "-" for line in hunk)
            texts.append(f"@@ -{hunk[0].old},{removed} +{hunk[0].new},{added} @@\n")
            for line in hunk:
                end = "" if line.text.endswith("\n") else "\n\\ No newline at end of file\n"
                texts.append(f"{line.sign}{line.text}{end}")
    return "".join(texts)


def _build(
    diff: FileDiff,
    language: str,
    key: Key,
    lines: Sequence[PatchLine],
    old: Side,
    new: Side,
    config: SemanticChunkerConfig,
) -> Chunk:
    """The chunk of one symbol, or (`key` None) of the lines outside symbols."""
    added, removed = [line for line in lines if line.sign == "+"], [line for line in lines if line.sign == "-"]
    before = after = None
    if key:
        before, after = old.by_key.get(key), new.by_key.get(key)
        old_ranges, new_ranges = old.ranges(key), new.ranges(key)
        old_code, new_code = old.code(old_ranges), new.code(new_ranges)
    else:
        old_ranges, new_ranges = _runs(line.old for line in removed), _runs(line.new for line in added)
        old_code, new_code = "".join(line.text for line in removed), "".join(line.text for line in added)
    symbol = after or before
    known = language in GRAMMARS and diff.change_type != "T"
    kind = symbol.kind if symbol else "module" if known else "file"
    if kind == "file":
        change_type = file_change_type(diff.filename)
    else:
        existed, exists = (bool(before), bool(after)) if symbol else (diff.change_type != "A", diff.change_type != "D")
        is_test = symbol.is_test if symbol else False
        change_type = symbol_change(kind, before=existed, after=exists, is_test=is_test)
    whole = [old_code, new_code, render_patch(lines)]
    texts = [_cut(text, config.max_code_bytes) for text in whole]
    return Chunk(
        chunk_id="",
        commit_hash="",
        file_path=diff.filename,
        old_path=diff.old_filename,
        file_type=file_type(diff.filename),
        language=language,
        change_type=change_type,
        change_category=diff.change_type,
        symbol_kind=kind,
        function_name=symbol.name if symbol else None,
        qualified_name=symbol.qualified_name if symbol else None,
        module_path=module_path(diff.filename, language),
        is_test=symbol.is_test if symbol else False,
        old_code=texts[0],
        new_code=texts[1],
        patch=texts[2],
        line_range=_span(new_ranges),
        old_line_range=_span(old_ranges),
        line_ranges=new_ranges if len(new_ranges) > 1 else [],
        old_line_ranges=old_ranges if len(old_ranges) > 1 else [],
        additions=diff.additions if diff.patch_truncated else len(added),
        deletions=diff.deletions if diff.patch_truncated else len(removed),
        truncated=diff.patch_truncated or texts != whole,
        commit_metadata=_NOBODY,
    )


_NOBODY = ChunkCommit(
    author="",
    author_email="",
    timestamp="",
    timestamp_unix=0,
    commit_timestamp="",
    message="",
    message_body="",
)
"""Stands in until `chunk_commit` fills in the commit."""


def _split_lines(text: str) -> list[str]:
    """Lines with their ends, as git counts them: only a line feed ends a line."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, last] if last else lines


def _runs(numbers: Iterable[int]) -> list[LineRange]:
    """Rising line numbers as ranges without gaps."""
    runs: list[LineRange] = []
    for number in numbers:
        if runs and runs[-1][1] + 1 == number:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _span(ranges: Sequence[LineRange]) -> LineRange | None:
    return (ranges[0][0], ranges[-1][1]) if ranges else None


def _cut(text: str, max_bytes: int) -> str:
    """The text up to the last line end within `max_bytes` (or up to the limit, in one long line)."""
    data = text.encode()
    if len(data) <= max_bytes:
        return text
    end = data.rfind(b"\n", 0, max_bytes) + 1
    return data[: end or max_bytes].decode(errors="ignore")


STAGE = Stage(
    name="semantic_chunker",
    help="cut each commit's diffs into functions, types, tests and other units",
    config=SemanticChunkerConfig,
    run=run,
    inputs=("commits.json",),
    outputs=("chunks.jsonl", "chunking_stats.json"),
    flags={"commits": "commits.json", "output": "chunks.jsonl"},
    libraries=("tree-sitter", "tree-sitter-rust", "tree-sitter-python"),
    data_files=("core/queries/*.scm",),
)

if __name__ == "__main__":
    stage_main(STAGE)
