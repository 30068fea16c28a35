"""adapter_config.json: what of PEFT's settings can be fused. What is not known here is refused unless it is off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.records.lines import DAMAGED

MOST_BYTES = 10_000_000
_USED = {"peft_type", "r", "lora_alpha", "use_rslora", "target_modules", "trainable_token_indices"}
"""Fields of adapter_config.json that are read."""
_INERT = {
    *("base_model_name_or_path", "revision", "peft_version", "task_type", "inference_mode", "auto_mapping"),
    *("lora_dropout", "megatron_core", "qalora_group_size", "layers_pattern"),
}
"""Those that do not change what a trained adapter does."""
_NEUTRAL = {"bias": ("none",), "init_lora_weights": (True, False, "gaussian", "orthogonal")}
"""What others may be beside off; all that is not named here has to be off: null, false or empty."""
_OFF: tuple[Any, ...] = (None, False, "", {}, [])
_HINT = "ask whoever made it for the file again"


def read_config(path: Path) -> dict[str, Any]:
    """adapter_config.json. Raises UserError for everything that changes an update in ways that are not handled."""
    if path.stat().st_size > MOST_BYTES:
        raise UserError(f"{path} is too large for a config", _HINT)
    try:
        settings = json.loads(path.read_bytes())
    except DAMAGED as error:
        raise UserError(f"{path} is damaged: {error}", _HINT) from None
    if not isinstance(settings, dict) or settings.get("peft_type") != "LORA":
        raise UserError(f"{path} is not the config of a LoRA adapter", "only LoRA adapters can be fused")
    _check_scale(path, settings)
    if not isinstance(settings.get("target_modules"), list):
        raise UserError(f"{path}: target_modules is no list of names", "save the adapter with its layers named")
    for name, value in settings.items():
        if name in _USED | _INERT or value in _OFF or value in _NEUTRAL.get(name, ()):
            continue
        raise UserError(
            f"{path}: {name} is {json.dumps(value)[:60]}, and such adapters cannot be fused",
            "only plain LoRA, with or without rsLoRA's scale, is averaged rightly",
        )
    return settings


def _check_scale(path: Path, settings: dict[str, Any]) -> None:
    for name in ("r", "lora_alpha"):
        value = settings.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1 << 20:
            raise UserError(f"{path} is damaged: {name} is {value!r}", _HINT)
    if settings["r"] != int(settings["r"]):
        raise UserError(f"{path} is damaged: r is {settings['r']!r}", _HINT)
    if settings.get("use_rslora", False) not in (True, False, None):
        raise UserError(f"{path} is damaged: use_rslora is {settings['use_rslora']!r}", _HINT)
