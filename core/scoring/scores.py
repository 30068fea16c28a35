"""What a model gives each held-out token, and figures of it: the same tokens and sums for every model and baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.text.grammar import COMMIT_START

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from core.progress import Progress
    from core.text.vocabulary import Vocabulary

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Block = tuple[int, int]
"""First and last + 1 of a run of tokens of a stream."""


@dataclass(frozen=True)
class Asked:
    """The tokens of a stream that are scored: those of some blocks, without the first of each, which is context."""

    blocks: list[Block]
    width: int
    """Most tokens that a model sees at once."""
    places: Ints
    """Where each token stands in the stream."""
    text: Flags
    """False for markers and promoted values, which only we can know."""
    commits: Ints
    """Number of each token's commit among those that are touched, in their order."""
    text_bytes: Ints
    """Bytes of scored text, by commit."""
    restart: int = -1
    """The id at which positions begin anew, so that tokens see no earlier commit; -1 for none."""

    @classmethod
    def of(
        cls, stream: torch.Tensor, blocks: Sequence[Block], vocabulary: Vocabulary, width: int, *, masked: bool = False
    ) -> Asked:
        """Look the blocks up in a stream (1-D, int64)."""
        ids = stream.numpy()
        ranges = [np.arange(start + 1, end, dtype=np.int64) for start, end in blocks]
        places = np.concatenate(ranges) if ranges else np.empty(0, np.int64)
        text = ~np.isin(ids[places], vocabulary.own_ids)
        starts = np.flatnonzero(ids == vocabulary.markers[COMMIT_START])
        owners = np.searchsorted(starts, places, side="right")
        touched, commits = np.unique(owners, return_inverse=True)
        sizes = np.zeros(len(touched), np.int64)
        block_of = np.repeat(np.arange(len(ranges)), [len(one) for one in ranges])
        runs = np.flatnonzero(np.diff(commits, prepend=-1) | np.diff(block_of, prepend=-1))
        for start, end in zip(runs, np.append(runs[1:], len(places)), strict=False):
            inside = places[start:end][text[start:end]]
            sizes[commits[start]] += len(vocabulary.decode(ids[inside].tolist()).encode())
        restart = vocabulary.markers[COMMIT_START] if masked else -1
        return cls(list(blocks), width, places, text, commits.astype(np.int64), sizes, restart)

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True)
class Scores:
    """What one predictor gave each of the asked tokens."""

    nats: Numbers
    """-log p of the token."""
    correct: Flags | None = None
    """Whether the token was the most probable one; None for a predictor that ranks nothing."""
    candidate_nats: Numbers | None = None
    """-log p of another token, asked for beside it."""

    @classmethod
    def of_probabilities(cls, probabilities: Numbers) -> Scores:
        """Of a predictor that gives the tokens these probabilities."""
        return cls(-np.log(np.maximum(probabilities, 1e-300)))


def spread_blocks(length: int, width: int, most_tokens: int | None) -> list[Block]:
    """(start, end) of blocks of `width` that do not overlap, evenly spread when there are too many.

    The last block of the sequence may be short. `most_tokens` None takes all.
    """
    blocks = [(start, min(start + width, length)) for start in range(0, max(length - 1, 0), width)]
    wanted = len(blocks) if most_tokens is None else max(most_tokens // width, 1)
    if wanted >= len(blocks):
        return blocks
    return [blocks[(2 * number + 1) * len(blocks) // (2 * wanted)] for number in range(wanted)]


def score(
    model: PreTrainedModel,
    stream: torch.Tensor,
    asked: Asked,
    *,
    candidates: Ints | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Let a model foretell the asked tokens, block by block; nothing is learnt.

    `candidates` are ids, one for each asked token (-1 for none), whose probability is told too.
    """
    import torch

    nats, correct, other = [], [], []
    was_training = model.training
    model.eval()
    at = 0
    with torch.inference_mode():
        for start, end in asked.blocks:
            ids = stream[start:end].clone().to(model.device)
            targets = ids[1:]
            about = {"position_ids": _positions(ids, asked.restart)[None]} if asked.restart >= 0 else {}
            logits = model(input_ids=ids[None], use_cache=False, **about).logits[0, :-1].float()
            norm = logits.logsumexp(dim=-1)
            nats.append((norm - logits.gather(1, targets[:, None])[:, 0]).double().cpu().numpy())
            correct.append((logits.argmax(dim=-1) == targets).cpu().numpy())
            if candidates is not None:
                wanted = torch.from_numpy(candidates[at : at + len(targets)]).to(model.device)
                chosen = logits.gather(1, wanted.clamp(min=0)[:, None])[:, 0]
                other.append((norm - chosen).double().cpu().numpy())
            at += len(targets)
            if progress:
                progress.advance(len(targets))
    model.train(was_training)
    return Scores(_joined(nats), _joined(correct).astype(bool), _joined(other) if candidates is not None else None)


def _positions(ids: torch.Tensor, restart: int) -> torch.Tensor:
    """Positions that begin anew at an id, from which transformers makes a mask."""
    import torch

    places = torch.arange(len(ids), device=ids.device)
    return places - torch.where(ids == restart, places, 0).cummax(dim=0).values


def figures(asked: Asked, scores: Scores) -> dict[str, Any]:
    """What people read: loss (nats a token), perplexity, accuracy, bits per byte.

    "bits_per_byte" counts the bits of all tokens, markers too, for each byte of text; "text_bits_per_byte" only
    those of text, which is the fairer comparison with a model that has never seen our markers.
    """
    size, text = max(int(asked.text_bytes.sum()), 1), scores.nats[asked.text]
    made: dict[str, Any] = {
        "tokens": len(asked),
        "text_tokens": len(text),
        "text_bytes": int(asked.text_bytes.sum()),
        "commits": len(asked.text_bytes),
        "loss": _mean(scores.nats),
        "perplexity": _exp(_mean(scores.nats)),
        "text_perplexity": _exp(_mean(text)),
        "bits_per_byte": float(scores.nats.sum()) / math.log(2) / size,
        "text_bits_per_byte": float(text.sum()) / math.log(2) / size,
    }
    if scores.correct is not None:
        made["token_accuracy"] = _mean(scores.correct)
        made["text_token_accuracy"] = _mean(scores.correct[asked.text])
    return made


def by_group(names: Sequence[str], groups: Ints, rows: Mapping[str, Scores]) -> dict[str, dict[str, Any]]:
    """Mean bits a token of each predictor, by group of tokens; `groups` has a number into `names` for each token."""
    found: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(names):
        mine = groups == number
        if count := int(mine.sum()):
            bits = {row: _mean(scores.nats[mine]) / math.log(2) for row, scores in rows.items()}
            found[name] = {"tokens": count, "bits_per_token": bits}
    return found


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _exp(loss: float) -> float:
    return math.exp(loss) if loss < 700 else math.inf
