"""Which files a commit changes: a beam search along the tree of known paths, and the likeliest new path.

After a commit's head comes <FILE_START>, a path with what follows from it, and a <CHANGE:…> marker. A known path
is held to a list; its probability is that of its tokens times that of any change marker behind them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.commit_grammar import CHANGES, FILE_START, LANGUAGES_CLOSED, file_head, file_text, plain
from core.languages import language_of, module_path
from core.prediction.reading import Reading
from core.vocabulary import Vocabulary

MOST_PATH_TOKENS = 48
_LEAST = 1e-300


def head_of_file(path: str) -> list[str]:
    """How the history begins a file: what is to be asked of a path, with all that follows from it."""
    language = language_of(path)
    return file_head(file_text(path, language, module_path(path, language), plain))


@dataclass
class FoundPath:
    """A path, its ids, its probability, and the part of it that each change type has."""

    name: str
    ids: list[int]
    probability: float
    changes: dict[str, float]
    new: bool = False


class PathTree:
    """Known paths as a tree of ids: what may follow, and what is complete."""

    def __init__(self, paths: Sequence[str], vocabulary: Vocabulary) -> None:
        self.root = Node()
        for path, ids in zip(paths, vocabulary.encode([head_of_file(path) for path in paths]), strict=True):
            node = self.root
            for id_ in ids:
                node = node.children.setdefault(id_, Node())
            node.path = path


class Node:
    """A place in the tree. `path` is set where one is complete."""

    __slots__ = ("children", "path")

    def __init__(self) -> None:
        self.children: dict[int, Node] = {}
        self.path: str | None = None


def known_paths(reading: Reading, tree: PathTree, vocabulary: Vocabulary, beams: int) -> list[FoundPath]:
    """The most probable of the known paths, best first, at most `beams`."""
    names = list(CHANGES)
    markers = torch.tensor([vocabulary.markers[CHANGES[name]] for name in names])
    finished: list[FoundPath] = []
    active: list[tuple[float, Node, list[int]]] = [(0.0, tree.root, [])]
    while True:
        logs = reading.log_probabilities()
        grown: list[tuple[float, int, int, Node]] = []
        for number, (score, node, ids) in enumerate(active):
            if node.path is not None:
                changes = (score + logs[number, markers]).exp().tolist()
                finished.append(FoundPath(node.path, ids, sum(changes), dict(zip(names, changes, strict=True))))
            grown += [(score + float(logs[number, id_]), number, id_, child) for id_, child in node.children.items()]
        finished = sorted(finished, key=lambda found: -found.probability)[:beams]
        bar = math.log(finished[-1].probability or _LEAST) if len(finished) == beams else -math.inf
        best = sorted((item for item in grown if item[0] > bar), key=lambda item: -item[0])[:beams]
        if not best:
            return finished
        active = [(score, child, [*active[number][2], id_]) for score, number, id_, child in best]
        reading.fork([item[1] for item in best], [item[2] for item in best])


def new_path(reading: Reading, known: set[str], vocabulary: Vocabulary) -> FoundPath | None:
    """The path that the model writes when nothing holds it to a list; None where it is known, or none is finished."""
    import numpy as np

    own = set(vocabulary.own_ids)
    ends = {vocabulary.markers[marker] for marker in LANGUAGES_CLOSED}
    banned = torch.tensor(sorted(own - ends))
    reading.feed([vocabulary.markers[FILE_START]])
    score = 0.0
    written: list[int] = []
    while len(written) <= MOST_PATH_TOKENS:
        logs = reading.log_probabilities()[0]
        open_ = logs.clone()
        open_[banned] = -math.inf
        if not written:
            open_[sorted(ends)] = -math.inf
        id_ = int(open_.argmax())
        score += float(logs[id_])
        if id_ in ends:
            break
        written.append(id_)
        reading.feed([id_])
    else:
        return None
    name = vocabulary.decode(written)
    if name in known or not _is_path(name):
        return None
    ids = vocabulary.encode([head_of_file(name)])[0]
    reading.feed(ids[1 + len(written) :] if ids[1 : 1 + len(written)] == written else [id_])
    names = list(CHANGES)
    shares = reading.log_probabilities()[0, [vocabulary.markers[CHANGES[change]] for change in names]]
    changes = (score + shares).exp().numpy().astype(np.float64).tolist()
    return FoundPath(name, ids, sum(changes), dict(zip(names, changes, strict=True)), new=True)


def _is_path(name: str) -> bool:
    parts = name.split("/")
    return name.isprintable() and "\ufffd" not in name and all(part not in ("", ".", "..") for part in parts)
