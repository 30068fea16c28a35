"""The tokens of a held-out split that are scored, what each predictor gives them, and the table of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.dataset import baselines
from core.evaluation import bootstrap, compression
from core.evaluation.copying import Cache, Guesses, guesses
from core.evaluation.names import BASE, CACHE, COPY, TRIGRAM, TUNED
from core.scoring.scores import Asked, Scores, by_group, figures, spread_blocks
from core.text.grammar import CODE_END, CODE_START, KINDS

if TYPE_CHECKING:
    import torch

    from core.text.vocabulary import Vocabulary

QUARTERS = ("first quarter", "second quarter", "third quarter", "last quarter")


@dataclass
class HeldOut:
    """A split, what stands before it, and what is scored of it."""

    earlier: NDArray[Any]
    """All ids before the split; the first `trained` of them are the training split."""
    trained: int
    stream: torch.Tensor
    asked: Asked
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

        With `masked` a model's tokens see their own commit alone.
        """
        before = np.concatenate([one.numpy() for one in earlier])
        asked = Asked.of(stream, spread_blocks(len(stream), width, most), vocabulary, width, masked=masked)
        guessed = guesses(before, stream.numpy(), asked.places)
        return cls(before, len(earlier[0]), stream, asked, guessed, vocabulary)

    @property
    def targets(self) -> NDArray[Any]:
        """The asked tokens."""
        ids: NDArray[Any] = self.stream.numpy()[self.asked.places]
        return ids

    def counting(self) -> dict[str, Scores]:
        """Uniform, unigram and trigram of the training split; the trigram also tells what it gives the guess."""
        train, stream = self.earlier[: self.trained].astype(np.int32), self.stream.numpy().astype(np.int32)
        size, places = self.vocabulary.size, self.asked.places - 1
        words = stream[1:].copy()
        known = self.guessed.ids >= 0
        words[places[known]] = self.guessed.ids[known]
        made = {
            "uniform": baselines.uniform(size, stream),
            "unigram": baselines.unigram(train, size, stream),
            TRIGRAM: baselines.trigram(train, size, stream),
        }
        rows = {name: Scores.of_probabilities(chances[places]) for name, chances in made.items()}
        guess = Scores.of_probabilities(baselines.trigram(train, size, stream, words)[places])
        rows[TRIGRAM] = Scores(rows[TRIGRAM].nats, candidate_nats=guess.nats)
        return rows

    def learn(self, rows: Mapping[str, Scores]) -> dict[str, Cache]:
        """How much each predictor that was asked for the guesses should believe them, learnt on this split."""
        able = {name: scores for name, scores in rows.items() if scores.candidate_nats is not None}
        return {name: Cache.learn(self.guessed, scores, self.targets) for name, scores in able.items()}

    def mix(self, rows: dict[str, Scores], caches: Mapping[str, Cache]) -> dict[str, Scores]:
        """All rows, with those of the mixes: of a model with its cache, of copying with the trigram."""
        made = dict(rows)
        for name, cache in caches.items():
            mixed = cache.mix(self.guessed, rows[name], self.targets)
            if name == TRIGRAM:
                made[COPY] = Scores(mixed.nats, correct=self.guessed.ids == self.targets)
            else:
                made[name + CACHE] = mixed
        return made

    def table(self, rows: Mapping[str, Scores], *, samples: int, seed: int) -> dict[str, Any]:
        """Figures of each row, what xz needs, and the gains that matter with their intervals."""
        made = {name: figures(self.asked, scores) for name, scores in rows.items()}
        for name, bits in zip(("xz", "xz given training text"), self._compressed(), strict=True):
            made[name] = {"bits_per_byte": bits / max(int(self.asked.text_bytes.sum()), 1)}
        table: dict[str, Any] = {"rows": made}
        for name, before, after in (
            ("gain", BASE, TUNED),
            ("gain_of_cache", TUNED, TUNED + CACHE),
            ("gain_over_copy", COPY, TUNED + CACHE),
        ):
            if before in rows and after in rows:
                table[name] = bootstrap.difference(self.asked, rows[before], rows[after], samples=samples, seed=seed)
        return table

    def by_kind(self, rows: Mapping[str, Scores]) -> dict[str, dict[str, Any]]:
        """Bits a token by the kind of symbol whose code a token is in; "about" is all outside of code."""
        ids = self.stream.numpy()
        kinds = {self.vocabulary.markers[marker]: name for name, marker in KINDS.items()}
        places = np.flatnonzero(np.isin(ids, list(kinds)))
        names = ["about", *KINDS]
        last = np.searchsorted(places, self.asked.places, side="right") - 1
        kind = np.array([names.index(kinds[int(id_)]) for id_ in ids[places]] or [0])
        starts, ends = (np.cumsum(ids == self.vocabulary.markers[marker]) for marker in (CODE_START, CODE_END))
        inside = (starts > ends)[self.asked.places - 1]
        groups = np.where(inside & (last >= 0), kind[np.maximum(last, 0)], 0)
        return by_group(names, groups, _shown(rows))

    def by_age(self, rows: Mapping[str, Scores]) -> dict[str, dict[str, Any]]:
        """Bits a token by quarter of the split, oldest first: does the model age?"""
        groups = self.asked.places * len(QUARTERS) // max(len(self.stream), 1)
        return by_group(QUARTERS, groups, _shown(rows))

    def _compressed(self) -> tuple[int, int]:
        ids = self.stream.numpy().astype(np.int32)
        blocks = compression.scored(ids, self.asked.blocks)
        return compression.bits(self.earlier[: self.trained].astype(np.int32), blocks, self.vocabulary)


def _shown(rows: Mapping[str, Scores]) -> dict[str, Scores]:
    return {name: rows[name] for name in (TUNED, BASE, COPY) if name in rows}
