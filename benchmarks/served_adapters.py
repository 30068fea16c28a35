"""What each adapter that is served beside others takes: memory, the time of a switch and of a token.

    python -m benchmarks.served_adapters outputs/model [--adapters 1 --adapters 8]

The same adapter is loaded so many times, each time as another one.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import click

from core.config import cache_folder
from core.models import model_folder

TOKENS = 64
SWITCHES = 20


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--adapters", "counts", multiple=True, type=int, default=(1, 2, 4, 8), show_default=True)
@click.option("--cache-dir", default="", help="Base models [default: pipeline.cache_dir].")
@click.option("--inside", is_flag=True, hidden=True)
def main(folder: Path, counts: tuple[int, ...], cache_dir: str, inside: bool) -> None:
    """Print a row for each number of adapters, as Markdown; each is measured in a process of its own."""
    if inside:
        print(measured(folder, counts[0], cache_dir))
        return
    print("| adapters | MB | ms a switch | ms a pass of 64 tokens |\n|---:|---:|---:|---:|", flush=True)
    for count in counts:
        more = ["--inside", "--adapters", str(count), "--cache-dir", cache_dir]
        subprocess.run([sys.executable, "-m", "benchmarks.served_adapters", str(folder), *more], check=True)


def measured(folder: Path, count: int, cache_dir: str) -> str:
    """A row of the table."""
    import torch

    loaded = list(model_folder.load_several({f"a{n}": folder for n in range(count)}, cache_folder(cache_dir)).values())
    ids = torch.arange(TOKENS)[None]

    def seconds(times: int, *, switch: bool) -> float:
        started = time.process_time()
        for number in range(times):
            one = loaded[number % count if switch else 0]
            one.activate()
            if not switch:
                one.model(input_ids=ids, use_cache=False)
        return (time.process_time() - started) / times

    with torch.inference_mode():
        for one in loaded:
            one.activate()
            one.model(input_ids=ids, use_cache=False)
        switch, passed = seconds(SWITCHES, switch=True), seconds(4, switch=False)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    memory = int(status.partition("VmRSS:")[2].split()[0]) / 1000
    return f"| {count} | {memory:,.0f} | {switch * 1000:,.0f} | {passed * 1000:,.0f} |"


if __name__ == "__main__":
    main()
