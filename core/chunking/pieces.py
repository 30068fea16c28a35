"""One commit's change of one symbol, or of the code outside symbols of one file; and its record."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import UNSET

from core.chunking import evidence as look
from core.chunking import parts, texts
from core.chunking.blanks import give_blanks_away
from core.chunking.edits import Edits, render, render_added, render_removed, runs
from core.chunking.likeness import Version
from core.chunking.manifests import role_in_manifest
from core.chunking.matching import Matches, SymbolMatch
from core.chunking.moves import Moves
from core.chunking.outline import Outline, Owner, Symbol
from core.code.change_types import ChangeEvidence, Intent, Role, Step, decide
from core.code.languages import file_type, is_manifest, module_path
from core.records.chunks import NO_COMMIT, Chunk, LineRange
from core.records.commits import FileDiff

_STEPS: dict[str, Step] = {"A": "new", "D": "deleted"}


@dataclass
class FileChange:
    """A changed file with its two versions."""

    diff: FileDiff
    language: str
    old: Outline
    new: Outline
    edits: Edits
    is_parsed: bool
    """A grammar has read both versions."""
    removed: dict[Owner | None, list[int]] = field(default_factory=dict)
    """Removed rows by the symbol that owns them."""
    added: dict[Owner | None, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for edit in self.edits.edits:
            for owner, rows in self.old.owned(edit.old, edit.old + edit.removed):
                self.removed.setdefault(owner, []).extend(rows)
            for owner, rows in self.new.owned(edit.new, edit.new + edit.added):
                self.added.setdefault(owner, []).extend(rows)


class _Part(NamedTuple):
    """What differs between the parts of one piece."""

    old_runs: list[tuple[int, int]]
    new_runs: list[tuple[int, int]]
    old_code: bytes
    new_code: bytes
    patch: bytes
    deletions: int
    additions: int


class Piece:
    """What becomes one chunk, or several parts of a long one."""

    def __init__(
        self, change: FileChange, old_change: FileChange, match: SymbolMatch | None, position: int, *, moved: bool
    ) -> None:
        """`match` is None for code outside symbols; `position` is the row on the new side that is touched first."""
        self.change = change
        """The file that it is reported under: that of its new side, if it has one."""
        self.old_change = old_change
        """The file of its old side."""
        self.match, self.position, self.moved = match, position, moved
        old = self.old_owner = match.old.owner if match and match.old else None
        new = self.owner = match.new.owner if match and match.new else None
        self.before: Symbol | None = old_change.old.symbol(old) if old else None
        self.after: Symbol | None = change.new.symbol(new) if new else None
        self.removed = old_change.removed.get(old, []) if old or not match else []
        """Its removed rows."""
        self.added = change.added.get(new, []) if new or not match else []
        self.old_runs = old_change.old.own_runs(old) if old else runs(self.removed)
        """Rows of the old code: all of a symbol's own, else the removed ones."""
        self.new_runs = change.new.own_runs(new) if new else runs(self.added)

    def evidence(self, intent: Intent) -> ChangeEvidence:
        """Everything that decides the change type."""
        before, after = self.before, self.after
        symbol = after or before
        if symbol:
            step: Step = "modified" if before and after else "new" if after else "deleted"
        else:
            step = _STEPS.get(self.change.diff.change_type, "modified")
        code, comments = self._differences() if step == "modified" else (True, False)
        return ChangeEvidence(
            role=self._role(),
            kind=symbol.kind if symbol else "module" if self.change.is_parsed else "file",
            step=step,
            is_test=symbol.is_test if symbol else False,
            renamed=bool(
                before and after and before.name != after.name and before.qualified_name != after.qualified_name
            ),
            moved=self.moved,
            code=code,
            comments=comments,
            signature=bool(before and after and code and look.signatures_differ(before, after)),
            intent=intent if step == "modified" and code else "",
            how=self.match.how if self.match else "",
        )

    def longest_line(self) -> int:
        """Bytes of the longest of its changed lines."""
        lines = *map(self.old_change.old.line, self.removed), *map(self.change.new.line, self.added)
        return max(map(len, lines), default=0)

    def _differences(self) -> tuple[bool, bool]:
        """(code differs, comments differ)."""
        old, new = self.old_change.old, self.change.new
        changed = look.words(old, self.removed), look.words(new, self.added)
        if self._keeps_its_rows() and look.surely_differ(*changed):
            return True, changed[0].comments != changed[1].comments
        rows = _rows(self.old_runs), _rows(self.new_runs)
        if self.match is None:
            rows = self._rows_outside_symbols()
        return look.differences(old, rows[0], new, rows[1], self._frame())

    def _keeps_its_rows(self) -> bool:
        """True where the rows that git calls unchanged are its own on both sides, if they are on one."""
        if self.old_change is not self.change:
            return False
        edits = self.change.edits
        return self.match is None or edits.kept_of_old(self.old_runs) == edits.kept_of_new(self.new_runs)

    def _frame(self) -> tuple[str, str] | None:
        """A namespace's own names where the whole one is the same: how it is written is no code of its own."""
        before, after = self.before, self.after
        if not (before and after and self.old_owner and self.owner) or after.kind != "module":
            return None
        places = self.old_change.old.places[self.old_owner.place], self.change.new.places[self.owner.place]
        has_members = (
            self.old_owner.symbol in places[0].unit.containers and self.owner.symbol in places[1].unit.containers
        )
        return (before.name, after.name) if has_members and before.qualified_name == after.qualified_name else None

    def _rows_outside_symbols(self) -> tuple[list[int], list[int]]:
        """The changed rows, and those between the first and the last that are outside symbols on both sides."""
        old, new, edits = self.change.old, self.change.new, self.change.edits
        at = [*self.removed, *map(edits.to_old, self.added)]
        free = [rows for owner, rows in old.owned(min(at), min(max(at), len(old) - 1) + 1) if owner is None]
        kept = edits.kept_of_old([(rows[0], rows[-1]) for rows in free])
        after = [
            row for first, last in kept for owner, rows in new.owned(first, last + 1) if owner is None for row in rows
        ]
        return sorted((*self.removed, *map(edits.to_old, after))), sorted((*self.added, *after))

    def _role(self) -> Role:
        path, symbol = self.change.diff.filename, self.after or self.before
        if self.change.language == "notebook" and self.change.is_parsed:
            return "configuration" if symbol is None else "code" if symbol.name == "code" else "documentation"
        if not is_manifest(path):
            return look.role(path, self.change.language)
        sides = (self.old_change.old, self.removed), (self.change.new, self.added)
        return role_in_manifest(path, symbol.qualified_name if symbol else "", sides)

    def chunks(self, commit: str, number: int, intent: Intent, max_code_bytes: int) -> list[Chunk]:
        """One chunk, or its parts; ids count from `number`. Their commit is still to be filled in."""
        evidence = self.evidence(intent)
        old, new = self.old_change.old, self.change.new
        codes = old.code(self.old_runs), new.code(self.new_runs)
        if max(map(len, codes)) <= max_code_bytes:
            patch = self._patch(self.removed, self.added)
            if not self.change.is_parsed:
                patch = texts.in_utf8(self.change.diff.patch.encode(self.change.diff.encoding), old, new)
            whole = _Part(self.old_runs, self.new_runs, *codes, patch, len(self.removed), len(self.added))
            return [self._chunk(evidence, whole, commit, number, number, 1)]
        found = self._parts(max_code_bytes)
        return [
            self._chunk(evidence, part, commit, number, number + place, len(found)) for place, part in enumerate(found)
        ]

    def _patch(self, removed: list[int], added: list[int]) -> bytes:
        """A diff of some of its changed rows; of a symbol changed in place, with its unchanged lines around them."""
        old, new = self.old_change.old, self.change.new
        has_two_sides = self.match is None or (self.before is not None and self.after is not None)
        if self.moved or not has_two_sides or not self.change.is_parsed:
            edits = self.change.edits if self.old_change is self.change else None
            return render_removed(removed, edits, old) + render_added(added, edits, new)
        edits = self.change.edits
        # Context may run into neighbours. Only the piece's own lines are shown, so that no line is in two patches.
        before, after = edits.around(removed, added)
        before = [row for row in before if row < len(old) and old.owner(row) == self.old_owner]
        after = [row for row in after if row < len(new) and new.owner(row) == self.owner]
        rows = edits.rows(sorted((*before, *removed)), sorted((*after, *added)))
        return render(rows, old, new)

    def _parts(self, max_code_bytes: int) -> list[_Part]:
        old, new = self.old_change.old, self.change.new
        old_rows, new_rows = _rows(self.old_runs), _rows(self.new_runs)
        row_depths = parts.depths(*(self._side() or (new if new_rows else old, None)))
        own = new_rows or old_rows
        same_file = self.old_change is self.change

        # Parts are cut on the new side; the old side follows to the matching line, so that a part shows both forms
        # of the same statements.
        def to_old(line: int) -> int:
            return bisect.bisect_left(old_rows, self.change.edits.to_old(new_rows[line])) if same_file else 0

        found = []
        cuts = parts.cut(
            old.sizes(old_rows),
            new.sizes(new_rows),
            to_old,
            {line: row_depths[row] for line, row in enumerate(own) if row in row_depths},
            max_code_bytes,
        )
        for (first_old, end_old), (first_new, end_new) in cuts:
            before, after = old_rows[first_old:end_old], new_rows[first_new:end_new]
            removed, added = _between(self.removed, before, old_rows), _between(self.added, after, new_rows)
            own_runs = runs(before), runs(after)
            codes = old.code(own_runs[0]), new.code(own_runs[1])
            found.append(_Part(*own_runs, *codes, self._patch(removed, added), len(removed), len(added)))
        return found

    def _chunk(self, evidence: ChangeEvidence, part: _Part, commit: str, first: int, number: int, parts: int) -> Chunk:
        diff = self.change.diff
        before, after = self.before, self.after
        symbol = after or before
        text = texts.decode(part.old_code, part.new_code, part.patch, self.old_change.old, self.change.new)
        old_ranges, new_ranges = _lines(part.old_runs), _lines(part.new_runs)
        same_file = self.old_change is self.change
        return Chunk(
            chunk_id=f"{commit}_{number}",
            commit_hash=commit,
            file_path=diff.filename,
            old_path=diff.old_filename if same_file else self.old_change.diff.filename,
            file_type=file_type(diff.filename),
            language=self.change.language,
            change_type=decide(evidence),
            change_category=diff.change_type,
            change_evidence=evidence.names(),
            symbol_kind=evidence.kind,
            function_name=symbol.name if symbol else None,
            qualified_name=symbol.qualified_name if symbol else None,
            old_qualified_name=before.qualified_name if before and after and before[:3] != after[:3] else None,
            parent=self._parent(),
            module_path=module_path(diff.filename, self.change.language),
            signature=symbol.signature if symbol else "",
            doc=symbol.doc if symbol else "",
            is_test=evidence.is_test,
            old_code=text.old_code,
            new_code=text.new_code,
            patch=text.patch,
            line_range=_span(new_ranges),
            old_line_range=_span(old_ranges),
            line_ranges=new_ranges if len(new_ranges) > 1 else [],
            old_line_ranges=old_ranges if len(old_ranges) > 1 else [],
            definition_line=self._definition_row() + 1 if symbol else None,
            additions=part.additions,
            deletions=part.deletions,
            match_score=self.match.score if self.match else None,
            renamed=evidence.renamed,
            moved=evidence.moved,
            modified=evidence.step == "modified" and (evidence.code or evidence.comments),
            part=number - first + 1,
            parts=parts,
            part_of=f"{commit}_{first}" if number > first else None,
            encoding=text.encoding,
            old_encoding=text.old_encoding,
            encoding_guessed=text.is_guessed or UNSET,
            commit_metadata=NO_COMMIT,
        )

    def _side(self) -> tuple[Outline, Owner] | None:
        """The symbol's new side, else its old one."""
        if self.owner:
            return self.change.new, self.owner
        return (self.old_change.old, self.old_owner) if self.old_owner else None

    def _parent(self) -> str | None:
        side = self._side()
        parent = side[0].parent(side[1]) if side else None
        return side[0].symbol(parent).qualified_name if side and parent else None

    def _definition_row(self) -> int:
        side = self._side()
        assert side is not None
        return side[0].places[side[1].place].row + side[0].symbol(side[1]).definition


