"""Who calls whom: each call of a program with what it means, or, where that is not plain, by its name alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from core.code.test_files import is_test_file
from thoughts.mapping.by_name import ByName
from thoughts.mapping.modules import family
from thoughts.mapping.names import Names
from thoughts.mapping.program import Place, Program
from thoughts.mapping.reading import Call
from thoughts.mapping.things import CLASS, FUNCTION, INSTANCE, SUPER, Thing

_CONSTRUCTORS = {"python": ("__init__", "__new__", "__post_init__"), "javascript": ("constructor",), "java": ()}
MOST_OVERRIDING = 8
"""Methods that may run instead of one; of more nothing is said."""


class Edge(NamedTuple):
    """A call."""

    caller: Place
    callee: Place
    line: int
    """Of the call, in the caller's file."""
    is_sure: bool
    """Scopes, imports and types say so; otherwise the name is the only one of its kind."""


def edges_of(program: Program, names: Names) -> Iterator[Edge]:
    """The calls among a program's own symbols, file by file."""
    by_name = ByName(program)
    for path, reading in program.readings.items():
        for call in reading.calls:
            caller = Place(path, call.owner)
            targets, is_sure = _targets(call, caller, program, names), True
            if targets is None:
                targets, is_sure = by_name.targets(call, path), False
            for callee in dict.fromkeys(targets):
                yield Edge(caller, callee, call.line, is_sure)
            for callee in _overriding(call, caller, targets, names):
                yield Edge(caller, callee, call.line, is_sure=False)
        for number in reading.functions:
            place = Place(path, number)
            for fixture in names.fixtures_of(place):
                yield Edge(place, fixture, reading.symbols[number].line, is_sure=True)


def _targets(call: Call, caller: Place, program: Program, names: Names) -> list[Place] | None:
    """What is called; None where nothing is known of what it is called on."""
    head, _, last = call.chain.rpartition(".")
    if not head:
        things = names.meaning(last, caller)
        if last == "super" and program.language(caller.path) in ("javascript", "typescript", "tsx"):
            things = tuple(one for one in things if one.kind == SUPER)
        elif last == "super":
            return []
        return [] if call.is_get else [place for one in things for place in _called(one, program, names)]
    owners = names.meaning(head, caller)
    if not owners:
        return [] if call.is_get else None
    if call.is_get:
        found = [
            place for one in owners if one.kind in (INSTANCE, SUPER) for place in names.classes.functions_in(one, last)
        ]
        return [
            one
            for one in found
            if last.startswith("__") or program.readings[one.path].functions[one.number].is_property
        ]
    return [
        place for owner in owners for thing in _reached(owner, last, names) for place in _called(thing, program, names)
    ]


def _overriding(call: Call, caller: Place, targets: list[Place], names: Names) -> list[Place]:
    """What may run instead, since a class below the one that is named has a method of this name, too."""
    head, _, last = call.chain.rpartition(".")
    owners = [one.place for one in names.meaning(head, caller) if one.kind == INSTANCE] if head and targets else []
    found = dict.fromkeys(place for owner in owners for place in names.classes.overriding(owner, last))
    in_test = is_test_file(caller.path)
    some = [one for one in found if one not in targets and (in_test or not is_test_file(one.path))]
    return some if len(some) <= MOST_OVERRIDING else []


def _reached(owner: Thing, name: str, names: Names) -> list[Thing]:
    if owner.kind in (CLASS, INSTANCE, SUPER) and (functions := names.classes.functions_in(owner, name)):
        return [Thing(FUNCTION, *one) for one in functions]
    return list(names.member(owner, name))


def _called(thing: Thing, program: Program, names: Names) -> list[Place]:
    """The code that runs when a thing is called."""
    if thing.kind == FUNCTION:
        return [thing.place]
    if thing.kind == INSTANCE:
        return names.classes.functions_in(thing, "__call__")
    if thing.kind not in (CLASS, SUPER):
        return []
    wanted = _CONSTRUCTORS.get(family(program.language(thing.path)), ())
    if program.language(thing.path) == "java":
        wanted = (program.symbol(thing.place).own,)
    found = [place for name in wanted for place in names.classes.functions_in(thing, name)]
    return found or ([thing.place] if thing.kind == CLASS else [])
