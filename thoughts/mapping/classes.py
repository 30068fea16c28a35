"""The classes of a program: their members, their bases, and which one a place is in."""

from __future__ import annotations

import functools
from collections.abc import Callable

from core.ranking.symbols import FUNCTIONS
from thoughts.mapping.program import FILE, Place, Program
from thoughts.mapping.reader import HOLDERS
from thoughts.mapping.things import CLASS, SUPER, Thing, Things

MOST_BASES = 30


class Classes:
    """Answers about classes, given what the names of their bases mean."""

    def __init__(self, program: Program, meaning: Callable[[str, Place], Things]) -> None:
        self._program, self._meaning = program, meaning
        self._bases: dict[Place, list[Place | None]] = {}
        self._members: dict[Place, dict[str, list[Place]]] = {}
        self._inherited: dict[Place, list[tuple[Place, str]]] = {}

    def gather(self) -> None:
        """Read all members and bases, wherever a language lets them stand. Names are asked for meanwhile."""
        for path, reading in self._program.readings.items():
            for number in reading.functions:
                place = Place(path, number)
                if (holder := self.class_of(place)) is not None:
                    own = self._program.symbol(place).own
                    self._members.setdefault(holder, {}).setdefault(own, []).append(place)
            for number, chains in reading.bases.items():
                place = Place(path, number)
                symbol = reading.symbols[number]
                scope = Place(path, symbol.parent)
                holder = self._class_named(symbol.own, scope) if symbol.kind == "impl" else place
                if holder is not None:
                    self._inherited.setdefault(holder, []).extend((scope, chain) for chain in chains)
        self._bases.clear()

    def bases(self, place: Place) -> list[Place | None]:
        """A class and its ancestors, the nearest first; None for one from elsewhere."""
        if place not in self._bases:
            self._bases[place] = [place]  # should a class be its own ancestor
            found: list[Place | None] = [place]
            for one in found:  # grows meanwhile
                for scope, chain in self._inherited.get(one, ()) if one is not None and len(found) < MOST_BASES else ():
                    things = self._meaning(chain, scope)
                    above = [thing.place for thing in things if thing.kind == CLASS]
                    found += [other for other in above or (None,) if other not in found]
            self._bases[place] = found
        return self._bases[place]

    def functions_in(self, thing: Thing, name: str) -> list[Place]:
        """The methods of a name that a class has or inherits."""
        ancestors = self.bases(thing.place)
        for one in ancestors[1:] if thing.kind == SUPER else ancestors:
            if one is not None and (found := self.members(one, name)):
                return found
        return []

    def overriding(self, place: Place, name: str) -> list[Place]:
        """The methods of a name that classes below one have themselves."""
        found: list[Place] = []
        below = list(self._below.get(place, ()))
        for one in below:  # grows meanwhile
            found += self.members(one, name)
            below += [other for other in self._below.get(one, ()) if other not in below][: MOST_BASES - len(below)]
        return found

    @functools.cached_property
    def _below(self) -> dict[Place, list[Place]]:
        """The classes that name a class as a base."""
        found: dict[Place, list[Place]] = {}
        for place, inherited in self._inherited.items():
            for scope, chain in inherited:
                for thing in self._meaning(chain, scope):
                    if thing.kind == CLASS:
                        found.setdefault(thing.place, []).append(place)
        return found

    def members(self, place: Place, name: str) -> list[Place]:
        """The definitions of a name in a class itself."""
        return self._members.get(place, {}).get(name, [])

    def class_of(self, place: Place) -> Place | None:
        """The class that a symbol is a member of."""
        if place.number == FILE:
            return None
        around = self._program.around(place)
        if around.number == FILE:
            symbol = self._program.symbol(place)
            if self._program.language(place.path) == "go" and "." in symbol.name:
                return self._class_named(symbol.name.split(".")[0], around)
            return None
        kind = self._program.kind(around)
        if kind == "impl":
            return self._class_named(self._program.symbol(around).own, self._program.around(around)) or around
        return around if kind in HOLDERS and kind != "module" else None

    def method_around(self, place: Place) -> tuple[Place, Place] | None:
        """(method, class) that a place is in."""
        while place.number != FILE:
            if self._program.kind(place) in FUNCTIONS and (found := self.class_of(place)) is not None:
                return place, found
            place = self._program.around(place)
        return None

    def class_at(self, scope: Place) -> Place | None:
        """The class that a place is itself, or that it implements."""
        kind = self._program.kind(scope)
        if kind == "impl":
            return self._class_named(self._program.symbol(scope).own, self._program.around(scope))
        return scope if kind in HOLDERS and kind != "module" else None

    def _class_named(self, name: str, scope: Place) -> Place | None:
        found = [one.place for one in self._meaning(name, scope) if one.kind == CLASS]
        return found[0] if found else None
