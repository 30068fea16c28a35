"""How much of a held-out split a model may have seen in training, and how much is to be expected.

A history repeats itself, so some of what comes later was there before. Two figures tell a leak from that: the share
of changes whose whole code is in the training split (none where the dataset drops copies), and the share of tokens
in long n-grams that are, compared with that of the validation split, which is closer to training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.dataset.duplicates import digest
from core.records.evaluation import Contamination
from core.scoring.ngrams import NGRAM_TOKENS, share_seen
from core.text import stream

SUSPICIOUS = 0.02
"""Share of changes whose code is in the training split from which on the report warns."""


def contamination(train: NDArray[Any], held_out: NDArray[Any], markers: Mapping[str, int]) -> Contamination:
    """What of a held-out stream the training stream holds; ids, 1-D."""
    seen = {digest(code) for code in codes(train, markers)}
    whole = [digest(code) in seen for code in codes(held_out, markers)]
    share = sum(whole) / max(len(whole), 1)
    return Contamination(
        changes=len(whole),
        changes_in_training=sum(whole),
        share_of_changes=share,
        share_of_tokens_in_seen_runs=share_seen(train, held_out),
        run_tokens=NGRAM_TOKENS,
        suspicious=share > SUSPICIOUS,
    )


def codes(ids: NDArray[Any], markers: Mapping[str, int]) -> list[NDArray[np.int32]]:
    """The code of each change that has NGRAM_TOKENS or more; shorter code recurs by chance."""
    ranges = stream.codes(ids, markers)
    return [ids[start:end].astype(np.int32) for start, end in ranges if end - start >= NGRAM_TOKENS]
