"""Does it fit an 8 GiB card? The memory plan of stage 5 against reality, for models of real shapes.

    python -m benchmarks.vram [NAME …]

Weights are random, so nothing is fetched: NF4 weights of the real shapes are made layer by layer, the adapter,
the optimizer, the loss in chunks and gradient checkpointing are those of stage 5. On a card the process may use
8 GiB (`torch.cuda.set_per_process_memory_fraction`) and takes three steps; peak memory and tokens a second
are printed beside the plan. Without a card the plan alone is printed, and that nothing was measured.
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
class Model:
    """A published shape."""

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
    Model("Qwen2.5-Coder-1.5B", "Qwen2Config", QWEN_1_5B, (Shape(1, 16, 1024), Shape(2, 8, 2048))),
    Model("CodeLlama-7B", "LlamaConfig", LLAMA_7B, (Shape(1, 16, 1024),)),
    Model("Llama-2-7B", "LlamaConfig", {**LLAMA_7B, "vocab_size": 32_000}, (Shape(1, 16, 1024),)),
)


def main() -> None:
    """Print one line for each model and shape."""
    wanted = sys.argv[1:]
    on_card = torch.cuda.is_available()
    if on_card:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min((CAP_GIB * GIB - memory.CUDA_CONTEXT) / total, 1.0))
        context = memory.CUDA_CONTEXT / GIB
        print(f"{torch.cuda.get_device_name()}, capped at {CAP_GIB:g} GiB, {context:g} of them for its context")
    else:
        print("no card here: plans alone, nothing was measured")
    for model in MODELS:
        if not wanted or model.name in wanted:
            for shape in model.shapes:
                print(f"{model.name:20} {shape}: {line(model, shape, on_card=on_card)}", flush=True)


def line(model: Model, shape: Shape, *, on_card: bool) -> str:
    """Plan, and on a card what was measured."""
    made = build(model, "cuda" if on_card else "meta")
    sizes = memory.sizes_of(made, element=2, optimizer_bytes=2, checkpointing=True, logit_tokens=CHUNK)
    if not on_card:
        sizes = replace(sizes, weights_bytes=four_bit_bytes(made))
    needs = memory.needed(sizes, shape, on_card=True)
    planned = f"plan {sum(needs.values()) / GIB:5.2f} GiB ({', '.join(f'{n} {s / GIB:.2f}' for n, s in needs.items())})"
    if not on_card:
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


def build(model: Model, device: str) -> PreTrainedModel:
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
    """What stage 5 computes in there."""
    able = device != "cuda" or torch.cuda.get_device_capability() >= (8, 0)
    return torch.bfloat16 if able else torch.float16


def fill(model: PreTrainedModel, device: str) -> None:
    """Give each layer random weights, one after the other, so that nothing stands unquantized for long."""
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
    """What the weights would take: 4.127 bits for each in a linear layer (NF4, double quantization), else two bytes."""
    linear = sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if type(module) is torch.nn.Linear and "lora" not in name and "lm_head" not in name
    )
    frozen = sum(value.numel() for value in model.parameters() if not value.requires_grad)
    return int(linear * 4.127 / 8 + 2 * (frozen - linear))


def probe(model: PreTrainedModel, shape: Shape, vocabulary: int) -> memory.Measured:
    """Steps of stage 5's own probe."""
    from core.training import loop
    from train_model import ModelTrainingConfig, arguments_of

    config = ModelTrainingConfig(method="qlora", gradient_checkpointing=True)
    with tempfile.TemporaryDirectory() as folder:
        arguments = arguments_of(Path(folder), loop.PROBE_STEPS, 0, 0, shape, config=config)
        return loop.probe(model, shape, vocabulary, arguments)


if __name__ == "__main__":
    main()
