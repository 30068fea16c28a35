"""Edits that a model writes, compared with those that really came, by what they add.

Similarity of whole code rewards what did not change, so only what is added is looked at: the identifiers that were
needed and could not be read off the question, and the lines. Baselines are to write nothing, and what the past edit
nearest to the task added.
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
from core.ranking.matching import Documents
from core.ranking.terms import IDENTIFIER, counted, words
from core.records.evaluation import Continuations, Estimate
from core.text.edits import Edit, edits, shown
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


def prompts(streams: Streams, width: int, most: int) -> list[EditPrompt]:
    """`most` edits that add something, spread over the test split."""
    ids, vocabulary = streams.test.numpy(), streams.vocabulary
    found = [one for edit in edits(ids, vocabulary.markers) if (one := _prompt(ids, edit, vocabulary, width))]
    count = min(most, len(found))
    return [found[(2 * number + 1) * len(found) // (2 * count)] for number in range(count)]


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


def nearest(streams: Streams, prompts: Sequence[EditPrompt]) -> list[str]:
    """What the earlier edit added whose message, path and symbol are most like those of each prompt (BM25)."""
    vocabulary = streams.vocabulary
    earlier = [one.numpy() for one in streams.earlier("test")]
    past = [(ids, edit) for ids in earlier for edit in edits(ids, vocabulary.markers)]
    documents = Documents.of([counted(words(_about(ids, edit, vocabulary))) for ids, edit in past])
    answers = []
    for one in prompts:
        question = words(_about(streams.test.numpy(), one.edit, vocabulary))
        scores = documents.find(question).scores(question) if past else np.zeros(0)
        best = int(scores.argmax()) if len(scores) and scores.max() > 0 else None
        answers.append("" if best is None else _added(past[best][0], past[best][1], vocabulary))
    return answers


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


def _prompt(ids: NDArray[np.int64], edit: Edit, vocabulary: Vocabulary, width: int) -> EditPrompt | None:
    known, (_, last) = shown(ids, edit, width)
    code = vocabulary.pieces(ids[slice(*edit.code)].tolist())[1:]
    truth = _added(ids, edit, vocabulary)
    length = edit.code[1] - edit.code[0]
    whole = known[len(known) - length :].tolist() == ids[slice(*edit.code)].tolist()
    if last < edit.hunks[1] or not whole or not truth.strip() or any(isinstance(piece, Marker) for piece in code):
        return None
    text = "".join(code)
    *lines, rest = text.split("\n")
    rows = [*(f"{line}\n" for line in lines), *([rest] if rest else [])]
    return EditPrompt(edit, known.tolist(), rows, f"{_about(ids, edit, vocabulary)} {text}", truth)


def _about(ids: NDArray[np.int64], edit: Edit, vocabulary: Vocabulary) -> str:
    """Message, path and symbol as text."""
    spans = (edit.commit, edit.file, edit.about)
    pieces = (piece for span in spans for piece in vocabulary.pieces(ids[slice(*span)].tolist()))
    return " ".join(piece for piece in pieces if not isinstance(piece, Marker))


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
