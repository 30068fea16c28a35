"""How other programs serve what is written here: the commands with the flags that a model or an adapter needs."""

from __future__ import annotations

import shlex
from pathlib import Path

VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM's --max-lora-rank takes; 16 unless set."""


def of_adapter(folder: Path, base_model: str, rank: int, rows: int) -> list[str]:
    """Lines for an adapter of a rank, with so many trained rows of the embedding."""
    place, base = shlex.quote(str(folder)), shlex.quote(base_model)
    if rows:
        return [
            f"vLLM, llama.cpp and Ollama load no adapter with trained rows of the embedding, and this one has {rows:,}",
            f"for them, merge it: python scripts/export_model.py --model {place} --output exported",
        ]
    fitting = next((one for one in VLLM_RANKS if one >= rank), 0)
    served = f"vllm serve {base} --enable-lora --max-lora-rank {fitting} --lora-modules fused={place}"
    return [
        f"vLLM: {served}" if fitting else f"vLLM loads no rank above {VLLM_RANKS[-1]}, and this is {rank}: see --rank",
        f"llama.cpp: python convert_lora_to_gguf.py {place} --base {base} --outfile fused.gguf",
        "           llama-server -m BASE.gguf --lora fused.gguf",
        f"Ollama: a Modelfile with FROM {base_model} and ADAPTER {folder}",
    ]


def of_whole(folder: Path, gguf: str, width: int) -> list[str]:
    """Lines for a whole model, with its GGUF file where there is one; `width` in tokens."""
    place = shlex.quote(str(folder))
    model = shlex.quote(str(folder / gguf)) if gguf else ""
    return [
        f"vLLM: vllm serve {place} --max-model-len {width}",
        f"llama.cpp: llama-server -m {model} -c {width}" if model else "llama.cpp: needs --gguf",
        f"Ollama: cd {place} && ollama create NAME -f Modelfile",
    ]
