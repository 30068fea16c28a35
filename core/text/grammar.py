"""How a history is written as one sequence of text and markers, and read back.

docs/grammar.md shows it with an example; in short:

    history = commit*
    commit  = <COMMIT_START> [<REPOSITORY> text] year month <AUTHOR> text [<BRANCH> text] <MESSAGE> text
              file+ <COMMIT_END>
    file    = <FILE_START> text language [<MODULE> text] change+ <FILE_END>
    change  = type kind [<SYMBOL> text] <CODE_START> code <CODE_END>
    code    = text | [<BEFORE> text] [<AFTER> text] | [<BEFORE> text] hunk*
    hunk    = [<KEPT> text] [<REMOVED> text] [<ADDED> text]
    text    = (characters | <SECRET:kind> | <EMAIL>)*

year, month, language, type and kind are one marker each, such as <YEAR:2024>; a value for which there
is none stands as text behind <YEAR>, <MONTH>, … Markers are a small closed set. Text that looks like a
marker stays text, because markers are placed by id and never found by matching.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from core.code.change_types import CHANGE_TYPES
from core.code.languages import LANGUAGES, SYMBOL_KINDS
from core.records.chunks import Chunk
from core.text.hunks import Hunk, hunks
from core.text.secrets import SECRET_KINDS


class Marker(str):
    """A structural token; everything else in a sequence is text."""

    __slots__ = ()


COMMIT_START = Marker("<COMMIT_START>")
COMMIT_END = Marker("<COMMIT_END>")
FILE_START = Marker("<FILE_START>")
FILE_END = Marker("<FILE_END>")
CODE_START = Marker("<CODE_START>")
CODE_END = Marker("<CODE_END>")
REPOSITORY = Marker("<REPOSITORY>")
AUTHOR = Marker("<AUTHOR>")
BRANCH = Marker("<BRANCH>")
MESSAGE = Marker("<MESSAGE>")
MODULE = Marker("<MODULE>")
SYMBOL = Marker("<SYMBOL>")
BEFORE = Marker("<BEFORE>")
AFTER = Marker("<AFTER>")
KEPT = Marker("<KEPT>")
REMOVED = Marker("<REMOVED>")
ADDED = Marker("<ADDED>")
EMAIL = Marker("<EMAIL>")
SECRETS = {kind: Marker(f"<SECRET:{kind}>") for kind in SECRET_KINDS}

YEAR, MONTH, LANGUAGE, CHANGE, KIND = (
    Marker(f"<{name}>") for name in ("YEAR", "MONTH", "LANGUAGE", "CHANGE", "KIND")
)  # in front of a value that has no marker of its own
_OF_VALUE: dict[Marker, dict[str, Marker]] = {
    field: {value: Marker(f"{field[:-1]}:{value}>") for value in values}
    for field, values in (
        (YEAR, [str(year) for year in range(2000, 2040)]),
        (MONTH, [f"{month:02}" for month in range(1, 13)]),
        (LANGUAGE, LANGUAGES),
        (CHANGE, CHANGE_TYPES),
        (KIND, (*SYMBOL_KINDS, "file")),
    )
}
_VALUES = {marker: (field, value) for field, values in _OF_VALUE.items() for value, marker in values.items()}
CHANGES, KINDS = _OF_VALUE[CHANGE], _OF_VALUE[KIND]
LANGUAGES_CLOSED = (LANGUAGE, *_OF_VALUE[LANGUAGE].values())
"""What ends a path: the marker of a language, or the one in front of a language's name."""

MARKERS: tuple[Marker, ...] = (
    *(COMMIT_START, COMMIT_END, FILE_START, FILE_END, CODE_START, CODE_END),
    *(REPOSITORY, AUTHOR, BRANCH, MESSAGE, MODULE, SYMBOL, BEFORE, AFTER),
    *(YEAR, MONTH, LANGUAGE, CHANGE, KIND),
    *_VALUES,
    *(EMAIL, *SECRETS.values()),
    *(KEPT, REMOVED, ADDED),
)
HUNK_MARKERS = (KEPT, REMOVED, ADDED)
"""What begins a part of a hunk. Vocabularies of versions before 0.3 lack them."""
_MARKER_NAMES = frozenset(MARKERS)
_SPELLED = re.compile("(" + "|".join(map(re.escape, sorted(MARKERS, key=len, reverse=True))) + ")")
NAMED_FIELDS = {FILE_START: "FILE", AUTHOR: "AUTHOR", MODULE: "MODULE", BRANCH: "BRANCH", REPOSITORY: "REPOSITORY"}
"""Open fields whose frequent values may get a token of their own, spelled <NAME:value>."""
MASKS = frozenset((EMAIL, *SECRETS.values()))
"""Markers that stand for a part of a text."""

