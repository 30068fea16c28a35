"""Code that a model writes, given everything before it, compared with the code that was really written.

The beginning of a change is given, up to <CODE_START>; the model writes greedily up to <CODE_END>. The metrics are
those of the field, from their own libraries: exact match, edit similarity (RapidFuzz), BLEU and chrF (sacreBLEU),
ROUGE-L (rouge-score). What copying the last continuation gives is the baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core import statistics
from core.evaluation.streams import Streams
from core.records.evaluation import COPY, Continuations, Estimate
from core.scoring import copying
from core.scoring.ngrams import NgramHashes
from core.text.grammar import CODE_END

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from core.prediction.copying import Mix
    from core.text.vocabulary import Vocabulary

METRICS = ("exact_match", "edit_similarity", "bleu", "chrf", "rouge_l")


@dataclass(frozen=True)
class Prompt:
    """A position in a stream where code begins, and the code that follows."""

    position: int
    truth: list[int]


def prompts(
    stream: torch.Tensor, codes: Sequence[tuple[int, int]], context: int, most: int, count: int
) -> list[Prompt]:
    """`count` changes spread over a stream, each with `context` tokens before it and the first `most` of its code.

    `codes` are (start, end) of the code of all changes.
    """
    able = [(start, end) for start, end in codes if start >= context and end > start]
    count = min(count, len(able))
    chosen = [able[(2 * number + 1) * len(able) // (2 * count)] for number in range(count)]
    return [Prompt(start, stream[start : min(end, start + most)].tolist()) for start, end in chosen]


def written(
    model: PreTrainedModel,
    stream: torch.Tensor,
    prompts: Sequence[Prompt],
    vocabulary: Vocabulary,
    context: int,
    most: int,
    *,
    mixes: Sequence[Mix] = (),
    batch: int = 16,
) -> list[list[int]]:
    """What a model writes at each prompt, greedily: text only, at most `most` tokens.

    `mixes`, one for each prompt, copy while it writes; each has read what is before its prompt's code.
    """
    import torch
    from transformers import LogitsProcessorList

    model.eval()
    stop = vocabulary.markers[CODE_END]
    banned = [id_ for id_ in vocabulary.own_ids if id_ != stop]
    found: list[list[int]] = []
    for start in range(0, len(prompts), batch):
        some = prompts[start : start + batch]
        ids = torch.stack([stream[one.position - context : one.position] for one in some]).to(model.device)
        with torch.inference_mode():
            answer = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=most,
                pad_token_id=vocabulary.pad_id,
                eos_token_id=stop,
                suppress_tokens=banned,
                logits_processor=LogitsProcessorList([mixed(mixes[start : start + batch], context)] if mixes else []),
            )
        rows = answer[:, context:].tolist()
        found += [row[: row.index(stop)] if stop in row else row for row in rows]
    return found


def mixed(mixes: Sequence[Mix], context: int) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """A logits processor of transformers: the mix of each row, which has read the first `context` ids of it."""
    import torch

    read = context

    def process(ids: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        nonlocal read
        for mix, row in zip(mixes, ids[:, read:].tolist(), strict=True):
            mix.read(row)
        read = ids.shape[1]
        return torch.stack([mix.of(row) for mix, row in zip(mixes, logits, strict=True)])

    return process


def copied(
    earlier: torch.Tensor, stream: torch.Tensor, prompts: Sequence[Prompt], vocabulary: Vocabulary, most: int
) -> list[list[int]]:
    """What copying writes at each prompt, from everything before it."""
    before = earlier.numpy()[-copying.MOST_TOKENS :]
    ids = np.concatenate([before, stream.numpy()]).astype(np.int64)
    hashes, shift = NgramHashes(ids), len(ids) - len(stream)
    stop = frozenset(vocabulary.own_ids)
    return [copying.continuation(hashes, one.position + shift, most, stop) for one in prompts]


def compare(
    streams: Streams,
    prompts: Sequence[Prompt],
    code: Mapping[str, list[list[int]]],
    context: int,
    most: int,
    *,
    samples: int,
    seed: int,
) -> Continuations:
    """What models (`code`, by name) and copying write at the prompts, compared with what was really written."""
    import torch

    vocabulary = streams.vocabulary
    earlier = torch.cat(streams.earlier("test"))
    answers = {COPY: copied(earlier, streams.test, prompts, vocabulary, most), **code}
    truths = [vocabulary.decode(one.truth) for one in prompts]
    rows = {
        name: metrics([vocabulary.decode(ids) for ids in written], truths, samples=samples, seed=seed)
        for name, written in answers.items()
    }
    return Continuations(changes=len(prompts), context=context, most_tokens=most, rows=rows)


def metrics(answers: Sequence[str], truths: Sequence[str], *, samples: int, seed: int) -> dict[str, Estimate]:
    """Each metric as a mean over changes, 0 to 1, with its interval."""
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
    return {
        name: Estimate(**statistics.of_mean(np.array(values), samples=samples, seed=seed))
        for name, values in rows.items()
    }


class _Words:
    """Words for ROUGE: separated by white space. Its own tokenizer drops everything but letters and digits."""

    def tokenize(self, text: str) -> list[str]:
        """The words in order."""
        return text.split()
