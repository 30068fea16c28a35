"""What names of Rust mean that lead to modules: `crate`, `self`, `super`, crates, and what `use` brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thoughts.mapping.program import FILE, Place, Program
from thoughts.mapping.reading import Import
from thoughts.mapping.things import MODULE, OUTSIDE, Thing, Things

if TYPE_CHECKING:
    from thoughts.mapping.names import Names

ROOTS = ("crate", "self", "super")
_WORDS = (
    "unwrap expect clone as_ref as_mut borrow borrow_mut lock read write iter iter_mut into_iter unwrap_or to_owned get"
    " unwrap_or_default unwrap_or_else ok get_mut next first last take as_deref deref into await cloned peek"
)
SAME_TYPE = frozenset(_WORDS.split())
"""Methods of Rust's own types that give what they hold."""


class RustNames:
    """Answers for a program, together with its other names."""

    def __init__(self, program: Program, names: Names) -> None:
        self._program, self._names = program, names

    def used(self, item: Import, place: Place) -> Things:
        """What a `use` of Rust means. `mod name;` is one of the module's own."""
        path = f"{item.module}::{item.name}" if item.name else item.module
        first, _, rest = path.partition("::")
        if item.module == "self" and item.name == item.alias:  # `mod name;`
            return self._module_below(item.name, place)
        if first in ROOTS:
            things = self.root(first, place)
        else:
            things = self.crate(first, place) or self._sibling(first, item, place)
        for step in filter(None, rest.split("::")):
            things = tuple(
                one
                for thing in things
                for one in (self.root("super", thing.place) if step == "super" else self._names.member(thing, step))
            )
        return things

    def root(self, name: str, scope: Place) -> Things:
        """What one of `ROOTS` means in a scope."""
        modules, inline = self._program.modules, self._inline_module(scope)
        if name == "crate":
            found = Place(modules.root(scope.path), FILE)
        elif name == "self":
            found = inline
        else:
            outer = self._program.around(inline) if inline.number != FILE else Place(modules.parent(scope.path), FILE)
            found = self._inline_module(outer) if outer.path else outer
        return (Thing(MODULE, *found),) if found.path in self._program.readings else ()

    def crate(self, name: str, scope: Place) -> Things:
        """A crate of the same repository, or a module beside the one that names it."""
        modules = self._program.modules
        found = modules.child(scope.path, name, "rust") or modules.crate(name)
        return (Thing(MODULE, found),) if found in self._program.readings else ()

    def _inline_module(self, scope: Place) -> Place:
        while scope.number != FILE and self._program.kind(scope) != "module":
            scope = self._program.around(scope)
        return scope

    def _module_below(self, name: str, place: Place) -> Things:
        found = self._program.modules.child(place.path, name, "rust")
        return (Thing(MODULE, found),) if found in self._program.readings else ()

    def _sibling(self, name: str, item: Import, place: Place) -> Things:
        """A name of the same module that a `use` begins with, unless it is the one that this `use` brings."""
        return OUTSIDE if name == item.alias else self._names.first(name, place)
