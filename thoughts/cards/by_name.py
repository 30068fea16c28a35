"""What uses a symbol or a file by names in the tree, as calls in chat are found: of any language, without a map."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chat.calls import Place, Use, Uses, uses_of
from chat.citations import Citations
from chat.history import own_name
from core.git import touched
from core.ranking.paths import subject
from index.texts import Symbol
from thoughts.cards.source import Source

MOST_NAMES = 40
"""Of a file, that are looked for."""
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


@dataclass(frozen=True)
class Named:
    """Uses of a symbol's name, with what is to be said of them."""

    name: str
    uses: list[Use]
    left_out: list[Use] = field(default_factory=list)
    """Those that look like another's."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ByName:
    """A commit's tree, to look for names in. What it asks raises GitloreError where git takes too long."""

    git_dir: Path
    commit: str
    citations: Citations
    timeout_s: float

    def of_symbol(self, source: Source, symbol: Symbol) -> Named:
        """The uses of a symbol's name outside of it."""
        path = source.path
        name = own_name(symbol.name)
        if not name:
            return Named("", [])
        found = self._uses([name], [Place(path, symbol.first, symbol.last, symbol.name)])
        own = [range(one.first, one.last + 1) for one in source.symbols if one.name == symbol.name]  # overloads
        others = self._elsewhere([name], path, own)
        uses = [one for one in found.found if not (one.path == path and symbol.first <= one.line <= symbol.last)]
        is_unique = name not in others and not (symbol.above and name in _COMMON)
        meant = [one for one in uses if self._is_meant(one, path, symbol, is_unique=is_unique)]
        return Named(name, meant, [one for one in uses if one not in meant], list(found.notes))

    def of_file(self, source: Source) -> list[Use]:
        """The uses of what a file defines elsewhere, by the names that nothing else defines."""
        path = source.path
        names = [one.last_name for one in source.roots if len(one.last_name) >= SHORTEST and own_name(one.last_name)]
        names = names[:MOST_NAMES]
        others = self._elsewhere(names, path, [range(1, len(source.lines) + 1)]) if names else set()
        names = [name for name in names if name not in others]
        return [one for one in self._uses(names).found if one.path != path] if names else []

    def _uses(self, names: Sequence[str], defined: Sequence[Place] = ()) -> Uses:
        return uses_of(
            self.git_dir, self.citations, self.commit, names, defined, timeout_s=self.timeout_s, most=MOST_LINES
        )

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
