"""Trained rows of embedding tables, matched by the names of their tokens.

The same id may be a path in one adapter and an author in another. A row is the whole embedding of its token, and where
it started is the same in all adapters, so the weighted mean of rows is the weighted mean of what was trained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from core.errors import UserError
from core.fusion.parents import Parent
from core.fusion.updates import Matrix
from core.models.model_folder import ModelInfo
from core.text.vocabulary import Value, Vocabulary, values_of

Token = str | Value
"""A marker, or a value of an open field."""


def tokens_of(vocabulary: Vocabulary) -> dict[int, Token]:
    """What each of a model's own ids stands for."""
    return {id_: name for name, id_ in vocabulary.markers.items()} | {
        id_: value for value, id_ in vocabulary.values.items()
    }


def union(infos: Sequence[ModelInfo]) -> list[Value]:
    """All values with a token anywhere: those of most adapters first, then by name."""
    counts = Counter(value for info in infos for value in values_of(info.values))
    return sorted(counts, key=lambda value: (-counts[value], value))


def averaged(
    parents: Sequence[Parent],
    weights: Sequence[float],
    named: Sequence[Mapping[int, Token]],
    wanted: Mapping[Token, int],
) -> dict[str, tuple[list[int], Matrix]]:
    """(ids, rows) of the tokens that are wanted, with their ids in the fused model, by table.

    Of tokens that not all adapters have, the mean is that of those who have them.
    """
    return {
        table: _table(
            [dict(_named_rows(parent, table, one)) for parent, one in zip(parents, named, strict=True)], weights, wanted
        )
        for table in parents[0].tables
    }


def _table(
    found: Sequence[Mapping[Token, Matrix]], weights: Sequence[float], wanted: Mapping[Token, int]
) -> tuple[list[int], Matrix]:
    ids, rows = [], []
    for token, id_ in sorted(wanted.items(), key=lambda item: item[1]):
        have = [(weight, one[token]) for weight, one in zip(weights, found, strict=True) if token in one]
        if not have:
            continue
        # Adapters with a weight of zero may be the only ones with a value.
        shares = [weight for weight, _ in have] if sum(weight for weight, _ in have) else [1.0] * len(have)
        ids.append(id_)
        rows.append(np.average([row for _, row in have], axis=0, weights=shares))
    return ids, np.array(rows)


def _named_rows(parent: Parent, table: str, names: Mapping[int, Token]) -> Iterator[tuple[Token, Matrix]]:
    rows = parent.rows(table)
    for id_, row in zip(rows.ids, rows.values.astype(np.float64), strict=True):
        if id_ not in names:
            raise UserError(
                f"{parent.folder} has a trained row for token {id_:,}, which is none of its own",
                "gitlore.json and adapter_config.json do not match; train the model again",
            )
        yield names[id_], row
