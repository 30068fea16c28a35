"""Commits into chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from core.chunking.edits import Edits
from core.chunking.filters import LONG_LINES, TOO_LARGE, FileFilters
from core.chunking.intents import intent_of
from core.chunking.pieces import FileChange, Piece, pieces
from core.chunking.versions import Versions, is_parsed
from core.code.languages import LANGUAGES
from core.git.blobs import BlobReader
from core.git.encodings import LEAST_CONFIDENCE
from core.records.chunks import Chunk, ChunkCommit
from core.records.commits import Commit, CommitMetadata, FileDiff

MAX_RELATED_FILES = 32
MAX_FILES_AT_ONCE = 500
"""Larger commits are matched in batches of this many files, so that memory stays bounded."""


class Chunker:
    """Cuts commits into chunks and counts what it leaves out."""

    def __init__(
        self,
        blobs: BlobReader,
        filters: FileFilters,
        *,
        max_code_bytes: int,
        max_file_bytes: int,
        min_encoding_confidence: float = LEAST_CONFIDENCE,
        merges: bool = False,
    ) -> None:
        self._filters, self._max_code_bytes, self._merges = filters, max_code_bytes, merges
        self._versions = Versions(blobs, max_file_bytes, min_encoding_confidence)
        self.drops = Counter[str]()
        """File changes left out, by reason."""
        self.coarse = Counter[str]()
        """File changes that could not be cut as finely as their language allows, by reason."""

    def chunks(self, commit: Commit, branch: str = "") -> Iterator[Chunk]:
        """The commit's chunks, by file, then by the line that they first touch.

        `branch` is what they name as the commit's (`core.records.commits.side_branches`).
        """
        meta = commit.metadata
        metadata = ChunkCommit(
            author=meta.author,
            author_email=meta.author_email,
            timestamp=meta.timestamp,
            timestamp_unix=meta.timestamp_unix,
            commit_timestamp=meta.commit_timestamp,
            message=meta.message,
            message_body=meta.message_body,
            branch=branch,
        )
        intent = intent_of(meta.message)
        names = [diff.filename for diff in commit.diffs[: MAX_RELATED_FILES + 1]]
        number = 0
        kept = self._kept(commit)
        for start in range(0, len(kept), MAX_FILES_AT_ONCE):
            changes = self._changes(kept[start : start + MAX_FILES_AT_ONCE], meta)
            for piece in pieces(changes):
                if reason := self._left_out(piece):
                    self.drops[reason] += 1
                    continue
                own = piece.change.diff.filename
                related = [name for name in names if name != own][:MAX_RELATED_FILES]
                for chunk in piece.chunks(meta.hash, number, intent, self._max_code_bytes):
                    chunk.related_files, chunk.commit_metadata = related, metadata
                    number += 1
                    yield chunk
            for change in changes:
                change.old.forget_lines()
                change.new.forget_lines()

    def _kept(self, commit: Commit) -> list[FileDiff]:
        """The file changes that pass the filters."""
        if commit.metadata.is_merge and not self._merges:
            if commit.diffs:
                self.drops["file changes of merge commits"] += len(commit.diffs)
            return []
        kept = []
        for diff in commit.diffs:
            if reason := self._filters.reason(diff):
                self.drops[reason] += 1
            else:
                kept.append(diff)
        return kept

    def _left_out(self, piece: Piece) -> str | None:
        """Why a part of a file is left out of whose language not all is kept."""
        kinds, symbol = LANGUAGES[piece.change.language].leaves_out, piece.after or piece.before
        if symbol and symbol.kind in kinds:
            return "outputs and counts of notebook cells"
        return LONG_LINES if kinds and piece.longest_line() > self._filters.max_line_bytes else None

    def _changes(self, diffs: list[FileDiff], commit: CommitMetadata) -> list[FileChange]:
        """File changes with their two sides."""
        both = [(diff, Edits.of_patch(diff.patch)) for diff in diffs]
        self._versions.fetch(both)
        changes = []
        for diff, shown in both:
            sides = self._versions.sides(diff, commit)
            if sides is None and diff.patch_truncated:
                self.drops[TOO_LARGE] += 1
                continue
            edits = Edits.between(sides[0].source, sides[1].source) if sides and diff.patch_truncated else shown
            old, new = sides or self._versions.sides_of_patch(diff, commit)
            if self._filters.is_generated((new if new.source else old).source):
                self.drops["generated files"] += 1
                continue
            language = self._versions.language(diff)
            if sides is None and is_parsed(diff) and LANGUAGES[language].has_symbols:
                self.coarse["files that could not be parsed"] += 1
            elif old.has_error or new.has_error:
                self.coarse["files with syntax errors"] += 1
            if old.source and new.source and old.lacks_symbols != new.lacks_symbols:
                old, new = old.without_symbols(), new.without_symbols()  # nothing came or went
            changes.append(FileChange(diff, language, old, new, edits, is_parsed=sides is not None))
        return changes
