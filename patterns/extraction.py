"""Patterns: both sides of what a commit did to a symbol, with the blobs that they stand in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from core.chunking.edits import Edits
from core.git.blobs import BlobReader
from core.git.encodings import is_binary
from core.records.chunks import Chunk, LineRange
from core.records.commits import Commit, CommitMetadata, FileDiff
from core.records.patterns import Evidence, Pattern
from core.text.grammar import SECRETS, Marker, Text
from core.text.redaction import Redactor
from miners.signals import diff_tags
from miners.signals.change_facts import is_source
from miners.signals.dialects import Dialect
from patterns import code_hashes
from patterns.commit_cache import Found
from patterns.line_fates import lines_of, word_of
from patterns.moves import essence
from patterns.purposes import MOST_SYMBOLS, left_out, problem_type_of, test_files_of
from patterns.survival import AddedLines

_IMPORT = re.compile(
    r"\s*(?:import\b|from\s+\S+\s+import\b|(?:pub(?:\([^)]*\))?\s+)?(?:use|mod)\s|#\s*include\b|using\s+[\w.]+|package\s"
    r"|(?:const|let|var)\s+[\w{},\s]+=\s*require\(|require(?:_relative)?\b|export\s+.*\bfrom\b|[\w.*:]+(?:\s+as\s+\w+)?,?$|[(){}\[\],;]*$)"
)
_KINDS = {marker: kind for kind, marker in SECRETS.items()}
UNREADABLE = "changes of files that cannot be read"
_NO_REPAIR = ("formatting", "documentation", "move", "rename")


Renames = frozenset[tuple[bytes, bytes]]
"""(old, new) names."""


class Side(NamedTuple):
    """One side of a change, as it stands in its blob."""

    lines: LineRange
    blob: str
    rows: list[bytes]
    text: str


@dataclass
class Extractor:
    """Takes patterns from the commits of one repository."""

    repository: str
    dialect: Dialect
    types: frozenset[str]
    blobs: BlobReader
    merged_for: Callable[[str], str] = lambda _: ""
    """What the merge is for that brought a commit in (`purposes.problem_type_of`); "" where none did."""
    redactor: Redactor = field(default_factory=Redactor)
    drops: Counter[str] = field(default_factory=Counter)
    """What was left out, by reason."""

    def problem_of(self, commit: CommitMetadata) -> str:
        """What the patterns of a commit would be, "" where none are taken from it."""
        problem = problem_type_of(commit, self.dialect, self.merged_for(commit.hash))
        return problem if problem in self.types else ""

    def of_commit(self, commit: Commit, problem: str, chunks: Iterable[Chunk]) -> Iterator[Found]:
        """The patterns of a commit. `problem` is what `problem_of` gave."""
        if reason := left_out(commit):
            self.drops[reason] += 1
            return
        diffs = {diff.filename: diff for diff in commit.diffs if is_source(diff.filename)}
        edits = {name: Edits.of_patch(diff.patch) for name, diff in diffs.items()}
        found: list[tuple[Found, Renames]] = []
        seen: Counter[tuple[str, str]] = Counter()
        for chunk in chunks:
            key = chunk.file_path, chunk.qualified_name or ""
            seen[key] += 1
            if chunk.file_path not in diffs or not _fits(chunk, problem):
                continue
            diff, edit = diffs[chunk.file_path], edits[chunk.file_path]
            sides = self._sides(chunk, diff, edit)
            if sides is None:
                continue
            pattern = self._pattern(commit, problem, chunk, diff, sides, seen[key])
            if pattern is not None:
                both = (code_hashes.tokens(code, chunk.language) for code in (pattern.before_code, pattern.after_code))
                found.append((Found(pattern, _change(commit, diff, edit, sides)), renames(*both)))
        kept = list(self._without_renames(found))
        if problem == "bug_fix" and len(kept) > MOST_SYMBOLS:
            self.drops["commits that change too much at once"] += 1
        else:
            yield from kept

    def _without_renames(self, found: Sequence[tuple[Found, Renames]]) -> Iterator[Found]:
        """Those that do more than to replace names as other changes of the commit replace them."""
        often = Counter(pair for _, pairs in found for pair in pairs)
        for one, pairs in found:
            if pairs and all(often[pair] > 1 for pair in pairs):
                self.drops["changes of a name in several places"] += 1
            else:
                yield one

    def _sides(self, chunk: Chunk, diff: FileDiff, edits: Edits) -> tuple[Side | None, Side] | None:
        if chunk.old_path and chunk.old_path != diff.old_filename:
            self.drops["symbols that came from another file"] += 1
            return None
        places = _places(chunk, edits)
        if places is None:
            self.drops["changes in several places of a symbol"] += 1
            return None
        old_encoding = chunk.old_encoding or chunk.encoding
        before = self._side(places[0], diff.old_blob, old_encoding) if places[0] else None
        after = self._side(places[1], diff.new_blob, chunk.encoding)
        if after is None or (places[0] and before is None):
            self.drops[UNREADABLE] += 1
            return None
        return before, after

    def _side(self, lines: LineRange, blob: str, encoding: str) -> Side | None:
        content = self.blobs.read(blob)
        if content is None or is_binary(content):
            return None
        rows = lines_of(content)[lines[0] - 1 : lines[1]]
        return Side(lines, blob, rows, b"\n".join(rows).decode(encoding, "replace"))

    def _pattern(
        self, commit: Commit, problem: str, chunk: Chunk, diff: FileDiff, sides: tuple[Side | None, Side], part: int
    ) -> Pattern | None:
        meta, (before, after) = commit.metadata, sides
        clean = [self.redactor.clean(text) for text in (before.text if before else "", after.text, _message(meta))]
        old_code, new_code, message = ("".join(text) for text in clean)
        tokens = [code_hashes.tokens(text, chunk.language) for text in (old_code, new_code)]
        if tokens[0] == tokens[1] or not tokens[1] or (before and not tokens[0]):
            self.drops["changes of comments or white space"] += 1
            return None
        name, tests = chunk.qualified_name or "", test_files_of(commit)
        return Pattern(
            pattern_id=_id(self.repository, meta.hash, chunk.file_path, name, str(part)),
            problem_type=problem,
            before_code=old_code,
            after_code=new_code,
            commit_msg=message,
            author=meta.author,
            date=meta.timestamp,
            confidence=0.0,
            repository=self.repository,
            commit=meta.hash,
            chunk_id=chunk.chunk_id,
            file_path=chunk.file_path,
            language=chunk.language,
            symbol=name,
            signature=self.redactor.masked(chunk.signature),
            change_kind=diff_tags.kind_of(diff_tags.tags_of([chunk.patch], touches_manifest=False)),
            solution_hash=code_hashes.solution_hash(chunk.language, *tokens),
            shape_hash=code_hashes.shape_hash(chunk.language, *tokens),
            with_test=bool(tests),
            test_files=tests,
            closes=meta.trailers.get("Fixes", []),
            masked=dict(sorted(Counter(kind for text in clean for kind in _masked(text)).items())),
            evidence=[_evidence(meta.hash, diff, before, after)],
        )


def renames(before: Sequence[bytes], after: Sequence[bytes]) -> Renames:
    """(old, new) of the names that a change replaces, where it does nothing else; otherwise nothing."""
    pairs = frozenset(pair for pair in zip(before, after, strict=False) if pair[0] != pair[1])
    is_all = len(before) == len(after) and all(
        name[:1].isalpha() or name[:1] == b"_" for pair in pairs for name in pair
    )
    return pairs if is_all else frozenset()


def _fits(chunk: Chunk, problem: str) -> bool:
    """Whether a chunk can be a pattern of this kind: code, no test, and more than imports and names."""
    if "file:code" not in chunk.change_evidence or chunk.is_test or chunk.symbol_kind == "file":
        return False
    if problem == "feature_addition":
        return chunk.change_type.startswith("new_") and chunk.symbol_kind != "module"
    if not (chunk.old_code.strip() and chunk.new_code.strip()) or "code" not in chunk.change_evidence:
        return False
    return chunk.change_type not in _NO_REPAIR and not (chunk.symbol_kind == "module" and _imports_alone(chunk.patch))


def _imports_alone(patch: str) -> bool:
    changed = [line[1:] for line in patch.split("\n") if line[:1] in ("-", "+")]
    return all(_IMPORT.match(line) for line in changed)


def _places(chunk: Chunk, edits: Edits) -> tuple[LineRange | None, LineRange] | None:
    """The lines of both sides in their files; of code in several runs, the one that changed. None where several did."""
    old = chunk.old_line_ranges or ([chunk.old_line_range] if chunk.old_line_range else [])
    new = chunk.line_ranges or ([chunk.line_range] if chunk.line_range else [])
    if not old or not chunk.old_code:
        return (None, new[0]) if len(new) == 1 else None
    if len(old) == len(new) == 1:
        return old[0], new[0]
    changed_old = [run for run in old if any(map(edits.is_removed, _rows(run)))]
    changed_new = [run for run in new if any(map(edits.is_added, _rows(run)))]
    if not changed_old and len(changed_new) == 1:
        changed_old = [run for run in old if _meet(run, changed_new[0], edits)]
    if not changed_new and len(changed_old) == 1:
        changed_new = [run for run in new if _meet(changed_old[0], run, edits)]
    return (changed_old[0], changed_new[0]) if len(changed_old) == len(changed_new) == 1 else None


def _meet(old: LineRange, new: LineRange, edits: Edits) -> bool:
    """Whether an unchanged line is in both runs."""
    return any(not edits.is_removed(row) and new[0] - 1 <= edits.to_new(row) < new[1] for row in _rows(old))


def _rows(lines: LineRange) -> range:
    """The same numbered from 0."""
    return range(lines[0] - 1, lines[1])


def _change(commit: Commit, diff: FileDiff, edits: Edits, sides: tuple[Side | None, Side]) -> AddedLines:
    before, after = sides
    path = diff.filename.encode(diff.filename_encoding)
    added = _words(after, edits.is_added)
    removed = frozenset(_words(before, edits.is_removed)) if before else frozenset[int]()
    return AddedLines(commit.metadata.hash, path, after.lines, added, removed)


def _words(side: Side, changed: Callable[[int], bool]) -> list[int]:
    """What stands for the changed lines of a side (`line_fates.word_of`), without those that have no word."""
    found = [word_of(essence(line)) for row, line in zip(_rows(side.lines), side.rows, strict=True) if changed(row)]
    return [word for word in found if word]


def _evidence(commit: str, diff: FileDiff, before: Side | None, after: Side) -> Evidence:
    return Evidence(
        commit=commit,
        path=diff.filename,
        old_path=diff.old_filename or diff.filename,
        old_lines=before.lines if before else None,
        new_lines=after.lines,
        old_blob=before.blob if before else "",
        new_blob=after.blob,
    )


def _id(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _message(meta: CommitMetadata) -> str:
    return f"{meta.message}\n\n{meta.message_body}" if meta.message_body else meta.message


def _masked(text: Text) -> Iterator[str]:
    """The kinds of the credentials that are masked in a text."""
    return (_KINDS[piece] for piece in text if isinstance(piece, Marker) and piece in _KINDS)
