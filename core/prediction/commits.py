"""Commits found in a token stream, by their markers alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.text.grammar import CHANGES, CODE_END, CODE_START, COMMIT_START, FILE_START

if TYPE_CHECKING:
    import torch

    from core.text.vocabulary import Vocabulary


@dataclass
class SeenCommit:
    """A commit in a token stream: where it starts, where its head ends, what it changes."""

    start: int
    head_end: int = 0
    codes: list[tuple[int, int]] = field(default_factory=list)
    """Where the code of each change lies."""
    changes: list[tuple[str, str]] = field(default_factory=list)
    """Path and change type of each change."""

    @property
    def files(self) -> list[str]:
        """The paths that it changes, each once, in its order."""
        return list(dict.fromkeys(path for path, _ in self.changes))


def commits_in(stream: torch.Tensor, vocabulary: Vocabulary) -> list[SeenCommit]:
    """Read the commits back out of a token stream (1-D) that starts and ends between commits."""
    import torch

    names = {id_: marker for marker, id_ in vocabulary.markers.items()}
    places = torch.isin(stream, torch.tensor(list(names))).nonzero().flatten().tolist()
    ids = stream[places].tolist()
    changes = {str(marker): name for name, marker in CHANGES.items()}
    found: list[SeenCommit] = []
    path = ""
    for number, (place, id_) in enumerate(zip(places, ids, strict=True)):
        marker = names[id_]
        if marker == COMMIT_START:
            found.append(SeenCommit(place))
        elif marker == FILE_START:
            found[-1].head_end = found[-1].head_end or place
            path = vocabulary.decode(stream[place + 1 : places[number + 1]].tolist())
        elif marker in changes:
            found[-1].changes.append((path, changes[marker]))
        elif marker == CODE_START:
            found[-1].codes.append((place + 1, place + 1))
        elif marker == CODE_END:
            found[-1].codes[-1] = (found[-1].codes[-1][0], place)
    return found
