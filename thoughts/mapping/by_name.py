"""Methods by name alone, where nothing is known of what they are called on."""

from __future__ import annotations

from core.code.test_files import is_test_file
from thoughts.mapping.modules import family
from thoughts.mapping.program import Place, Program
from thoughts.mapping.reading import Call

_OF_TYPES = {name for one in (str, bytes, list, dict, set, int, float, tuple) for name in dir(one)}
"""What objects of Python's own types can do."""
_WORDS = {
    "python": "read write close open send run put group match search flush",
    "rust": "new default fmt from into clone eq cmp hash next iter len is_empty push pop get insert remove contains"
    " as_ref as_str to_string to_owned write read flush map collect unwrap expect drop deref index lock join take"
    " extend parse borrow ok err find filter any all min max sort split trim lines chars bytes starts_with ends_with",
    "javascript": "push pop map filter forEach reduce find get set has add delete keys values entries then catch"
    " finally slice splice concat join split replace trim toString includes indexOf call apply bind on emit length"
    " log test match exec sort reverse shift unshift some every",
    "go": "Error String Close Read Write Len Less Swap Lock Unlock Add Done Wait Get Set",
    "java": "get set add put remove size isEmpty contains equals hashCode toString iterator next close length valueOf"
    " of stream map filter forEach collect append format name run call apply accept test",
}
_EVERYWHERE = {kind: frozenset(words.split()) for kind, words in _WORDS.items()}
_EVERYWHERE["python"] |= _OF_TYPES
"""Names that objects of elsewhere have, too: a method of the repository is not meant where nothing is known."""


class ByName:
    """Methods by name alone, where that says enough."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def targets(self, call: Call, path: str) -> list[Place]:
        """The only method of this name that takes so many arguments and that the file may know of."""
        kind = family(self._program.language(path))
        name = call.chain.rpartition(".")[2]
        if name in _EVERYWHERE.get(kind, ()) or name.startswith("__"):
            return []
        in_test = is_test_file(path)
        some = [
            one for one in self._program.methods.get((kind, name), ()) if self._may_be(one, call, path, in_test=in_test)
        ]
        return some if len(some) == 1 else []

    def _may_be(self, place: Place, call: Call, path: str, *, in_test: bool) -> bool:
        if is_test_file(place.path) and place.path != path and not in_test:
            return False
        function = self._program.readings[place.path].functions[place.number]
        count = call.arguments
        return not function.is_property and (
            count < 0 or (function.least <= count and (function.most < 0 or count <= function.most))
        )
