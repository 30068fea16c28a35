"""Bring the stores up to date: from cron, every night.

    17 3 * * *  cd /srv/gitlore && .venv/bin/python scripts/refresh_pretraining.py --config config.yaml

Reads only commits and issues that are new, tries everything on held-out repositories, backs the stores up and merges.
A second run at the same time ends at once with code 75, a killed one leaves the stores as they were.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pretraining_command import pretraining_command

main = pretraining_command(
    from_scratch=False,
    summary="refreshed",
    help="Bring the stores up to date with what is new in clones and on GitHub.",
)

if __name__ == "__main__":
    main()
