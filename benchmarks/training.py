"""Our training loop compared with a plain Trainer on the same packed blocks: tokens per second, and peak memory.

    python -m benchmarks.training OUTPUTS [STEPS]

OUTPUTS is an outputs folder of the pipeline, at least up to dataset_builder. Both train the same adapter on the same
base with the same batches, each round in a new process, in turn; the ratio is the median over rounds. "plain" is
transformers' Trainer with the model's own loss and PEFT's defaults; "ours" is what stage 6 runs, with its monitor and
without validation.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS = 3
WIDTH = 512
LAST = 4
"""Steps before the clock starts, since the first ones of a process are slower."""


def main() -> None:
    """Print one line per round, then the medians."""
    outputs, steps = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 12
    ratios = []
    for number in range(ROUNDS):
        order = ("plain", "ours") if number % 2 else ("ours", "plain")
        found = {name: once(name, outputs, steps) for name in order}
        ratios.append(found["ours"]["rate"] / found["plain"]["rate"])
        print(
            "  ".join(
                f"{name}: {one['rate']:7.1f} tokens/s, peak {one['peak_mb']:,.0f} MB, loss {one['loss']:.4f}"
                for name, one in found.items()
            )
            + f"   ratio {ratios[-1]:.3f}",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.3f}")


def once(name: str, outputs: Path, steps: int) -> dict[str, Any]:
    """One training, in a new process."""
    line = [sys.executable, "-m", "benchmarks.training", "--child", name, str(outputs), str(steps)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def child(name: str, outputs: Path, steps: int) -> None:
    """Train, and print the figures as JSON."""
    import torch
    from transformers import Trainer, TrainerCallback, set_seed

    from core.config import PipelineConfig, expand
    from core.models import base_models
    from core.process import peak_memory_mb
    from core.text.vocabulary import Vocabulary
    from core.training import loop
    from core.training.arguments import training_arguments
    from core.training.examples import Blocks, Chosen, Collator
    from core.training.memory import Shape
    from core.training.monitor import TrainingMonitor
    from core.training.plan import sampled
    from train_model import ModelTrainingConfig, make_model, optimization_of, prepare

    marks: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append(time.monotonic())

    vocabulary = Vocabulary.load(outputs / "vocab.json", outputs / "tokenizer")
    config = ModelTrainingConfig(
        base_model=vocabulary.base_model,
        loss_chunk_tokens=256 if name == "ours" else 0,
        validation_points=0,
        sequence_length=WIDTH,
        checkpoint_steps=10_000,
    )
    blocks = Blocks.load(outputs / "dataset", "train", WIDTH)
    assert blocks is not None
    examples = Chosen(blocks, sampled(len(blocks), steps, 1.0))
    cache = expand(PipelineConfig().cache_dir)
    model = prepare(make_model(config, vocabulary, cache), vocabulary, config)
    set_seed(config.seed)
    losses: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        arguments = training_arguments(Path(folder), Shape(1, 1, WIDTH), optimization_of(config), steps=steps)
        if name == "ours":
            original = TrainingMonitor.on_step_end

            def on_step_end(*given: Any, **named: Any) -> None:
                original(*given, **named)
                marks.append(time.monotonic())

            TrainingMonitor.on_step_end = on_step_end  # type: ignore[method-assign]
            rules = loop.Rules(config.checkpoint_steps, 0, 0.0)
            logs = Path(folder)
            loop.train(model, examples, None, arguments, rules, Collator(vocabulary.pad_id), logs, None)
            lines = (logs / "metrics.jsonl").read_text().splitlines()
            losses = [entry["loss"] for entry in map(json.loads, lines) if "loss" in entry]
        else:
            trainer = Trainer(
                model=model,
                args=arguments,
                train_dataset=examples,
                data_collator=Collator(vocabulary.pad_id),
                callbacks=[Clock()],
            )
            trainer.train()
            losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    rate = (len(marks) - LAST) * WIDTH / (marks[-1] - marks[LAST - 1])
    on_card = base_models.device() == "cuda"
    peak = torch.cuda.max_memory_allocated() / 2**20 if on_card else peak_memory_mb()
    print(json.dumps({"rate": rate, "peak_mb": peak, "loss": losses[-1]}))


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        child(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
