"""Asking a model what comes next: files with change types, and a sketch of the code.

The answer is searched in the commit grammar: after a commit's head comes <FILE_START>, a path, a
<CHANGE:…> marker, perhaps a <SYMBOL>, then the code. Paths are held to a list of known ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.commit_grammar import (
    AFTER,
    BEFORE,
    CHANGES,
    CODE_END,
    CODE_START,
    COMMIT_START,
    FILE_START,
    KINDS,
    SYMBOL,
    Marker,
    file_head,
    file_text,
    plain,
)
from core.languages import language_of, module_path

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from core.vocabulary import Vocabulary

SKETCH_SHARE = 0.25
"""Part of the model's width that is kept free for what it writes."""
MOST_SYMBOL_TOKENS = 24


@dataclass
class Ranked:
    """An answer with the probability that the model gives it."""

    name: str
    probability: float


@dataclass
class Prediction:
    """What the model expects of the next commit."""

    files: list[Ranked] = field(default_factory=list)
    change_types: list[Ranked] = field(default_factory=list)
    sketch_file: str = ""
    sketch_change_type: str = ""
    sketch_symbol: str = ""
    sketch: str = ""


@dataclass
class SeenCommit:
    """A commit found in a token stream: where it starts, where its head ends, what it changes."""

    start: int
    head_end: int = 0
    first_code: tuple[int, int] = (0, 0)
    changes: list[tuple[str, str]] = field(default_factory=list)
    """Path and change type of each chunk."""


def commits_in(stream: torch.Tensor, vocabulary: Vocabulary) -> list[SeenCommit]:
    """Read the commits back out of a token stream (1-D) that starts and ends between commits."""
    import torch

    names = {id_: marker for marker, id_ in vocabulary.markers.items()}
    places = torch.isin(stream, torch.tensor(list(names))).nonzero().flatten().tolist()
    changes = {str(marker): name for name, marker in CHANGES.items()}
    found: list[SeenCommit] = []
    path = ""
    for number, place in enumerate(places):
        marker = names[int(stream[place])]
        if marker == COMMIT_START:
            found.append(SeenCommit(place))
        elif marker == FILE_START:
            found[-1].head_end = found[-1].head_end or place
            path = vocabulary.decode(stream[place + 1 : places[number + 1]].tolist())
        elif marker in changes:
            found[-1].changes.append((path, changes[marker]))
        elif marker == CODE_START and len(found[-1].changes) == 1:
            found[-1].first_code = (place + 1, place + 1)
        elif marker == CODE_END and len(found[-1].changes) == 1:
            found[-1].first_code = (found[-1].first_code[0], place)
    return found


def head_of_file(path: str) -> list[str]:
    """How the history begins a file: what is to be asked of a path, with all that follows from it."""
    language = language_of(path)
    return file_head(file_text(path, language, module_path(path, language), plain))


@dataclass
class _FoundPath:
    """A known path, its ids, its probability, and the part of it that each change type has."""

    name: str
    ids: list[int]
    probability: float
    changes: dict[str, float]


class _Node:
    """A step in the tree of known paths: the ids that may follow."""

    __slots__ = ("children", "ends")

    def __init__(self) -> None:
        self.children: dict[int, _Node] = {}
        self.ends = False


