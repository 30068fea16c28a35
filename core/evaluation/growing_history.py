"""What may be copied at a place of a held-out split: everything before it, and nothing later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.prediction.copying import Copying

if TYPE_CHECKING:
    import torch


@dataclass
class GrowingHistory:
    """A history that grows along a split. Places are asked for in their order."""

    copying: Copying
    """The history before the split, and what was added to it."""
    stream: torch.Tensor
    _end: int = 0

    def up_to(self, position: int) -> Copying:
        """Everything before a position of the split."""
        self.copying = self.copying.behind(self.stream[self._end : position].tolist())
        self._end = position
        return self.copying
