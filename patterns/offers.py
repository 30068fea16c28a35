"""What is offered for a line: the exact line that lines like it, in the same part of the repository, have become."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from patterns.line_edits import pieces, tokens
from patterns.shapes import Shape, bound, kept_names


@dataclass(frozen=True)
class Offer:
    """A line's shape, and what the line would become, without indentation."""

    before: Shape
    line: str


class Offers:
    """After sides by before side, each determined by it."""

    def __init__(self) -> None:
        self._after: dict[tuple[str, int], dict[Shape, tuple[str, set[str]]]] = defaultdict(dict)
        """(the line after, with placeholders, where it is offered) by language and number of tokens."""
        self._names: dict[str, Counter[str]] = defaultdict(Counter)
        """How many before sides keep a name: no placeholder stands for such a one."""

    def put(self, language: str, before: Shape, after: str, paths: Iterable[str]) -> None:
        """Offer `after`, a line with placeholders, for lines of the shape `before`, in the place of what was.

        It is offered in the folders at the top of the repository that `paths` are in.
        """
        self.drop(language, before)
        self._after[language, len(before)][before] = after, set(map(_folder, paths))
        self._names[language].update(kept_names(before))

    def drop(self, language: str, before: Shape) -> None:
        """Offer nothing for lines of this shape."""
        if self._after[language, len(before)].pop(before, None) is not None:
            self._names[language].subtract(kept_names(before))

    def find(self, language: str, path: str, line: str) -> Offer | None:
        """What is offered for a line of a file; of several shapes that it has, by the one that keeps most names."""
        own = tokens(line, language)
        names = +self._names[language]
        fitting = []
        for before, (after, folders) in self._after[language, len(own)].items():
            if _folder(path) in folders and (given := bound(before, own, names)) is not None:
                fitting.append((len(kept_names(before)), before, after, given))
        if not fitting:
            return None
        _, before, after, given = max(fitting, key=lambda one: one[:2])
        return Offer(before, "".join(given.get(piece, piece) for piece in pieces(after, language)))


def written(line: str, language: str, shape: Shape) -> str:
    """A line with the tokens of a shape in the place of its own."""
    left = iter(shape)
    return "".join(piece if piece.isspace() else next(left) for piece in pieces(line, language))


def _folder(path: str) -> str:
    """The first folder of a path; "" for a file outside folders."""
    return path.rpartition("/")[0].partition("/")[0]
