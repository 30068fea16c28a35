"""What copying from a history costs: building its index, asking it, and writing with it compared with writing without.

    python -m benchmarks.copying OUTPUTS [TOKENS]...      by default 1,000,000 and 10,000,000

OUTPUTS is an outputs folder of the pipeline, at least up to dataset_builder; without a model in it, the base model
writes. A history of TOKENS tokens is the training split over and over, each time with its ids in another order, so that
contexts of one copy are not found in the others. Each size runs in a process of its own. CPU seconds, since wall
time on a shared machine says less; the ratio of both ways to write is the median over rounds that take turns.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.errors import UserError
from core.files import size_of
from core.process import peak_memory_mb
from core.scoring.copying import Cache
from core.scoring.copying_folder import CopyingWriter, read_index, read_info
from core.scoring.segments import id_bytes
from core.text.token_files import load
from core.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.scoring.context_index import ContextIndex

SIZES = (1_000_000, 10_000_000)
ROUNDS = 5
PROMPT, WRITTEN = 384, 48
"""Tokens before those that are written, and these."""
ASKED = 4000
"""Tokens that are guessed."""


@click.command(context_settings=CONTEXT_SETTINGS)
@click.argument("outputs", type=click.Path(path_type=Path, exists=True), metavar="OUTPUTS")
@click.argument("sizes", nargs=-1, type=click.IntRange(1), metavar="[TOKENS]...")
@click.option("--cache-dir", default="", metavar="DIR", help="Where base models are [default: pipeline.cache_dir].")
@with_exit_codes
def main(outputs: Path, sizes: tuple[int, ...], cache_dir: str) -> None:
    """Print a line for each size."""
    for tokens in sizes or SIZES:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            found = process.submit(measured, outputs, tokens, cache_folder(cache_dir)).result()
        click.echo(
            f"{tokens:>12,} tokens: {found['bytes']:.2f} bytes a token; built in {found['built_s']:.1f} s with "
            f"{found['building_mb']:,.0f} MB; opened in {found['opened_s']:.2f} s; {found['guess_us']:.0f} us a guess, "
            f"{found['right']:.0%} right, {found['asking_mb']:,.0f} MB of the index in memory then; "
            f"writing with it {found['ratio']:.3f} of the time without"
        )


def measured(outputs: Path, tokens: int, cache_dir: Path) -> dict[str, float]:
    """The figures of one size. Raises UserError where a file of the outputs is missing or damaged."""
    vocabulary = Vocabulary.load(outputs / "vocab.json", outputs / "tokenizer")
    train, test = (
        load(outputs / f"training_data_{name}.pt", ["stream"])["stream"].numpy() for name in ("train", "test")
    )
    if len(train) <= PROMPT or len(test) <= PROMPT:
        raise UserError(f"the splits in {outputs} have no {PROMPT} tokens", "take a longer history")
    history = repeated(train, tokens, vocabulary.size)
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place:
        folder, before = Path(place) / "copying", peak_memory_mb()
        started = time.process_time()
        writer = CopyingWriter(folder, id_bytes(vocabulary.size))
        writer.add(history)
        writer.finish("", Cache(np.full(Cache.SHAPE, 0.5)))
        found |= {"built_s": time.process_time() - started, "building_mb": peak_memory_mb() - before}
        found["bytes"] = size_of(folder) / len(history)
        del writer, history
        started = time.process_time()
        index = read_index(folder, read_info(folder))
        found["opened_s"] = time.process_time() - started
        found |= asked(index, test[:ASKED].tolist())
        found["ratio"] = statistics.median(ratios(outputs, vocabulary, index, test, cache_dir))
    return found


def repeated(ids: NDArray[Any], tokens: int, size: int) -> NDArray[np.uint32]:
    """Copies of some ids of a vocabulary of that size, the first as it is, the others with ids in a new order."""
    random = np.random.default_rng(0)
    copies = [ids.astype(np.uint32)]
    while sum(map(len, copies)) < tokens:
        copies.append(random.permutation(size).astype(np.uint32)[ids])
    return np.concatenate(copies)[:tokens]


def asked(index: ContextIndex, text: list[int]) -> dict[str, float]:
    """Time of a guess (and of reading the token that came), how many were right, memory that it took."""
    before, right, copier = resident_mb(), 0, index.copier()
    started = time.process_time()
    for id_ in text:
        right += copier.guess()[0] == id_
        copier.read(id_)
    seconds = time.process_time() - started
    return {
        "guess_us": seconds / len(text) * 1e6,
        "right": right / len(text),
        "asking_mb": resident_mb() - before,
    }


def resident_mb() -> float:
    """Memory of this process that is there now, in MiB; Linux alone tells."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


def ratios(
    outputs: Path, vocabulary: Vocabulary, index: ContextIndex, test: NDArray[Any], cache_dir: Path
) -> Iterator[float]:
    """CPU time of writing with the index divided by that without, the prompt left out, round by round."""
    from core.models import base_models, model_folder
    from core.prediction.completing import complete
    from core.prediction.copying import Copying, Mix
    from core.prediction.writing import Sampling

    if (outputs / "model").exists():
        loaded = model_folder.load(outputs / "model", cache_dir)
        loaded.merge_adapter()
        model = loaded.model
    else:
        model = base_models.load_prepared(vocabulary.base_model, vocabulary, cache_dir, precision="fp32")
    copying = Copying(index, Cache(np.full(Cache.SHAPE, 0.5)))

    def seconds(prompt: list[int], mix: Mix | None) -> float:
        ids = complete(model, vocabulary, prompt, WRITTEN, Sampling(), mix)
        next(ids, None)
        started, rest = time.process_time(), len(list(ids))
        return (time.process_time() - started) / max(rest, 1)

    for number in range(ROUNDS):
        prompt = test[number * len(test) // ROUNDS :][:PROMPT].tolist()
        times = {
            with_it: seconds(prompt, copying.mix(prompt) if with_it else None)
            for with_it in (number % 2 == 0, number % 2 == 1)
        }
        yield times[True] / times[False]


if __name__ == "__main__":
    main()
