"""Chunks of a commit as sequences in the grammar, with secrets masked or left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core.records.chunks import Chunk
from core.text.grammar import CodeView, Pieces, plain, serialise, sides, texts_of
from core.text.redaction import Redactor

SecretsMode = Literal["mask", "keep", "drop"]
"""Credentials in text become a marker of their kind, stay, or take their whole chunk with them."""


class SequenceMaker:
    """Writes commits as sequences, one for each chunk."""

    def __init__(self, view: CodeView, secrets: SecretsMode = "mask", *, redact_emails: bool = False) -> None:
        self._view: CodeView = view
        self.redactor = Redactor(secrets=secrets != "keep", emails=redact_emails)
        self._drops = secrets == "drop"

    def of(self, chunks: Sequence[Chunk]) -> list[Pieces]:
        """The sequences of all chunks of one commit; that of a chunk that is left out is empty."""
        metadata = chunks[0].commit_metadata
        texts = [text for chunk in chunks for text in self._texts(chunk)]
        if not self.redactor.suspects([metadata.author, metadata.message, metadata.branch, *texts]):
            return serialise(texts_of(chunks, self._view, plain))
        kept = chunks
        if self._drops:
            kept = [chunk for chunk in chunks if not self.redactor.has_secret(*self._texts(chunk))]
        made = iter(serialise(texts_of(kept, self._view, self.redactor.clean)) if kept else ())
        ids = {chunk.chunk_id for chunk in kept}
        return [next(made) if chunk.chunk_id in ids else [] for chunk in chunks]

    def _texts(self, chunk: Chunk) -> tuple[str, ...]:
        """All that a sequence shows of a chunk besides its commit."""
        shown = {
            "new": (chunk.new_code,),
            "diff": (chunk.patch,),
            "before_after": (chunk.old_code, chunk.new_code),
            "edit": sides(chunk),
        }
        return (chunk.file_path, chunk.module_path, chunk.qualified_name or "", *shown[self._view])
