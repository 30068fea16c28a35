"""chunks.jsonl: what one commit did to one symbol, a line each."""

from __future__ import annotations

import msgspec

from core.records import SCHEMA_VERSION
from core.records.commits import ChangeCategory


class ChunkCommit(msgspec.Struct, kw_only=True):
    """What a chunk repeats of its commit."""

    author: str
    author_email: str
    timestamp: str
    timestamp_unix: int
    commit_timestamp: str
    """When it was committed: the order of the history, which author dates need not follow."""
    message: str
    message_body: str
    branch: str = ""
    """A branch that contains it, where the main one does not (`side_branches`)."""


NO_COMMIT = ChunkCommit(
    author="",
    author_email="",
    timestamp="",
    timestamp_unix=0,
    commit_timestamp="",
    message="",
    message_body="",
)
"""Stands in until a chunk's commit is filled in."""

LineRange = tuple[int, int]
"""First and last line, 1-based, both included."""


class Chunk(msgspec.Struct, kw_only=True):
    """One line of chunks.jsonl: what one commit did to one symbol, or to one file outside symbols."""

    schema_version: str = SCHEMA_VERSION
    chunk_id: str
    """`<commit hash>_<number within the commit>`."""
    repository: str = ""
    """Its name, where the file holds the chunks of several."""
    commit_hash: str
    file_path: str
    old_path: str | None = None
    """Path of the old side, if it differs: the file was renamed or copied, or the symbol moved between files."""
    file_type: str
    """Extension without the dot, or the lower-case file name where there is none."""
    language: str
    change_type: str
    """One of `core.code.change_types.CHANGE_TYPES`."""
    change_category: ChangeCategory
    change_evidence: list[str] = []
    """What the change type was decided from (`core.code.change_types.ChangeEvidence.names`)."""
    symbol_kind: str
    """A `core.code.languages.SYMBOL_KINDS` entry, "module" for code outside symbols, "file" where none are known."""
    function_name: str | None = None
    """Last part of the symbol's name, of whatever kind it is; None outside symbols."""
    qualified_name: str | None = None
    """Names from the outermost symbol of the file inwards."""
    old_qualified_name: str | None = None
    """That before the commit, where it was another."""
    parent: str | None = None
    """Qualified name of the symbol around this one."""
    module_path: str
    signature: str = ""
    """Everything up to the body, in one line."""
    doc: str = ""
    """Doc comment or docstring, without comment marks."""
    is_test: bool = False
    old_code: str
    """The lines of `old_line_ranges`: of a symbol all of its own, outside symbols the removed ones."""
    new_code: str
    """The lines of `line_ranges`: of a symbol all of its own (not those of symbols inside it), else the added ones."""
    patch: str
    """The changed lines with the unchanged ones around them; in the code of a moved symbol, both files' hunks."""
    line_range: LineRange | None = None
    """Span of `new_code` in the new file; None where nothing is left."""
    old_line_range: LineRange | None = None
    line_ranges: list[LineRange] = []
    """The lines of `new_code`, where they are several runs; else they are `line_range`."""
    old_line_ranges: list[LineRange] = []
    definition_line: int | None = None
    """Line of the symbol's name, behind attributes and doc comments; on the old side for a removed symbol."""
    additions: int
    deletions: int
    match_score: float | None = None
    """How alike the symbol's two sides are, 0 to 1; 1 where name and kind are the same. None if it has but one."""
    renamed: bool = False
    moved: bool = False
    """It is in another file or symbol, or elsewhere among its neighbours."""
    modified: bool = False
    """It was there before, and more than white space differs."""
    part: int = 1
    """Long code is cut into parts: the number of this one. The parts' code in a row is the whole code."""
    parts: int = 1
    part_of: str | None = None
    """`chunk_id` of the first part, on all others."""
    encoding: str = "utf-8"
    """What the new side was decoded from, the old one if there is no other: "utf-8", else what the file declares or
    seems to be in, else "latin-1"."""
    old_encoding: str | msgspec.UnsetType = msgspec.UNSET
    """What the old side was decoded from, where it is another: the old code, and the patch's removed lines."""
    encoding_guessed: bool | msgspec.UnsetType = msgspec.UNSET
    """True where nothing declares the encoding, and the text itself or files beside it spoke for one; else absent."""
    related_files: list[str] = []
    """Other files of the commit, at most 32."""
    commit_metadata: ChunkCommit
