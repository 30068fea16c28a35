"""What a name means where it stands: by scopes, imports, and the types that are plain to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.ranking.symbols import FUNCTIONS
from thoughts.mapping.chains import CALL, ELEMENT, LITERAL
from thoughts.mapping.classes import Classes
from thoughts.mapping.modules import family
from thoughts.mapping.program import FILE, Place, Program
from thoughts.mapping.reader import HOLDERS
from thoughts.mapping.reading import Binding, Import
from thoughts.mapping.rust_names import ROOTS, SAME_TYPE, RustNames
from thoughts.mapping.things import CLASS, ELSEWHERE, FUNCTION, INSTANCE, MODULE, OUTSIDE, SUPER, Thing, Things

MOST_DEEP = 40
"""Questions inside of questions; deeper ones have no answer."""
MOST_THINGS = 6
"""That a name may mean; of one that may mean more nothing is known."""


class Names:
    """Answers what names and chains mean in a program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[object, Things] = {}
        self._open: set[object] = set()
        self._rust = RustNames(program, self)
        self.classes = Classes(program, self.meaning)
        self.classes.gather()
        self._known.clear()  # it was asked while not all members were known

    def meaning(self, chain: str, scope: Place) -> Things:
        """What a chain may mean in a scope."""
        return self._remembered(("chain", chain, scope), lambda: self._chain(chain, scope))

    def member(self, thing: Thing, name: str) -> Things:
        """What a name means inside of a thing."""
        return self._remembered((thing, name), lambda: self._member(thing, name))

    def _remembered(self, key: object, ask: Callable[[], Things]) -> Things:
        """The answer to a question; none to one that is asked while it is being answered."""
        if (known := self._known.get(key)) is not None:
            return known
        if key in self._open or len(self._open) > MOST_DEEP:
            return ()
        self._open.add(key)
        try:
            found = tuple(dict.fromkeys(ask()))
        finally:
            self._open.discard(key)
        found = found if len(found) <= MOST_THINGS else ()
        self._known[key] = found
        return found

    def _chain(self, chain: str, scope: Place) -> Things:
        head, _, last = chain.rpartition(".")
        calls = elements = False
        while last.endswith((CALL, ELEMENT)):
            calls, elements = calls or last.endswith(CALL), elements or last.endswith(ELEMENT)
            last = last[:-2]
        if not head:
            found = self.first(last, scope)
        else:
            found = tuple(one for thing in self.meaning(head, scope) for one in self.member(thing, last))
        if calls and last == "super" and not head:
            return found
        return tuple(one for thing in found for one in self.called(thing)) if calls else found

    def called(self, thing: Thing) -> Things:
        """What a call of a thing gives."""
        if thing.kind == CLASS:
            return (thing._replace(kind=INSTANCE),)
        if thing.kind == FUNCTION:
            return self._remembered(("returns", thing), lambda: self._returned(thing.place))
        if thing.kind == INSTANCE:
            methods = self.member(thing, "__call__")
            return tuple(one for method in methods if method.kind == FUNCTION for one in self.called(method)) or (
                thing,
            )
        return (thing,) if thing.kind == ELSEWHERE else ()

    def _returned(self, place: Place) -> Things:
        function = self._program.readings[place.path].functions[place.number]
        own = self.classes.class_of(place)
        found: list[Thing] = []
        for chain in function.returns:
            if chain == "Self()" and own is not None:
                found.append(Thing(INSTANCE, *own))
            else:
                found += self.meaning(chain, self._program.around(place))
        if function.returns and any(one.kind != ELSEWHERE for one in found):
            return tuple(found)
        return tuple(found) or tuple(one for chain in function.returned for one in self.meaning(chain, place))

    def first(self, name: str, scope: Place) -> Things:
        """What a name means that is reached from nothing else."""
        if name in (LITERAL, "?"):
            return OUTSIDE if name == LITERAL else ()
        method = self.classes.method_around(scope)
        if method is not None:
            function = self._program.readings[scope.path].functions[method[0].number]
            own = Thing(CLASS, *method[1])
            if name in (function.receiver, "this"):
                return (own if function.on_class else own._replace(kind=INSTANCE),)
            if name in ("super", "Self"):
                return (own._replace(kind=SUPER if name == "super" else CLASS),)
        elif name == "Self" and (holder := self.classes.class_at(scope)) is not None:
            return (Thing(CLASS, *holder),)
        if self._program.language(scope.path) == "rust" and name in ROOTS:
            return self._rust.root(name, scope)
        return self._remembered(("name", name, scope), lambda: self._in_scopes(name, scope))

    def _in_scopes(self, name: str, scope: Place) -> Things:
        place, is_java = scope, self._program.language(scope.path) == "java"
        while place.number != FILE:
            kind = self._program.kind(place)
            if kind in FUNCTIONS or kind == "module" or place == scope:
                found = self._here(name, place)
                if found is not None:
                    return found
            elif is_java and kind in HOLDERS and (inherited := self.member(Thing(INSTANCE, *place), name)):
                return inherited
            place = self._program.around(place)
        found = self._here(name, place)
        if found is not None:
            return found
        for path in self._program.files_beside(scope.path):
            if path != scope.path and (found := self._here(name, Place(path, FILE), imports=False)) is not None:
                return found
        is_rust = self._program.language(scope.path) == "rust"
        return (self._rust.crate(name, scope) if is_rust else ()) or OUTSIDE

    def _here(self, name: str, place: Place, *, imports: bool = True) -> Things | None:
        """What a name means in one scope; None where it has no such name."""
        program = self._program
        bindings = program.bindings[place].get(name, ()) if place in program.bindings else ()
        children = program.children[place].get(name, ()) if place in program.children else ()
        imported = program.imports[place].get(name, ()) if imports and place in program.imports else ()
        if bindings or children or imported:
            found = [one for number in children for one in self._defined(Place(place.path, number))]
            found += [one for item in imported for one in self.imported(item, place)]
            found += [one for binding in bindings for one in self._bound(binding, place)]
            return tuple(found)
        for star in program.stars.get(place, ()) if imports else ():
            for thing in self.module(star, place):
                if thing.kind == MODULE and (inner := self.member(thing, name)) and inner != OUTSIDE:
                    return inner
        return None

    def _defined(self, place: Place) -> Things:
        kind = self._program.kind(place)
        if kind == "module":
            symbol = self._program.symbol(place)
            if self._program.language(place.path) == "rust" and symbol.last == symbol.line:
                return ()  # the import says where it is
            return (Thing(MODULE, *place),)
        if kind in FUNCTIONS:
            return (Thing(FUNCTION, *place),) if place.number in self._program.readings[place.path].functions else ()
        return (Thing(CLASS, *place),) if kind in HOLDERS and kind != "impl" else ()

    def _bound(self, binding: Binding, place: Place) -> Things:
        scope = place
        if binding.is_parameter and self._takes_fixtures(place):
            fixture = self._program.fixture(binding.name, place.path)
            return self.called(Thing(FUNCTION, *fixture)) if fixture is not None else ()
        if place.number != FILE and self._program.kind(place) in HOLDERS:  # `self.x = y`: y is a parameter of a method
            methods = self.classes.members(place, "__init__") + self.classes.members(place, "constructor")
            scope = methods[0] if methods else place
        return tuple(one for chain in binding.chains for one in self.meaning(chain, scope))

    def _takes_fixtures(self, place: Place) -> bool:
        if place.number == FILE or self._program.language(place.path) != "python":
            return False
        function = self._program.readings[place.path].functions.get(place.number)
        return function is not None and (function.is_fixture or self._program.symbol(place).is_test)

    def fixtures_of(self, place: Place) -> list[Place]:
        """The fixtures that a test or a fixture names as its parameters."""
        if not self._takes_fixtures(place) or place not in self._program.bindings:
            return []
        names = [name for name, some in self._program.bindings[place].items() if any(one.is_parameter for one in some)]
        found = (self._program.fixture(name, place.path) for name in names)
        return [one for one in found if one is not None and one != place]

    def module(self, item: Import, place: Place) -> Things:
        """The module that an import names."""
        language = self._program.language(place.path)
        if language == "rust":
            return self.meaning(item.module.replace("::", "."), place) if item.module else ()
        found = self._program.modules.find(item.module, language, place.path)
        return (Thing(MODULE, found),) if found else OUTSIDE

    def imported(self, item: Import, place: Place) -> Things:
        """What the name means that an import brings into a scope."""
        language = self._program.language(place.path)
        if language == "rust":
            return self._rust.used(item, place)
        if language == "java":
            return self._java_import(item, place)
        if not item.name:
            module = item.module if item.alias or family(language) != "python" else item.module.split(".")[0]
            found = self._program.modules.find(module, language, place.path)
            return (Thing(MODULE, found),) if found else OUTSIDE
        modules = self.module(item, place)
        if item.name == "default" and modules != OUTSIDE:
            return tuple(one for thing in modules for one in self._default(thing, item.alias))
        return tuple(one for thing in modules for one in self.member(thing, item.name))

    def _java_import(self, item: Import, place: Place) -> Things:
        whole = self._program.modules.find(f"{item.module}.{item.name}", "java", place.path)
        if whole:
            return self._here(item.name, Place(whole, FILE), imports=False) or ()
        outer, _, name = item.module.rpartition(".")
        found = self._program.modules.find(f"{outer}.{name}", "java", place.path) if outer else ""
        holders = (self._here(name, Place(found, FILE), imports=False) or ()) if found else ()
        return tuple(one for thing in holders for one in self.member(thing, item.name)) if found else OUTSIDE

    def _default(self, thing: Thing, alias: str) -> Things:
        """What a file of JavaScript exports by default: what is called like it, or its only class or function."""
        if found := self.member(thing, alias):
            return found
        numbers = [number for some in self._program.children[Place(thing.path, FILE)].values() for number in some]
        things = [one for number in numbers for one in self._defined(Place(thing.path, number))]
        return tuple(things) if len(things) == 1 else ()

    def _member(self, thing: Thing, name: str) -> Things:
        if thing.kind == ELSEWHERE:
            return OUTSIDE
        if thing.kind == MODULE:
            return self._in_module(thing, name)
        if thing.kind in (CLASS, INSTANCE, SUPER):
            return self._in_class(thing, name)
        return ()

    def _in_module(self, thing: Thing, name: str) -> Things:
        if thing.path.endswith("/"):
            for path in self._program.folders.get(thing.path, ()):
                if self._program.language(path) == "go" and (
                    found := self._here(name, Place(path, FILE), imports=False)
                ):
                    return found
        elif thing.path in self._program.readings and (found := self._here(name, thing.place)) is not None:
            return found
        if thing.number != FILE:
            return ()
        language = "python" if thing.path.endswith("/") else self._program.language(thing.path)
        child = self._program.modules.child(thing.path, name, language)
        return (Thing(MODULE, child),) if child else ()

    def _in_class(self, thing: Thing, name: str) -> Things:
        ancestors = self.classes.bases(thing.place)
        for one in ancestors[1:] if thing.kind == SUPER else ancestors:
            if one is None:
                return OUTSIDE
            if found := self.classes.members(one, name):
                return self._methods(found, thing)
            children = self._program.children[one].get(name, ()) if one in self._program.children else ()
            if inner := [item for number in children for item in self._defined(Place(one.path, number))]:
                return tuple(inner)
            if one in self._program.bindings and (bindings := self._program.bindings[one].get(name)):
                return tuple(item for binding in bindings for item in self._bound(binding, one))
        if thing.kind == INSTANCE and name in SAME_TYPE and self._program.language(thing.path) == "rust":
            return (thing,)
        return ()

    def _methods(self, found: Sequence[Place], thing: Thing) -> Things:
        things: list[Thing] = []
        for place in found:
            function = self._program.readings[place.path].functions[place.number]
            method = Thing(FUNCTION, *place)
            things += self.called(method) if function.is_property and thing.kind == INSTANCE else [method]
        return tuple(things)
