"""What PEFT makes of the same adapters, to be measured beside ours.

    python -m benchmarks.peft_fusing A B --output by-svd [--how svd]
    python scripts/merge_lora_adapters.py --adapters A B --output fused --eval … --beside by-svd

A and B are model folders of Gitlore's, and count the same. PEFT's `add_weighted_adapter` resets the trained rows of the
embedding to the base's, multiplies rsLoRA's scale in twice, and cannot average factors of different ranks (`linear`):
the last two are refused here.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from core.config import cache_folder
from core.errors import UserError
from core.fusion import parents
from core.fusion.parents import CONFIG, WEIGHTS
from core.fusion.peft_config import read_config
from core.models import model_folder
from core.models.model_folder import INFO

MADE = "made"
KEPT = (INFO, "tokenizer.json", "tokenizer_config.json", "generation_config.json")


@click.command()
@click.argument("adapters", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--how", default="svd", type=click.Choice(["linear", "svd"]), show_default=True)
@click.option("--cache-dir", default="", help="Base models [default: pipeline.cache_dir].")
def main(adapters: tuple[Path, ...], output: Path, how: str, cache_dir: str) -> None:
    """Fuse adapters by PEFT's add_weighted_adapter."""
    try:
        fuse(list(adapters), output, how, cache_folder(cache_dir))
    except UserError as error:
        sys.exit(f"error: {error}")


def fuse(adapters: list[Path], output: Path, how: str, cache_dir: Path) -> None:
    """Write what PEFT makes of adapters that count the same.

    Raises UserError where it would make something wrong of their factors.
    """
    from safetensors.torch import save_file

    found = [parents.read(place) for place in adapters]
    ranks = {one.rank for one in found}
    if how == "linear" and len(ranks) > 1:
        raise UserError("PEFT cannot average factors of different ranks", "--how svd")
    if any(read_config(one.folder / CONFIG).get("use_rslora") for one in found):
        raise UserError("PEFT multiplies the scale of rsLoRA in twice", "use scripts/merge_lora_adapters.py")
    names = [str(number) for number in range(len(adapters))]
    loaded = model_folder.load_several(dict(zip(names, adapters, strict=True)), cache_dir)
    model = loaded[names[0]].model
    weights = [1 / len(names)] * len(names)
    more = {"svd_rank": max(ranks)} if how == "svd" else {}
    model.add_weighted_adapter(names, weights, MADE, combination_type=how, **more)
    output.mkdir()
    model.peft_config[MADE].save_pretrained(str(output))
    end = f".{MADE}"  # PEFT 0.21 leaves the factors out when it saves such an adapter
    kept = ("lora_", *found[0].tables)  # a tied output layer has no rows of its own
    tensors = {
        name.replace(end, ""): value.contiguous()
        for name, value in model.state_dict().items()
        if end in name and any(part in name for part in kept)
    }
    save_file(tensors, output / WEIGHTS)
    for name in KEPT:
        shutil.copy(adapters[0] / name, output / name)


if __name__ == "__main__":
    main()
