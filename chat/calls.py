"""Who calls a symbol: lines of the tree on which a call follows its name, one hop and no further.

git finds the lines with the name; a grammar tells calls from comments, texts and definitions, and in which symbol each
is. Names are all that is compared, so a method of the same name in another class counts as well, which is said.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from chat.citations import MAX_BYTES, Citations
from chat.statements import Found, Statement
from core.chunking import parsing
from core.code.content import language_in
from core.code.languages import LANGUAGES
from core.code.test_files import is_test_file
from core.git import touched
from core.git.blobs import BlobReader
from core.git.commands import SlowGitError
from core.git.names import is_path

if TYPE_CHECKING:
    from tree_sitter import Node

    from core.chunking.outline import Outline

MOST_FILES = 60
"""Of code, and as many of tests, that are parsed."""
MOST_LINES = 400
"""With the name."""
MOST_SHOWN = 10
MOST_LINES_OF_ONE = 5
"""Lines of one caller."""
_BEHIND = re.compile(rb"\s*(?:!|::<[^>\n]{0,80}>|<[\w\s,.\[\]]{0,80}>|\?\.)?\s*[({]?")
_NOT_CODE = ("comment", "string", "char_literal", "heredoc", "regex")
_CODE_IN_TEXT = frozenset(("interpolation", "template_substitution", "string_interpolation"))
MOST_TEXT = 10_000
"""Bytes of a comment or text; what is larger is code."""


@dataclass(frozen=True)
class Use:
    """A line that uses a name."""

    path: str
    line: int
    inside: str
    """The symbol that the line is in, "" outside of any."""
    is_call: bool
    """It is called there, rather than passed on, imported or referred to."""
    name: str = ""


@dataclass(frozen=True)
class Place:
    """The symbol that is asked about."""

    path: str
    first: int
    last: int
    symbol: str
    """Its qualified name."""


@dataclass(frozen=True)
class Uses:
    """Uses of some names, without their definitions."""

    found: list[Use]
    notes: list[str] = field(default_factory=list)
    """Sentences about what was not looked at."""
    has_unnamed: bool = False
    """Some are in files whose names are not UTF-8, and are left out."""


def uses_of(
    git_dir: Path,
    citations: Citations,
    commit: str,
    names: Sequence[str],
    defined: Sequence[Place] = (),
    *,
    timeout_s: float = touched.SECONDS,
    most: int = MOST_LINES,
) -> Uses:
    """The lines of code that use one of some names, which are single words; those of tests last.

    Raises SlowGitError where git takes too long.
    """
    choice = names[0] if len(names) == 1 else f"({'|'.join(names)})"
    pattern = rf"(^|[^[:alnum:]_]){choice}($|[^[:alnum:]_])"
    found = touched.matching_lines(git_dir, commit, pattern, timeout_s=timeout_s, most=most + 1)
    said = ", ".join(f"`{name}`" for name in names)
    notes = [f"{said} stands on more than {most:,} lines; not all were looked at."] if len(found) > most else []
    unnamed = sorted({path for path, _ in found[:most] if citations.is_unnamed(path, commit)})
    notes += [f"The name of {path} is not UTF-8: it is left out." for path in unnamed[:1]]
    with BlobReader(git_dir) as reader:
        uses = list(_uses(reader, commit, names, found[:most], defined))
    outside = [use for use in uses if not any(_is_definition(use, place) for place in defined)]
    return Uses(outside, notes, has_unnamed=bool(unnamed))


def callers(
    git_dir: Path,
    citations: Citations,
    commit: str,
    name: str,
    defined: Sequence[Place] = (),
    *,
    timeout_s: float = touched.SECONDS,
) -> Found:
    """Statements about the uses of a name (its last part counts) at a commit, calls first, tests last."""
    last = re.split(r"\.|::", name)[-1]
    if not re.fullmatch(r"\w+", last):
        return Found.nothing(f"{name!r} is no name that can be called.")
    try:
        uses = uses_of(git_dir, citations, commit, [last], defined, timeout_s=timeout_s)
    except SlowGitError as error:
        return Found.nothing(f"{error.message}, so the uses of `{name}` are not known.")
    outside, notes = uses.found, list(uses.notes)
    calls = [use for use in outside if use.is_call]
    if not outside:
        return Found([], [*notes, f"Nothing {'else ' if uses.has_unnamed else ''}in the tree uses `{name}`."])
    groups: dict[tuple[str, str], list[Use]] = {}
    for use in calls or outside:
        groups.setdefault((use.path, use.inside), []).append(use)
    statements = [statement_of(citations, commit, some) for some in list(groups.values())[:MOST_SHOWN]]
    if "." in name or "::" in name or len({place.symbol for place in defined}) > 1:
        notes.append(f"Calls are found by the name `{last}` alone: another symbol may have it, too.")
    tests = sum(is_test_file(path) for path, _ in groups)
    what = (
        f"is called in {_places(len(groups))}"
        if calls
        else f"is called nowhere by this name; it is referred to in {_places(len(groups))}"
    )
    rest = "; the first" if len(groups) > MOST_SHOWN else ""
    lead = f"`{last}` {what}{f', {tests} of them in tests' if tests else ''}{rest}:"
    return Found([one for one in statements if one.citations], notes, lead)


def _places(count: int) -> str:
    return f"{count:,} place{'s' * (count != 1)}"


def _is_definition(use: Use, place: Place) -> bool:
    return use.path == place.path and use.line == place.first


def statement_of(citations: Citations, commit: str, uses: Sequence[Use]) -> Statement:
    """What one symbol does with a name, with each line that does."""
    one = uses[0]
    found = (citations.cite(use.path, use.line, use.line, commit) for use in uses[:MOST_LINES_OF_ONE])
    who = f"`{one.inside}`" if one.inside else "Code outside of functions"
    what = "calls" if one.is_call else "refers to"
    return Statement(f"{who} in {one.path} {what} `{one.name}`.", tuple(citation for citation in found if citation))


def _uses(
    reader: BlobReader, commit: str, names: Sequence[str], lines: Sequence[tuple[str, int]], defined: Sequence[Place]
) -> Iterator[Use]:
    """Those of the files nearest to a definition first, those of tests last."""
    paths = [path for path in dict.fromkeys(path for path, _ in lines) if is_path(path)]
    paths.sort(key=lambda path: _distance(path, defined))
    code, tests = ([path for path in paths if is_test_file(path) == wanted][:MOST_FILES] for wanted in (False, True))
    for path in (*code, *tests):
        source = reader.read(f"{commit}:{path}", MAX_BYTES)
        if source is None:
            continue
        language = language_in(path, source)
        if LANGUAGES[language].kind != "code":
            continue
        outline = parsing.outline(source, language, path) if LANGUAGES[language].has_symbols else None
        yield from _File(path, source, outline, names).uses({line for one, line in lines if one == path})


def _distance(path: str, defined: Sequence[Place]) -> int:
    """How many folders of a definition's path a path has not, of the nearest definition."""
    own = path.split("/")[:-1]
    folders = [place.path.split("/")[:-1] for place in defined]
    shared = (
        sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, own, strict=False)))
        for one in folders
    )
    return min((len(one) - same for one, same in zip(folders, shared, strict=True)), default=0)


