"""What the index of code answers: places in files, what an update did, what the index holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FILE = "file"
"""The kind of a hit that is a whole file."""


@dataclass(frozen=True)
class Hit:
    """A symbol, or a whole file, as it is at the commit that the index describes."""

    path: str
    first: int
    last: int
    """Lines count from 1; both are included, and so are decorators and comments that lead a symbol."""
    blob: str
    symbol: str
    """Qualified name, from the outermost symbol inwards; "" for a whole file."""
    kind: str
    doc: str = ""
    """The first sentence of its docstring or doc comment."""
    score: float = 0.0
    features: Mapping[str, float] = field(default_factory=dict)
    """What the score is made of: each feature times its weight."""
    share: float = 0.0
    """Of all candidates, as a search found it; 0 of a place that the question names: that is not the search's order."""
    of_class: str = ""
    """Of the question that it was found for, which says whose weights these are."""


@dataclass(frozen=True)
class IndexUpdate:
    """What `CodeIndex.update` did."""

    commit: str
    added: int
    """Texts that were read: a text is a blob in one language, at however many paths."""
    removed: int
    """Texts that no file of the commit has any longer."""
    skipped: Mapping[str, int]
    """Files of the commit that are left out, by reason."""


@dataclass(frozen=True)
class IndexStatus:
    """What an index holds."""

    commit: str | None
    """The commit that it describes; None before the first update."""
    files: int
    symbols: int
    skipped: Mapping[str, int]
    """Files of the commit that are left out, by reason."""
    has_vectors: bool
    """The table of static vectors was there when the texts were read; without it only words are matched."""
    size: int
    """Bytes on disk."""
