"""What uses a symbol or a file, and which tests do: by names in the tree, as calls in chat are found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chat import order
from chat.calls import Place, Use, Uses, statement_of, uses_of
from chat.citations import Citations
from chat.history import own_name
from chat.statements import Statement
from core.code.test_files import is_test_file
from core.errors import GitloreError
from core.git import touched
from core.ranking.paths import subject
from core.ranking.symbols import FUNCTIONS
from index.hits import Hit
from index.texts import Symbol
from thoughts.cards.companions import Beside
from thoughts.cards.source import Source

MOST_SHOWN = 5
MOST_NAMES = 40
"""Of a file, that are looked for."""
MOST_NAMED = 3
"""Names that a statement about a file that uses another one has."""
SHORTEST = 4
"""Characters of a name that is looked for, of those of a file: a shorter one stands for other things as well."""
MOST_LINES = 2_000
_OF_LIBRARIES = (
    "add append args call clear close copy count delete extend filter find format get index insert items iter join "
    "keys len list load map new next open parse pop push put read remove replace reset run save send set show size "
    "sort split start stop strip update values wait write"
)
_COMMON = frozenset(_OF_LIBRARIES.split())
"""Names of methods that standard libraries have as well."""
_MODULES = ("crate", "self", "super", "Self", "this", "module", "exports")
"""What stands for a module in a path to one of its functions."""
_SELF = ("self", "this", "cls", "super", "static", "me")
NO_TEST = "No test was found that names it."


@dataclass(frozen=True)
class Found:
    """Statements about code and about tests, with how many of each there are, and what could not be looked at."""

    code: list[Statement] = field(default_factory=list)
    tests: list[Statement] = field(default_factory=list)
    of_code: str = ""
    of_tests: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Tree:
    """A commit's tree, to look for uses in."""

    git_dir: Path
    commit: str
    paths: Sequence[str]
    citations: Citations
    timeout_s: float

    def of_symbol(self, source: Source, symbol: Symbol) -> Found:
        """What calls a symbol; where nothing does, what refers to it."""
        path = source.path
        name = own_name(symbol.name)
        if not name:
            return Found()
        place = Place(path, symbol.first, symbol.last, symbol.name)
        try:
            found = self._uses([name], [place])
            own = [range(one.first, one.last + 1) for one in source.symbols if one.name == symbol.name]  # overloads
            others = self._elsewhere([name], path, own)
        except GitloreError as error:
            return Found(notes=[f"{error.message}, so what uses it is not known."])
        uses = [one for one in found.found if not (one.path == path and symbol.first <= one.line <= symbol.last)]
        notes = list(found.notes)
        is_unique = name not in others and not (symbol.above and name in _COMMON)
        meant = [one for one in uses if self._is_meant(one, path, symbol, is_unique=is_unique)]
        left_out = len(uses) - len(meant)
        notes += [f"{left_out:,} of {len(uses):,} uses of `{name}` are left out: they look like another's."] * bool(
            left_out
        )
        uses = meant
        code, tests = _parted(uses)
        notes += [] if tests else [NO_TEST]
        return Found(self._said(code), self._said(tests), _count(code), _count(tests), notes)

    def of_file(self, source: Source, beside: Beside) -> Found:
        """Which files use what a file defines, by the names that nothing else defines; those with the most first.

        Tests come by how often they changed with it, then by their names and those that they use.
        """
        path = source.path
        names = [one.last_name for one in source.roots if len(one.last_name) >= SHORTEST and own_name(one.last_name)]
        names = names[:MOST_NAMES]
        uses: list[Use] = []
        notes: list[str] = []
        try:
            others = self._elsewhere(names, path, [range(1, len(source.lines) + 1)]) if names else set()
            if names := [name for name in names if name not in others]:
                uses = self._uses(names).found
        except GitloreError as error:
            notes.append(f"{error.message}, so what uses it is not known.")
        code, tests = _parted(one for one in uses if one.path != path)
        by_test = _by_path(tests)
        called = {one for one in self.paths if one != path and is_test_file(one) and subject(one) == subject(path)}
        changed = {one for one in beside.commits if is_test_file(one) and beside.in_words(one)}
        for one in sorted((called | changed) - by_test.keys()):
            by_test[one] = []
        ordered = sorted(
            by_test, key=lambda one: (-len(beside.commits.get(one, ())), one not in called, -_names(by_test[one]), one)
        )
        of_tests = [said for one in ordered if (said := self._said_of(one, by_test[one], one in called, beside))]
        of_code = [said for one, some in _widest(_by_path(code)) if (said := self._said_of(one, some))]
        files = _files(len(of_code)), _files(len(of_tests))
        of_tests = [*self._inside(source), *of_tests]
        notes += [] if of_tests or notes else [NO_TEST]
        return Found(of_code[:MOST_SHOWN], of_tests[:MOST_SHOWN], *files, notes)

    def _inside(self, source: Source) -> list[Statement]:
        """The tests beside the code, as Rust has them."""
        tests = [one for one in source.symbols if one.is_test and one.kind in FUNCTIONS]
        if not tests or is_test_file(source.path):
            return []
        shown = tests[:MOST_NAMED]
        cited = [
            self.citations.cite(source.path, one.first, min(one.last, one.first + 1), self.commit) for one in shown
        ]
        names = ", ".join(f"`{one.name}`" for one in shown)
        more = f" and {len(tests) - len(shown):,} more" if len(tests) > len(shown) else ""
        return [Statement(f"{source.path} has tests in it: {names}{more}.", tuple(one for one in cited if one))]

    def _uses(self, names: Sequence[str], defined: Sequence[Place] = ()) -> Uses:
        return uses_of(
            self.git_dir, self.citations, self.commit, names, defined, timeout_s=self.timeout_s, most=MOST_LINES
        )

    def _said(self, uses: Sequence[Use]) -> list[Statement]:
        groups: dict[tuple[str, str], list[Use]] = {}
        for one in uses:
            groups.setdefault((one.path, one.inside), []).append(one)
        return [statement_of(self.citations, self.commit, some) for some in list(groups.values())[:MOST_SHOWN]]

    def _said_of(
        self, path: str, uses: Sequence[Use], called: bool = False, beside: Beside | None = None
    ) -> Statement | None:
        """A statement about a file that uses names, is called after it, or changed with it."""
        first = {one.name: one for one in reversed(uses)}
        shown = sorted(first.values(), key=lambda one: one.line)[:MOST_NAMED]
        lines = [one.line for one in shown] or [1]
        found = [citation for line in lines if (citation := self.citations.cite(path, line, line, self.commit))]
        cited = [one for one in found if one.quote.strip()]
        more = f" and {len(first) - len(shown):,} more" if len(first) > len(shown) else ""
        names = ", ".join(f"`{one.name}`" for one in shown)
        parts = ["is called after it"] * called + [f"uses {names}{more}"] * bool(shown)
        if beside and (together := beside.in_words(path)):
            parts.append(together)
            cited += beside.cited(path, self.citations)
        return Statement(f"{path} {', '.join(parts)}.", tuple(cited)) if parts and cited else None

    def _elsewhere(self, names: Sequence[str], path: str, own: Sequence[range]) -> set[str]:
        """Which of some names something outside of some lines of a file seems to define as well."""
        choice = f"({'|'.join(names)})"
        found = set()
        word = re.compile(rf"\b(?:{'|'.join(names)})\b")
        for other, line in touched.definitions(self.git_dir, self.commit, choice, timeout_s=self.timeout_s):
            if other == path and any(line in lines for lines in own):
                continue
            lines = self.citations.lines(other, self.commit)
            found |= set(word.findall(lines[line - 1])) if line <= len(lines) else set()
        return found

    def _is_meant(self, use: Use, path: str, symbol: Symbol, *, is_unique: bool) -> bool:
        """Whether a use of a name is likely to be of this symbol.

        A method is used on something that is called like its type, as `ctx` is like `Context`, or in that type itself;
        one whose name no other symbol has is used on anything. Whatever is in no type is used on its module alone and,
        where its name is not unique, in files that name that.
        """
        lines = self.citations.lines(use.path, self.commit)
        on = receiver(lines[use.line - 1], use.name)
        if symbol.above:
            inside = use.path == path and symbol.above in re.split(r"\.|::", use.inside)
            return is_unique or may_be(on, symbol.above, inside=inside)
        if on and on not in (*_MODULES, *re.split(r"[/.]", path)):
            return False
        return is_unique or (use.is_call and (use.path == path or _has_word("\n".join(lines), subject(path))))


