"""The loss of a language model without the logits of a whole batch in memory.

A vocabulary of 152,000 entries makes 1.3 GiB of float32 logits for 2,304 tokens, and backward needs them about
three times. Here the output layer and the cross-entropy are computed for a few tokens at a time, together with their
gradient (as in Liger's fused loss), so nothing is computed twice and only one chunk is ever in memory. Rows of the
output layer that an adapter trains (our markers) get their own gradient; the frozen rest gets none, which PEFT's
layer would compute and throw away.
"""

from __future__ import annotations

import math
import types
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.logs import log

if TYPE_CHECKING:
    from transformers import PreTrainedModel

IGNORED = -100
"""The label of a token that has no loss."""
_PROBE_TOKENS = 12
_TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-4}
_HALF_TOLERANCE = 1e-2
_OWN_LOGITS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")
"""Settings of architectures that scale or cap their logits."""


def use_chunked_loss(model: PreTrainedModel, chunk_tokens: int) -> bool:
    """Let `model` (adapted or not) compute its loss `chunk_tokens` at a time; False where that is not the same loss.

    Some architectures change their logits. Both losses are therefore compared once on a few tokens, and where they
    differ the model keeps its own.
    """
    causal = causal_model(model)
    head = causal.get_output_embeddings()
    config = causal.config.get_text_config()
    if head is None or any(getattr(config, name, None) not in (None, 1.0) for name in _OWN_LOGITS):
        log.warning("this architecture changes its logits: they are computed for the whole batch at once")
        return False
    tolerance = _TOLERANCE.get(head.weight.dtype, _HALF_TOLERANCE)
    original = causal.forward

    def forward(
        _self: PreTrainedModel,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        **others: Any,
    ) -> Any:
        from transformers.modeling_outputs import CausalLMOutputWithPast

        given = {"input_ids": input_ids, "attention_mask": attention_mask, "position_ids": position_ids}
        if labels is None:
            return original(**given, **others)
        hidden = causal.get_decoder()(**given, use_cache=False).last_hidden_state
        following = labels[:, 1:].reshape(-1)
        wanted = following != IGNORED
        before = hidden[:, :-1].reshape(-1, hidden.shape[-1])[wanted]
        total = head_loss(before, following[wanted], causal.get_output_embeddings(), chunk_tokens)
        count = num_items_in_batch if num_items_in_batch is not None else wanted.sum().clamp(min=1)
        return CausalLMOutputWithPast(loss=total / (count.to(total.device) if isinstance(count, Tensor) else count))

    ids = torch.arange(_PROBE_TOKENS, device=causal.device)[None] % head.weight.shape[0]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        expected = float(original(input_ids=ids, labels=ids, use_cache=False).loss)
        causal.forward = types.MethodType(forward, causal)
        try:
            got = float(causal(input_ids=ids, labels=ids).loss)
        except (TypeError, AttributeError):  # its inner model takes other arguments, or has another shape
            got = math.inf
    model.train(was_training)
    if not abs(got - expected) <= tolerance * max(abs(expected), 1):
        log.warning("this architecture has a different loss: logits are computed for the whole batch at once")
        del causal.forward
        return False
    return True


def causal_model(model: PreTrainedModel) -> PreTrainedModel:
    """The language model inside an adapted one, or the model itself."""
    return model.get_base_model() if hasattr(model, "peft_config") else model


def head_loss(hidden: Tensor, labels: Tensor, head: torch.nn.Module, chunk_tokens: int) -> Tensor:
    """Sum of the cross-entropies (nats, float32) of `labels` (N,) given `hidden` (N, width) before the output layer."""
    weight, bias, rows, row_ids = _parts(head)
    total: Tensor = _HeadLoss.apply(  # type: ignore[no-untyped-call]
        hidden, weight, bias, rows, row_ids, labels, chunk_tokens
    )
    return total


def _parts(head: Any) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    """(weight, bias, rows trained by an adapter, their ids) of an output layer."""
    layer = getattr(head, "token_adapter", None)
    if layer is None or layer.disable_adapters or layer.merged or not layer.active_adapters:
        base = layer.get_base_layer() if layer is not None else head
        return base.weight, getattr(base, "bias", None), None, None
    name = layer.active_adapters[0]
    base, rows = layer.get_base_layer(), layer.trainable_tokens_delta[name]
    ids = torch.tensor(layer.token_indices[name], device=rows.device)
    return base.weight, getattr(base, "bias", None), rows, ids


class _HeadLoss(torch.autograd.Function):
    """Sum of cross-entropies, with the gradients made in the forward pass, chunk by chunk."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        rows: Tensor | None,
        row_ids: Tensor | None,
        labels: Tensor,
        chunk_tokens: int,
    ) -> Tensor:
        needs_hidden, needs_weight, needs_bias, needs_rows = ctx.needs_input_grad[:4]
        kind = hidden.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
        table = weight.to(dtype)
        own = rows.to(dtype) if rows is not None else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        grads: list[Tensor | None] = [
            torch.zeros_like(value, dtype=torch.float32) if value is not None and needed else None
            for value, needed in (
                (hidden, needs_hidden),
                (weight, needs_weight),
                (bias, needs_bias),
                (rows, needs_rows),
            )
        ]
        for start in range(0, len(hidden), chunk_tokens):
            states, wanted = hidden[start : start + chunk_tokens].to(dtype), labels[start : start + chunk_tokens, None]
            logits = states @ table.T
            if bias is not None:
                logits = logits + bias.to(dtype)
            if own is not None and row_ids is not None:
                logits.index_copy_(1, row_ids, states @ own.T)
            scores = logits.float()
            del logits
            norm = scores.logsumexp(dim=-1, keepdim=True)
            total += (norm - scores.gather(1, wanted)).sum()
            if not any(ctx.needs_input_grad[:4]):
                continue
            slope = scores.sub_(norm).exp_()  # d loss / d logits: the probabilities, less one at the label
            slope.scatter_add_(1, wanted, torch.full_like(wanted, -1, dtype=slope.dtype))
            slope = slope.to(dtype)
            if own is not None and row_ids is not None:
                own_slope = slope[:, row_ids]
                if grads[3] is not None:
                    grads[3] += own_slope.T @ states
                slope.index_fill_(1, row_ids, 0)
            if grads[0] is not None:
                chunk = slope @ table
                grads[0][start : start + chunk_tokens] = chunk + own_slope @ own if own is not None else chunk
            if grads[1] is not None:
                grads[1] += slope.T @ states
            if grads[2] is not None:
                grads[2] += slope.sum(dim=0)
        ctx.grads = [None if grad is None else grad.to(hidden.dtype) for grad in grads[:1]] + grads[1:]
        ctx.dtypes = [None if value is None else value.dtype for value in (hidden, weight, bias, rows)]
        return total

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        made = (
            None if grad is None else (grad * slope).to(dtype)
            for grad, dtype in zip(ctx.grads, ctx.dtypes, strict=True)
        )
        return (*made, None, None, None)
