"""What the text of a file says for the map: its symbols, calls, imports, and what names are bound to.

It comes from the bytes and the language alone, so it is kept by blob. What a name means is decided later, among the
other files of a commit.
"""

from __future__ import annotations

import msgspec


class Symbol(msgspec.Struct, frozen=True, array_like=True):
    """A definition. Lines count from 1."""

    name: str
    """Qualified by what is around it, as the index and chunks write it."""
    own: str
    kind: str
    parent: int
    """The symbol around it, -1 for none."""
    first: int
    """With decorators and comments before it."""
    line: int
    """Where its name is."""
    last: int
    is_test: bool


class Function(msgspec.Struct, array_like=True):
    """What more is known of a function."""

    receiver: str = ""
    """What its first parameter is called, if that is the object or class that it is called on."""
    on_class: bool = False
    is_property: bool = False
    is_fixture: bool = False
    least: int = 0
    """Arguments that a call must have, without the receiver."""
    most: int = -1
    """That it may have; -1 for any number."""
    returns: list[str] = msgspec.field(default_factory=list)
    """Chains of what its signature says."""
    returned: list[str] = msgspec.field(default_factory=list)
    """Chains of what it returns."""


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A call, or with `is_get` what may be one: a property that is read."""

    chain: str
    line: int
    """Of the name that is called."""
    owner: int
    """The symbol that it is in, -1 for none."""
    arguments: int = -1
    """-1 where their number is not known."""
    is_get: bool = False


class Import(msgspec.Struct, frozen=True, array_like=True):
    """A name that comes from elsewhere."""

    module: str
    """As it is written."""
    name: str
    """What of it; "" for the module itself, "*" for all that it has."""
    alias: str
    """What it is called here; "" where it gets no name."""
    line: int
    owner: int = -1
    is_late: bool = False
    """It is read when a function runs, or by type checkers alone."""


class Binding(msgspec.Struct, array_like=True):
    """A variable, or an attribute of a class."""

    name: str
    owner: int
    """The function or class that it belongs to, -1 for the file."""
    chains: list[str]
    """What it may be; nothing is known of a parameter without type."""
    is_parameter: bool = False


class Reading(msgspec.Struct, array_like=True):
    """A text."""

    language: str = ""
    """Why not: "" where the map does not know the language, or the text is none that a person wrote."""
    symbols: list[Symbol] = msgspec.field(default_factory=list)
    functions: dict[int, Function] = msgspec.field(default_factory=dict)
    """By the number of the symbol."""
    bases: dict[int, list[str]] = msgspec.field(default_factory=dict)
    """Of classes, chains."""
    calls: list[Call] = msgspec.field(default_factory=list)
    imports: list[Import] = msgspec.field(default_factory=list)
    bindings: list[Binding] = msgspec.field(default_factory=list)
