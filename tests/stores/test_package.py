"""What `import stores` offers, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from builders import PROJECT

import stores


def test_names_and_context_types_are_read_without_sqlalchemy() -> None:
    code = (
        "import sys\n"
        "from stores.agent.context_types import CONTEXT_TYPES, STORE_NAMES\n"
        "import store_seeder\n"
        "print(len(store_seeder.STAGE.side_files(store_seeder.StoreSeederConfig())), 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False"]


def test_everything_that_is_offered_is_there_and_nothing_else() -> None:
    assert [getattr(stores, name).__name__ for name in stores.__all__] == stores.__all__
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = stores.Nothing
