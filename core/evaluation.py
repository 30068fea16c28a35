"""How well a model foretells held-out history: the same figures, from the same tokens, for any model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from core.vocabulary import Vocabulary


@dataclass
class Score:
    """Sums over scored tokens. "Text" leaves the structural markers out, which only we can know."""

    width: int
    """Tokens of a block; the first of each block is context only."""
    tokens: int = 0
    correct: int = 0
    nats: float = 0.0
    text_tokens: int = 0
    text_nats: float = 0.0
    text_bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The sums, and what people read: loss, perplexity, accuracy, bits per byte."""
        loss, text_loss = self.nats / max(self.tokens, 1), self.text_nats / max(self.text_tokens, 1)
        return {
            **asdict(self),
            "loss": loss,
            "perplexity": _exp(loss),
            "token_accuracy": self.correct / max(self.tokens, 1),
            "text_loss": text_loss,
            "text_perplexity": _exp(text_loss),
            "text_bits_per_byte": self.text_nats / math.log(2) / max(self.text_bytes, 1),
        }


def spread_blocks(length: int, width: int, most_tokens: int | None) -> list[tuple[int, int]]:
    """(start, end) of blocks of `width` that do not overlap, evenly spread when there are too many.

    The last block of the sequence may be short. `most_tokens` None takes all.
    """
    blocks = [(start, min(start + width, length)) for start in range(0, max(length - 1, 0), width)]
    wanted = len(blocks) if most_tokens is None else max(most_tokens // width, 1)
    if wanted >= len(blocks):
        return blocks
    return [blocks[(2 * number + 1) * len(blocks) // (2 * wanted)] for number in range(wanted)]


def evaluate(
    model: PreTrainedModel, stream: torch.Tensor, blocks: Sequence[tuple[int, int]], vocabulary: Vocabulary, width: int
) -> Score:
    """Score `model` on blocks of a token stream (1-D, int64); nothing is learnt."""
    import torch

    score = Score(width=width)
    markers = torch.zeros(vocabulary.size, dtype=torch.bool)
    markers[vocabulary.own_ids] = True
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        for start, end in blocks:
            ids = stream[start:end].clone()
            targets = ids[1:]
            logits = model(input_ids=ids[None].to(model.device), use_cache=False).logits[0, :-1].float().cpu()
            nats = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
            text = ~markers[targets]
            score.tokens += len(targets)
            score.correct += int((logits.argmax(dim=-1) == targets).sum())
            score.nats += float(nats.sum(dtype=torch.float64))
            score.text_tokens += int(text.sum())
            score.text_nats += float(nats[text].sum(dtype=torch.float64))
            score.text_bytes += len(vocabulary.decode(targets[text].tolist()).encode())
    model.train(was_training)
    return score


def _exp(loss: float) -> float:
    return math.exp(loss) if loss < 700 else math.inf
