"""Does it help to show, before an edit, the code that usually changes with it?

    python -m benchmarks.edit_context OUTPUTS [OUTPUTS ...] [--edits 60] [--width 512] [--samples 2000]

OUTPUTS are folders of the pipeline with tokenizer.code_view: edit, at least up to dataset_builder, whose repositories
are still where commits.json says. The untuned base model reads validation edits, one of each commit as far as there are
so many, with the context of a training (the nearest past edit, what came just before, the task, the symbol and its
code), and with what is in the files that go with the edited one besides: core/ranking names them, and the symbols in
them, as the commit's parent knows them. Prints bits for each added byte, and what each form saves beside the context as
it is; its interval draws commits within each repository.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.edits import in_words, name_of, saved
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.prediction.files import FileAsker
from core.ranking import symbols
from core.ranking.past_edits import PastEdits, texts
from core.ranking.query import Query
from core.ranking.symbols import Symbol
from core.records.commit_files import read_history
from core.records.evaluation import ByCommit
from core.scoring.scores import Targets, score
from core.text.edits import Edit, added, shown, spread
from core.text.grammar import BEFORE, CODE_END, CODE_START, COMMIT_START, FILE_START, MESSAGE, SYMBOL, Marker, Pieces
from core.text.stored_sequences import read_sequences
from core.text.token_files import load
from core.text.vocabulary import Vocabulary
from index.repository import RepositoryIndex

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Ids = NDArray[np.int64]
AS_IS, NAMES, SIGNATURES, CODE = "nothing", "names of symbols", "signatures", "code of the first symbol"
FORMS = (NAMES, SIGNATURES, CODE)
FILES, SYMBOLS = 3, 8
"""Companions of an edit: files, and symbols in them."""


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("outputs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--edits", "most", default=60, show_default=True, help="Validation edits of each repository.")
@click.option("--width", default=512, show_default=True, help="Tokens that the model sees.")
@click.option("--samples", default=2000, show_default=True, help="Bootstrap samples.")
@click.option("--cache-dir", default="", metavar="DIR", help="Where base models and indexes are kept.")
@with_exit_codes
def main(outputs: Sequence[Path], most: int, width: int, samples: int, cache_dir: str) -> None:
    """Print the table as Markdown."""
    found: dict[str, ByCommit] = {}
    for folder in outputs:
        found[name_of(folder)] = measured(folder, most, width, cache_folder(cache_dir))
    print("\n".join(table(found, samples)))


def measured(outputs: Path, most: int, width: int, cache_dir: Path) -> ByCommit:
    """Bits of the edits of one repository in each form of context, by commit."""
    from core.models import base_models

    vocabulary = Vocabulary.load(outputs / "vocab.json", outputs / "tokenizer")
    streams = [load(outputs / f"training_data_{name}.pt", ["stream"])["stream"].numpy() for name in ("train", "val")]
    past, hashes = PastEdits.of(streams, vocabulary), commits_of(outputs / "tokens.pt", vocabulary)
    heads = ((edit, past.ids[slice(*edit.commit)].tobytes()) for edit in past.edits)
    commit_of = {edit: hashes[head] for edit, head in heads if edit.commit[0] >= len(streams[0]) and head in hashes}
    chosen = spread(list(commit_of), most)
    beside: dict[str, list[Ids]] = {AS_IS: [np.empty(0, np.int64)] * len(chosen)}
    with contextlib.closing(
        FileAsker(read_history(outputs / "commits.json").git_dir, cache_dir, RepositoryIndex)
    ) as at:
        # The newest first, so that the index reads the history once.
        found = [companions(at, past, edit, f"{commit_of[edit]}^") for edit in reversed(chosen)][::-1]
    for form in FORMS:
        encoded = vocabulary.encode([in_form(form, one) for one in found])
        beside[form] = [np.array(ids, np.int64) for ids in encoded]
    model = base_models.load_prepared(vocabulary.base_model, vocabulary, cache_dir, precision="fp32")
    return scored(model, past, chosen, width, beside)


def commits_of(tokens: Path, vocabulary: Vocabulary) -> dict[bytes, str]:
    """The hash of each commit by the ids of its head (int64); of those that look the same, none."""
    names: list[str] = []
    stored = read_sequences(tokens, lambda about: names.append(about["commit_hash"]))
    start, end = (vocabulary.markers[marker] for marker in (COMMIT_START, FILE_START))
    found: dict[bytes, set[str]] = {}
    for name, (first, last) in zip(names, itertools.pairwise(stored.offsets.tolist()), strict=True):
        ids = stored.ids[first:last]
        if len(ids) and ids[0] == start and (ids == end).any():
            head = ids[: int((ids == end).argmax())].astype(np.int64)
            found.setdefault(head.tobytes(), set()).add(name)
    return {head: next(iter(hashes)) for head, hashes in found.items() if len(hashes) == 1}


def companions(asker: FileAsker, past: PastEdits, edit: Edit, parent: str) -> list[Symbol]:
    """The symbols that go with an edit, the best ones first, as they are in the commit `parent`: none of its file."""
    message, path, name, code = said_of(past, edit)
    snapshot = asker.snapshot(commit := asker.commit(parent))
    ranking = asker.ranker(commit).rank(snapshot, message, [path], top=FILES)
    files = {file.name: file.share for file in ranking.files}
    parsed = asker.parsed(snapshot, list(files))
    ranked = symbols.rank(Query(f"{message}\n\n{name}\n{code}"), files, parsed, top=SYMBOLS)
    places = {(one.path, one.lines): one for some in parsed.values() for one in some}
    return [places[one.path, one.lines] for one in ranked]


def said_of(past: PastEdits, edit: Edit) -> tuple[str, str, str, str]:
    """(message, path, symbol, present code) of an edit; a symbol without a name has ""."""
    commit, file, about = (past.vocabulary.pieces(past.ids[slice(*span)].tolist()) for span in _heads(edit))
    (code,) = texts(past.ids, [edit.code], past.vocabulary)
    return _field(commit, MESSAGE), _field(file, FILE_START), _field(about, SYMBOL), code


def in_form(form: str, found: Sequence[Symbol]) -> Pieces:
    """Companions as they are shown."""
    pieces: Pieces = []
    for path, some in itertools.groupby(found[:1] if form == CODE else found, key=lambda one: one.path):
        pieces += [FILE_START, path]
        for one in some:
            pieces += [SYMBOL, one.name]
            if form != NAMES:
                pieces += [CODE_START, BEFORE, one.code if form == CODE else signature(one), CODE_END]
    return pieces


def signature(symbol: Symbol) -> str:
    """The first line that has the symbol's name."""
    lines = symbol.code.splitlines(keepends=True)
    return next((line for line in lines if symbol.last in line), "")


