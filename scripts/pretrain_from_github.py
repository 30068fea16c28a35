"""Seed the stores once, from all that config.yaml names: clones, curated repositories, what a search finds.

    python scripts/pretrain_from_github.py --config config.yaml
    python scripts/pretrain_from_github.py --repos ~/src/flask --repos ~/src/black --no-github

Reads every repository from its first commit on. For every night there is scripts/refresh_pretraining.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pretraining_command import pretraining_command

main = pretraining_command(
    from_scratch=True,
    summary="pretrained",
    help="Seed the stores from named clones and from GitHub, reading all of each.",
)

if __name__ == "__main__":
    main()
