"""PEFT's own fusion as a model folder, or a refusal where it is known to be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_adapters import Make, change_config

from benchmarks.peft_fusing import fuse
from core.errors import UserError
from core.fusion import parents, updates


def test_svd_is_the_average_and_rows_are_lost(make: Make, tiny_model: Path, tmp_path: Path) -> None:
    places = [make("one", tiny_model), make("two", tiny_model, seed=2)]
    for how, exact in (("svd", True), ("linear", False)):
        fuse(places, tmp_path / how, how, tmp_path)
        made, found = parents.read(tmp_path / how), [parents.read(place) for place in places]
        layer = next(iter(made.layers))
        wanted = updates.joined([one.update(layer) for one in found], [0.5, 0.5])
        best = updates.error(updates.truncated(updates.decomposed(wanted), 4).update, wanted)
        error = updates.error(made.update(layer), wanted)
        assert (abs(error - best) < 1e-4) == exact
        table = made.tables[0]
        trained = [one.rows(table).values for one in found]
        assert not np.allclose(made.rows(table).values, np.mean(trained, axis=0), atol=0.02)


@pytest.mark.parametrize(("rank", "rslora", "how"), [(8, False, "linear"), (4, True, "svd")])
def test_what_it_would_do_wrong_is_refused(
    make: Make, tiny_model: Path, tmp_path: Path, rank: int, rslora: bool, how: str
) -> None:
    places = [make("one", tiny_model), make("two", tiny_model, seed=2, rank=rank)]
    change_config(places[1], use_rslora=rslora)
    with pytest.raises(UserError, match="PEFT cannot average" if how == "linear" else "scale of rsLoRA"):
        fuse(places, tmp_path / "made", how, tmp_path)
    assert not (tmp_path / "made").exists()
