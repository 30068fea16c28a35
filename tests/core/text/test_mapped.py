"""Files are read as arrays, and what was read does not stay in memory."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.text import mapped
from core.text.mapped import Mapped
from core.text.token_files import save


def test_a_store_is_read_as_it_is(tmp_path: Path) -> None:
    ids, marks = torch.arange(1000, dtype=torch.int32), torch.ones(7, dtype=torch.bool)
    save(tmp_path / "x.pt", {"ids": ids, "marks": marks, "none": torch.empty(0)})
    store = Mapped.store(tmp_path / "x.pt", 0)
    assert len(store) == 1000
    assert store[3:9].tolist() == [3, 4, 5, 6, 7, 8]
    assert store.part(990, 1000)[5:].tolist() == [995, 996, 997, 998, 999]
    assert Mapped.store(tmp_path / "x.pt", 1, np.bool_)[:].all()
    assert len(Mapped.store(tmp_path / "x.pt", 2)) == 0
    with pytest.raises(KeyError):
        Mapped.store(tmp_path / "x.pt", 3)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what of a file is in memory")
def test_pages_that_were_read_are_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def resident() -> int:
        found = re.search(r"RssFile:\s+(\d+) kB", Path("/proc/self/status").read_text())
        assert found
        return 1024 * int(found[1])

    monkeypatch.setattr(mapped, "_MOST_RESIDENT", 1 << 20)
    size = 32 << 20
    path = tmp_path / "bytes"
    path.write_bytes(bytes(size))
    with path.open("rb") as file:
        items = Mapped.of(file, 0, size, np.uint8)
    before, most = resident(), 0
    for start in range(0, size, 1 << 18):
        assert not items[start : start + (1 << 18)].any()
        most = max(most, resident() - before)
    assert most < size // 4
