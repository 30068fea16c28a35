"""Models of published shapes with random weights, so that nothing is downloaded: NF4, with an adapter, as stage 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from core.training.memory import Shape

if TYPE_CHECKING:
    from transformers import PreTrainedModel

RANK = 16
OWN_TOKENS = 450
"""Markers and promoted values whose embedding rows are trained."""
CHUNK = 256
"""Tokens whose logits are in memory at once."""
_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Published:
    """A model of a published shape."""

    name: str
    config: str
    """Class of its configuration in transformers."""
    values: dict[str, Any]
    shapes: tuple[Shape, ...]


_LLAMA_7B = {
    "vocab_size": 32_016,
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "tie_word_embeddings": False,
}
QWEN_1_5B = Published(
    "Qwen2.5-Coder-1.5B",
    "Qwen2Config",
    {
        "vocab_size": 151_936,
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_hidden_layers": 28,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
    },
    (Shape(1, 16, 1024), Shape(2, 8, 2048)),
)
CODE_LLAMA_7B = Published("CodeLlama-7B", "LlamaConfig", _LLAMA_7B, (Shape(1, 16, 1024),))
LLAMA_2_7B = Published("Llama-2-7B", "LlamaConfig", {**_LLAMA_7B, "vocab_size": 32_000}, (Shape(1, 16, 1024),))
SMALL = Published(
    "a small model",
    "LlamaConfig",
    {
        "vocab_size": 600,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "tie_word_embeddings": False,
    },
    (Shape(1, 1, 64),),
)


def build(model: Published, device: str, precision: str) -> PreTrainedModel:
    """A model of the shape with an adapter on it: NF4 with random weights, or on "meta" without any.

    `precision` is that of the arithmetic: fp32, bf16 or fp16.
    """
    import transformers
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig
    from transformers.integrations import replace_with_bnb_linear

    from core.training.adapter import add_lora
    from core.training.loss import use_chunked_loss

    config, dtype = getattr(transformers, model.config)(**model.values), _TYPES[precision]
    with torch.device("meta"):
        made = AutoModelForCausalLM.from_config(config, dtype=dtype)
    if device != "meta":
        settings = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
        made = replace_with_bnb_linear(made, modules_to_not_convert=["lm_head"], quantization_config=settings)
        fill(made, device, dtype)
        made.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    made = add_lora(made, list(range(min(OWN_TOKENS, config.vocab_size))), rank=RANK, alpha=2 * RANK, dropout=0.0)
    if device != "meta":
        use_chunked_loss(made, CHUNK)
    return made


def fill(model: PreTrainedModel, device: str, dtype: torch.dtype) -> None:
    """Give each layer random weights, one after the other, so that little is unquantized at a time."""
    from bitsandbytes.nn.modules import Linear4bit, Params4bit

    for module in model.modules():
        for name, value in list(module.named_parameters(recurse=False)):
            made = torch.randn(value.shape, dtype=dtype, device=device) * 0.02
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