CodeView = Literal["new", "diff", "before_after", "edit"]
"""What stands between <CODE_START> and <CODE_END>: the new code, the patch, the old code and the new, or the old code
and the hunks that make the new code of it."""

Pieces = list[str]
"""Markers (instances of `Marker`) and text (plain strings), in order."""

Text = tuple[str, ...]
"""Text in pieces: plain strings, none empty and no two in a row, with masks (<SECRET:…>, <EMAIL>) between them."""


class ChangeText(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A chunk in a sequence: `code` in the views "new" and "diff", `before` and `after` or `edit` in the others."""

    change_type: str
    symbol_kind: str
    symbol: Text = ()
    code: Text = ()
    before: Text = ()
    after: Text = ()
    edit: list[Hunk] = []


class FileText(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A file in a sequence: consecutive chunks of one path."""

    path: Text
    language: str
    module: Text = ()
    changes: list[ChangeText] = []


class CommitText(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A commit in a sequence. `year` has four digits, `month` two: the author's, in UTC."""

    year: str
    month: str
    author: Text
    message: Text
    branch: Text = ()
    repository: Text = ()
    files: list[FileText] = []


class GrammarError(ValueError):
    """A sequence that breaks the grammar."""


def texts_of(chunks: Sequence[Chunk], view: CodeView, clean: Callable[[str], Text]) -> CommitText:
    """The text form of one commit, given all its chunks in order; `clean` masks secrets."""
    metadata = chunks[0].commit_metadata
    commit = CommitText(
        year=metadata.timestamp[:4],
        month=metadata.timestamp[5:7],
        author=clean(metadata.author),
        branch=clean(metadata.branch),
        message=clean(metadata.message),
        repository=clean(chunks[0].repository),
    )
    last: str | None = None
    for chunk in chunks:
        if chunk.file_path != last:
            commit.files.append(file_text(chunk.file_path, chunk.language, chunk.module_path, clean))
            last = chunk.file_path
        commit.files[-1].changes.append(_change_text(chunk, view, clean))
    return commit


def file_text(path: str, language: str, module: str, clean: Callable[[str], Text]) -> FileText:
    """What is to be written of a file, without its changes."""
    return FileText(path=clean(path), language=language, module=clean(module), changes=[])


def plain(text: str) -> Text:
    """Text as it is, nothing masked."""
    return (text,) if text else ()


def serialise(commit: CommitText) -> list[Pieces]:
    """One list of pieces per change; together, in order, they are the commit.

    The first of the commit or of a file carries its head, the last its end.
    """
    sequences: list[Pieces] = []
    head = commit_head(commit)
    for file in commit.files:
        head += file_head(file)
        for change in file.changes:
            sequences.append([*head, *_change(change)])
            head = []
        sequences[-1].append(FILE_END)
    sequences[-1].append(COMMIT_END)
    return sequences


def commit_head(commit: CommitText) -> Pieces:
    """What comes before a commit's first file."""
    return [
        COMMIT_START,
        *((REPOSITORY, *commit.repository) if commit.repository else ()),
        *_closed(YEAR, commit.year),
        *_closed(MONTH, commit.month),
        *(AUTHOR, *commit.author),
        *((BRANCH, *commit.branch) if commit.branch else ()),
        *(MESSAGE, *commit.message),
    ]


def file_head(file: FileText) -> Pieces:
    """What comes before a file's first change."""
    module = (MODULE, *file.module) if file.module else ()
    return [FILE_START, *file.path, *_closed(LANGUAGE, file.language), *module]


def change_head(change: ChangeText) -> Pieces:
    """What comes before a change's code, with <CODE_START>."""
    symbol = (SYMBOL, *change.symbol) if change.symbol else ()
    return [*_closed(CHANGE, change.change_type), *_closed(KIND, change.symbol_kind), *symbol, CODE_START]


def parse(pieces: Iterable[str]) -> Iterator[CommitText]:
    """The commits of a history: the inverse of `serialise`. Raises GrammarError where it is none."""
    reader = _PieceReader(pieces)
    while reader.next is not None:
        yield reader.commit()


def parse_head(pieces: Iterable[str]) -> CommitText:
    """A commit without its files, from the pieces that `commit_head` writes. Raises GrammarError where it is none."""
    return _PieceReader(pieces).head()


def pieces_of_spelled(text: str) -> Pieces:
    """Text in which markers are spelled out, as markers and text."""
    return [Marker(part) if part in _MARKER_NAMES else part for part in _SPELLED.split(text) if part]


def spelled(name: str, value: str) -> str:
    """The spelling of a token that stands for one value of an open field."""
    return f"<{name}:{value}>"


def sides(chunk: Chunk) -> tuple[str, str]:
    """Code before and after an edit: a symbol's own lines; outside symbols those of the patch, with what is around."""
    if chunk.symbol_kind not in ("module", "file"):
        return chunk.old_code, chunk.new_code
    old: list[str] = []
    new: list[str] = []
    ends: tuple[list[str], ...] = ()
    for row in re.findall(r"[^\n]*\n|[^\n]+", chunk.patch):
        into = {" ": (old, new), "-": (old,), "+": (new,)}.get(row[0], ())
        for side in into:
            side.append(row[1:])
        if row[0] == "\\":  # "No newline at end of file", said of the row before
            for side in ends:
                side[-1] = side[-1].removesuffix("\n")
        ends = into
    return "".join(old), "".join(new)


def _change_text(chunk: Chunk, view: CodeView, clean: Callable[[str], Text]) -> ChangeText:
    made = ChangeText(
        change_type=chunk.change_type, symbol_kind=chunk.symbol_kind, symbol=clean(chunk.qualified_name or "")
    )
    if view == "new":
        made.code = clean(chunk.new_code)
    elif view == "diff":
        made.code = clean(chunk.patch)
    elif view == "before_after":
        made.before, made.after = clean(chunk.old_code), clean(chunk.new_code)
    else:
        made.before, after = (clean(side) for side in sides(chunk))
        made.edit = hunks(made.before, after)
    return made


def _change(change: ChangeText) -> Iterator[str]:
    yield from change_head(change)
    yield from change.code
    parts = [(BEFORE, change.before), (AFTER, change.after)]
    for hunk in change.edit:
        parts += [(KEPT, hunk.kept), (REMOVED, hunk.removed), (ADDED, hunk.added)]
    for marker, text in parts:
        if text:
            yield marker
            yield from text
    yield CODE_END


def _closed(field: Marker, value: str) -> tuple[str, ...]:
    """The marker of a value, or the field's own and the value as text."""
    marker = _OF_VALUE[field].get(value)
    return (marker,) if marker else (field, *plain(value))


class _PieceReader:
    """Takes pieces in the order of the grammar. `next` is the piece to come; None at the end."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self._taken = -1
        self.next: str | None = None
        self._advance()

    def commit(self) -> CommitText:
        commit = self.head()
        while not self._take(COMMIT_END):
            commit.files.append(self._file())
        return commit

    def head(self) -> CommitText:
        self._expect(COMMIT_START)
        repository = self._optional(REPOSITORY)
        year, month = self._closed(YEAR), self._closed(MONTH)
        self._expect(AUTHOR)
        author = self._text()
        branch = self._optional(BRANCH)
        self._expect(MESSAGE)
        return CommitText(
            year=year, month=month, author=author, message=self._text(), branch=branch, repository=repository, files=[]
        )

    def _file(self) -> FileText:
        self._expect(FILE_START)
        path, language = self._text(), self._closed(LANGUAGE)
        file = FileText(path=path, language=language, module=self._optional(MODULE), changes=[])
        while not self._take(FILE_END):
            file.changes.append(self._change())
        return file

    def _change(self) -> ChangeText:
        change_type, kind = self._closed(CHANGE), self._closed(KIND)
        change = ChangeText(change_type=change_type, symbol_kind=kind, symbol=self._optional(SYMBOL))
        self._expect(CODE_START)
        change.code = self._text()
        change.before, change.after = self._optional(BEFORE), self._optional(AFTER)
        while not self._take(CODE_END):
            hunk = Hunk(self._optional(KEPT), self._optional(REMOVED), self._optional(ADDED))
            if not (hunk.removed or hunk.added):
                raise GrammarError(f"piece {self._taken}: expected a hunk or {CODE_END}, found {self.next!r}")
            change.edit.append(hunk)
        return change

    def _advance(self) -> None:
        self.next = next(self._pieces, None)
        self._taken += 1

    def _take(self, marker: Marker) -> bool:
        if isinstance(self.next, Marker) and self.next == marker:
            self._advance()
            return True
        return False

    def _expect(self, marker: Marker) -> None:
        if not self._take(marker):
            raise GrammarError(f"piece {self._taken}: expected {marker}, found {self.next!r}")

    def _optional(self, marker: Marker) -> Text:
        return self._text() if self._take(marker) else ()

    def _text(self) -> Text:
        found: list[str] = []
        while self.next is not None and (not isinstance(self.next, Marker) or self.next in MASKS):
            found.append(self.next)
            self._advance()
        return tuple(found)

    def _closed(self, field: Marker) -> str:
        if self._take(field):
            return "".join(self._text())
        known = _VALUES.get(self.next) if isinstance(self.next, Marker) else None
        if known is None or known[0] != field:
            raise GrammarError(f"piece {self._taken}: expected a value of {field}, found {self.next!r}")
        self._advance()
        return known[1]
