"""Make the weights that ship for the risk of files, thoughts/risk/weights.json, from clones.

python scripts/fit_risk.py --repo DIR --repo DIR …
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core import logs
from core.engine.command import CONTEXT_SETTINGS, with_exit_codes
from core.files import write_json
from core.logs import log
from miners.clones import name_of
from thoughts.risk.measuring import SHARES, cells_of_clone
from thoughts.risk.weights import SHIPPED, Weights, features_of, fitted


@click.command(context_settings=CONTEXT_SETTINGS)
@click.option("--repo", "repos", multiple=True, required=True, metavar="DIR", help="A clone (repeatable).")
@click.option("--output", default=str(SHIPPED), metavar="FILE", show_default=True, help="Where to write the weights.")
@with_exit_codes
def main(repos: Sequence[str], output: str) -> None:
    """Make the weights that ship for the risk of files from clones."""
    logs.setup(verbose=False)
    cells, names = [], []
    for repo in repos:
        found = [cell for cell in cells_of_clone(repo, SHARES) if cell.says_something]
        log.info("%s: %d moments", name_of(repo), len(found))
        cells += [(features_of(cell.files), cell.repaired) for cell in found]
        names += [name_of(repo)] if found else []
    write_json(Path(output), msgspec.to_builtins(Weights(fitted(cells), sorted(names))))


if __name__ == "__main__":
    main()