def scored(
    model: PreTrainedModel, past: PastEdits, chosen: Sequence[Edit], width: int, beside: Mapping[str, Sequence[Ids]]
) -> ByCommit:
    """Bits of each edit behind each of some contexts beside those that training shows, pooled by commit."""
    import torch

    stream, counted = torch.from_numpy(past.ids.astype(np.int64)), added(past.ids, past.vocabulary.markers)
    bits: dict[str, list[float]] = {}
    sizes: list[int] = []
    for name, others in beside.items():
        nearest = (past.before(edit.hunks[0]) for edit in chosen)
        seen = [shown(past.ids, edit, width, *both) for edit, *both in zip(chosen, nearest, others, strict=True)]
        blocks, contexts = [(first - 1, last) for _, (first, last) in seen], [known[:-1] for known, _ in seen]
        targets = Targets.of(stream, blocks, past.vocabulary, contexts=contexts, counted=counted)
        nats = score(model, stream, targets).nats
        bits[name] = (np.bincount(targets.commits, nats) / math.log(2)).round(3).tolist()
        sizes = targets.text_bytes.tolist()
    return ByCommit(added_bytes=sizes, bits=bits)


def table(found: Mapping[str, ByCommit], samples: int) -> Iterator[str]:
    """A row for each form of context."""
    every = list(found.values())
    yield f"| shown as well | {' | '.join(f'{name} ({len(one.added_bytes)})' for name, one in found.items())} | saved |"
    yield f"|---|{'---:|' * len(found)}---|"
    for form in (AS_IS, *FORMS):
        each = [sum(one.bits[form]) / max(sum(one.added_bytes), 1) for one in every]
        between = "" if form == AS_IS else in_words(*saved(every, form, AS_IS, samples))
        yield f"| {form} | {' | '.join(f'{value:.3f}' for value in each)} | {between} |"


def _heads(edit: Edit) -> tuple[tuple[int, int], ...]:
    return edit.commit, edit.file, edit.about


def _field(pieces: Pieces, field: Marker) -> str:
    """The text behind a marker."""
    place: str | None = None
    text = ""
    for piece in pieces:
        if isinstance(piece, Marker):
            place = piece
        elif place == field:
            text += piece
    return text


if __name__ == "__main__":
    main()
