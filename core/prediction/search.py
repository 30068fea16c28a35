"""Which files a commit changes: a beam search along the tree of known paths, and the likeliest new path.

A commit has a file, so <FILE_START> is given, and what follows from a path (its language, its module) is given with it.
Of the known paths one is to be chosen: at each place of the tree the model's probabilities are shared out among
what may come there, tokens or the end of the path, so that those of all known paths add up to one. The new path
is what the model writes when nothing holds it; its probability is over all texts, and the known ones share the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from core.code.languages import language_of, module_path
from core.git.names import is_path
from core.prediction.reading import Reading
from core.text.grammar import CHANGES, FILE_START, LANGUAGES_CLOSED, file_head, file_text, plain
from core.text.vocabulary import Vocabulary

MOST_PATH_TOKENS = 48
_LEAST = 1e-300


def head_of_file(path: str) -> list[str]:
    """How the history begins a file: its path, with all that follows from it."""
    language = language_of(path)
    return file_head(file_text(path, language, module_path(path, language), plain))


@dataclass
class FoundPath:
    """A path, the ids of its file's head, and its probability."""

    name: str
    ids: list[int]
    probability: float
    new: bool = False
    changes: dict[str, float] = field(default_factory=dict)
    """Share of each kind of change, given that this file comes."""


class Node:
    """A place in the tree. Where a path is complete, `path` is set, and `head` are the ids of its file's head."""

    __slots__ = ("children", "head", "path", "size")

    def __init__(self) -> None:
        self.children: dict[int, Node] = {}
        self.path: str | None = None
        self.head: list[int] = []
        self.size = 0
        """Paths from here on."""

    def only(self) -> Node:
        """The one complete place from here on, where `size` is 1."""
        node = self
        while node.path is None:
            (node,) = node.children.values()
        return node


class PathTree:
    """Known paths as a tree of their ids behind <FILE_START>; longer heads of files than `most` are left out."""

    def __init__(self, paths: Sequence[str], vocabulary: Vocabulary, most: int | None = None) -> None:
        self.root = Node()
        texts = vocabulary.encode([[FILE_START, path] for path in paths])
        heads = vocabulary.encode([head_of_file(path) for path in paths])
        for path, ids, head in zip(paths, texts, heads, strict=True):
            if most is not None and len(head) > most:
                continue
            node = self.root
            node.size += 1
            for id_ in ids[1:]:
                node = node.children.setdefault(id_, Node())
                node.size += 1
            node.path, node.head = path, head


class PathChances:
    """Log probabilities of a path's next token, and of its end, given a model's logits."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._ends = [vocabulary.markers[marker] for marker in LANGUAGES_CLOSED]
        values = set(vocabulary.values.values())  # whole paths may be one token
        self._closed = [id_ for id_ in vocabulary.own_ids if id_ not in values and id_ not in set(self._ends)]

    def of(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(of each token, of the end) for logits (branches, vocabulary); float64 on the CPU."""
        open_ = logits.double().cpu()
        open_[:, self._closed] = -math.inf
        logs = open_.log_softmax(dim=-1)
        ends = logs[:, self._ends].logsumexp(dim=-1)
        logs[:, self._ends] = -math.inf
        return logs, ends


def options(chances: tuple[torch.Tensor, torch.Tensor], branch: int, node: Node) -> tuple[list[int], torch.Tensor]:
    """(tokens that may come at a place of the tree, their log probabilities, which end with that of the path's end).

    Shared out among them alone. Where no path is complete there, the end has -inf.
    """
    logs, ends = chances
    ids = list(node.children)
    end = ends[branch : branch + 1] if node.path is not None else torch.tensor([-math.inf], dtype=torch.float64)
    return ids, torch.cat([logs[branch, ids], end]).log_softmax(dim=-1)


def known_paths(reading: Reading, tree: PathTree, vocabulary: Vocabulary, beams: int) -> list[FoundPath]:
    """The most probable of the known paths, best first, at most `beams`; `reading` stands behind <FILE_START>."""
    chances = PathChances(vocabulary)
    finished: list[FoundPath] = []
    active: list[tuple[float, Node]] = [(0.0, tree.root)]
    while True:
        given = chances.of(reading.logits)
        grown: list[tuple[float, int, int, Node]] = []
        for number, (score, node) in enumerate(active):
            ids, logs = options(given, number, node)
            if node.path is not None:
                finished.append(FoundPath(node.path, node.head, math.exp(score + float(logs[-1]))))
            for id_, log in zip(ids, logs[:-1].tolist(), strict=True):
                child = node.children[id_]
                if child.size == 1:  # no choice is left
                    only = child.only()
                    finished.append(FoundPath(str(only.path), only.head, math.exp(score + log)))
                else:
                    grown.append((score + log, number, id_, child))
        finished = sorted(finished, key=lambda found: -found.probability)[:beams]
        bar = math.log(finished[-1].probability or _LEAST) if len(finished) == beams else -math.inf
        best = sorted((item for item in grown if item[0] > bar), key=lambda item: -item[0])[:beams]
        if not best:
            return finished
        active = [(score, child) for score, _, _, child in best]
        reading.fork([item[1] for item in best], [item[2] for item in best])


def new_path(reading: Reading, known: set[str], vocabulary: Vocabulary) -> FoundPath | None:
    """The path that the model writes when nothing holds it to a list; None where it is known, or none is finished."""
    chances = PathChances(vocabulary)
    score, written = 0.0, list[int]()
    while len(written) < MOST_PATH_TOKENS:
        logs, ends = chances.of(reading.logits)
        id_ = int(logs[0].argmax())
        if written and float(ends[0]) > float(logs[0, id_]):
            name = vocabulary.decode(written)
            if name in known or not is_path(name):
                return None
            ids = vocabulary.encode([head_of_file(name)])[0]
            return FoundPath(name, ids, math.exp(score + float(ends[0])), new=True)
        score += float(logs[0, id_])
        written.append(id_)
        reading.feed([id_])
    return None


def rank_changes(reading: Reading, found: Sequence[FoundPath], vocabulary: Vocabulary) -> None:
    """Fill in the kinds of change of some paths; `reading` stands in front of <FILE_START>, and is of no more use."""
    names = list(CHANGES)
    markers = [vocabulary.markers[CHANGES[name]] for name in names]
    for path, logits in zip(found, reading.behind([path.ids for path in found], vocabulary.pad_id), strict=True):
        shares = logits[markers].double().cpu().softmax(dim=-1).tolist()
        path.changes = dict(zip(names, shares, strict=True))
