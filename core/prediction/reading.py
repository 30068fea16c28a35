"""A model that has read some tokens, and can be continued token by token along several branches."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


@dataclass
class Reading:
    """What a model holds after some tokens. `logits` are those of what comes next, (branches, vocabulary) float32."""

    model: PreTrainedModel
    logits: torch.Tensor
    cache: Any

    @classmethod
    def of(cls, model: PreTrainedModel, ids: Sequence[int]) -> Reading:
        """Read one or more tokens."""
        import torch

        model.eval()
        with torch.inference_mode():
            read = torch.tensor([list(ids)], device=model.device)
            answer = model(input_ids=read, use_cache=True, logits_to_keep=1)
        return cls(model, answer.logits[:, -1].float(), answer.past_key_values)

    def branch(self) -> Reading:
        """An independent copy that can be continued by itself."""
        return Reading(self.model, self.logits, copy.deepcopy(self.cache))

    def feed(self, ids: Sequence[int]) -> None:
        """Read further tokens, on a single branch."""
        import torch

        if ids:
            with torch.inference_mode():
                step = torch.tensor([list(ids)], device=self.model.device)
                answer = self.model(input_ids=step, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
            self.logits, self.cache = answer.logits[:, -1].float(), answer.past_key_values

    def fork(self, branches: Sequence[int], ids: Sequence[int]) -> None:
        """Continue along new branches: each from one of the branches before, by one token."""
        import torch

        with torch.inference_mode():
            self.cache.reorder_cache(torch.tensor(list(branches), device=self.model.device))
            step = torch.tensor([[id_] for id_ in ids], device=self.model.device)
            answer = self.model(input_ids=step, past_key_values=self.cache, use_cache=True)
        self.logits, self.cache = answer.logits[:, -1].float(), answer.past_key_values

    def behind(self, sequences: Sequence[Sequence[int]], pad_id: int) -> list[torch.Tensor]:
        """The logits behind each of some sequences (one or more ids), all read at once, which uses this reading up."""
        import torch

        if not sequences:
            return []
        longest = max(map(len, sequences))  # filled up on the right, where nothing looks back at it
        rows = [[*ids, *[pad_id] * (longest - len(ids))] for ids in sequences]
        with torch.inference_mode():
            self.cache.reorder_cache(torch.zeros(len(rows), dtype=torch.long, device=self.model.device))
            step = torch.tensor(rows, device=self.model.device)
            logits = self.model(input_ids=step, past_key_values=self.cache, use_cache=True).logits
        return [logits[number, len(ids) - 1].float() for number, ids in enumerate(sequences)]