@dataclass(frozen=True)
class _File:
    path: str
    source: bytes
    outline: Outline | None
    names: Sequence[str]

    def uses(self, wanted: set[int]) -> Iterator[Use]:
        """One use for each of some lines that has any, a call if there is one."""
        word = re.compile(rb"(?<!\w)(?:" + "|".join(map(re.escape, self.names)).encode() + rb")(?!\w)")
        start = 0
        for number, line in enumerate(self.source.split(b"\n"), start=1):
            found = word.finditer(line) if number in wanted else ()
            uses = [use for one in found if (use := self._use(number, one[0].decode(), start + one.start()))]
            if uses:
                yield next((use for use in uses if use.is_call), uses[0])
            start += len(line) + 1

    def _use(self, line: int, name: str, start: int) -> Use | None:
        """The use of the name at some bytes; None in comments, texts, and where a symbol of this name is defined."""
        end = start + len(name.encode())
        behind = _BEHIND.match(self.source, end)
        is_call = bool(behind and behind[0].rstrip()[-1:] == b"(")
        if self.outline is None or self.outline.tree is None:
            return Use(self.path, line, "", is_call, name)
        if not _is_code(self.outline.tree.root_node.descendant_for_byte_range(start, end)):
            return None
        owner = self.outline.owner(line - 1)
        if owner is None:
            return Use(self.path, line, "", is_call, name)
        symbol, place = self.outline.symbol(owner), self.outline.places[owner.place]
        if symbol.name == name and place.row + symbol.definition == line - 1:
            return None
        return Use(self.path, line, symbol.qualified_name, is_call, name)


def _is_code(node: Node | None) -> bool:
    """False within comments and texts; code that is put into a text is code."""
    while node is not None and node.end_byte - node.start_byte < MOST_TEXT:
        if node.type in _CODE_IN_TEXT:
            return True
        if any(sign in node.type for sign in _NOT_CODE):
            return False
        node = node.parent
    return True
