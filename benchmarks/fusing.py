"""What fusing adapters of a large model takes: random ones, in the shapes of a 7B model.

    python -m benchmarks.fusing [--adapters 4] [--rank 16] [--layers 32]

Prints the processor time and the peak memory of scripts/merge_lora_adapters.py for each method.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
from safetensors.numpy import save_file

from core.fusion.parents import CONFIG, WEIGHTS

HIDDEN, KEYS, INNER = 4096, 4096, 11_008
SHAPES = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (KEYS, HIDDEN),
    "self_attn.v_proj": (KEYS, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (INNER, HIDDEN),
    "mlp.up_proj": (INNER, HIDDEN),
    "mlp.down_proj": (HIDDEN, INNER),
}
"""(d, k) of a layer's parts; Llama 2 7B's."""
SCRIPT = "scripts/merge_lora_adapters.py"


@click.command()
@click.option("--adapters", default=4, show_default=True)
@click.option("--rank", default=16, show_default=True)
@click.option("--layers", default=32, show_default=True)
@click.option("--method", "methods", multiple=True, default=("delta", "cat", "literal"), show_default=True)
def main(adapters: int, rank: int, layers: int, methods: tuple[str, ...]) -> None:
    """Print a row for each method, as Markdown."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = [write_random(Path(scratch) / f"a{number}", number, rank, layers) for number in range(adapters)]
        size = (folders[0] / WEIGHTS).stat().st_size
        print(f"{adapters} adapters of {size / 1e6:,.0f} MB each, rank {rank}, {layers} layers")
        print("| method | CPU s | wall s | peak MB |\n|---|---:|---:|---:|")
        for method in methods:
            named = [argument for folder in folders for argument in ("--adapters", str(folder))]
            more = ["--output", f"{scratch}/{method}", "--method", method, "--trust-base"]
            print(f"| {method} | {measured([sys.executable, SCRIPT, *named, *more])} |", flush=True)


def measured(command: list[str]) -> str:
    """Processor time, wall time and peak memory of a command."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise click.ClickException(process.stderr.read().decode() if process.stderr else "it failed")
    cpu, wall = usage.ru_utime + usage.ru_stime, time.monotonic() - start
    return f"{cpu:,.1f} | {wall:,.1f} | {usage.ru_maxrss / 1024:,.0f}"


def write_random(folder: Path, seed: int, rank: int, layers: int) -> Path:
    """An adapter with random factors, as another program would write it."""
    folder.mkdir()
    draw = np.random.default_rng(seed)
    tensors = {}
    for layer in range(layers):
        for name, (d, k) in SHAPES.items():
            prefix = f"base_model.model.model.layers.{layer}.{name}.lora_"
            tensors[f"{prefix}A.weight"] = draw.standard_normal((rank, k), np.float32)
            tensors[f"{prefix}B.weight"] = draw.standard_normal((d, rank), np.float32)
    save_file(tensors, folder / WEIGHTS)
    names = sorted({name.rpartition(".")[2] for name in SHAPES})
    settings = {"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "target_modules": names, "bias": "none"}
    (folder / CONFIG).write_text(json.dumps(settings | {"base_model_name_or_path": "random"}))
    return folder


if __name__ == "__main__":
    main()