def pieces(changes: Sequence[FileChange]) -> Iterator[Piece]:
    """Everything that a commit touches: by file, then by the row that is touched first."""
    matches = Matches([one.old for one in changes], [one.new for one in changes])
    give_blanks_away(changes, matches)
    found: list[list[Piece]] = [[] for _ in changes]
    touched: dict[SymbolMatch, int] = {}
    """With the file in which it was met first."""
    for file, change in enumerate(changes):
        if None in change.removed or None in change.added:
            rows = [change.edits.to_new(row) for row in change.removed.get(None, ())] + change.added.get(None, [])
            found[file].append(Piece(change, change, None, min(rows), moved=False))
        # A symbol may be touched on both sides, and its lines may be in two files: one piece for each match.
        for owner in change.removed:
            if owner:
                touched.setdefault(matches.of_old(Version(file, owner)), file)
        for owner in change.added:
            if owner:
                touched.setdefault(matches.of_new(Version(file, owner)), file)
    moves = Moves(list(touched), matches, changes)
    for match, file in touched.items():
        report = match.new.file if match.new else file
        old_change = changes[match.old.file] if match.old else changes[report]
        position = _position(match, changes[report], old_change)
        found[report].append(Piece(changes[report], old_change, match, position, moved=match in moves))
    for own in found:
        yield from sorted(own, key=lambda piece: (piece.position, piece.match is not None))


