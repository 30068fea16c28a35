"""Which symbol before a commit is which symbol after it.

In order, each step only among what the steps before left over:

1. units with the same content, then the same kind and qualified name, in the same file;
2. the same body with the own name masked, anywhere in the commit;
3. the same name inside a symbol that was matched under another name;
4. Dice similarity of the code's tokens: in the same file, or under the same name in another.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from core.chunking.likeness import MIN_TOKENS, MIN_TOKENS_ACROSS, Candidate, Version, could_reach, dice, least_likeness
from core.chunking.outline import Outline, Owner

MOST_COMPARISONS = 40_000
"""Of one file; beyond, only some of the same name are compared."""
MOST_NAMESAKES = 50
"""Symbols of the same name in other files that one is compared with."""
_LONE = "\0"
"""In the place of an identity that is on one side alone."""


class SymbolMatch(NamedTuple):
    """A symbol before and after; one of the two is None where it was added or removed."""

    old: Version | None
    new: Version | None
    how: str = ""
    """ "key", "body", "similarity"; empty where there is nothing to match."""
    score: float | None = None


class Matches:
    """The matches of one commit: every symbol of every file version is in exactly one."""

    def __init__(self, olds: Sequence[Outline], news: Sequence[Outline]) -> None:
        """`olds[i]` and `news[i]` are the two sides of one file change."""
        matcher = _Matcher()
        for file, (old, new) in enumerate(zip(olds, news, strict=True)):
            matcher.add_file(file, old, new)
        matcher.match_the_rest()
        self._of_old = {one.old: one for one in matcher.matches if one.old}
        self._of_new = {one.new: one for one in matcher.matches if one.new}
        self._units = matcher.units

    def of_old(self, version: Version) -> SymbolMatch:
        """The match of a symbol before the commit."""
        found = self._of_old.get(version)
        if found is None:  # its whole unit is unchanged
            number = self._units[version.file].new_of(version.owner.place)
            found = SymbolMatch(version, Version(version.file, Owner(number, version.owner.symbol)), "key", 1.0)
        return found

    def of_new(self, version: Version) -> SymbolMatch:
        """The match of a symbol after the commit."""
        found = self._of_new.get(version)
        if found is None:
            number = self._units[version.file].old_of(version.owner.place)
            found = SymbolMatch(Version(version.file, Owner(number, version.owner.symbol)), version, "key", 1.0)
        return found

    def changed_places(self, file: int) -> range:
        """Numbers of a file's places on the new side, but for the unchanged ones at its start and at its end."""
        units = self._units[file]
        return range(units.start, units.new_end)


@dataclass
class UnitPairs:
    """Unchanged units of a file: those at its start, those at its end, and others by number."""

    start: int
    shift: int
    """What a number at the end grows by."""
    old_end: int
    """Number of the first unit of the unchanged end, on the old side."""
    new_end: int
    of_old: dict[int, int] = field(default_factory=dict)
    of_new: dict[int, int] = field(default_factory=dict)

    def new_of(self, number: int) -> int:
        """Number on the new side of an unchanged unit of the old one."""
        return number if number < self.start else number + self.shift if number >= self.old_end else self.of_old[number]

    def old_of(self, number: int) -> int:
        """Number on the old side of an unchanged unit of the new one."""
        return number if number < self.start else number - self.shift if number >= self.new_end else self.of_new[number]


_Groups = dict[tuple[str, str, str], tuple[list[Owner], list[Owner]]]
"""Symbols of both sides of a file by kind, qualified name and identity."""


def _strangers(groups: _Groups) -> set[tuple[str, str, str]]:
    """Put what has an identity that the other side has not among those of its name; the keys where both sides have one.

    These are not the same just because the name of all cells is. Where one side has none, its format had none yet.
    """
    found = set()
    for key in [key for key, sides in groups.items() if key[2] and not all(sides)]:
        moved, others = groups.pop(key), groups[*key[:2], _LONE]
        others[0].extend(moved[0])
        others[1].extend(moved[1])
    for key in [key for key in groups if key[2] == _LONE]:
        olds, news = groups[key]
        without = groups.get((*key[:2], ""), ([], []))
        if without[0] or without[1]:
            without[0].extend(olds)
            without[1].extend(news)
            del groups[key]
        else:
            found.add(key)
    return found


