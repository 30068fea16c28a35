"""How much of a held-out split a model may have seen in training, and how much is to be expected.

A history repeats itself, so some of what comes later has stood there before. Two figures tell a leak from that:
code that stands whole in the training split (none is left where the dataset drops copies), and the share of
tokens in long runs that do, beside the same share of the validation split, which lies nearer to training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.dataset.duplicates import digest
from core.evaluation.copying import RunHashes
from core.text.grammar import CODE_END, CODE_START

RUN_TOKENS = 32
"""Tokens in a row that count as seen, and the least size of code that is compared."""
SUSPICIOUS = 0.02
"""Share of code that stands whole in training from which on the report warns."""


def contamination(train: NDArray[Any], held_out: NDArray[Any], markers: Mapping[str, int]) -> dict[str, Any]:
    """What of a held-out stream stands in the training stream; ids, 1-D."""
    seen = {digest(code) for code in codes(train, markers)}
    whole = [digest(code) in seen for code in codes(held_out, markers)]
    share = sum(whole) / max(len(whole), 1)
    return {
        "changes": len(whole),
        "changes_in_training": sum(whole),
        "share_of_changes": share,
        "share_of_tokens_in_seen_runs": seen_runs(train, held_out),
        "run_tokens": RUN_TOKENS,
        "suspicious": share > SUSPICIOUS,
    }


def codes(ids: NDArray[Any], markers: Mapping[str, int]) -> list[NDArray[np.int32]]:
    """The code of each change that has RUN_TOKENS or more."""
    starts, ends = (np.flatnonzero(ids == markers[marker]) for marker in (CODE_START, CODE_END))
    following = np.append(ends, len(ids))[np.searchsorted(ends, starts)]
    pairs = zip(starts + 1, following, strict=True)
    return [ids[start:end].astype(np.int32) for start, end in pairs if end - start >= RUN_TOKENS]


def seen_runs(train: NDArray[Any], held_out: NDArray[Any]) -> float:
    """Share of held-out tokens that lie in a run of RUN_TOKENS which the training stream holds."""
    if len(held_out) < RUN_TOKENS or len(train) < RUN_TOKENS:
        return 0.0
    known, asked = (RunHashes(ids.astype(np.int64)).of(RUN_TOKENS)[RUN_TOKENS - 1 :] for ids in (train, held_out))
    ends = np.flatnonzero(np.isin(asked, np.unique(known))) + RUN_TOKENS - 1
    covered = np.zeros(len(held_out) + 1, np.int64)
    np.add.at(covered, ends - RUN_TOKENS + 1, 1)
    np.add.at(covered, ends + 1, -1)
    return float((np.cumsum(covered[:-1]) > 0).mean())