def _position(match: SymbolMatch, change: FileChange, old_change: FileChange) -> int:
    rows = list(change.added.get(match.new.owner, ())) if match.new else []
    if match.old and old_change is change:
        rows += [change.edits.to_new(row) for row in change.removed.get(match.old.owner, ())]
    if not rows:
        assert match.new is not None
        rows = [change.new.rows(match.new.owner)[0]]
    return min(rows)


def _rows(own: Iterable[tuple[int, int]]) -> list[int]:
    return [row for first, last in own for row in range(first, last + 1)]


def _between(rows: Sequence[int], own: Sequence[int], whole: Sequence[int]) -> list[int]:
    """Those of some ascending rows within the range of a part; blank ones outside the whole are its ends'."""
    if not own:
        return []
    first = bisect.bisect_left(rows, own[0]) if own[0] > whole[0] else 0
    last = bisect.bisect_right(rows, own[-1]) if own[-1] < whole[-1] else len(rows)
    return list(rows[first:last])


def _lines(own: Iterable[tuple[int, int]]) -> list[LineRange]:
    """Runs of rows as ranges of line numbers."""
    return [(first + 1, last + 1) for first, last in own]


def _span(ranges: Sequence[LineRange]) -> LineRange | None:
    return (ranges[0][0], ranges[-1][1]) if ranges else None
