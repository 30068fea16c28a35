"""Does a model that was trained on edits name the identifiers that an edit needs?

    python -m benchmarks.edit_identifiers OUTPUTS [OUTPUTS ...] [--edits 30] [--tokens 48] [--samples 2000]

OUTPUTS are folders of pipelines with tokenizer.code_view: edit and model_training.objective: edits, after evaluate.
The model with its cache writes test edits that need an identifier which their question does not name, of as many
commits as can be; everybody writes at most so many tokens, and the nearest plain code is also cut to the length of what
the model wrote. Prints recall and precision of these identifiers, and by how much the model's recall is higher, with
intervals that draw edits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import numpy as np

from benchmarks.edits import name_of
from core import statistics
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import UserError
from core.evaluation.model_pair import ModelPair
from core.evaluation.streams import Streams
from core.evaluation.written_edits import EditPrompt, metrics, prompts, without_model, written
from core.prediction.copying import Copying, copying_of
from core.records.evaluation import CACHE, NEAREST, NEAREST_CODE, TUNED
from core.scoring.copying import Cache
from core.scoring.copying_folder import CopyingWriter
from core.scoring.segments import id_bytes
from core.text.token_files import SPLITS
from core.text.vocabulary import Vocabulary

MIXED = TUNED + CACHE
SHORTER = f"{NEAREST_CODE}, as long as the model's"
WRITERS = (MIXED, NEAREST, NEAREST_CODE, SHORTER)
RECALL, PRECISION = "identifier_recall", "identifier_precision"
CANDIDATES = 4
"""Edits that are looked at for each that is wanted: about two of three need an identifier."""
Found = dict[str, list[dict[str, float]]]
"""For each who writes, the metrics of each edit."""


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("outputs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--edits", "most", default=30, show_default=True, help="Edits of each repository.")
@click.option("--tokens", default=48, show_default=True, help="That each may write.")
@click.option("--width", default=512, show_default=True, help="Tokens that the model sees.")
@click.option("--samples", default=2000, show_default=True, help="Bootstrap samples.")
@click.option("--cache-dir", default="", metavar="DIR", help="Where base models are [default: pipeline.cache_dir].")
@with_exit_codes
def main(outputs: Sequence[Path], most: int, tokens: int, width: int, samples: int, cache_dir: str) -> None:
    """Print the table as Markdown."""
    found: dict[str, Found] = {}
    for folder in outputs:
        found[name_of(folder)] = measured(folder, most, tokens, width, cache_folder(cache_dir))
        print("\n".join(table(found, samples)), flush=True)


def measured(outputs: Path, most: int, tokens: int, width: int, cache_dir: Path) -> Found:
    """What the model and others write at some edits. Raises UserError where there is no model that was measured."""
    files = ("vocab.json", "tokenizer", *(f"training_data_{name}.pt" for name in SPLITS))
    streams = Streams.read({name: outputs / name for name in files})
    pair = ModelPair.load(outputs / "model", cache_dir, "fp32", adapter=True)
    pair.check_vocabulary(streams.vocabulary)
    measured = copying_of(outputs / "model", pair.loaded.info)
    if measured is None:
        raise UserError(f"the model in {outputs} was not measured with copying", "run evaluate, with evaluate.cache")
    past = streams.past_edits.before if pair.loaded.sees_past_edits else None
    chosen = needing(prompts(streams, width, most * CANDIDATES, past), most)
    texts = without_model(streams, chosen, tokens)
    with tempfile.TemporaryDirectory() as folder:
        copying = before_test(streams, measured.cache, Path(folder))
        pair.merge_adapter()
        texts[MIXED] = written(pair.loaded.model, streams, chosen, tokens, copying)
    texts[SHORTER] = as_long(streams.vocabulary, texts[NEAREST_CODE], texts[MIXED])
    return {name: [metrics(text, one) for text, one in zip(texts[name], chosen, strict=True)] for name in WRITERS}


def as_long(vocabulary: Vocabulary, texts: Sequence[str], others: Sequence[str]) -> list[str]:
    """The beginning of each text, of as many tokens as another one has."""
    lengths = [len(ids) for ids in vocabulary.encode([[other] for other in others])]
    ids = vocabulary.encode([[text] for text in texts])
    return [vocabulary.decode(one[:length]) for one, length in zip(ids, lengths, strict=True)]


def needing(found: Sequence[EditPrompt], most: int) -> list[EditPrompt]:
    """At most so many edits that need an identifier which the question does not name, evenly over all of them."""
    needed = [one for one in found if RECALL in metrics("", one)]
    places = np.linspace(0, len(needed) - 1, min(most, len(needed))).round().astype(int)
    return [needed[place] for place in places]


def before_test(streams: Streams, cache: Cache, folder: Path) -> Copying:
    """What may be copied where the test split begins; that of evaluate holds the test split, too."""
    writer = CopyingWriter(folder, id_bytes(streams.vocabulary.size))
    writer.add(np.concatenate([one.numpy() for one in streams.earlier("test")]))
    return Copying(writer.index, cache)


def table(found: Mapping[str, Found], samples: int) -> Iterator[str]:
    """A row for each who writes, over all repositories; precision is about the edits in which some were written."""
    pooled = {name: [one for each in found.values() for one in each[name]] for name in WRITERS}
    yield "; ".join(f"{name}: {len(each[MIXED])} edits" for name, each in found.items())
    yield "| written by | recall | the model's is higher by | precision | edits with some |"
    yield "|---|---|---|---|---:|"
    recalls = {name: np.array([one[RECALL] for one in each]) for name, each in pooled.items()}
    for name, each in pooled.items():
        right = np.array([one[PRECISION] for one in each if PRECISION in one])
        more = "" if name == MIXED else in_words(recalls[MIXED] - recalls[name], samples)
        yield f"| {name} | {in_words(recalls[name], samples)} | {more} | {in_words(right, samples)} | {len(right)} |"


def in_words(values: statistics.Numbers, samples: int) -> str:
    """A mean with its interval."""
    found = statistics.of_mean(values, samples=samples, seed=17)
    if found["mean"] is None:
        return ""
    return f"{found['mean']:.1%}" + ("" if found["low"] is None else f" [{found['low']:.1%}, {found['high']:.1%}]")


if __name__ == "__main__":
    main()
