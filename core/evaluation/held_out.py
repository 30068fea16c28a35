"""The tokens of a held-out split that are scored, what each predictor gives them, and the table of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.dataset import baselines
from core.evaluation import compression
from core.evaluation.figures import by_commit, by_group, figures, gain
from core.records.evaluation import (
    BASE,
    CACHE,
    COPY,
    TRIGRAM,
    TUNED,
    UNIFORM,
    UNIGRAM,
    XZ,
    XZ_TRAINED,
    ByCommit,
    Figures,
    Gain,
    Group,
    SplitTable,
)
from core.scoring.blocks import spread_blocks
from core.scoring.copying import Cache, Guesses, guesses
from core.scoring.scores import Scores, Targets
from core.text.edits import NO_PAST, Past, added, behind, edits, shown, spread
from core.text.grammar import CHANGES, KINDS
from core.text.stream import CHANGE_STARTS, in_code, positions

if TYPE_CHECKING:
    import torch

    from core.text.vocabulary import Vocabulary

QUARTERS = ("first quarter", "second quarter", "third quarter", "last quarter")


@dataclass
class HeldOut:
    """A split, everything before it, and what is scored of it."""

    earlier: NDArray[Any]
    """All ids before the split; the first `trained` of them are the training split."""
    trained: int
    stream: torch.Tensor
    targets: Targets
    guessed: Guesses
    vocabulary: Vocabulary

    @classmethod
    def of(
        cls,
        earlier: list[torch.Tensor],
        stream: torch.Tensor,
        vocabulary: Vocabulary,
        width: int,
        most: int | None,
        *,
        masked: bool = False,
    ) -> HeldOut:
        """Choose blocks of `width`, at most `most` tokens, and guess each of their tokens by copying.

        With `masked`, a model's tokens see their own commit only.
        """
        targets = Targets.of(stream, spread_blocks(len(stream), width, most), vocabulary, masked=masked)
        return cls._guessed(earlier, stream, targets, vocabulary)

    @classmethod
    def of_edits(
        cls,
        earlier: list[torch.Tensor],
        stream: torch.Tensor,
        vocabulary: Vocabulary,
        width: int,
        most: int | None,
        *,
        masked: bool = False,
        past: Past | None = None,
    ) -> HeldOut | None:
        """Choose edits, spread over the commits of the split, each behind what is known before it; None without any.

        At most `most` tokens are read. The bytes that count are those that the edits add. `past` is about positions in
        all splits as one stream.
        """
        ids = stream.numpy()
        found = edits(ids, vocabulary.markers)
        if not found:
            return None
        chosen = spread(found, max(most // width, 1) if most else len(found))
        of_split = behind(past, sum(map(len, earlier))) if past else lambda _: NO_PAST
        seen = [shown(ids, edit, width, of_split(edit.hunks[0])) for edit in chosen]
        # A block's first token is context: here the last one before the edit.
        targets = Targets.of(
            stream,
            [(first - 1, last) for _, (first, last) in seen],
            vocabulary,
            masked=masked,
            contexts=[known[:-1] for known, _ in seen],
            counted=added(ids, vocabulary.markers),
        )
        return cls._guessed(earlier, stream, targets, vocabulary)

    @classmethod
    def _guessed(
        cls, earlier: list[torch.Tensor], stream: torch.Tensor, targets: Targets, vocabulary: Vocabulary
    ) -> HeldOut:
        before = np.concatenate([one.numpy() for one in earlier])
        guessed = guesses(before, stream.numpy(), targets.positions)
        return cls(before, len(earlier[0]), stream, targets, guessed, vocabulary)

    @property
    def target_ids(self) -> NDArray[Any]:
        """The tokens that are to be predicted."""
        ids: NDArray[Any] = self.stream.numpy()[self.targets.positions]
        return ids

    def counting(self) -> dict[str, Scores]:
        """Uniform, unigram and trigram of the training split; of the trigram also what it gives the guess."""
        train, stream = self.earlier[: self.trained].astype(np.int32), self.stream.numpy().astype(np.int32)
        size, at = self.vocabulary.size, self.targets.positions - 1
        words = stream[1:].copy()
        known = self.guessed.ids >= 0
        words[at[known]] = self.guessed.ids[known]
        made = {
            UNIFORM: baselines.uniform(size, stream),
            UNIGRAM: baselines.unigram(train, size, stream),
            TRIGRAM: baselines.trigram(train, size, stream),
        }
        rows = {name: Scores.of_probabilities(chances[at]) for name, chances in made.items()}
        guess = Scores.of_probabilities(baselines.trigram(train, size, stream, words)[at])
        rows[TRIGRAM] = Scores(rows[TRIGRAM].nats, candidate_nats=guess.nats)
        return rows

    def learn(self, rows: Mapping[str, Scores]) -> dict[str, Cache]:
        """How much each predictor that scored the guesses should trust them, learned on this split."""
        able = {name: scores for name, scores in rows.items() if scores.candidate_nats is not None}
        return {name: Cache.learn(self.guessed, scores, self.target_ids) for name, scores in able.items()}

    def mix(self, rows: dict[str, Scores], caches: Mapping[str, Cache]) -> dict[str, Scores]:
        """All rows, and those of the mixes: of a model with its cache, of copying with the trigram."""
        made = dict(rows)
        for name, cache in caches.items():
            mixed = cache.mix(self.guessed, rows[name], self.target_ids)
            if name == TRIGRAM:
                made[COPY] = Scores(mixed.nats, correct=self.guessed.ids == self.target_ids)
            else:
                made[name + CACHE] = mixed
        return made

    def table(self, rows: Mapping[str, Scores], *, samples: int, seed: int) -> SplitTable:
        """Figures of each row, what xz needs, and the gains that matter with their intervals."""
        made = {name: figures(self.targets, scores) for name, scores in rows.items()}
        size = max(int(self.targets.text_bytes.sum()), 1)
        made |= {
            name: Figures(bits_per_byte=bits / size)
            for name, bits in zip((XZ, XZ_TRAINED), self._compressed(), strict=True)
        }

        def gain_of(after: str, before: str) -> Gain | None:
            if before in rows and after in rows:
                return gain(self.targets, rows[before], rows[after], samples=samples, seed=seed)
            return None

        return SplitTable(
            rows=made,
            gain=gain_of(TUNED, BASE),
            gain_of_cache=gain_of(TUNED + CACHE, TUNED),
            gain_over_copy=gain_of(TUNED + CACHE, COPY),
        )

    def by_commit(self, rows: Mapping[str, Scores]) -> ByCommit:
        """Bits of each predictor, and the bytes that count, by commit."""
        every = np.ones(len(self.targets), bool)
        bits = {name: by_commit(self.targets, one.nats / np.log(2), every) for name, one in rows.items()}
        return ByCommit(
            added_bytes=self.targets.text_bytes.tolist(),
            bits={name: each.round(3).tolist() for name, each in bits.items()},
        )

    def by_change(self, rows: Mapping[str, Scores]) -> dict[str, Group]:
        """Bits per token by the kind of change that a token belongs to."""
        ids, markers = self.stream.numpy(), self.vocabulary.markers
        at = positions(ids, markers, *CHANGE_STARTS)
        types = {markers[marker]: name for name, marker in CHANGES.items()}
        names = [*CHANGES, "other kinds"]
        last = np.searchsorted(at, self.targets.positions, side="right") - 1
        numbers = np.array([names.index(types.get(id_, names[-1])) for id_ in ids[at].tolist()] or [0])
        return by_group(names, numbers[np.maximum(last, 0)], _shown(rows))

    def by_kind(self, rows: Mapping[str, Scores]) -> dict[str, Group]:
        """Bits per token by the kind of symbol whose code a token is in; "about" is all that is outside of code."""
        ids = self.stream.numpy()
        kinds = {self.vocabulary.markers[marker]: name for name, marker in KINDS.items()}
        at = positions(ids, self.vocabulary.markers, *KINDS.values())
        names = ["about", *KINDS]
        last = np.searchsorted(at, self.targets.positions, side="right") - 1
        kind = np.array([names.index(kinds[int(id_)]) for id_ in ids[at]] or [0])
        inside = in_code(ids, self.vocabulary.markers, self.targets.positions)
        groups = np.where(inside & (last >= 0), kind[np.maximum(last, 0)], 0)
        return by_group(names, groups, _shown(rows))

    def by_age(self, rows: Mapping[str, Scores]) -> dict[str, Group]:
        """Bits per token by quarter of the split, oldest first: does the model age?"""
        groups = self.targets.positions * len(QUARTERS) // max(len(self.stream), 1)
        return by_group(QUARTERS, groups, _shown(rows))

    def _compressed(self) -> tuple[int, int]:
        ids = self.stream.numpy().astype(np.int32)
        scored = (ids[start + 1 : end] for start, end in self.targets.blocks)
        return compression.bits(self.earlier[: self.trained].astype(np.int32), scored, self.vocabulary)


def _shown(rows: Mapping[str, Scores]) -> dict[str, Scores]:
    return {name: rows[name] for name in (TUNED, BASE, COPY) if name in rows}