class _Matcher:
    def __init__(self) -> None:
        self.matches: list[SymbolMatch] = []
        self.units: dict[int, UnitPairs] = {}
        """By the number of the file."""
        self.olds: dict[Version, Candidate] = {}
        self.news: dict[Version, Candidate] = {}
        self._partners: dict[Version, Version] = {}
        """New to old of matches under another qualified name."""

    def add_file(self, file: int, old: Outline, new: Outline) -> None:
        """Match what has the same content or the same key; keep the rest as candidates."""
        digests = [one.unit.digest for one in old.places], [one.unit.digest for one in new.places]
        gone, fresh = self._pair_units(file, *digests)
        groups: _Groups = defaultdict(lambda: ([], []))
        for side, outline, left in ((0, old, gone), (1, new, fresh)):
            for number in left:
                for index, symbol in enumerate(outline.places[number].unit.symbols):
                    key = symbol.kind, symbol.qualified_name, symbol.identity
                    groups[key][side].append(Owner(number, index))
        strangers = _strangers(groups)
        for key, (olds, news) in groups.items():
            if len(olds) == len(news) == 1 and key not in strangers:
                self.matches.append(SymbolMatch(Version(file, olds[0]), Version(file, news[0]), "key", 1.0))
                continue
            earlier = [Candidate.of(file, old, owner) for owner in olds]
            after = [Candidate.of(file, new, owner) for owner in news]
            self.olds.update((one.version, one) for one in earlier)
            self.news.update((one.version, one) for one in after)
            if earlier and after:
                self._pair_equals(earlier, after, "key", _text)
                if key not in strangers:
                    self._pair_key(earlier, after)

    def _pair_units(self, file: int, old: Sequence[Hashable], new: Sequence[Hashable]) -> tuple[list[int], list[int]]:
        """Pair units with the same digest; the numbers of those that are left on the old and on the new side."""
        first = 0
        while first < min(len(old), len(new)) and old[first] == new[first]:
            first += 1
        last = 0
        while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
            last += 1
        units = self.units[file] = UnitPairs(first, len(new) - len(old), len(old) - last, len(new) - last)
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for number in range(first, units.old_end):
            waiting[old[number]].append(number)
        left = []
        for number in range(first, units.new_end):
            if found := waiting.get(new[number]):
                units.of_new[number] = found.pop(0)
                units.of_old[units.of_new[number]] = number
            else:
                left.append(number)
        return [number for number in range(first, units.old_end) if number not in units.of_old], left

    def match_the_rest(self) -> None:
        """Match candidates across the commit; what is left is added or removed."""
        if self.olds and self.news:
            self._by_body()
            self._inside_partners()
            self._by_similarity(containers=True)
            self._inside_partners()
            self._by_similarity(containers=False)
        self.matches += [SymbolMatch(version, None) for version in self.olds]
        self.matches += [SymbolMatch(None, version) for version in self.news]

    def _match(self, old: Version, new: Version, how: str, score: float) -> None:
        before, after = self.olds.pop(old, None), self.news.pop(new, None)
        self.matches.append(SymbolMatch(old, new, how, score))
        if before and after and before.symbol.qualified_name != after.symbol.qualified_name:
            self._partners[new] = old

    def _pair_equals(
        self,
        olds: Iterable[Candidate],
        news: Iterable[Candidate],
        how: str,
        *keys: Callable[[Candidate], Hashable],
    ) -> None:
        """Match candidates for which all keys are equal, in the order of the file."""
        waiting: dict[Hashable, list[Candidate]] = defaultdict(list)
        for one in olds:
            if one.version in self.olds:
                waiting[tuple(key(one) for key in keys)].append(one)
        for one in news:
            if one.version in self.news and (found := waiting.get(tuple(key(one) for key in keys))):
                self._match(found.pop(0).version, one.version, how, 1.0)

    def _pair_key(self, olds: Sequence[Candidate], news: Sequence[Candidate]) -> None:
        """Match several of one key: in order where none is missing, else the likeliest."""
        olds = [one for one in olds if one.version in self.olds]
        news = [one for one in news if one.version in self.news]
        if len(olds) == len(news):
            pairs = list(zip(olds, news, strict=True))
        else:
            pairs = [(old, new) for _, old, new in _best((dice(o, n), o, n) for o in olds for n in news)]
        for old, new in pairs:
            self._match(old.version, new.version, "key", 1.0)

    def _by_body(self) -> None:
        """The same code but for the name."""
        olds, news = list(self.olds.values()), list(self.news.values())
        kinds = {one.symbol.kind for one in olds}
        news = [one for one in news if one.symbol.kind in kinds]
        kinds_and_sizes = {(one.symbol.kind, len(one.tokens)) for one in news}
        olds = [one for one in olds if (one.symbol.kind, len(one.tokens)) in kinds_and_sizes]
        long_olds = [one for one in olds if len(one.tokens) >= MIN_TOKENS]
        long_news = [one for one in news if len(one.tokens) >= MIN_TOKENS]
        named = (_kind, _body, _name)
        self._pair_equals(olds, news, "body", *named, _file, _parent_name)
        self._pair_equals(long_olds, long_news, "body", *named, _file)
        self._pair_equals(_top_level(olds), _top_level(news), "body", *named)
        self._pair_equals(long_olds, long_news, "body", *named)
        self._pair_equals(long_olds, long_news, "body", _kind, _body, _file)
        long_olds, long_news = ([one for one in side if len(one.tokens) >= MIN_TOKENS_ACROSS] for side in (olds, news))
        self._pair_equals(long_olds, long_news, "body", _kind, _body)

    def _inside_partners(self) -> None:
        """A symbol inside a renamed one has another qualified name, but is the same."""
        children: dict[tuple[Version, str, str], list[Candidate]] = defaultdict(list)
        for one in self.olds.values():
            if one.parent:
                children[Version(one.version.file, one.parent), one.symbol.kind, one.symbol.name].append(one)
        for one in list(self.news.values()):  # outer before inner
            parent = one.parent and self._partners.get(Version(one.version.file, one.parent))
            if parent and (found := children.get((parent, one.symbol.kind, one.symbol.name))):
                self._match(found.pop(0).version, one.version, "key", 1.0)

    def _by_similarity(self, *, containers: bool) -> None:
        """The likeliest pairs first."""
        olds = [one for one in self.olds.values() if one.is_container == containers]
        by_file: dict[Hashable, list[Candidate]] = defaultdict(list)
        by_name: dict[Hashable, list[Candidate]] = defaultdict(list)
        for one in olds:
            by_file[one.version.file, one.symbol.kind, one.symbol.is_test].append(one)
            by_name[one.symbol.name, one.symbol.kind].append(one)
        scored = []
        work = Counter[int]()
        for new in self.news.values():
            if new.is_container != containers:
                continue
            named = by_name[new.symbol.name, new.symbol.kind]
            others = by_file[new.version.file, new.symbol.kind, new.symbol.is_test]
            work[new.version.file] += len(named) + len(others)
            if work[new.version.file] > MOST_COMPARISONS:
                named, others = named[:MOST_NAMESAKES], []
            elif len(named) > MOST_NAMESAKES:
                named = [one for one in named if one.version.file == new.version.file] or named[:MOST_NAMESAKES]
            for old in (*named, *(one for one in others if one.symbol.name != new.symbol.name)):
                least = least_likeness(old, new)
                if least and could_reach(old, new, least) and (score := dice(old, new)) >= least:
                    scored.append((score, old, new))
        for score, old, new in _best(scored):
            self._match(old.version, new.version, "similarity", round(score, 3))


def _best(
    scored: Iterable[tuple[float, Candidate, Candidate]],
) -> Iterable[tuple[float, Candidate, Candidate]]:
    """The best pairs, no candidate in two; among equals those that come first."""
    used: set[int] = set()
    for score, old, new in sorted(scored, key=lambda one: (-one[0], one[2].version, one[1].version)):
        if id(old) not in used and id(new) not in used:
            used |= {id(old), id(new)}
            yield score, old, new


def _top_level(candidates: Iterable[Candidate]) -> list[Candidate]:
    return [one for one in candidates if one.parent is None]


def _text(one: Candidate) -> Hashable:
    return one.outline.text(one.version.owner)


def _kind(one: Candidate) -> Hashable:
    return one.symbol.kind


def _name(one: Candidate) -> Hashable:
    return one.symbol.name


def _file(one: Candidate) -> Hashable:
    return one.version.file


def _body(one: Candidate) -> Hashable:
    return tuple(one.tokens)


def _parent_name(one: Candidate) -> Hashable:
    return one.parent and one.outline.symbol(one.parent).qualified_name
