"""What a model gives each held-out token: the same tokens and sums for every model and baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.scoring.blocks import Block
from core.text.grammar import COMMIT_START
from core.text.stream import commit_starts

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from core.progress import Progress
    from core.text.vocabulary import Vocabulary

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Targets:
    """The tokens of a stream that are scored: all in some blocks but the first of each, which is context only."""

    blocks: list[Block]
    positions: Ints
    """Where each token is in the stream."""
    text: Flags
    """False for markers and promoted values, which no base model knows."""
    commits: Ints
    """Number of each token's commit among those that have targets, in their order."""
    text_bytes: Ints
    """Bytes of scored text, or of the part of it that counts, by commit."""
    restart: int = -1
    """The id at which positions restart, so that tokens see no earlier commit; -1 for none."""
    contexts: Sequence[NDArray[np.int64]] = ()
    """For each block the tokens that a model sees in front of it; empty where it sees the block alone."""

    @classmethod
    def of(
        cls,
        stream: torch.Tensor,
        blocks: Sequence[Block],
        vocabulary: Vocabulary,
        *,
        masked: bool = False,
        contexts: Sequence[NDArray[np.int64]] = (),
        counted: Flags | None = None,
    ) -> Targets:
        """Find the blocks' tokens in a stream (1-D, int64); `counted` are those of the stream whose bytes count."""
        ids = stream.numpy()
        ranges = [np.arange(start + 1, end, dtype=np.int64) for start, end in blocks]
        positions = np.concatenate(ranges) if ranges else np.empty(0, np.int64)
        text = ~np.isin(ids[positions], vocabulary.own_ids)
        starts = commit_starts(ids, vocabulary.markers)
        touched, commits = np.unique(np.searchsorted(starts, positions, side="right"), return_inverse=True)
        sizes = np.zeros(len(touched), np.int64)
        # Bytes are counted once for each stretch of one commit in one block: a character may span several tokens.
        block_of = np.repeat(np.arange(len(ranges)), [len(one) for one in ranges])
        firsts = np.flatnonzero(np.diff(commits, prepend=-1) | np.diff(block_of, prepend=-1))
        for first, end in zip(firsts, np.append(firsts[1:], len(positions)), strict=False):
            inside = positions[first:end][text[first:end]]
            inside = inside if counted is None else inside[counted[inside]]
            sizes[commits[first]] += len(vocabulary.decode(ids[inside].tolist()).encode())
        restart = vocabulary.markers[COMMIT_START] if masked else -1
        return cls(list(blocks), positions, text, commits.astype(np.int64), sizes, restart, contexts)

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True)
class Scores:
    """What one predictor gives each of the targets."""

    nats: Numbers
    """-log p of the token."""
    correct: Flags | None = None
    """Whether the token was the most probable one; None for a predictor that ranks nothing."""
    candidate_nats: Numbers | None = None
    """-log p of another token in the same position."""

    @classmethod
    def of_probabilities(cls, probabilities: Numbers) -> Scores:
        """Those of a predictor that gives the targets these probabilities."""
        return cls(-np.log(np.maximum(probabilities, 1e-300)))


def score(
    model: PreTrainedModel,
    stream: torch.Tensor,
    targets: Targets,
    *,
    candidates: Ints | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Let a model predict the targets, block by block, without training it.

    `candidates` are ids, one for each target (-1 for none), that are scored in the same positions.
    """
    import torch

    nats, correct, other = [], [], []
    was_training = model.training
    model.eval()
    at = 0
    with torch.inference_mode():
        for number, (start, end) in enumerate(targets.blocks):
            ids = stream[start:end].clone()
            wanted = ids[1:].to(model.device)
            if targets.contexts:
                ids = torch.cat([torch.from_numpy(targets.contexts[number]), ids])
            ids = ids.to(model.device)
            more = {"position_ids": _positions(ids, targets.restart)[None]} if targets.restart >= 0 else {}
            logits = model(input_ids=ids[None], use_cache=False, **more).logits[0, -len(wanted) - 1 : -1].float()
            norm = logits.logsumexp(dim=-1)
            nats.append((norm - logits.gather(1, wanted[:, None])[:, 0]).double().cpu().numpy())
            correct.append((logits.argmax(dim=-1) == wanted).cpu().numpy())
            if candidates is not None:
                some = torch.from_numpy(candidates[at : at + len(wanted)]).to(model.device)
                chosen = logits.gather(1, some.clamp(min=0)[:, None])[:, 0]
                other.append((norm - chosen).double().cpu().numpy())
            at += len(wanted)
            if progress:
                progress.advance(len(wanted))
    model.train(was_training)
    return Scores(_joined(nats), _joined(correct).astype(bool), _joined(other) if candidates is not None else None)


def bits_per_byte(nats: Numbers, targets: Targets) -> float:
    """Bits for some of the targets, for each byte of text in all of them."""
    return float(nats.sum()) / math.log(2) / max(int(targets.text_bytes.sum()), 1)


def _positions(ids: torch.Tensor, restart: int) -> torch.Tensor:
    """Positions that restart at an id; transformers makes a mask of them."""
    import torch

    positions = torch.arange(len(ids), device=ids.device)
    return positions - torch.where(ids == restart, positions, 0).cummax(dim=0).values


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0)