@dataclass
class Predictor:
    """A model with its vocabulary. `width` is the number of tokens that it was trained to see at once."""

    model: PreTrainedModel
    vocabulary: Vocabulary
    width: int

    def predict(
        self,
        history: Sequence[int],
        head: Sequence[int],
        paths: Sequence[str],
        *,
        top: int = 5,
        sketch_tokens: int = 96,
    ) -> Prediction:
        """What follows `history` (ids of earlier commits) and the `head` of a new commit, before its first file.

        `paths` are the files to choose from. Probabilities are the model's own: those of the shown
        answers add up to less than one, the rest is on paths outside the list.
        """
        start = list(head)
        room = max(int(self.width * (1 - SKETCH_SHARE)) - len(start), 0)
        context = [*(history[-room:] if room else ()), *start]
        found = self._search(context, paths, beams=max(4 * top, 16))
        prediction = Prediction()
        if not found:
            return prediction
        by_type: dict[str, float] = defaultdict(float)
        for path in found:
            for change, probability in path.changes.items():
                by_type[change] += probability
        prediction.files = [Ranked(path.name, path.probability) for path in found[:top]]
        prediction.change_types = _ranked(by_type, top)
        prediction.sketch_file = found[0].name
        prediction.sketch_change_type = max(found[0].changes, key=lambda name: found[0].changes[name])
        marker = self.vocabulary.markers[CHANGES[prediction.sketch_change_type]]
        prediction.sketch_symbol, prediction.sketch = self._write([*context, *found[0].ids, marker], sketch_tokens)
        return prediction

    def _search(self, context: Sequence[int], paths: Sequence[str], beams: int) -> list[_FoundPath]:
        """The most probable paths, best first: a beam search along the tree of known paths.

        A path is complete where a change marker may follow its file's head; its probability is that of
        the head's ids times that of any such marker, and the markers' shares tell the change types.
        """
        import torch

        heads = self.vocabulary.encode([head_of_file(path) for path in paths])
        root, named = _tree(heads), {tuple(ids): path for ids, path in zip(heads, paths, strict=True)}
        names = list(CHANGES)
        markers = torch.tensor([self.vocabulary.markers[CHANGES[name]] for name in names])
        finished: list[_FoundPath] = []
        active: list[tuple[float, _Node, list[int]]] = [(0.0, root, [])]
        self.model.eval()
        with torch.inference_mode():
            answer = self.model(input_ids=torch.tensor([list(context)], device=self.model.device), use_cache=True)
            while True:
                logs = answer.logits[:, -1].float().log_softmax(dim=-1).cpu().double()  # products get small
                grown: list[tuple[float, int, int, _Node]] = []
                for number, (score, node, ids) in enumerate(active):
                    if node.ends:
                        changes = (score + logs[number, markers]).exp().tolist()
                        shares = dict(zip(names, changes, strict=True))
                        finished.append(_FoundPath(named[tuple(ids)], ids, sum(changes), shares))
                    grown += [
                        (score + float(logs[number, id_]), number, id_, child) for id_, child in node.children.items()
                    ]
                finished = sorted(finished, key=lambda found: -found.probability)[:beams]
                bar = math.log(finished[-1].probability or 1e-300) if len(finished) == beams else -math.inf
                best = sorted((item for item in grown if item[0] > bar), key=lambda item: -item[0])[:beams]
                if not best:
                    return finished
                answer.past_key_values.reorder_cache(torch.tensor([item[1] for item in best], device=self.model.device))
                active = [(score, child, [*active[number][2], id_]) for score, number, id_, child in best]
                step = torch.tensor([[item[2]] for item in best], device=self.model.device)
                answer = self.model(input_ids=step, past_key_values=answer.past_key_values, use_cache=True)

    def _write(self, context: Sequence[int], most: int) -> tuple[str, str]:
        """(symbol, code) that the model writes after a change type, greedily, in the grammar's order."""
        markers = self.vocabulary.markers
        context = [*context, *self._continue(context, 1, allow=[markers[kind] for kind in KINDS.values()])]
        first, symbol = self._continue(context, 1, allow=(markers[SYMBOL], markers[CODE_START])), []
        context = [*context, *first]
        if first == [markers[SYMBOL]]:
            symbol = self._continue(context, MOST_SYMBOL_TOKENS, stop=markers[CODE_START])
            context = [*context, *symbol, markers[CODE_START]]
        within = [markers[marker] for marker in (BEFORE, AFTER)]
        code = self._continue(context, most, stop=markers[CODE_END], within=within)
        return self.vocabulary.decode(symbol), _after(self.vocabulary.pieces(code))

    def _continue(
        self,
        context: Sequence[int],
        most: int,
        *,
        stop: int | None = None,
        allow: Sequence[int] = (),
        within: Sequence[int] = (),
    ) -> list[int]:
        """Ids that follow: those in `allow` alone, or text, with the markers in `within`, up to a `stop`."""
        import torch

        self.model.eval()
        banned = [id_ for id_ in self.vocabulary.own_ids if id_ != stop and id_ not in within]
        ids = torch.tensor([list(context)], device=self.model.device)
        options: dict[str, Any] = (
            {"prefix_allowed_tokens_fn": lambda *_: list(allow)} if allow else {"suppress_tokens": banned}
        )
        with torch.inference_mode():
            answer = self.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=most,
                pad_token_id=self.vocabulary.pad_id,
                eos_token_id=stop,
                **options,
            )
        written: list[int] = answer[0, len(context) :].tolist()
        return written[:-1] if stop is not None and written[-1:] == [stop] else written


def _after(pieces: Sequence[str]) -> str:
    """The new code of what stands between <CODE_START> and <CODE_END>."""
    last = max((place for place, piece in enumerate(pieces) if type(piece) is Marker and piece == AFTER), default=-1)
    return "".join(pieces[last + 1 :])


def _tree(paths: Sequence[Sequence[int]]) -> _Node:
    root = _Node()
    for ids in paths:
        node = root
        for id_ in ids:
            node = node.children.setdefault(id_, _Node())
        node.ends = True
    return root


def _ranked(probabilities: dict[str, float], top: int) -> list[Ranked]:
    best = sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))[:top]
    return [Ranked(name, probability) for name, probability in best]
