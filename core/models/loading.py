"""Loading what others made: a model with code of its own is refused, a damaged one is a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.errors import GitloreError, UserError
from core.logs import log

_LONGEST_REASON = 200


def refuse_own_code(name: str, shown: str) -> None:
    """Raise UserError where a model brings Python of its own: transformers would ask on the terminal whether to run it.

    `name` is a folder, or an id on the model hub; `shown` is what the user calls it.
    """
    from transformers import PretrainedConfig
    from transformers.models.auto.tokenization_auto import get_tokenizer_config

    readers: dict[str, Callable[[], Any]] = {
        "config.json": lambda: PretrainedConfig.get_config_dict(name)[0],
        "tokenizer_config.json": lambda: get_tokenizer_config(name),
    }
    for file, read in readers.items():
        found = {}
        with contextlib.suppress(OSError):  # not there, or not to be reached: loading says so
            found = read()
        if not isinstance(found, Mapping):
            raise UserError(f"base model '{shown}' is damaged: its {file} holds no settings", "choose another one")
        if "auto_map" in found:
            raise UserError(
                f"base model '{shown}' brings code of its own (auto_map in {file}), which Gitlore never runs",
                "choose a model that transformers knows itself; if it does know this one, remove auto_map",
            )


@contextlib.contextmanager
def damage_reported(what: str, hint: str) -> Iterator[None]:
    """Raise UserError ("<what> cannot be loaded: …") in place of what libraries raise of damaged files.

    A file can be wrong in every way, and so can the error. Running out of memory stays what it is.
    """
    import torch

    try:
        yield
    except (GitloreError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - see above
        log.debug("loading failed", exc_info=error)
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        kind = "" if isinstance(error, (OSError, ValueError)) else f"{type(error).__name__}: "
        raise UserError(f"{what} cannot be loaded: {kind}{reason}", hint) from None
