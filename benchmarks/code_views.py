"""Which `tokenizer.code_view` lets a model predict best what changes, for the same training budget?

    python -m benchmarks.code_views REPOSITORY [TRAIN_TOKENS [SCORED_TOKENS]]

For each view the pipeline trains the default model on the same number of tokens, and blocks of the validation split
are scored. Views hold different text, so their perplexities cannot be compared. What they have in common can: the bits
that a change needs outside of its code (which file, what kind of change, which symbol, whose commit), and the tokens
that a change takes, since fewer tokens per change leave room for more history in a window.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from core.config import PipelineConfig, expand
from core.models import model_folder
from core.scoring.blocks import spread_blocks
from core.text.grammar import CODE_END, CodeView
from core.text.stream import in_code
from core.text.token_files import load

WIDTH = 512
PROJECT = Path(__file__).resolve().parent.parent


@dataclass
class Sums:
    """Over all scored tokens."""

    changes: int = 0
    outside: float = 0.0
    """Bits for everything but code."""
    code: float = 0.0
    """Bits for code."""
    tokens: int = 0


def main() -> None:
    """Print a line for each view."""
    repository, *numbers = sys.argv[1:] or ["."]
    train_tokens, scored = [*map(int, numbers), *(40_960, 65_536)[len(numbers) :]]
    print(f"{repository}: {train_tokens:,} tokens of training, {scored:,} of validation, blocks of {WIDTH}")
    print(f"  {'view':14}{'tokens per change':>18}{'bits outside code':>19}{'bits of code':>14}", flush=True)
    for view in get_args(CodeView):
        with tempfile.TemporaryDirectory() as folder:
            outputs = Path(folder) / "outputs"
            train(repository, outputs, view, train_tokens)
            sums = score(outputs, scored)
        parts = (sums.tokens / sums.changes, sums.outside / sums.changes, sums.code / sums.changes)
        print(f"  {view:14}{parts[0]:18.1f}{parts[1]:19.1f}{parts[2]:14.1f}   ({sums.changes} changes)", flush=True)


def train(repository: str, outputs: Path, view: str, tokens: int) -> None:
    """Run the pipeline up to model_training."""
    settings = {
        "pipeline.outputs": outputs,
        "git_scraper.repo": repository,
        "tokenizer.code_view": view,
        "model_training.sequence_length": WIDTH,
        "model_training.max_train_tokens": tokens,
        "model_training.validation_points": 0,
    }
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    program: list[str | Path] = [sys.executable, PROJECT / "pipeline.py", "--config", PROJECT / "config.yaml"]
    subprocess.run([*program, "--until", "model_training", *words], check=True, capture_output=True)


def score(outputs: Path, most: int) -> Sums:
    """The bits that the trained model needs for blocks spread over the validation split."""
    loaded = model_folder.load(outputs / "model", expand(PipelineConfig().cache_dir))
    model, vocabulary = loaded.model, loaded.vocabulary
    stream = load(outputs / "training_data_val.pt", ["stream"])["stream"]
    code = torch.from_numpy(in_code(stream.numpy(), vocabulary.markers, np.arange(len(stream))))
    sums = Sums()
    model.eval()
    with torch.inference_mode():
        for start, end in spread_blocks(len(stream), WIDTH, most):
            ids = stream[start:end].clone()
            logits = model(input_ids=ids[None].to(model.device), use_cache=False).logits[0, :-1].float().cpu()
            bits = torch.nn.functional.cross_entropy(logits, ids[1:], reduction="none").double() / math.log(2)
            own = code[start + 1 : end]
            sums.code += float(bits[own].sum())
            sums.outside += float(bits[~own].sum())
            sums.changes += int((ids[1:] == vocabulary.markers[CODE_END]).sum())
            sums.tokens += len(bits)
    return sums


if __name__ == "__main__":
    main()
