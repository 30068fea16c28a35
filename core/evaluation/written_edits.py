"""Edits that a model writes, compared with those that really came, by what they add.

Similarity of whole code rewards what did not change, so only what is added is looked at: the identifiers that were
needed and could not be read off the question, and the lines. Baselines are to write nothing, what the past edit
nearest to the task added, and the nearest code that is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core import statistics
from core.evaluation.growing_history import GrowingHistory
from core.evaluation.streams import Streams
from core.prediction.copying import Copying
from core.prediction.edit_writing import EditWriter
from core.prediction.reading import Reading
from core.ranking.past_edits import about
from core.ranking.terms import IDENTIFIER
from core.records.evaluation import NEAREST, NEAREST_CODE, NOTHING, Continuations, Estimate
from core.text.edits import NO_PAST, Edit, Past, behind, edits, shown, spread
from core.text.grammar import ADDED, HUNK_MARKERS, Marker

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary

METRICS = ("identifier_recall", "identifier_precision", "exact_lines", "line_similarity")


@dataclass(frozen=True)
class EditPrompt:
    """An edit of the test split, all of whose code fits into what a model is shown."""

    edit: Edit
    known: list[int]
    lines: list[str]
    """Of the present code."""
    asked: str
    """All that a question says: task, file, symbol and code."""
    truth: str
    """What the edit adds."""


def prompts(streams: Streams, width: int, most: int, past: Past | None = None) -> list[EditPrompt]:
    """`most` edits that add something, spread over commits; `past` is about positions in all splits as one stream."""
    ids, vocabulary = streams.test.numpy(), streams.vocabulary
    found = [edit for edit in edits(ids, vocabulary.markers) if _prompt(ids, edit, vocabulary, width, NO_PAST)]
    of_test = behind(past, len(streams.train) + len(streams.val)) if past else lambda _: NO_PAST
    made = [_prompt(ids, edit, vocabulary, width, of_test(edit.hunks[0])) for edit in spread(found, most)]
    return [one for one in made if one]


def written(
    model: PreTrainedModel,
    streams: Streams,
    prompts: Sequence[EditPrompt],
    most_text: int,
    copying: Copying | None = None,
) -> list[str]:
    """What a model adds at each prompt; the history of `copying` ends where the test split begins."""
    history = GrowingHistory(copying, streams.test) if copying else None
    answers = []
    for one in prompts:
        mix = history.up_to(one.edit.hunks[0]).mix([]) if history else None
        writer = EditWriter(Reading.of(model, one.known), streams.vocabulary, one.lines, mix=mix)
        list(writer.write(most_text))
        answers.append("".join(made.added for made in writer.replacements))
    return answers


def without_model(streams: Streams, prompts: Sequence[EditPrompt], most_text: int) -> dict[str, list[str]]:
    """What others add at each prompt, at most `most_text` tokens, as a model may: nothing, and what is nearest.

    That is what the nearest edit of an earlier commit added, and the beginning of the code that is most like the task.
    """
    past, first = streams.past_edits, len(streams.train) + len(streams.val)
    vocabulary, places = streams.vocabulary, [first + one.edit.hunks[0] for one in prompts]
    found = [past.nearest(place) for place in places]
    answers = {
        NOTHING: [""] * len(prompts),
        NEAREST: ["" if edit is None else _added(past.ids, edit, vocabulary) for edit in found],
        NEAREST_CODE: [past.nearest_code(place) for place in places],
    }

    def cut(text: str) -> str:
        return vocabulary.decode(vocabulary.encode([[text]])[0][:most_text])

    return {name: [cut(text) for text in texts] for name, texts in answers.items()}


def compare(
    answers: dict[str, list[str]], prompts: Sequence[EditPrompt], most_text: int, *, samples: int, seed: int
) -> Continuations:
    """Each metric of each who writes, as a mean over edits with its interval."""
    rows: dict[str, dict[str, Estimate]] = {}
    for name, texts in answers.items():
        values = [metrics(text, one) for text, one in zip(texts, prompts, strict=True)]
        rows[name] = {
            metric: Estimate(**statistics.of_mean(np.array(known), samples=samples, seed=seed))
            for metric in METRICS
            for known in [[value[metric] for value in values if metric in value]]
        }
    return Continuations(changes=len(prompts), context=0, most_tokens=most_text, rows=rows)


def metrics(text: str, prompt: EditPrompt) -> dict[str, float]:
    """Of one edit, 0 to 1; recall only where new identifiers were needed, precision only where some were written."""
    from rapidfuzz.distance import Levenshtein

    known = set(IDENTIFIER.findall(prompt.asked))
    needed, made = (set(IDENTIFIER.findall(one)) - known for one in (prompt.truth, text))
    wanted, lines = _lines(prompt.truth), _lines(text)
    found: dict[str, float] = {}
    if needed:
        found["identifier_recall"] = len(needed & made) / len(needed)
    if made:
        found["identifier_precision"] = len(needed & made) / len(made)
    if wanted:
        found["exact_lines"] = len(set(wanted) & set(lines)) / len(wanted)
        alike = [max((Levenshtein.normalized_similarity(one, two) for two in lines), default=0.0) for one in wanted]
        found["line_similarity"] = sum(alike) / len(alike)
    return found


def _prompt(
    ids: NDArray[np.int64], edit: Edit, vocabulary: Vocabulary, width: int, past: NDArray[np.int64]
) -> EditPrompt | None:
    known, (_, last) = shown(ids, edit, width, past)
    code = vocabulary.pieces(ids[slice(*edit.code)].tolist())[1:]
    truth = _added(ids, edit, vocabulary)
    length = edit.code[1] - edit.code[0]
    whole = known[len(known) - length :].tolist() == ids[slice(*edit.code)].tolist()
    if last < edit.hunks[1] or not whole or not truth.strip() or any(isinstance(piece, Marker) for piece in code):
        return None
    text = "".join(code)
    *lines, rest = text.split("\n")
    rows = [*(f"{line}\n" for line in lines), *([rest] if rest else [])]
    return EditPrompt(edit, known.tolist(), rows, f"{about(ids, edit, vocabulary)} {text}", truth)


def _added(ids: NDArray[np.int64], edit: Edit, vocabulary: Vocabulary) -> str:
    """The text that an edit adds."""
    made, inside = [], False
    for piece in vocabulary.pieces(ids[slice(*edit.hunks)].tolist()):
        if isinstance(piece, Marker):
            inside = piece == ADDED or (inside and piece not in HUNK_MARKERS)
        elif inside:
            made.append(piece)
    return "".join(made)


def _lines(text: str) -> list[str]:
    """The different lines that are not empty, without indentation."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
