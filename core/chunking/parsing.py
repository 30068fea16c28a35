"""Outlines by tree-sitter: trees of the versions of a file, also of those that do not parse as they are."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.chunking.annotations import as_comments
from core.chunking.carriage_returns import as_line_feeds, by_git_lines
from core.chunking.components import scripts_of
from core.chunking.damage import is_contained
from core.chunking.grammars import parser, query
from core.chunking.outline import Outline
from core.chunking.preprocessor import is_misread
from core.chunking.repairs import repaired
from core.chunking.sql import outline_of_sql
from core.chunking.stretches import Stretches
from core.chunking.units import Units
from core.code.languages import LANGUAGES, Language

if TYPE_CHECKING:
    from tree_sitter import Tree

    from core.chunking.edits import Edit

VERDICTS_KEPT = 1 << 16
MOST_ANNOTATED = 20
"""Times that a file is read again since a class behind another one was taken for an expression."""
MOST_EDITS = 100
"""With more, a version is parsed from scratch."""


def outline(
    source: bytes, language: str, path: str, before: Outline | None = None, edits: Sequence[Edit] = ()
) -> Outline | None:
    """The outline of a file; None where tree-sitter can make nothing of it at all.

    `language` must have symbols in `LANGUAGES`. Source with errors gives what could still be read.
    With the outline of the version `before`, and the edits since, most of a file need not be parsed.
    """
    if LANGUAGES[language].has_statements:
        return outline_of_sql(source)
    scripts = None
    if usual := LANGUAGES[language].scripts:
        language, scripts = scripts_of(as_line_feeds(source), usual)
    return _reader(language).read(source, path, before, edits, scripts)


@functools.cache
def _reader(language: str) -> _Reader:
    return _Reader(language)


class _Reader:
    """Makes outlines of the files of one language."""

    def __init__(self, language: str) -> None:
        from tree_sitter import QueryCursor

        self.units = Units(language)
        self._language: Language = LANGUAGES[language]
        self._parser = parser(language)
        self._comments = QueryCursor(query(language, of_comments=True))
        self._too_deep = re.compile(self._language.too_deep.encode()) if self._language.too_deep else None
        self._verdicts: dict[bytes, bool] = {}
        self._stretches = Stretches(macros=self._language.preprocessor == "macros")

    def read(
        self, source: bytes, path: str, before: Outline | None, edits: Sequence[Edit], scripts: bytes | None
    ) -> Outline | None:
        """The outline of a file; of one with scripts, these alone are parsed."""
        if self._too_deep and self._too_deep.search(source):
            return None
        text = as_line_feeds(source)
        found = Outline(source)
        found.has_carriage_returns = text is not source
        parsed = text if scripts is None else scripts
        tree = self._parse(found, before, edits) if parsed is source else self._parser.parse(parsed)
        if self._is_unprocessed(tree, text):
            changed = self._stretches.preprocessed(text)
            if changed != text:
                parsed, tree = changed, self._parser.parse(changed)
        for _ in range(MOST_ANNOTATED if self._language.preprocessor == "annotations" else 0):
            if (changed := as_comments(tree, parsed)) is parsed:
                break
            parsed, tree = changed, self._parser.parse(changed)
        self._fill(found, tree, text, parsed, path)
        if found.has_error and self._is_to_be_mended(found):
            found = self._mended(found, text, parsed, path)
        return found if found.tree and found.tree.root_node.type != "ERROR" else None

    def _is_to_be_mended(self, found: Outline) -> bool:
        is_code = self._language.kind == "code" and not self._language.from_root
        return is_code and (bool(self._language.stray) or not is_contained(found))

    def _mended(self, broken: Outline, text: bytes, parsed: bytes, path: str) -> Outline:
        """An outline without what does not parse, if that leaves more to be found."""
        best, has_rest = broken, True
        for mended in repaired(parsed, self._parses, [one.encode() for one in self._language.long_quotes]):
            if mended == parsed:
                continue
            found = Outline(broken.source)
            found.has_carriage_returns = broken.has_carriage_returns
            self._fill(found, self._parser.parse(mended), text, mended, path)
            is_whole, found.has_error = not found.has_error, True
            is_lost = best.tree is None or best.tree.root_node.type == "ERROR"
            if is_lost or found.counts() > best.counts() or (is_whole and has_rest and found.counts() == best.counts()):
                best, has_rest = found, not is_whole
        return best

    def _is_unprocessed(self, tree: Tree, source: bytes) -> bool:
        """True where a preprocessor must have run for the grammar to understand."""
        kind = self._language.preprocessor
        is_macros = kind == "macros"
        return kind in ("macros", "conditions") and (tree.root_node.has_error or (is_macros and is_misread(source)))

    def _has_error(self, tree: Tree) -> bool:
        root, stray = tree.root_node, self._language.stray.encode()
        # One that closes too much closes what is around it, so that the last of them is at the top.
        return root.has_error or (
            bool(stray) and any(one.type == "identifier" and one.text == stray for one in root.children)
        )

    def _parses(self, source: bytes) -> bool:
        """Whether source has no error; remembered, since most of a file is the same in its next version."""
        digest = hashlib.blake2b(source, digest_size=16).digest()
        if digest not in self._verdicts:
            opening = self._language.opening.encode()
            whole = source if opening in source else opening + b"\n" + source
            self._verdicts[digest] = not self._has_error(self._parser.parse(whole))
            if len(self._verdicts) > VERDICTS_KEPT:
                del self._verdicts[next(iter(self._verdicts))]
        return self._verdicts[digest]

    def _fill(self, found: Outline, tree: Tree, text: bytes, parsed: bytes, path: str) -> None:
        """Put into an outline what is in a tree; `parsed` is what was parsed instead of the text."""
        found.is_indented, found.has_error = self._language.indented, self._has_error(tree)
        found.tree, found.comment_cursor = tree, self._comments
        found.places = self.units.places(tree.root_node, text, parsed, path)
        if found.has_carriage_returns:
            found.places = by_git_lines(found, text)

    def _parse(self, found: Outline, before: Outline | None, edits: Sequence[Edit]) -> Tree:
        """The tree of a version. What comes out must not depend on whether there was another to start from."""
        if (
            before is None
            or before.tree is None
            or before.has_error
            or before.has_carriage_returns
            or len(edits) > MOST_EDITS
            or not self._language.incremental
        ):
            return self._parser.parse(found.source)
        tree = before.tree.copy()
        for edit in reversed(edits):
            start, start_point = before.point(edit.old)
            old_end, old_end_point = before.point(edit.old + edit.removed)
            first, first_point = found.point(edit.new)
            last, last_point = found.point(edit.new + edit.added)
            # In the coordinates of a file in which the edits before this one are still to be made.
            new_end_point = (start_point[0] + last_point[0] - first_point[0], last_point[1])
            tree.edit(start, old_end, start + last - first, start_point, old_end_point, new_end_point)
        again = self._parser.parse(found.source, tree)
        root = again.root_node
        # How tree-sitter recovers from an error depends on what it started from.
        if root.has_error:
            return self._parser.parse(found.source)
        end = root.child(root.child_count - 1) if root.child_count else None
        return (
            again
            if end is None or found.has_point(end.start_byte, end.start_point)
            else self._parser.parse(found.source)
        )