def receiver(line: str, name: str) -> str:
    """What a name is used on in a line, "" for nothing: `ctx` of `ctx.invoke(f)`."""
    found = re.search(rf"(\w+)(?:\([^()]*\))?\s*(?:\?\.|\.|::|->)\s*{re.escape(name)}\b", line)
    return found[1] if found else ""


def may_be(on: str, kind: str, *, inside: bool) -> bool:
    """Whether a variable or type may be of a kind, by its name; `inside` is whether the line is in that type.

    A variable is mostly called as its type is, or by some letters of one of the words of that.
    """
    variable = on.strip("_").lower().rpartition("_")[2]
    if not variable or variable in _SELF:
        return inside and variable in _SELF
    words = [found.start() for found in re.finditer(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", kind)]
    low = kind.lower()
    return low in on.lower() or any(low[at] == variable[0] and _are_in(variable, low[at:]) for at in words)


def _are_in(letters: str, text: str) -> bool:
    """Whether a text has some letters in their order."""
    rest = iter(text)
    return all(letter in rest for letter in letters)


def _has_word(text: str, word: str) -> bool:
    return bool(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE))


def _parted(uses: Iterable[Use]) -> tuple[list[Use], list[Use]]:
    """(uses in code, uses in tests); of each the calls, or, where there are none, all."""
    parts: tuple[list[Use], list[Use]] = ([], [])
    for one in uses:
        hit = Hit(one.path, one.line, one.line, "", one.inside, "function")
        parts[order.kind_of(hit) == "test"].append(one)
    code, tests = ([one for one in part if one.is_call] or part for part in parts)
    return code, tests


def _by_path(uses: Iterable[Use]) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for one in uses:
        found.setdefault(one.path, []).append(one)
    return found


def _widest(by_path: dict[str, list[Use]]) -> list[tuple[str, list[Use]]]:
    return sorted(by_path.items(), key=lambda pair: (-_names(pair[1]), pair[0]))


def _names(uses: Iterable[Use]) -> int:
    return len({one.name for one in uses})


def _count(uses: Sequence[Use]) -> str:
    places = {(one.path, one.inside) for one in uses}
    if not places:
        return ""
    verb = "called" if uses[0].is_call else "referred to"
    rest = f"; {MOST_SHOWN} of them" if len(places) > MOST_SHOWN else ""
    return f"{verb} in {len(places):,} place{'s' * (len(places) > 1)}{rest}"


def _files(count: int) -> str:
    if not count:
        return ""
    rest = f"; {MOST_SHOWN} of them" if count > MOST_SHOWN else ""
    return f"{count:,} file{'s' * (count > 1)}{rest}"
