"""Code that a model writes, given all that stands before it, beside the code that was really written.

The beginning of a change is given, up to <CODE_START>; the model writes greedily up to <CODE_END>. Metrics are those of
the field, by their own libraries: exact match, edit similarity (RapidFuzz), BLEU and chrF (sacreBLEU), ROUGE-L
(rouge-score). What copying the last continuation gives stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core import statistics
from core.evaluation import copying
from core.text.grammar import CODE_END

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary

METRICS = ("exact_match", "edit_similarity", "bleu", "chrf", "rouge_l")


@dataclass(frozen=True)
class Prompt:
    """A place where code begins, and the code that stands there."""

    place: int
    truth: list[int]


def prompts(
    stream: torch.Tensor, codes: Sequence[tuple[int, int]], context: int, most: int, count: int
) -> list[Prompt]:
    """`count` changes of a stream with `context` tokens before them, spread over it; of their code the first `most`."""
    able = [(start, end) for start, end in codes if start >= context and end > start]
    count = min(count, len(able))
    places = [able[(2 * number + 1) * len(able) // (2 * count)] for number in range(count)]
    return [Prompt(start, stream[start : min(end, start + most)].tolist()) for start, end in places]


def written(
    model: PreTrainedModel,
    stream: torch.Tensor,
    asked: Sequence[Prompt],
    vocabulary: Vocabulary,
    context: int,
    most: int,
    *,
    batch: int = 16,
) -> list[list[int]]:
    """What a model writes at each prompt, greedily: text alone, at most `most` tokens."""
    import torch

    model.eval()
    stop = vocabulary.markers[CODE_END]
    banned = [id_ for id_ in vocabulary.own_ids if id_ != stop]
    found: list[list[int]] = []
    for start in range(0, len(asked), batch):
        some = asked[start : start + batch]
        ids = torch.stack([stream[one.place - context : one.place] for one in some]).to(model.device)
        with torch.inference_mode():
            answer = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=most,
                pad_token_id=vocabulary.pad_id,
                eos_token_id=stop,
                suppress_tokens=banned,
            )
        rows = answer[:, context:].tolist()
        found += [row[: row.index(stop)] if stop in row else row for row in rows]
    return found


def copied(
    earlier: torch.Tensor, stream: torch.Tensor, asked: Sequence[Prompt], vocabulary: Vocabulary, most: int
) -> list[list[int]]:
    """What copying writes at each prompt, from all that stands before it."""
    before = earlier.numpy()[-copying.MOST_TOKENS :]
    ids = np.concatenate([before, stream.numpy()]).astype(np.int64)
    hashes, shift = copying.RunHashes(ids), len(ids) - len(stream)
    stop = frozenset(vocabulary.own_ids)
    return [copying.continuation(hashes, one.place + shift, most, stop) for one in asked]


def compared(answers: Sequence[str], truths: Sequence[str], *, samples: int, seed: int) -> dict[str, Any]:
    """Each metric as a mean over changes, 0 to 1, with an interval."""
    from rapidfuzz.distance import Levenshtein
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics import BLEU, CHRF

    bleu, chrf = BLEU(effective_order=True), CHRF()
    rouge = RougeScorer(["rougeL"], tokenizer=_Words())
    rows: dict[str, list[float]] = {name: [] for name in METRICS}
    for answer, truth in zip(answers, truths, strict=True):
        rows["exact_match"].append(float(answer == truth))
        rows["edit_similarity"].append(Levenshtein.normalized_similarity(answer, truth))
        rows["bleu"].append(bleu.sentence_score(answer, [truth]).score / 100)
        rows["chrf"].append(chrf.sentence_score(answer, [truth]).score / 100)
        rows["rouge_l"].append(rouge.score(truth, answer)["rougeL"].fmeasure)
    return {name: statistics.of_mean(np.array(values), samples=samples, seed=seed) for name, values in rows.items()}


class _Words:
    """Words for ROUGE: what stands between white space. Its own tokenizer drops all but letters and digits."""

    def tokenize(self, text: str) -> list[str]:
        """The words in order."""
        return text.split()
