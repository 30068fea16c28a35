"""What uses a symbol or a file, and which tests do: what the map of the commit has, then what names in the tree say."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chat import order
from chat.calls import Use, statement_of
from chat.citations import Citation, Citations
from chat.statements import Statement
from core.code.test_files import is_test_file
from core.errors import GitloreError
from core.git.names import is_path
from core.ranking.paths import subject
from core.ranking.symbols import FUNCTIONS
from index.hits import Hit
from index.texts import Symbol
from thoughts.cards.by_name import ByName
from thoughts.cards.companions import Beside
from thoughts.cards.mapped import Mapped, Through, User
from thoughts.cards.source import Source

MOST_SHOWN = 5
MOST_NAMED = 3
"""Names that a statement about a file that uses another one has."""
FEWEST = 2
"""Names of a file that a test uses, if it is not called after it and did not change with it, and others did."""
_IMPORTED = (".py", ".pyi")
"""How files end that nothing can use without an import."""
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

    by_name: ByName
    mapped: Mapped | None
    """None where there is no map of the commit."""
    paths: Sequence[str]

    @property
    def citations(self) -> Citations:
        """What cites its lines."""
        return self.by_name.citations

    def of_symbol(self, source: Source, symbol: Symbol) -> Found:
        """What calls a symbol; where nothing does, what refers to it. Where no test does, tests of what calls it."""
        path, notes = source.path, []
        uses = [
            one
            for one in (self.mapped.of_symbol(path, symbol.name) if self.mapped else ())
            if not (one.path == path and symbol.first <= one.line <= symbol.last) and self._is_named(one.path)
        ]
        try:
            named = self.by_name.of_symbol(source, symbol)
        except GitloreError as error:
            notes.append(f"{error.message}, so not all that uses it is known.")
        else:
            lines = {(one.path, one.line) for one in uses}
            uses += [one for one in named.uses if (one.path, one.line) not in lines]
            left_out = sum((one.path, one.line) not in lines for one in named.left_out)
            every, name = len(named.uses) + len(named.left_out), named.name
            notes += named.notes
            notes += [f"{left_out:,} of {every:,} uses of `{name}` are left out: they look like another's."] * bool(
                left_out
            )
        code, tests = self._parted(uses)
        said, of_tests = self._said(tests), _count(tests)
        if not tests:
            said, of_tests = self._through(path, symbol.name)
            notes += [] if said else [NO_TEST]
        return Found(self._said(code), said, _count(code), of_tests, notes)

    def of_file(self, source: Source, beside: Beside) -> Found:
        """Which files use a file; those that use the most of it first.

        Tests come by how often they changed with it, then by their names and what they use.
        """
        path = source.path
        notes: list[str] = []
        try:
            code, tests = self._users(source)
        except GitloreError as error:
            notes.append(f"{error.message}, so what uses it is not known.")
            code, tests = {}, {}
        called = {one for one in self.paths if one != path and is_test_file(one) and subject(one) == subject(path)}
        changed = {one for one in beside.commits if is_test_file(one) and beside.in_words(one)}
        known = called | changed
        tests = {one: user for one, user in tests.items() if one in known or _names(user.uses) >= FEWEST or not known}
        every = {one: User(one, ()) for one in sorted(known)} | tests
        ordered = sorted(
            every.values(),
            key=lambda one: (
                -len(beside.commits.get(one.path, ())),
                one.path not in called,
                -_names(one.uses),
                one.path,
            ),
        )
        of_tests = [said for one in ordered if (said := self._said_of(one, one.path in called, beside))]
        of_code = [said for one in _widest(code) if (said := self._said_of(one))]
        files = _files(len(of_code)), _files(len(of_tests))
        of_tests = [*self._inside(source), *of_tests]
        notes += [] if of_tests or notes else [NO_TEST]
        return Found(of_code[:MOST_SHOWN], of_tests[:MOST_SHOWN], *files, notes)

    def _users(self, source: Source) -> tuple[dict[str, User], dict[str, User]]:
        """(files of code, files of tests) that use a file: those of the map, and by names where that has no call.

        Of Python the map is enough: its imports are known, and what names find besides them is not meant.
        """
        path = source.path
        mapped = self.mapped.users(path) if self.mapped else []
        users = {one.path: one for one in mapped if self._is_named(one.path)}
        is_known = path.endswith(_IMPORTED) and bool(self.mapped and self.mapped.knows(path))
        if not is_known and not any(one.uses for one in users.values()):
            for one in _by_path(itertools.chain(*self._parted(self.by_name.of_file(source)))):
                users[one.path] = one._replace(imports_at=users[one.path].imports_at if one.path in users else 0)
        parts: tuple[dict[str, User], dict[str, User]] = ({}, {})
        for one in users.values():
            parts[is_test_file(one.path)][one.path] = one
        return parts

    def _inside(self, source: Source) -> list[Statement]:
        """The tests beside the code, as Rust has them."""
        tests = [one for one in source.symbols if one.is_test and one.kind in FUNCTIONS]
        if not tests or is_test_file(source.path):
            return []
        shown = tests[:MOST_NAMED]
        cited = [self._cited(source.path, one.first, min(one.last, one.first + 1)) for one in shown]
        names = ", ".join(f"`{one.name}`" for one in shown)
        more = f" and {len(tests) - len(shown):,} more" if len(tests) > len(shown) else ""
        return [Statement(f"{source.path} has tests in it: {names}{more}.", tuple(one for one in cited if one))]

    def _through(self, path: str, name: str) -> tuple[list[Statement], str]:
        """Tests that call what calls a symbol, those in files that are called after its file first; and how many."""
        ways = self.mapped.through(path, name) if self.mapped else []
        found = [one for one in ways if all(self._is_named(use.path) for use in one)]
        found.sort(key=lambda one: (subject(one.test.path) != subject(path), one.test.path, one.test.inside))
        said = [one for way in found[:MOST_SHOWN] if (one := self._said_through(way))]
        rest = f"; {MOST_SHOWN} of them" if len(found) > MOST_SHOWN else ""
        return said, f"none is seen to call it; {len(found):,} call{'s' * (len(found) == 1)} what calls it{rest}"

    def _said_through(self, way: Through) -> Statement | None:
        cited = [self._cited(one.path, one.line, one.line) for one in way]
        text = f"`{way.test.inside}` in {way.test.path} calls `{way.test.name}`, which calls `{way.between.name}`."
        return Statement(text, tuple(one for one in cited if one)) if all(cited) else None

    def _said(self, uses: Sequence[Use]) -> list[Statement]:
        groups: dict[tuple[str, str], list[Use]] = {}
        for one in uses:
            groups.setdefault((one.path, one.inside), []).append(one)
        commit = self.by_name.commit
        return [statement_of(self.citations, commit, some) for some in list(groups.values())[:MOST_SHOWN]]

    def _said_of(self, user: User, called: bool = False, beside: Beside | None = None) -> Statement | None:
        """A statement about a file that uses another one, is called after it, or changed with it."""
        shown = sorted(user.uses, key=lambda one: one.line)[:MOST_NAMED]
        lines = [user.imports_at] * bool(user.imports_at) + [one.line for one in shown]
        found = [citation for line in dict.fromkeys(lines or [1]) if (citation := self._cited(user.path, line, line))]
        cited = [one for one in found if one.quote.strip()]
        more = f" and {len(user.uses) - len(shown):,} more" if len(user.uses) > len(shown) else ""
        names = ", ".join(f"`{one.name}`" for one in shown)
        parts = ["is called after it"] * called + ["imports it"] * bool(user.imports_at)
        parts += [f"uses {names}{more}"] * bool(shown)
        if beside and (together := beside.in_words(user.path)):
            parts.append(together)
            cited += beside.cited(user.path, self.citations)
        return Statement(f"{user.path} {', '.join(parts)}.", tuple(cited)) if parts and cited else None

    def _is_named(self, path: str) -> bool:
        """Whether a citation can name a file."""
        return is_path(path) and not self.citations.is_unnamed(path, self.by_name.commit)

    def _cited(self, path: str, first: int, last: int) -> Citation | None:
        return self.citations.cite(path, first, last, self.by_name.commit)

    def _parted(self, uses: Iterable[Use]) -> tuple[list[Use], list[Use]]:
        """(uses in code, uses in tests); of each the calls, or, where there are none, all."""
        parts: tuple[list[Use], list[Use]] = ([], [])
        for one in uses:
            parts[self._is_test(one)].append(one)
        code, tests = ([one for one in part if one.is_call] or part for part in parts)
        return code, tests

    def _is_test(self, use: Use) -> bool:
        hit = Hit(use.path, use.line, use.line, "", use.inside, "function")
        return order.kind_of(hit) == "test" or bool(self.mapped and self.mapped.is_test(use))


def _by_path(uses: Iterable[Use]) -> list[User]:
    """The first use of each name, by file."""
    found: dict[str, dict[str, Use]] = {}
    for one in uses:
        found.setdefault(one.path, {}).setdefault(one.name, one)
    return [User(path, tuple(some.values())) for path, some in found.items()]


def _widest(users: Mapping[str, User]) -> list[User]:
    return sorted(users.values(), key=lambda one: (-_names(one.uses), one.path))


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
