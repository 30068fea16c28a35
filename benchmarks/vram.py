"""Does it fit an 8 GiB GPU? The memory plan of stage 6 compared with measurements, for models of published shapes.

    python -m benchmarks.vram [NAME …]

Weights are random, so nothing is downloaded: NF4 weights of the published shapes are made layer by layer; adapter,
optimizer, chunked loss and gradient checkpointing are those of stage 6. On a GPU the process may use 8 GiB
(`torch.cuda.set_per_process_memory_fraction`) and takes the steps of stage 6's probe; peak memory and tokens per second
are printed next to the plan. Without a GPU only the plan is printed.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from core.training import memory
from core.training.memory import GIB, Shape

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CAP_GIB = 8.0
RANK = 16
OWN_TOKENS = 450
"""Markers and promoted values whose embedding rows are trained."""
CHUNK = 256


@dataclass(frozen=True)
class Published:
    """A model of a published shape."""

    name: str
    config: str
    """Class of its configuration in transformers."""
    values: dict[str, Any]
    shapes: tuple[Shape, ...]


QWEN_1_5B = {
    "vocab_size": 151_936,
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
}
LLAMA_7B = {
    "vocab_size": 32_016,
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "tie_word_embeddings": False,
}
MODELS = (
    Published("Qwen2.5-Coder-1.5B", "Qwen2Config", QWEN_1_5B, (Shape(1, 16, 1024), Shape(2, 8, 2048))),
    Published("CodeLlama-7B", "LlamaConfig", LLAMA_7B, (Shape(1, 16, 1024),)),
    Published("Llama-2-7B", "LlamaConfig", {**LLAMA_7B, "vocab_size": 32_000}, (Shape(1, 16, 1024),)),
)


def main() -> None:
    """Print a line for each model and shape."""
    wanted = sys.argv[1:]
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min((CAP_GIB * GIB - memory.CUDA_CONTEXT) / total, 1.0))
        context = memory.CUDA_CONTEXT / GIB
        print(f"{torch.cuda.get_device_name()}, capped at {CAP_GIB:g} GiB, {context:g} of them for its context")
    else:
        print("no GPU here: plans only, nothing was measured")
    for model in MODELS:
        if not wanted or model.name in wanted:
            for shape in model.shapes:
                print(f"{model.name:20} {shape}: {line(model, shape, on_gpu=on_gpu)}", flush=True)


def line(model: Published, shape: Shape, *, on_gpu: bool) -> str:
    """The plan, and on a GPU what was measured."""
    made = build(model, "cuda" if on_gpu else "meta")
    sizes = memory.sizes_of(made, precision="bf16", optimizer_bytes=2, checkpointing=True, logit_tokens=CHUNK)
    if not on_gpu:
        sizes = replace(sizes, weights_bytes=four_bit_bytes(made))
    needs = memory.needed(sizes, shape, on_gpu=True)
    planned = f"plan {sum(needs.values()) / GIB:5.2f} GiB ({', '.join(f'{n} {s / GIB:.2f}' for n, s in needs.items())})"
    if not on_gpu:
        return f"{planned}; not measured"
    try:
        measured = probe(made, shape, model.values["vocab_size"])
    except torch.OutOfMemoryError as error:
        return f"{planned}; DOES NOT FIT: {str(error).split('.')[0]}"
    finally:
        del made
        torch.cuda.empty_cache()
    peak = measured.peak + memory.CUDA_CONTEXT
    rate = shape.micro_batch * shape.width * shape.accumulation / measured.step_seconds
    return f"{planned}; measured {peak / GIB:5.2f} GiB, {rate:,.0f} tokens/s"


def build(model: Published, device: str) -> PreTrainedModel:
    """A model of the shape with an adapter on it: NF4 with random weights, or on "meta" without any."""
    import transformers
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig
    from transformers.integrations import replace_with_bnb_linear

    from core.training.adapter import add_lora
    from core.training.loss import use_chunked_loss

    config = getattr(transformers, model.config)(**model.values)
    with torch.device("meta"):
        made = AutoModelForCausalLM.from_config(config, dtype=compute_dtype(device))
    if device != "meta":
        settings = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=compute_dtype(device),
        )
        made = replace_with_bnb_linear(made, modules_to_not_convert=["lm_head"], quantization_config=settings)
        fill(made, device)
        made.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    made = add_lora(made, list(range(min(OWN_TOKENS, config.vocab_size))), rank=RANK, alpha=2 * RANK, dropout=0.0)
    if device != "meta":
        use_chunked_loss(made, CHUNK)
    return made


def compute_dtype(device: str) -> torch.dtype:
    """The precision that stage 6 uses there."""
    able = device != "cuda" or torch.cuda.get_device_capability() >= (8, 0)
    return torch.bfloat16 if able else torch.float16


def fill(model: PreTrainedModel, device: str) -> None:
    """Give each layer random weights, one after the other, so that little is unquantized at a time."""
    from bitsandbytes.nn.modules import Linear4bit, Params4bit

    for module in model.modules():
        for name, value in list(module.named_parameters(recurse=False)):
            made = torch.randn(value.shape, dtype=compute_dtype(device), device=device) * 0.02
            if isinstance(module, Linear4bit) and name == "weight":
                packed = Params4bit(
                    made, requires_grad=False, quant_type="nf4", compress_statistics=True, module=module
                )
                module.weight = packed.to(device)  # type: ignore[misc]
            else:
                setattr(module, name, torch.nn.Parameter(made, requires_grad=False))
        if any(buffer.is_meta for buffer in module.buffers(recurse=False)):  # rotary frequencies are computed
            computed = type(module)(module.config)
            for name, buffer in computed.named_buffers(recurse=False):
                module.register_buffer(name, buffer.to(device), persistent=False)
    model.tie_weights()


def four_bit_bytes(model: PreTrainedModel) -> int:
    """Size of the weights: 4.127 bits for each in a linear layer (NF4, double quantization), two bytes otherwise."""
    linear = sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if type(module) is torch.nn.Linear and "lora" not in name and "lm_head" not in name
    )
    frozen = sum(value.numel() for value in model.parameters() if not value.requires_grad)
    return int(linear * 4.127 / 8 + 2 * (frozen - linear))


def probe(model: PreTrainedModel, shape: Shape, vocabulary: int) -> memory.Measured:
    """The steps of stage 6's own probe."""
    from core.training import loop
    from core.training.arguments import training_arguments
    from train_model import ModelTrainingConfig, optimization_of

    how = optimization_of(ModelTrainingConfig(method="qlora", gradient_checkpointing=True))
    with tempfile.TemporaryDirectory() as folder:
        arguments = training_arguments(Path(folder), shape, how, steps=loop.PROBE_STEPS)
        return loop.probe(model, shape, vocabulary, arguments)


if __name__ == "__main__":
    main()
