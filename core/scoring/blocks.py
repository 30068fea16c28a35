"""Which tokens of a long stream are scored: blocks that are spread evenly over it."""

from __future__ import annotations

Block = tuple[int, int]
"""First and last + 1 of some consecutive tokens of a stream."""


def spread_blocks(length: int, width: int, most_tokens: int | None) -> list[Block]:
    """Blocks of `width` tokens that do not overlap, spread evenly where `most_tokens` does not reach all of them.

    The last block of the stream may be shorter. `most_tokens` None takes all blocks.
    """
    blocks = [(start, min(start + width, length)) for start in range(0, max(length - 1, 0), width)]
    wanted = len(blocks) if most_tokens is None else max(most_tokens // width, 1)
    if wanted >= len(blocks):
        return blocks
    return [blocks[(2 * number + 1) * len(blocks) // (2 * wanted)] for number in range(wanted)]
